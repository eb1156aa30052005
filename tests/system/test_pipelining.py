# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that send actions faster than an Asterisk answers delay and harm nobody else."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.system.peers import BareServer, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient, ProxyProcess, StartProxy

CONFIG = "retryinterval = 0.1\nasteriskwritetimeout = 50\n"
USERS = "[mallory]\nsecret = m\nread =\nwrite =\n[ann]\nsecret = a\nread = all\nwrite = all\n"
PING = b"Action: Ping\r\nActionID: %s\r\n\r\n"


class Asterisk:
    """An Asterisk that reads and answers one action at a time, when it is told to."""

    def __init__(self, server: BareServer) -> None:
        self.link = server.wait_link()
        self._unread = b""

    def next(self) -> bytes:
        """Return the next action."""
        while b"\r\n\r\n" not in self._unread:
            more = self.link.recv(1024)
            assert more, "the proxy has ended the connection"
            self._unread += more
        block, _, self._unread = self._unread.partition(b"\r\n\r\n")
        return block

    def answer(self, block: bytes) -> None:
        """Answer the action *block*."""
        action_id = re.search(rb"ActionID: [^\r\n]*", block)
        assert action_id is not None
        self.link.sendall(b"Response: Success\r\n" + action_id[0] + b"\r\nPing: Pong\r\n\r\n")

    def serve_until(self, mark: bytes) -> int:
        """Answer actions until one contains *mark*, too; return how many others came before."""
        count = 0
        while True:
            block = self.next()
            self.answer(block)
            if mark in block:
                return count
            count += 1

    def serve_on(self) -> None:
        """Answer everything that comes, in a thread of its own."""

        def serve() -> None:
            with contextlib.suppress(OSError, AssertionError):
                while True:
                    self.answer(self.next())

        threading.Thread(target=serve, daemon=True).start()


@pytest.fixture
def server() -> Iterator[BareServer]:
    """An Asterisk of the test's own."""
    with BareServer() as server:
        yield server


def logged_in(program: ProxyProcess, name: str) -> ManagerClient:
    """Return a client that is logged in as *name*."""
    client = program.client()
    client.send("Action: Login", f"Username: {name}", f"Secret: {name[0]}", "Events: off")
    client.read_until(is_response)
    return client


def pipeline(clients: list[ManagerClient], count: int, wanted: bytes = b"") -> None:
    """Send *count* pings on each of *clients*, as far as they are taken."""
    data = b"".join(PING % b"m%d" % number for number in range(count)) + wanted
    for client in clients:
        client.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            rest = memoryview(data)
            while rest:
                rest = rest[client.sock.send(rest) :]


@pytest.mark.parametrize("connections", [1, 12])
def test_another_users_action_goes_up_soon(
    proxy: StartProxy, server: BareServer, connections: int
) -> None:
    """However many pings on however many connections came before it."""
    program = proxy(CONFIG + host_line(server), users=USERS)
    asterisk = Asterisk(server)
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(logged_in(program, "mallory")) for _ in range(connections)]
        ann = stack.enter_context(logged_in(program, "ann"))
        pipeline(flood, 20_000)
        asterisk.serve_until(b"-m20")  # they are at it

        ann.send("Action: Ping", "ActionID: ann")
        ann.send("ProxyAction: Uptime")
        ann.read_until("ProxyResponse: Success")  # so the ping before it waits for its turn

        assert asterisk.serve_until(b"-ann") < 100
        assert "Ping: Pong" in ann.read_until("ActionID: ann")


