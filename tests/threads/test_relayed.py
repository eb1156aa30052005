# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the PROXY protocol's header off a connection: in time, and nothing behind it."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import PeerLeft, ProtocolError
from amiproxy.threads.relayed import read_source
from amiproxy.wire.proxyheader import Source

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

HEADER = b"PROXY TCP4 192.0.2.1 198.51.100.9 51000 1234\r\n"


def test_nothing_behind_the_header_is_read(pair: MakePair) -> None:
    """It may be the beginning of TLS."""
    transport, theirs = pair()
    theirs.sendall(HEADER + b"\x16\x03")

    assert read_source(transport, 10.0) == Source("192.0.2.1", 51000)
    assert transport.recv() == b"\x16\x03"


def test_the_time_is_for_all_of_it(pair: MakePair) -> None:
    """Who sends a byte now and then gains nothing."""
    transport, theirs = pair()
    over = threading.Event()

    def drip() -> None:
        theirs.sendall(b"PROXY UNKNOWN ")
        with contextlib.suppress(OSError):
            while not over.wait(0.005):
                theirs.sendall(b"x")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        with pytest.raises(
            ProtocolError, match=r"no PROXY protocol header within 0\.05 s|malformed"
        ):
            read_source(transport, 0.05)
    finally:
        over.set()
        dripping.join(10)


def test_a_balancer_that_says_nothing_or_leaves(pair: MakePair) -> None:
    """The one is an error, the other needs nobody's attention."""
    transport, theirs = pair()
    with pytest.raises(ProtocolError, match="within"):
        read_source(transport, 0.01)
    theirs.sendall(HEADER[:7])
    theirs.close()
    with pytest.raises(PeerLeft):
        read_source(transport, 10.0)
