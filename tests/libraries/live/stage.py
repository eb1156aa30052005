# SPDX-License-Identifier: GPL-2.0-or-later
"""What a driver uses: a proxy behind a relay, and an Asterisk that says what it is told to say.

A driver asks for that over HTTP: ``/say?n=3`` has Asterisk say three events that are numbered
on, ``/call`` has a call begin and end, ``/lose?n=5`` cuts all connections and has five events
said before another one gets through, ``/lose?flood=1`` as many others as the proxy keeps.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import itertools
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from amiproxy.access import tokens
from simulator.server import SimulatedAsterisk
from tests.libraries.live.relay import Relay
from tests.support import ProxyProcess
from tests.system.peers import QUICK, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONFIG = QUICK + "authrequired = yes\ninputformat = http\nstate = yes\nreplay = 64KB\n"
_USERS = "[wallboard]\nread = all\nwrite = all\ntoken = {}\n"
#: Events of a flood, and the bytes of each: more than the 4 MB that the proxy keeps for rows.
_FLOOD, _BYTES = 100, 60_000


class Stage:
    """An Asterisk, a proxy before it, and a relay before that."""

    def __init__(
        self, asterisk: SimulatedAsterisk, proxy: ProxyProcess, relay: Relay, token: str
    ) -> None:
        self._asterisk, self._proxy, self._relay, self._token = asterisk, proxy, relay, token
        self._numbers = itertools.count()

    def say(self, n: str = "0", **_: str) -> None:
        """Have Asterisk say *n* events, and wait until the proxy has them."""
        for _number in range(int(n)):
            self._asterisk.event("UserEvent", "user,all", UserEvent="Wall", N=next(self._numbers))
        self._catch_up()

    def call(self, **_: str) -> None:
        """Have a call begin and end."""
        self._asterisk.call("SIP/7")

    def lose(self, n: str = "0", flood: str = "", **_: str) -> None:
        """Cut all connections; say *n* events, or a *flood* of others, before any comes back."""
        with self._relay.cut():
            for _number in range(_FLOOD if flood else 0):
                self._asterisk.event("Flood", "user,all", X="x" * _BYTES)
            self.say(n)

    def _catch_up(self) -> None:
        """Wait until the proxy has read all: the answer to a Ping comes behind it."""
        connection = http.client.HTTPConnection("127.0.0.1", self._proxy.port, timeout=20)
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {self._token}"}
            connection.request("GET", "/v1/actions/Ping", headers=headers)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()


@contextlib.contextmanager
def stage() -> Iterator[tuple[int, str, int]]:
    """Give the port of the relay, a token, and the port where orders are taken."""
    token = tokens.new_token()
    users = _USERS.format(tokens.hash_of(token))
    with (
        SimulatedAsterisk() as asterisk,
        ProxyProcess(_CONFIG + host_line(asterisk), users) as proxy,
    ):
        wait_connected(proxy)
        with Relay(proxy.port) as relay, _orders(Stage(asterisk, proxy, relay, token)) as orders:
            yield relay.port, token, orders


@contextlib.contextmanager
def _orders(stage: Stage) -> Iterator[int]:
    class Orders(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            fields: dict[str, Any] = {
                name: values[0] for name, values in parse_qs(url.query).items()
            }
            getattr(stage, url.path[1:])(**fields)
            self.send_response(200)
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"ok\n")

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Orders) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
