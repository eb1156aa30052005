# SPDX-License-Identifier: GPL-2.0-or-later
"""The flusher's thread: sends what sockets did not take, drops who takes nothing.

One thread for all sessions.  A session's own thread waits in ``recv``; to have
it wait for writing as well would cost every idle client a second descriptor and
a wake-up for each stall.  Nothing here blocks on one peer: it flushes whoever is
ready, without waiting, and looks at the clock for the others.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import select
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport

log = logging.getLogger("amiproxy.flusher")

#: Clocks are looked at no more often than this, in seconds.
_TICK = 0.01


class Flusher:
    """Watches the transports whose backlog is not empty."""

    def __init__(self) -> None:
        # Guards _stalled, _looks_at and _thread; held for dict operations and
        # epoll_ctl only.  Taken inside a transport's lock, never round one.
        self._lock = threading.Lock()
        self._stalled: dict[int, Transport] = {}
        self._thread: threading.Thread | None = None
        self._epoll: select.epoll | None = None
        self._wake_fd = -1
        # When the thread wakes by itself and looks at the clocks, monotonic seconds.
        self._looks_at = 0.0

    def start(self) -> None:
        """Start the thread, if it does not run yet.

        Early: at the first stall there may be no descriptors or threads left.
        """
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._start()

    def watch(self, transport: Transport) -> None:
        """Look after *transport* until its backlog is empty or it is dropped.

        The caller holds the transport's lock.
        """
        self.start()
        fd = transport.fileno()
        with self._lock:
            assert self._epoll is not None
            if self._stalled.get(fd) is not transport:
                self._stalled[fd] = transport
                with contextlib.suppress(FileExistsError):
                    self._epoll.register(fd, select.EPOLLOUT)
            if transport.stalled_until < self._looks_at:
                # It sleeps, or waits for somebody more patient.
                self._looks_at = 0.0
                os.write(self._wake_fd, b"!")

    def forget(self, transport: Transport) -> None:
        """Look after *transport* no longer; harmless where it is not watched."""
        fd = transport.fileno()
        with self._lock:
            if self._stalled.get(fd) is transport:
                del self._stalled[fd]
                assert self._epoll is not None
                with contextlib.suppress(OSError):
                    self._epoll.unregister(fd)

    # -- the flusher's thread ---------------------------------------------------------------

    def _start(self) -> None:
        self._epoll = select.epoll()
        read_fd, self._wake_fd = os.pipe()
        self._epoll.register(read_fd, select.EPOLLIN)
        thread = threading.Thread(
            target=self._run, args=(self._epoll, read_fd), name="flusher", daemon=True
        )
        thread.start()
        self._thread = thread

    def _run(self, epoll: select.epoll, wake_fd: int) -> None:
        looked = 0.0
        while True:
            with self._lock:
                waiting = list(self._stalled.values())
                looks_at = self._looks_at = self._next_look(waiting)
            # Below 0 would be for ever.
            timeout = None if looks_at == math.inf else max(0.0, looks_at - time.monotonic())
            events = epoll.poll(timeout)
            for fd, _ in events:
                if fd == wake_fd:
                    os.read(wake_fd, 4096)
                    continue
                with self._lock:
                    transport = self._stalled.get(fd)
                if transport is not None:
                    self._serve(transport.flush, transport)
            now = time.monotonic()
            if now - looked >= _TICK:
                looked = now
                for transport in waiting:
                    self._serve(transport.check_stall, transport)

    @staticmethod
    def _next_look(waiting: list[Transport]) -> float:
        first = min((transport.stalled_until for transport in waiting), default=math.inf)
        return max(time.monotonic() + _TICK, first)

    @staticmethod
    def _serve(act: object, transport: Transport) -> None:
        assert callable(act)
        try:
            act()
        except Exception:
            # One session ends; the others are still flushed.
            log.exception("%s: bug in the proxy", transport.peer)
            transport.drop(f"{transport.peer}: bug in the proxy")


#: The one flusher of the process.
FLUSHER = Flusher()
