// SPDX-License-Identifier: GPL-2.0-or-later
// What the drivers in Go share: where to connect, the steps, and what was seen.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

type object = map[string]interface{}

var at, token, orders = os.Args[1] + ":" + os.Args[2], os.Args[3], os.Args[1] + ":" + os.Args[4]

var seen []int
var last string

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func saw(step string, what interface{}) {
	line, err := json.Marshal(struct {
		Step string      `json:"step"`
		Saw  interface{} `json:"saw"`
	}{step, what})
	check(err)
	fmt.Println(string(line))
}

func fetch(method, url string) string {
	request, err := http.NewRequest(method, url, strings.NewReader("{}"))
	check(err)
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(err)
	return string(text)
}

func order(path string) { fetch("GET", "http://"+orders+"/"+path) }

func keys(rows interface{}) []string {
	var found []string
	for name := range rows.(object) {
		found = append(found, name)
	}
	return found
}

// Keep what an event says: its id, and its number.
func keep(told object) {
	if id, ok := told["id"].(string); ok {
		last = id
	}
	event := told["event"].(object)
	if event["UserEvent"] == "Wall" {
		var number int
		fmt.Sscan(event["N"].(string), &number)
		seen = append(seen, number)
	}
}
