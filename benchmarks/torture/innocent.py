# SPDX-License-Identifier: GPL-2.0-or-later
"""The innocent client: it reads all events on one connection and pings on another.

Started as ``python -m benchmarks.torture.innocent PORT FORMAT``, with the input format that
the proxy has; says ``ready`` when it is logged in.  An order on stdin, ``w``, begins a new window
(``window``);
``r`` has it print ``figures`` and a line of JSON about the window there is.
"""

from __future__ import annotations

import base64
import json
import os
import re
import selectors
import socket
import sys
import time

from benchmarks.figures import latency

_NAME = "innocent"
_PING_EVERY = 0.05  # seconds
_STAMP = re.compile(rb"BenchId: \d+-(\d+)-")
_BASIC = base64.b64encode(f"{_NAME}:{_NAME}".encode()).decode()
_HTTP = f"GET /?%s HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nAuthorization: Basic {_BASIC}\r\n\r\n"


def block(form: str, **headers: str) -> bytes:
    """Return an action of *headers* in the input format *form*."""
    if form == "json":
        text = json.dumps(headers) + "\n"
    elif form == "csv":
        text = ", ".join(f'"{name}: {value}"' for name, value in headers.items()) + "\r\n"
    elif form == "xml":
        inner = "".join(f'<{name} Value="{value}"/>' for name, value in headers.items())
        text = f"<AsteriskManagerInput>{inner}</AsteriskManagerInput>\r\n"
    elif form == "http":
        text = _HTTP % "&".join(f"{name}={value}" for name, value in headers.items())
    else:
        text = "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    return text.encode()


class Innocent:
    """Both connections, and what they saw in the window."""

    def __init__(self, port: int, form: str) -> None:
        self._port, self._form = port, form
        self._pings = self._connect("off")
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._pings, selectors.EVENT_READ, self._read_pings)
        self._events: socket.socket | None = None
        if form != "http":  # where nobody is sent events
            self._events = self._connect("on")
            self._selector.register(self._events, selectors.EVENT_READ, self._read_events)
        self._selector.register(0, selectors.EVENT_READ, self._obey)
        self._heard = self._unread = b""
        self._asked = self._count = 0
        self._since = 0.0
        self._delays: list[float] = []  # of events, seconds
        self._times: list[float] = []  # of pings
        self._gone = ""
        self._over = False

    def run(self) -> None:
        """Read and ping until stdin ends."""
        while not self._over:
            for key, _ in self._selector.select(0.005):
                key.data()
            now = time.monotonic()
            if not self._asked and not self._gone and now - self._since >= _PING_EVERY:
                self._ping(now)

    def _connect(self, events: str) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self._port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._form != "http":
            login = {"Action": "Login", "Username": _NAME, "Secret": _NAME, "Events": events}
            sock.sendall(block(self._form, **login))
            heard = b""
            while b"Message: Authentication" not in heard and (data := sock.recv(65536)):
                heard += data
            if b"Authentication accepted" not in heard:
                raise SystemExit(f"the innocent client cannot log in: {heard!r}")
        return sock

    def _obey(self) -> None:
        orders = os.read(0, 4096)
        self._over = not orders
        for order in orders.decode():
            if order == "w":
                self._delays, self._times = [], []
                print("window", flush=True)
            else:
                self._report()

    def _receive(self, sock: socket.socket) -> bytes:
        try:
            data = sock.recv(262144)
        except OSError as error:
            self._gone = str(error)
            data = b""
        if not data:
            self._gone = self._gone or "a connection was closed"
            self._selector.unregister(sock)
        return data

    def _read_events(self) -> None:
        assert self._events is not None
        *messages, self._unread = (self._unread + self._receive(self._events)).split(b"\r\n\r\n")
        now = time.monotonic()
        for message in messages:
            if (stamp := _STAMP.search(message)) is not None:
                self._delays.append(now - int(stamp[1]) / 1e6)

    def _ping(self, now: float) -> None:
        self._count += 1
        self._asked, self._since = self._count, now
        self._heard = b""
        headers = {"Action": "Ping", "ActionID": f"{_NAME}-{self._count}"}
        self._pings.sendall(block(self._form, **headers))

    def _read_pings(self) -> None:
        self._heard += self._receive(self._pings)
        at = self._heard.find(b"ActionID: %s-%d\r\n" % (_NAME.encode(), self._asked))
        if self._asked and at >= 0 and self._heard.endswith(b"\r\n\r\n"):
            if b"Response: Success" not in self._heard:
                self._gone = f"a ping failed: {self._heard.decode('latin-1')}"
            self._times.append(time.monotonic() - self._since)
            self._asked = 0

    def _report(self) -> None:
        times = list(self._times)
        if self._asked:
            times.append(time.monotonic() - self._since)  # the one that is not answered yet
        figures = {
            "events": len(self._delays),
            "event": latency(self._delays),
            "ping": latency(times),
            "gone": self._gone,
        }
        print("figures", json.dumps(figures), flush=True)


if __name__ == "__main__":
    innocent = Innocent(int(sys.argv[1]), sys.argv[2])
    print("ready", flush=True)
    innocent.run()
