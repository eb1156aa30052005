# SPDX-License-Identifier: GPL-2.0-or-later
"""Attacks by, or by way of, a second Asterisk of the proxy: the attacker's own."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from benchmarks.torture.floods import action, flood, wait, wait_for

if TYPE_CHECKING:
    from benchmarks.torture.floods import Clock, Target

_BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
_SIZE = 4000000  # bytes of an event
_MOST = 100  # events


def _accept(target: Target) -> socket.socket:
    """Return the connection of the proxy, which has logged in."""
    listener = socket.create_server(("127.0.0.1", target.spare))
    sock, _ = listener.accept()
    sock.sendall(b"Asterisk Call Manager/11.0.0\r\n")
    wait_for(sock, b"\r\n\r\n")
    sock.sendall(b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n" + _BOOTED)
    return sock


def stuck(target: Target, clock: Clock) -> None:
    """Read nothing, while clients send actions here."""
    sock = _accept(target)
    ping = action("Ping", f"Server: 127.0.0.1:{target.spare}")
    flood(target.logged_in(8), ping * 200, clock)
    sock.close()


def huge_events(target: Target, clock: Clock) -> None:
    """Send events of new channels, each as large as can be."""
    sock = _accept(target)
    clock.begin()
    filler = b"X: " + b"x" * _SIZE
    head = b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/%d\r\nUniqueid: %d\r\n"
    for number in range(_MOST):
        if clock.over:
            break
        with contextlib.suppress(OSError):
            sock.sendall(head % (number, number) + filler + b"\r\n\r\n")
    wait(clock)
