# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks are taken in the order of docs/design.md, whatever a proxy is busy with."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.access.user import User, Users
from amiproxy.routing.autofilter import AutoFilter
from simulator.server import SimulatedAsterisk
from tests.locks import CheckedLock, Record, documented_order
from tests.support import ManagerClient, wait_until
from tests.threads.test_proxy import Program, server

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = Users(
    {
        "bob": User("bob", "right", channel="sip/1"),
        "eve": User("eve", "right", proxyactions=frozenset({"all"})),
    }
)


@pytest.fixture
def program() -> Iterator[Callable[..., Program]]:
    """Start proxies; they stop with the test."""
    programs: list[Program] = []

    def start(**settings: object) -> Program:
        programs.append(Program(USERS, dict(settings)))
        return programs[-1]

    yield start
    for each in programs:
        each.proxy.stop()
    threading.stack_size(0)


def test_the_order_is_written_down() -> None:
    """The table of docs/design.md can be read, and does not lead in a circle."""
    order = documented_order()

    assert order
    assert not [pair for pair in order if pair[0] == pair[1]]


def test_a_lock_against_the_order_is_noticed() -> None:
    """What these tests rest on: the inner lock first, or two of one kind, is an offence."""
    record = Record({("A.outer", "B.inner")})
    outer, inner, other = (CheckedLock(n, record) for n in ("A.outer", "B.inner", "B.inner"))

    with outer, inner:
        assert outer.locked()
    assert not record.offences
    assert not outer.locked()
    with inner, outer, other:
        pass

    assert {text.partition(": ")[2] for text in record.offences} == {
        "A.outer under B.inner",
        "B.inner under B.inner",
    }


def test_locks_under_load(checked: Record, program: Callable[..., Program]) -> None:
    """Log-ins, actions, events, HTTP, servers that come and go, stalled clients, a reload."""
    with SimulatedAsterisk() as one, SimulatedAsterisk("127.0.0.2") as two:
        running = program(
            servers=(server(one),), autofilter=AutoFilter.UNIQUE, client_write_timeout=5.0
        )
        with running.client() as bob, running.client() as eve, running.client() as idle:
            for client, name in ((bob, "bob"), (eve, "eve")):
                client.read_line()
                client.ask("Action: Login", f"Username: {name}", "Secret: right")
                client.read_until("Event: FullyBooted")
            wait_until(lambda: "Response: Success" in eve.ask("Action: Ping"))
            busy(eve, two)
            bob.ask("Action: Originate", "Channel: SIP/1001", "Application: Wait", "Data: 1")
            event = b"Event: X\r\nPrivilege: system,all\r\nText: " + b"x" * 8000 + b"\r\n\r\n"
            idle.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(500):  # more than the sockets of idle take
                one.publish(event)
            one.event("Last", "system,all")
            eve.read_until("Event: Last")
            running.reload(USERS, max_clients=9)
            one.drop_sessions()
            wait_until(lambda: "Response: Success" in eve.ask("Action: Ping"))
            assert idle

    assert ("ClientSession.lock", "Flusher._lock") in checked.taken or (
        "Transport.lock",
        "Flusher._lock",
    ) in checked.taken


def busy(client: ManagerClient, other: SimulatedAsterisk) -> None:
    """Ask for what takes locks."""
    client.ask("ProxyAction: SetAutoFilter", "AutoFilter: off")
    client.ask("ProxyAction: SetAutoFilter", "AutoFilter: unique")
    client.ask("ProxyAction: ListSessions")
    client.ask(
        "ProxyAction: AddServer",
        f"Server: {other.host}",
        f"Port: {other.port}",
        "Username: ampuser",
        "Secret: AmpSecret",
        "Events: on",
    )
    ping = ("Action: Ping", f"Server: {other.host}")
    wait_until(lambda: f"Server: {other.host}" in client.ask(*ping))
    client.ask("ProxyAction: DropServer", f"Server: {other.host}")
