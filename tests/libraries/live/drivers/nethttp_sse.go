// SPDX-License-Identifier: GPL-2.0-or-later
// net/http: lines of an answer that has no end.
package main

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
)

type block struct {
	kind string
	told object
}

var blocks = make(chan block, 1000)

// Read one connection to its end.
func read() {
	request, err := http.NewRequest("GET", "http://"+at+"/events?event=UserEvent&snapshot=channels", nil)
	check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	kind, data, id := "message", "", last
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if data != "" {
				var told object
				check(json.Unmarshal([]byte(data), &told))
				blocks <- block{kind, told}
			}
			last = id
			kind, data = "message", ""
		case field == "event":
			kind = value
		case field == "data":
			data += value
		case field == "id":
			id = value
		}
	}
}

func until(kind, member string) object {
	for found := range blocks {
		if found.kind == "message" {
			delete(found.told, "id") // the stream's own id is what counts here
			keep(found.told)
		}
		if found.kind == kind && (member == "" || found.told[member] != nil) {
			return found.told
		}
	}
	return nil
}

func untilSeen(count int) {
	for len(seen) < count {
		until("message", "")
	}
}

func main() {
	go func() {
		for {
			read()
		}
	}()
	saw("hello", until("hello", "")["user"])
	var answer object
	check(json.Unmarshal([]byte(fetch("POST", "http://"+at+"/v1/actions/Ping")), &answer))
	saw("answer", answer["response"].(object)["Ping"])
	saw("snapshot", keys(until("snapshot", "")["rows"]))
	order("say?n=3")
	untilSeen(3)
	saw("events", seen)
	order("call")
	until("change", "set")
	until("change", "del")
	saw("change", []string{"set", "del"})
	order("lose?n=5")
	untilSeen(8)
	order("say?n=2")
	untilSeen(10)
	saw("resumed", seen)
	order("lose?flood=1")
	saw("gap", until("gap", "")["reason"])
	order("say?n=1")
	untilSeen(11)
	saw("after the gap", seen[10])
}
