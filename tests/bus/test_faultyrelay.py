# SPDX-License-Identifier: GPL-2.0-or-later
"""The relay that plays a bad network: each fault is what it is called, and ends."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.faultyrelay import FaultyRelay

if TYPE_CHECKING:
    from collections.abc import Iterator


class Line:
    """A connection by way of a relay, with both ends."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.relay = FaultyRelay(self.listener.getsockname()[1])

    @contextlib.contextmanager
    def open(self) -> Iterator[Line]:
        """Connect; both ends wait for five seconds at most."""
        with (
            self.listener,
            self.relay,
            self.connect() as self.near,
            self.listener.accept()[0] as self.far,
        ):
            self.near.settimeout(5)
            self.far.settimeout(5)
            yield self

    def connect(self) -> socket.socket:
        """Return a new connection to the relay."""
        return socket.create_connection(("127.0.0.1", self.relay.port), 5)


@pytest.fixture
def line() -> Iterator[Line]:
    """A connection that stands."""
    with Line().open() as opened:
        yield opened


def is_silent(sock: socket.socket) -> bool:
    """Return whether nothing comes for a while."""
    sock.settimeout(0.15)
    with contextlib.suppress(socket.timeout):
        return sock.recv(1) is None
    sock.settimeout(5)
    return True


def test_it_passes_on_all_bytes_both_ways_and_the_end(line: Line) -> None:
    """More than it holds at once."""
    sent = bytes(range(256)) * 20_000
    line.near.setblocking(False)
    heard, left = b"", sent
    while len(heard) < len(sent):
        with contextlib.suppress(BlockingIOError):
            left = left[line.near.send(left) :] if left else left
        heard += line.far.recv(1 << 20)
    assert heard == sent
    line.far.sendall(b"answer")
    line.near.settimeout(5)
    assert line.near.recv(100) == b"answer"
    line.near.shutdown(socket.SHUT_WR)
    assert line.far.recv(1) == b""
    line.far.sendall(b"late")
    assert line.near.recv(100) == b"late"


def test_a_cut_resets_both_ends(line: Line) -> None:
    """And new connections are served."""
    line.relay.cut()
    for sock in (line.near, line.far):
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    with line.connect() as near, line.listener.accept()[0] as far:
        near.sendall(b"x")
        assert far.recv(1) == b"x"


@pytest.mark.parametrize(("up", "down"), [(True, True), (True, False), (False, True)])
def test_a_partition_passes_on_nothing_and_all_of_it_later(
    line: Line, *, up: bool, down: bool
) -> None:
    """Each way by itself."""
    with line.relay.silence(up=up, down=down):
        line.near.sendall(b"up")
        line.far.sendall(b"down")
        assert is_silent(line.far) if up else line.far.recv(9) == b"up"
        assert is_silent(line.near) if down else line.near.recv(9) == b"down"
    if up:
        assert line.far.recv(9) == b"up"
    if down:
        assert line.near.recv(9) == b"down"


def test_an_end_is_not_passed_on_in_a_partition(line: Line) -> None:
    """Who has gone meanwhile is known to be gone only when it heals."""
    with line.relay.silence():
        line.near.close()
        assert is_silent(line.far)
    assert line.far.recv(1) == b""


def test_a_delay_holds_up_each_way(line: Line) -> None:
    """As long as it says, in both directions."""
    line.relay.delay = 0.1
    began = time.monotonic()
    line.near.sendall(b"x")
    assert line.far.recv(1) == b"x"
    line.far.sendall(b"y")
    assert line.near.recv(1) == b"y"
    assert time.monotonic() - began >= 0.2
    line.relay.heal()
    assert line.relay.delay == 0


def test_a_target_that_is_not_there_resets_who_comes() -> None:
    """As a port that nobody listens on refuses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with (
        FaultyRelay(port) as relay,
        pytest.raises(ConnectionResetError),  # at once, or when something is read
        socket.create_connection(("127.0.0.1", relay.port), 5) as sock,
    ):
        sock.recv(1)