def test_a_client_is_read_no_further_while_much_is_unanswered(
    proxy: StartProxy, server: BareServer
) -> None:
    """It gets all answers in the end, in order; a SIGHUP changes how much is much."""
    config = CONFIG + host_line(server) + "maxunanswered = "
    program = proxy(config + "4\n", users=USERS)
    asterisk = Asterisk(server)
    with contextlib.ExitStack() as stack:
        mallory = stack.enter_context(logged_in(program, "mallory"))
        ann = stack.enter_context(logged_in(program, "ann"))
        mallory.send_raw(b"".join(PING % b"%d" % number for number in range(40)))
        first = [asterisk.next() for _ in range(4)]
        ann.send("Action: Ping", "ActionID: ann")
        assert b"-ann" in asterisk.next()  # and not the fifth
        second = stack.enter_context(BareServer("127.0.0.2"))
        program.write_config(config + "20\n" + host_line(second))
        program.send_signal(signal.SIGHUP)
        wait_connected(program, 2)
        for block in first[:2]:
            asterisk.answer(block)
        assert len([asterisk.next() for _ in range(18)]) == 18
        ann.send("Action: Ping", "ActionID: again")
        last = asterisk.next()
        assert b"-again" in last
        asterisk.answer(last)
        assert "Ping: Pong" in ann.read_until("ActionID: again")


def test_asterisk_may_pause_while_clients_send_much(proxy: StartProxy, server: BareServer) -> None:
    """Its connection stays, and every action is answered in the end."""
    config = "retryinterval = 0.1\nasteriskwritetimeout = 1\n" + host_line(server)
    program = proxy(config, users=USERS)
    asterisk = Asterisk(server)
    asterisk.link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    long = PING[:-2] + b"Filling: " + b"x" * 900 + b"\r\n\r\n"
    with contextlib.ExitStack() as stack:
        flood = [stack.enter_context(logged_in(program, "mallory")) for _ in range(8)]
        ann = stack.enter_context(logged_in(program, "ann"))
        for client in flood:
            client.send_raw(b"".join(long % b"%d" % number for number in range(100)))
        for _ in range(100):  # meanwhile the limit passes
            assert "Response: Success" in ann.ask("Action: Challenge", "AuthType: MD5")

        asterisk.serve_on()

        for client in flood:
            for number in range(100):
                assert "Ping: Pong" in client.read_until(f"ActionID: {number}")
        assert "took nothing" not in program.log()


@pytest.mark.parametrize("name", ["mallory", "ann"])
def test_an_asterisk_that_answers_nothing_slows_no_other(
    proxy: StartProxy, server: BareServer, name: str
) -> None:
    """Neither for others nor for who waits there: each server has its own queue."""
    with BareServer("127.0.0.2") as well:
        program = proxy(CONFIG + host_line(server) + host_line(well), users=USERS)
        wait_connected(program, 2)
        asterisk = Asterisk(well)
        with logged_in(program, "mallory") as mallory, logged_in(program, name) as other:
            for number in range(31):
                mallory.send("Action: Ping", f"ActionID: {number}", "Server: 127.0.0.1")
            client = mallory if name == "mallory" else other
            for number in range(100):
                client.send("Action: Ping", f"ActionID: {number}", "Server: 127.0.0.2")
                assert asterisk.serve_until(b"-%d" % number) == 0
                client.read_until(f"ActionID: {number}")


def test_a_client_that_waits_for_answers_can_be_let_go(
    proxy: StartProxy, server: BareServer
) -> None:
    """The proxy stops in time although nobody answers."""
    program = proxy(CONFIG + "maxunanswered = 1\n" + host_line(server), users=USERS)
    asterisk = Asterisk(server)
    with logged_in(program, "ann") as ann:
        ann.send_raw(PING % b"1" * 50)
        asterisk.next()

        program.stop()

        assert b"ProxyMessage: Proxy Shutting Down" in ann.read_to_end()
    assert "did not leave in time" not in program.log()


def test_actions_that_are_never_answered_hold_up_nobody(
    proxy: StartProxy, server: BareServer
) -> None:
    """The proxy asks whether answers will come; what came before its Ping is over then."""
    program = proxy(CONFIG + "maxunanswered = 8\n" + host_line(server), users=USERS)
    asterisk = Asterisk(server)
    with logged_in(program, "ann") as ann:
        ann.send_raw(b"Action: Lost\r\n\r\n" * 12 + PING % b"last")
        while b"-last" not in (block := asterisk.next()):
            if block.startswith(b"Action: Ping"):
                asterisk.answer(block)
        asterisk.answer(block)
        assert "Ping: Pong" in ann.read_until("ActionID: last")
