# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures for tests of the threads: real sockets in one process."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.threads.net.flusher import Flusher
from amiproxy.threads.net.transport import Transport
from tests.locks import Record, checked_locks

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Makes a transport and the socket of its other side; takes what Transport takes.
MakePair = Callable[..., "tuple[Transport, socket.socket]"]


@pytest.fixture
def flusher() -> Iterator[Flusher]:
    """A flusher whose thread ends with the test."""
    flusher = Flusher()
    flusher.start()
    yield flusher
    flusher.stop()


@pytest.fixture
def pair(flusher: Flusher) -> Iterator[MakePair]:
    """Make transports over socket pairs with a small buffer; closed with the test."""
    made: list[Transport | socket.socket] = []

    def make(**options: Any) -> tuple[Transport, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        settings = {"flusher": flusher, "write_timeout": 5.0, "max_backlog": 1 << 20, **options}
        transport = Transport(ours, "peer", **settings)
        made.extend((transport, theirs))
        theirs.settimeout(10)
        return transport, theirs

    yield make
    for each in made:
        each.close()


@pytest.fixture(autouse=True)
def checked() -> Iterator[Record]:
    """Every lock that amiproxy makes in these tests knows its place in the order."""
    with checked_locks() as record:
        yield record
