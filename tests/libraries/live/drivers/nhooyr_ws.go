// SPDX-License-Identifier: GPL-2.0-or-later
// nhooyr.io/websocket.
package main

import (
	"context"
	"net/http"

	"nhooyr.io/websocket"
)

type nhooyr struct{ *websocket.Conn }

func (one nhooyr) send(text string) {
	check(one.Write(context.Background(), websocket.MessageText, []byte(text)))
}
func (one nhooyr) close() { one.Close(websocket.StatusNormalClosure, "") }
func (one nhooyr) recv() (string, error) {
	_, text, err := one.Read(context.Background())
	return string(text), err
}

func main() {
	run(func(protocol string) socket {
		options := websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}
		if protocol != "" {
			options.Subprotocols = []string{protocol}
		}
		made, _, err := websocket.Dial(context.Background(), "ws://"+at+"/ws", &options)
		check(err)
		return nhooyr{made}
	})
}
