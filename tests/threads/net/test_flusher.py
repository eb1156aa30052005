# SPDX-License-Identifier: GPL-2.0-or-later
"""The flusher: flushes what is ready, checks time limits, and survives bugs."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.net.flusher import Flusher
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.errors import PeerError


class Stalled:
    """A connection with a backlog, over a socket that may be full."""

    def __init__(self, flusher: Flusher, sock: socket.socket, limit: float = 60.0) -> None:
        self.lock = threading.Lock()
        self.peer = "stalled"
        self.stalled_until = time.monotonic() + limit
        self.flushed = threading.Event()
        self.checked = threading.Event()
        self.error: Exception | None = None  # what flush raises
        self.aborted: list[str] = []
        self._flusher = flusher
        self._sock = sock

    def fileno(self) -> int:
        return self._sock.fileno()

    def watch(self) -> None:
        with self.lock:
            self._flusher.watch(self)

    def forget(self) -> None:
        with self.lock:
            self._flusher.forget(self)

    def flush(self) -> bool:
        self.flushed.set()
        if self.error is not None:
            raise self.error
        self.forget()
        return True

    def check_stall(self) -> None:
        if time.monotonic() >= self.stalled_until:
            self.checked.set()

    def abort(self, error: PeerError) -> None:
        assert self.lock.locked()
        self._flusher.forget(self)
        self.aborted.append(str(error))


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A socket whose other side has not read for long, and that other side."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        try:
            while True:
                ours.send(b"x" * 65536)
        except BlockingIOError:
            yield ours, theirs


def test_a_backlog_is_flushed_when_there_is_room(
    flusher: Flusher, sockets: tuple[socket.socket, socket.socket]
) -> None:
    """Not before, and once."""
    ours, theirs = sockets
    one = Stalled(flusher, ours)
    one.watch()
    assert flusher.is_watching(one)
    assert not one.flushed.is_set()

    theirs.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while theirs.recv(1 << 20):
            pass

    assert one.flushed.wait(5)
    wait_until(lambda: not flusher.is_watching(one))


def test_a_time_limit_is_checked_when_it_is_over(
    flusher: Flusher, sockets: tuple[socket.socket, socket.socket]
) -> None:
    """Though the socket is full, and though the thread sleeps for a longer one."""
    ours, _theirs = sockets
    other, _ = socket.socketpair()
    with other, _:
        patient = Stalled(flusher, ours)
        patient.watch()
        wait_until(lambda: flusher.wakes_at > time.monotonic() + 0.5)

        hurried = Stalled(flusher, ours, limit=0.02)
        patient.forget()
        hurried.watch()

        assert hurried.checked.wait(5)
        assert not patient.checked.is_set()
        hurried.forget()


def test_a_time_limit_that_comes_nearer_is_checked(
    flusher: Flusher, sockets: tuple[socket.socket, socket.socket]
) -> None:
    """Though the thread sleeps already."""
    one = Stalled(flusher, sockets[0])
    one.watch()
    wait_until(lambda: flusher.wakes_at > time.monotonic())

    one.stalled_until = time.monotonic()

    assert one.checked.wait(5)
    one.forget()


def test_a_bug_costs_one_session(
    flusher: Flusher,
    sockets: tuple[socket.socket, socket.socket],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged and aborted; the others are flushed all the same."""
    ready, far = socket.socketpair()
    with ready, far, caplog.at_level(logging.ERROR):
        bad = Stalled(flusher, ready)
        bad.error = ValueError("oops")
        bad.watch()
        wait_until(lambda: bad.aborted == ["stalled: bug in the proxy"])
        good = Stalled(flusher, ready)
        good.watch()
        assert good.flushed.wait(5)
    assert "oops" in caplog.text


def test_forgetting_what_is_not_watched_does_no_harm(
    flusher: Flusher, sockets: tuple[socket.socket, socket.socket]
) -> None:
    """Of two with the same descriptor, the later one stays."""
    ours, _theirs = sockets
    early, late = Stalled(flusher, ours), Stalled(flusher, ours)
    early.forget()
    early.watch()
    late.watch()

    early.forget()

    assert flusher.is_watching(late)
    late.forget()


def test_after_stop_nothing_is_watched(sockets: tuple[socket.socket, socket.socket]) -> None:
    """Sessions that are late may still stall and close; stopping twice does no harm."""
    flusher = Flusher()
    flusher.start()
    one = Stalled(flusher, sockets[0])
    one.watch()
    flusher.stop()
    flusher.stop()

    one.watch()
    assert not flusher.is_watching(one)
    one.forget()
    assert not any(thread.name == "flusher" for thread in threading.enumerate())


def test_it_survives_a_shortage_of_memory(
    flusher: Flusher,
    sockets: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of its own, not that of one session."""
    failures = [MemoryError(), MemoryError()]

    def fail(*_: object) -> float:
        if failures:
            raise failures.pop()
        return time.monotonic() + 0.01

    monkeypatch.setattr("amiproxy.threads.net.flusher._next_check", fail)
    one = Stalled(flusher, sockets[0], limit=0.01)
    one.watch()

    assert one.checked.wait(5)
    assert not failures
    one.forget()
