// SPDX-License-Identifier: GPL-2.0-or-later
// The steps over WebSocket, whatever the library.
package main

import (
	"encoding/json"
	"strings"
)

type socket interface {
	send(text string)
	recv() (string, error)
	close()
}

var conn socket

func say(members object) {
	text, err := json.Marshal(members)
	check(err)
	conn.send(string(text))
}

func hear() (object, error) {
	text, err := conn.recv()
	if err != nil {
		return nil, err
	}
	var told object
	check(json.Unmarshal([]byte(text), &told))
	if told["type"] == "event" {
		keep(told)
	}
	return told, nil
}

func until(kind, member string) object {
	for {
		told, err := hear()
		check(err)
		if told["type"] == kind && (member == "" || told[member] != nil) {
			return told
		}
	}
}

func untilSeen(count int) {
	for len(seen) < count {
		_, err := hear()
		check(err)
	}
}

func lose(open func(string) socket, path string) {
	order(path)
	for {
		if _, err := hear(); err != nil {
			break
		}
	}
	conn = open("")
	say(object{"type": "subscribe", "events": []string{"UserEvent"}, "since": last})
}

func bare(open func(string) socket, form, ping string, look func(string) string) {
	conn = open("astmanproxy." + form)
	conn.send(ping)
	answer, err := conn.recv()
	check(err)
	order("say?n=1")
	event, err := conn.recv()
	check(err)
	saw(form, []string{look(answer), look(event)})
	conn.close()
}

func run(open func(string) socket) {
	conn = open("")
	saw("hello", until("hello", "")["user"])
	say(object{"type": "action", "id": 1, "action": object{"Action": "Ping"}})
	saw("answer", until("answer", "")["response"].(object)["Ping"])
	say(object{"type": "action", "id": 2, "action": object{"Action": "CoreShowChannels"}})
	saw("list", until("answer", "")["complete"].(object)["EventList"])
	say(object{"type": "subscribe", "events": []string{"UserEvent"}, "state": []string{"channels"}})
	saw("snapshot", keys(until("snapshot", "")["rows"]))
	order("say?n=3")
	untilSeen(3)
	saw("events", seen)
	order("call")
	until("change", "set")
	until("change", "del")
	saw("change", []string{"set", "del"})
	lose(open, "lose?n=5")
	untilSeen(8)
	order("say?n=2")
	untilSeen(10)
	saw("resumed", seen)
	lose(open, "lose?flood=1")
	saw("gap", until("gap", "")["reason"])
	order("say?n=1")
	untilSeen(11)
	saw("after the gap", seen[10])
	conn.close()
	bare(open, "ami", "Action: Ping\r\nActionID: 5", func(text string) string {
		return strings.Split(text, "\r\n")[0]
	})
	ping := `<AsteriskManagerInput><Action Value="Ping"/></AsteriskManagerInput>`
	bare(open, "xml", ping, func(text string) string { return text[:23] })
}
