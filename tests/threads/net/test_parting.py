# SPDX-License-Identifier: GPL-2.0-or-later
"""How a connection ends: everything arrives, and nobody is waited for who takes nothing."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.net.parting import part

if TYPE_CHECKING:
    import pytest

    from amiproxy.threads.net.transport import Transport
    from tests.threads.conftest import MakePair

MEGABYTES = b"x" * 8_000_000


def send(transport: Transport, data: bytes) -> None:
    with transport.lock:
        transport.send(data)


def parting(transport: Transport, seconds: float) -> threading.Thread:
    """Part with the other side, and close, in a thread as its owner does."""

    def leave() -> None:
        part(transport, Deadline(seconds))
        transport.close()

    thread = threading.Thread(target=leave)
    thread.start()
    return thread


def test_a_slow_reader_gets_everything_though_it_sends_meanwhile(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sends would reset a connection that is closed too early, and is read meanwhile."""
    # This machine may be slow, too.
    monkeypatch.setattr("amiproxy.threads.net.parting._LINGER", 20.0)
    transport, theirs = pair()
    transport.write_timeout = 60.0
    send(transport, MEGABYTES)
    assert transport.backlog
    owner = parting(transport, 60)
    said = 0
    while data := theirs.recv(400_000):
        said += len(data)
        with contextlib.suppress(OSError):
            theirs.sendall(b"Action: Ping\r\n\r\n")
        time.sleep(0.002)

    assert said == len(MEGABYTES)
    theirs.close()
    owner.join(10)
    assert not owner.is_alive()


def test_the_connection_stays_until_the_other_side_closes(pair: MakePair) -> None:
    """For a moment: it may be about to send."""
    transport, theirs = pair()
    send(transport, b"bye")
    owner = parting(transport, 20)

    assert theirs.recv(100) == b"bye"
    assert theirs.recv(100) == b""
    theirs.sendall(b"x" * 100_000)  # no error: there still is a connection
    theirs.close()

    owner.join(10)
    assert not owner.is_alive()


def test_one_that_takes_nothing_is_waited_for_until_the_deadline(pair: MakePair) -> None:
    """Or for as long as it may be silent otherwise (clientwritetimeout), at least a second."""
    transport, _theirs = pair()
    transport.write_timeout = 60.0
    send(transport, MEGABYTES)
    began = time.monotonic()

    part(transport, Deadline(0.3))

    assert transport.backlog
    assert time.monotonic() - began < 30
    transport.write_timeout = 0.0
    began = time.monotonic()
    part(transport, Deadline(60))
    assert time.monotonic() - began < 30


def test_one_that_has_reset_the_connection_is_not_waited_for(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever was on its way to it."""
    monkeypatch.setattr("amiproxy.threads.net.parting._PATIENCE", 60.0)
    transport, theirs = pair()
    send(transport, MEGABYTES)
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    began = time.monotonic()

    part(transport, Deadline(60))

    assert time.monotonic() - began < 30
    transport.close()


def test_a_connection_that_is_gone_is_no_error(pair: MakePair) -> None:
    """A TLS handshake may have failed halfway."""
    transport, _theirs = pair()
    transport.close()

    part(transport, Deadline(10))
