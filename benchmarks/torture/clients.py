# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks by clients of the proxy.  Each maker returns what carries the attack out."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Callable

from benchmarks.torture.floods import LOGIN, action, discard, flood, reset, wait, wait_for

if TYPE_CHECKING:
    from benchmarks.torture.floods import Clock, Target

    Run = Callable[[Target, Clock], None]

#: Filters that one session may have, but for one.
_FILTERS = 127

#: What changes how a client is sent events.
CHANGES = (
    b"ProxyAction: SetAutoFilter\r\nAutoFilter: on\r\n\r\n"
    b"ProxyAction: SetAutoFilter\r\nAutoFilter: unique\r\n\r\n"
    b"ProxyAction: SetOutputFormat\r\nOutputFormat: xml\r\n\r\n"
    b"Action: Events\r\nEventMask: call\r\n\r\n"
    b"ProxyAction: SetOutputFormat\r\nOutputFormat: json\r\n\r\n"
    b"Action: Events\r\nEventMask: on\r\n\r\n"
)


def _add(pattern: str) -> bytes:
    return action("Filter", "Operation: Add", f"Filter: {pattern}")


#: Filters that are compiled, and a log-in that takes them away.
COMPILES = b"".join(
    [*(_add(f"(a{n}|b.{{0,20}}[c-e]*){{1,9}}f") for n in range(60)), action(*LOGIN)]
)


def filters(pattern: str) -> Run:
    """One client adds *pattern* as often as it may, each time a little different."""

    def run(target: Target, clock: Clock) -> None:
        (sock,) = target.logged_in(1, events=True)
        sock.sendall(b"".join(_add(f"{pattern}{number}") for number in range(_FILTERS)))
        discard([sock], clock)

    return run


def many_filters(pattern: str, count: int = 40) -> Run:
    """As :func:`filters` by *count* clients; *pattern* takes two numbers."""

    def run(target: Target, clock: Clock) -> None:
        socks = target.logged_in(count, events=True)
        for one, sock in enumerate(socks):
            sock.sendall(b"".join(_add(pattern.format(one, two)) for two in range(_FILTERS)))
        discard(socks, clock)

    return run


def pipeline(count: int, data: bytes) -> Run:
    """*count* clients that are logged in send *data* as fast as it is taken."""
    many = data * max(1, 16384 // len(data))

    def run(target: Target, clock: Clock) -> None:
        flood(target.logged_in(count), many, clock)

    return run


def half_closed(count: int, data: bytes) -> Run:
    """*count* clients send *data*, half-close, and come again when they are let go."""

    def run(target: Target, clock: Clock) -> None:
        clock.begin()
        while not clock.over:
            socks = target.logged_in(count)
            for sock in socks:
                with contextlib.suppress(OSError):
                    sock.settimeout(0.5)
                    sock.sendall(data)
                    sock.shutdown(socket.SHUT_WR)
            for sock in socks:
                sock.settimeout(0.2)
                with contextlib.suppress(OSError):
                    while not clock.over and sock.recv(262144):
                        pass
                sock.close()

    return run


def waiting(count: int) -> Run:
    """*count* clients that are sent no events send one WaitEvent, and are silent."""

    def run(target: Target, clock: Clock) -> None:
        socks = target.logged_in(count)
        for sock in socks:
            sock.sendall(action("WaitEvent", "Timeout: 3600"))
        wait(clock)

    return run


def strangers(count: int, data: bytes) -> Run:
    """*count* connections that are not logged in send *data*, and come again when let go."""

    def run(target: Target, clock: Clock) -> None:
        flood(target.connections(count), data, clock, again=target.connect)

    return run


def connects(target: Target, clock: Clock) -> None:
    """Connect and close."""
    clock.begin()
    while not clock.over:
        with contextlib.suppress(OSError):
            reset(target.connect())


def slow_lines(target: Target, clock: Clock) -> None:
    """Send single bytes."""
    socks = target.connections(50)
    clock.begin()
    while not clock.over:
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.sendall(b"A")


def arrival(count: int) -> Run:
    """*count* strangers connect at once, and again when they are let go."""

    def run(target: Target, clock: Clock) -> None:
        clock.begin()
        while not clock.over:
            socks = []
            for number in range(count):
                with contextlib.suppress(OSError):
                    socks.append(target.connect(1 + number // 4000))
            for sock in socks:
                reset(sock)

    return run


def departure(count: int) -> Run:
    """*count* clients that are logged in close at once, when the attack is told to begin."""

    def run(target: Target, clock: Clock) -> None:
        socks = target.logged_in(count)
        clock.begin()
        for sock in socks:
            sock.close()
        wait(clock)

    return run


def big_lines(data: bytes) -> Run:
    """Four clients log in with JSON and send *data*."""
    login = b'{"Action":"Login","Username":"mallory","Secret":"mallory","Events":"off"}\n'

    def run(target: Target, clock: Clock) -> None:
        socks = target.connections(4)
        for sock in socks:
            sock.sendall(login)
        flood(socks, data, clock)

    return run


def slow_readers(count: int) -> Run:
    """*count* clients ask for all events and read nothing."""

    def run(target: Target, clock: Clock) -> None:
        socks = []
        for _ in range(count):
            socks.append(target.connect(receive_buffer=4096))
            socks[-1].sendall(action(*LOGIN))
            wait_for(socks[-1], b"Message: Authentication accepted")
        wait(clock)

    return run


def one_each(count: int, data: bytes) -> Run:
    """*count* clients send *data* once."""

    def run(target: Target, clock: Clock) -> None:
        socks = target.logged_in(count)
        clock.begin()
        for sock in socks:
            sock.sendall(data)
        wait(clock)

    return run
