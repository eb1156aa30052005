# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of the running program are told of a server that is lost, and of one that is there."""

from __future__ import annotations

import json
import signal
import socket
import struct
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import TYPE_CHECKING

from tests.simulator.test_command_line import running
from tests.support import wait_until
from tests.system.peers import QUICK, BareServer, host_line, is_response, value, wait_connected

if TYPE_CHECKING:
    from tests.support import ManagerClient, ProxyProcess, StartProxy

USERS = """\
all=secret
phone=secret,sip/nobody
[board]
secret = secret
read = agent
write =
eventfilter = Queue: support
[elsewhere]
secret = secret
read = all
server = pbx2
[deaf]
secret = secret
write = call
"""
TOLD = ["ProxyServerLost", "ProxyServerConnected"]


def reset(link: socket.socket) -> None:
    """End *link* as a host does that has started anew."""
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.shutdown(socket.SHUT_RD)
    link.close()


class Told:
    """The clients of a proxy: what each gets of the servers' events, or is to be told."""

    def __init__(self, proxy: ProxyProcess, stack: ExitStack) -> None:
        self._proxy = proxy
        self._stack = stack
        self.usual = self.client("all")
        self.narrow = [
            self.client("phone"),
            self.client("board"),
            self.client("all", ("Action: Events", "EventMask: call")),
            self.client("all", ("Action: Filter", "Operation: Add", "Filter: Event: Rare")),
            self.client("all", ("ProxyAction: SetAutoFilter", "AutoFilter: unique")),
        ]
        self.deaf = [
            self.client("deaf"),
            self.client("elsewhere"),
            self.client("all", ("Action: Events", "EventMask: off")),
        ]
        self.waiting = self.client("board")
        self.waiting.send("Action: WaitEvent", "Timeout: 60")
        self.formatted = [self.client("all") for _ in range(3)]
        for client, form in zip(self.formatted, ("json", "xml", "csv")):
            client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {form}")
            client.read_to(form.encode())

    def client(self, user: str, *blocks: tuple[str, ...]) -> ManagerClient:
        """Return a client that has logged in and sent *blocks*."""
        one = self._stack.enter_context(self._proxy.client())
        for block in (("Action: Login", f"Username: {user}", "Secret: secret"), *blocks):
            one.send(*block)
            one.read_until(is_response)
        return one


def names(client: ManagerClient, last: str) -> list[str | None]:
    """Return the events that *client* gets up to *last*, or to an answer."""
    found: list[str | None] = []
    while not found or found[-1] not in (last, None):
        found.append(value(client.read_message(), "Event"))
    return found


def test_everybody_is_told_who_gets_any_event_in_order_with_these(proxy: StartProxy) -> None:
    """Whatever classes and filters say, in every format; who gets no event is told nothing."""
    with BareServer() as server, ExitStack() as stack:
        line = host_line(server).rstrip("\n") + ", name=pbx1\n"
        config = f"authrequired = yes\nautofilter = off\nserverevents = yes\n{QUICK}{line}"
        program = stack.enter_context(proxy(config, USERS))
        link = server.wait_link()
        wait_connected(program)
        told = Told(program, stack)

        link.sendall(b"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: 1\r\n\r\n")
        wait_until(lambda: b"Hangup" in told.usual.sock.recv(9999, socket.MSG_PEEK))
        reset(link)

        order = [*TOLD, "FullyBooted"]
        told.usual.read_until("Event: Hangup")
        assert value(told.usual.read_message(), "Reason") == "connection reset"
        assert names(told.usual, "FullyBooted") == order[1:]
        for client in told.narrow:
            assert [name for name in names(client, TOLD[1]) if name in TOLD] == TOLD
        for client in told.formatted:
            client.read_to(b"Hangup")
            for at, name in enumerate(order):
                before = client.read_to(name.encode())
                assert not any(later.encode() in before for later in order[at:])
        for client in told.deaf:
            client.send("ProxyAction: ListIOHandlers")
            assert set(names(client, "")).isdisjoint([*TOLD, "Hangup"])
        assert names(told.waiting, TOLD[0])[-1] == TOLD[0]
        assert "Event: WaitEventComplete" in told.waiting.read_until("Event: WaitEventComplete")


class Web:
    """A web session of a proxy, and a load balancer before it."""

    def __init__(self, program: ProxyProcess) -> None:
        self._program = program
        self._cookie = ""
        self.get("/rawman?action=login&username=board&secret=secret")

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of what is answered to a GET of *path*."""
        connection = HTTPConnection("127.0.0.1", self._program.port, timeout=20)
        try:
            connection.request("GET", path, headers={"Cookie": self._cookie})
            response = connection.getresponse()
            cookie = response.getheader("Set-Cookie", "").partition(";")[0]
            self._cookie = cookie or self._cookie
            return response.status, response.read().decode()
        finally:
            connection.close()

    def told(self, event: str) -> str:
        """Return what the session is told when it waits for *event*."""
        found = ""
        while f"Event: {event}\r\n" not in found:
            found = self.get("/rawman?action=waitevent&timeout=20")[1]
        return found

    def ready(self) -> int:
        """Return the status by which the load balancer goes."""
        status, body = self.get("/readyz")
        assert json.loads(body)["servers"][0]["name"] == "pbx1"
        assert self.get("/healthz")[0] == 200
        return status


def test_a_web_session_and_a_load_balancer_see_what_becomes_of_a_process(
    proxy: StartProxy,
) -> None:
    """It hangs, goes on, is killed, and another one takes its place."""
    config = (
        "inputformat = http\nauthrequired = yes\nserverevents = yes\nkeepalive = 0.5\n"
        f"logintimeout = 0.5\n{QUICK}"
    )
    with ExitStack() as stack:
        asterisk, port = stack.enter_context(running())
        line = f"host = 127.0.0.1, {port}, ampuser, AmpSecret, on, off, name=pbx1\n"
        program = stack.enter_context(proxy(config + line, USERS))
        wait_connected(program)
        web = Web(program)

        assert web.ready() == 200
        asterisk.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        lost = web.told("ProxyServerLost")
        assert "Server: pbx1\r\nReason: no answer to a Ping for 0.5 s\r\n" in lost
        assert time.monotonic() - began < 5
        assert web.ready() == 503
        asterisk.send_signal(signal.SIGCONT)
        assert "Resumed: no\r\n" in web.told("ProxyServerConnected")
        assert web.ready() == 200
        asterisk.kill()
        assert "Reason: c" in web.told("ProxyServerLost")  # closed, or reset
        stack.enter_context(running("--port", str(port)))
        web.told("ProxyServerConnected")
