# SPDX-License-Identifier: GPL-2.0-or-later
"""What the drivers in Python share: where to connect, what is done, and what was seen."""

from __future__ import annotations

import json
import sys
import time
import urllib.request

HOST, PORT, TOKEN, ORDERS = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def saw(step: str, what: object) -> None:
    """Print one line for the program that compares: what the client made of *step*."""
    print(json.dumps({"step": step, "saw": what}), flush=True)


def order(path: str) -> None:
    """Have Asterisk or the network do something."""
    with urllib.request.urlopen(f"http://{HOST}:{ORDERS}/{path}") as answer:
        answer.read()


class LostError(Exception):
    """The connection is lost."""


class Flow:
    """The steps over WebSocket; *connect* returns what has send(text), recv() and close().

    recv() raises LostError where the connection is lost.
    """

    def __init__(self, connect) -> None:
        self.connect = connect
        self.socket = None
        self.seen = []
        self.last = None

    def say(self, **members) -> None:
        """Send a document."""
        self.socket.send(json.dumps(members))

    def hear(self) -> dict:
        """Return the next document; keep where the client is, and the numbers of events."""
        told = json.loads(self.socket.recv())
        if told["type"] == "event":
            self.last = told["id"]
            if told["event"]["UserEvent"] == "Wall":
                self.seen.append(int(told["event"]["N"]))
        return told

    def until(self, kind: str) -> dict:
        """Return the next document of *kind*."""
        while True:
            told = self.hear()
            if told["type"] == kind:
                return told

    def until_seen(self, count: int) -> None:
        """Read until there were *count* events with numbers."""
        while len(self.seen) < count:
            self.hear()

    def lose(self, path: str) -> None:
        """Lose the connection, come back, and go on where it was."""
        order(path)
        try:
            while True:
                self.hear()
        except LostError:
            self.socket.close()
        self.socket = self.connect("/ws")
        self.say(type="subscribe", events=["UserEvent"], since=self.last)

    def run(self) -> None:
        """Take all steps."""
        self.socket = self.connect("/ws")
        saw("hello", self.until("hello")["user"])
        self.say(type="action", id=1, action={"Action": "Ping"})
        saw("answer", self.until("answer")["response"]["Ping"])
        self.say(type="action", id=2, action={"Action": "CoreShowChannels"})
        saw("list", self.until("answer")["complete"]["EventList"])
        self.say(type="subscribe", events=["UserEvent"], state=["channels"])
        saw("snapshot", list(self.until("snapshot")["rows"]))
        order("say?n=3")
        self.until_seen(3)
        saw("events", self.seen)
        order("call")
        begun = ended = {}
        while not begun.get("set"):
            begun = self.until("change")
        while not ended.get("del"):
            ended = self.until("change")
        saw("change", ["set", "del"])
        self.lose("lose?n=5")
        self.until_seen(8)
        order("say?n=2")
        self.until_seen(10)
        saw("resumed", self.seen)
        self.lose("lose?flood=1")
        saw("gap", self.until("gap")["reason"])
        order("say?n=1")
        self.until_seen(11)
        saw("after the gap", self.seen[-1])
        self.socket.close()
        self.bare("ami", "Action: Ping\r\nActionID: 5", lambda text: text.partition("\r\n")[0])
        ping = '<AsteriskManagerInput><Action Value="Ping"/></AsteriskManagerInput>'
        self.bare("xml", ping, lambda text: text[:23])

    def bare(self, form: str, ping: str, look) -> None:
        """Read messages of a subprotocol."""
        self.socket = self.connect("/ws", f"astmanproxy.{form}")
        self.socket.send(ping)
        answer = look(self.socket.recv())
        order("say?n=1")
        saw(form, [answer, look(self.socket.recv())])
        self.socket.close()


class Events:
    """The steps over Server-Sent Events; *connect* returns an iterator of lines, which may end."""

    def __init__(self, connect) -> None:
        self.connect = connect
        self.last = ""
        self.seen = []
        self.blocks = self.read()

    def read(self):
        """Yield (name, data) of each event, over as many connections as there are."""
        while True:
            kind, data = "message", []
            try:
                for line in self.connect("/events?event=UserEvent&snapshot=channels", self.last):
                    field, _, value = line.rstrip("\r\n").partition(":")
                    value = value.removeprefix(" ")
                    if not line.rstrip("\r\n"):
                        if data:
                            yield kind, json.loads("\n".join(data))
                        kind, data = "message", []
                    elif field == "event":
                        kind = value
                    elif field == "data":
                        data.append(value)
                    elif field == "id":
                        self.last = value
            except LostError:
                pass
            time.sleep(0.1)

    def until(self, kind: str) -> dict:
        """Return the next event with the name *kind*."""
        for name, told in self.blocks:
            if name == "message" and told["event"]["UserEvent"] == "Wall":
                self.seen.append(int(told["event"]["N"]))
            if name == kind:
                return told
        raise AssertionError("never")

    def until_seen(self, count: int) -> None:
        """Read until there were *count* events with numbers."""
        while len(self.seen) < count:
            self.until("message")

    def run(self) -> None:
        """Take all steps."""
        saw("hello", self.until("hello")["user"])
        request = urllib.request.Request(
            f"http://{HOST}:{PORT}/v1/actions/Ping", b"{}",
            {**HEADERS, "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as answer:
            saw("answer", json.load(answer)["response"]["Ping"])
        saw("snapshot", list(self.until("snapshot")["rows"]))
        order("say?n=3")
        self.until_seen(3)
        saw("events", self.seen)
        order("call")
        begun = ended = {}
        while not begun.get("set"):
            begun = self.until("change")
        while not ended.get("del"):
            ended = self.until("change")
        saw("change", ["set", "del"])
        order("lose?n=5")
        self.until_seen(8)
        order("say?n=2")
        self.until_seen(10)
        saw("resumed", self.seen)
        order("lose?flood=1")
        saw("gap", self.until("gap")["reason"])
        order("say?n=1")
        self.until_seen(11)
        saw("after the gap", self.seen[-1])
