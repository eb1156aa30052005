# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain sockets: sends that do not wait, short ones through libc."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.net.plainsocket import PlainSocket
from amiproxy.threads.net.shortsend import FLAGS, SHORT, libc_send

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(10)
        yield ours, theirs


@pytest.mark.parametrize("data", [b"", b"abc", b"x" * SHORT, b"x" * (SHORT + 1), memoryview(b"v")])
def test_bytes_arrive_whichever_way_they_go(
    ends: tuple[socket.socket, socket.socket], data: bytes
) -> None:
    """Short, long, or the rest of something longer."""
    ours, theirs = ends

    assert PlainSocket(ours).send_now(data) == len(data)

    ours.shutdown(socket.SHUT_WR)
    assert b"".join(iter(lambda: theirs.recv(65536), b"")) == data


@pytest.mark.parametrize("size", [100, SHORT + 1])
def test_a_full_socket_takes_nothing_and_raises_nothing(
    ends: tuple[socket.socket, socket.socket], size: int
) -> None:
    """At some time nothing goes any more, in no time."""
    sock = PlainSocket(ends[0])
    while sock.send_now(b"x" * size):
        pass

    assert sock.send_now(b"x" * size) == 0


def test_a_broken_connection_raises_what_python_calls_it(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    """From libc it is -1 only; no signal ends the process."""
    ours, theirs = ends
    theirs.close()

    with pytest.raises(BrokenPipeError):
        PlainSocket(ours).send_now(b"abc")


def test_after_the_close_nothing_is_sent_to_whoever_has_the_descriptor_now() -> None:
    """The number may belong to another connection by then."""
    ours, theirs = socket.socketpair()
    sock = PlainSocket(ours)
    sock.close()
    theirs.close()
    again = socket.socketpair()  # takes the same numbers
    try:
        with pytest.raises(OSError, match="Bad file descriptor"):
            sock.send_now(b"abc")
        for each in again:
            each.setblocking(False)
            with pytest.raises(BlockingIOError):
                each.recv(10)
    finally:
        for each in again:
            each.close()


def test_libc_is_used_where_it_can_be(ends: tuple[socket.socket, socket.socket]) -> None:
    """It tells how much went, or that it did not."""
    ours, theirs = ends

    assert libc_send(ours.fileno(), b"abc", 3, FLAGS) == 3
    assert theirs.recv(10) == b"abc"
    assert libc_send(-1, b"abc", 3, FLAGS) == -1
