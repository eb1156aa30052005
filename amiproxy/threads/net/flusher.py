# SPDX-License-Identifier: GPL-2.0-or-later
"""The flusher's thread: sends backlogs, and ends sessions whose peer takes nothing.

One thread for all sessions.  A session's own thread waits in ``recv``; to have
it wait for writing as well would cost every idle client a second descriptor and
a wake-up for each stall.  Nothing here blocks on one peer: the thread flushes all
that are ready, without waiting, and checks the time limits of the others.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import threading
import time
from typing import TYPE_CHECKING, Callable, Protocol, TypeVar

from amiproxy.errors import PeerError, PeerGone
from amiproxy.threads.net.backlog import Tally
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

log = logging.getLogger("amiproxy.flusher")

#: The shortest time between two checks of time limits, in seconds.
_TICK = 0.01

#: The longest one, in seconds: a limit can come nearer, as more waits (backlog.py) or the
#: configuration is read again.
_LONGEST = 1.0

#: Pause where no connection takes anything although it has room, in seconds.
_PAUSE = 0.001

T = TypeVar("T")


class Flushable(Protocol):
    """A connection with a backlog."""

    lock: threading.Lock
    peer: str

    def fileno(self) -> int:
        """Return the descriptor of its socket."""

    @property
    def stalled_until(self) -> float:
        """When its time limit is over, in monotonic seconds."""

    def flush(self) -> bool:
        """Send what the socket takes; return whether it took anything."""

    def check_stall(self) -> None:
        """End the session if its time limit is over."""

    def abort(self, error: PeerError) -> None:
        """End the session for *error*.  The caller holds ``lock``."""


class Flusher:
    """Watches the connections whose backlog is not empty."""

    def __init__(self) -> None:
        #: What all backlogs hold.
        self.tally = Tally()
        # Guards _stalled, _epoll and _wakes_at; held for dict operations and epoll_ctl
        # only.  Taken inside a transport's lock, never round one.
        self._lock = threading.Lock()
        self._stalled: dict[int, Flushable] = {}
        self._epoll: select.epoll | None = None  # None before start and after stop
        self._wake_fd = -1
        self._wakes_at = 0.0
        self._checked = 0.0  # when time limits were checked last
        self.busy_since = 0.0  # for the watchdog
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, before anything is to be watched.

        At the first stall there may be no descriptors or threads left.
        """
        epoll = select.epoll()
        read_fd, self._wake_fd = os.pipe()
        epoll.register(read_fd, select.EPOLLIN)
        with self._lock:
            self._epoll = epoll
        self._thread = WatchedThread("flusher", lambda: self._run(epoll, read_fd), self)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; backlogs are flushed no more."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._lock:
            self._epoll = None
            self._stalled.clear()
            self._wake()
        thread.join()
        os.close(self._wake_fd)

    def watch(self, transport: Flushable) -> None:
        """Flush *transport* until its backlog is empty or its session ends.

        The caller holds the transport's lock.
        """
        assert transport.lock.locked()
        fd = transport.fileno()
        with self._lock:
            if self._epoll is None:
                return
            if self._stalled.get(fd) is not transport:
                self._stalled[fd] = transport
                with contextlib.suppress(FileExistsError):
                    self._epoll.register(fd, select.EPOLLOUT)
            if transport.stalled_until < self._wakes_at:
                # It sleeps, or waits for a connection with a longer limit.
                self._wakes_at = 0.0
                self._wake()

    def forget(self, transport: Flushable) -> None:
        """Watch *transport* no longer; harmless if it is not watched.

        The caller holds the transport's lock.
        """
        assert transport.lock.locked()
        fd = transport.fileno()
        with self._lock:
            if self._stalled.get(fd) is transport:
                del self._stalled[fd]
                if self._epoll is not None:
                    with contextlib.suppress(OSError):
                        self._epoll.unregister(fd)

    def is_watching(self, transport: Flushable) -> bool:
        """Return whether *transport* has a backlog as far as known here."""
        with self._lock:
            return transport in self._stalled.values()

    @property
    def wakes_at(self) -> float:
        """When the thread wakes by itself and checks time limits, in monotonic seconds."""
        return self._wakes_at

    def _wake(self) -> None:
        assert self._lock.locked()
        os.write(self._wake_fd, b"!")

    # -- the flusher's thread ---------------------------------------------------------------

    def _run(self, epoll: select.epoll, wake_fd: int) -> None:
        try:
            endless("flusher", lambda: self._take_turn(epoll, wake_fd))
        finally:
            epoll.close()
            os.close(wake_fd)

    def _take_turn(self, epoll: select.epoll, wake_fd: int) -> bool:
        """Wait until something is to be done, and do it; return False once stopped."""
        with self._lock:
            if self._epoll is None:
                return False
            waiting = list(self._stalled.values())
            self._wakes_at = math.inf  # whoever joins now wakes this thread
        wakes_at = _next_check(waiting)
        with self._lock:
            self._wakes_at = min(self._wakes_at, wakes_at)
        # Below 0 would be for ever.
        timeout = None if wakes_at == math.inf else max(0.0, wakes_at - time.monotonic())
        self.busy_since = 0.0
        ready = epoll.poll(timeout)
        self.busy_since = now = time.monotonic()
        if not self._flush_ready(ready, wake_fd):
            time.sleep(_PAUSE)
        if now - self._checked >= _TICK:
            self._checked = now
            for transport in waiting:
                _guarded(transport.check_stall, transport)
        return True

    def _flush_ready(self, events: Sequence[tuple[int, int]], wake_fd: int) -> bool:
        """Flush what has room; return False if all of it is busy reading (TLS)."""
        moved = not events
        for fd, _ in events:
            if fd == wake_fd:
                os.read(wake_fd, 4096)
                moved = True
                continue
            with self._lock:
                transport = self._stalled.get(fd)
            moved = transport is None or _guarded(transport.flush, transport) or moved
        return moved


def _next_check(waiting: Iterable[Flushable]) -> float:
    """Return when time limits are to be checked next, in monotonic seconds."""
    first = min((transport.stalled_until for transport in waiting), default=math.inf)
    now = time.monotonic()
    return first if first == math.inf else min(max(now + _TICK, first), now + _LONGEST)


def _guarded(act: Callable[[], T], transport: Flushable) -> T | None:
    """Do *act*; an error ends this one session, and the others are still flushed."""
    try:
        return act()
    except Exception:
        with transport.lock:
            transport.abort(PeerGone(f"{transport.peer}: bug in the proxy"))
        log.exception("%s: bug in the proxy", transport.peer)
    return None
