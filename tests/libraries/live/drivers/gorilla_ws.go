// SPDX-License-Identifier: GPL-2.0-or-later
// gorilla/websocket.
package main

import (
	"net/http"

	"github.com/gorilla/websocket"
)

type gorilla struct{ *websocket.Conn }

func (one gorilla) send(text string) { check(one.WriteMessage(websocket.TextMessage, []byte(text))) }
func (one gorilla) close()           { one.Close() }
func (one gorilla) recv() (string, error) {
	_, text, err := one.ReadMessage()
	return string(text), err
}

func main() {
	run(func(protocol string) socket {
		dialer := *websocket.DefaultDialer
		if protocol != "" {
			dialer.Subprotocols = []string{protocol}
		}
		header := http.Header{"Authorization": {"Bearer " + token}}
		made, _, err := dialer.Dial("ws://"+at+"/ws", header)
		check(err)
		return gorilla{made}
	})
}
