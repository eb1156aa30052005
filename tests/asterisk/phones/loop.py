# SPDX-License-Identifier: GPL-2.0-or-later
"""The one thread in which all phones run: sockets, timers, and waiting for what they did."""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import threading
import time
import traceback
from typing import Callable, NamedTuple

_LONGEST = 65536


class _Timer(NamedTuple):
    when: float
    number: int  # of two for the same moment, the one that was set first
    call: Callable[[], None]


class Loop:
    """Calls back when a socket has a datagram, and when a time has come.

    Whoever touches a phone from another thread holds ``changed``; it is a condition that is
    notified after each call back.  ``errors`` are what a call back raised.
    """

    def __init__(self) -> None:
        # Guards all phones.
        self.changed = threading.Condition(threading.RLock())
        self.errors: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._timers: list[_Timer] = []
        self._numbers = itertools.count()
        self._woken, self._wake = socket.socketpair(type=socket.SOCK_DGRAM)
        self.add(self._woken, lambda data: None)
        self._running = True
        self._thread = threading.Thread(target=self._run, name="phones", daemon=True)
        self._thread.start()

    def add(self, sock: socket.socket, got: Callable[[bytes], None]) -> None:
        """Call *got* with each datagram that *sock* receives."""
        sock.setblocking(False)
        self._selector.register(sock, selectors.EVENT_READ, got)

    def remove(self, sock: socket.socket) -> None:
        """Forget *sock* and close it."""
        self._selector.unregister(sock)
        sock.close()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call *call* in *seconds*."""
        with self.changed:
            timer = _Timer(time.monotonic() + seconds, next(self._numbers), call)
            heapq.heappush(self._timers, timer)
        if threading.current_thread() is not self._thread:
            self._wake.send(b"x")

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Return whether *condition* became true within *timeout* seconds."""
        with self.changed:
            return self.changed.wait_for(condition, timeout)

    def close(self) -> None:
        """End the thread."""
        self._running = False
        self._wake.send(b"x")
        self._thread.join(10)
        for sock in (self._woken, self._wake):
            sock.close()
        self._selector.close()

    def _run(self) -> None:
        while self._running:
            for key, _ in self._selector.select(self._until_next()):
                with self.changed:
                    self._receive(key.fileobj, key.data)
                    self.changed.notify_all()
            with self.changed:
                self._call_due()

    def _until_next(self) -> float | None:
        with self.changed:
            if not self._timers:
                return None
            return max(0.0, self._timers[0].when - time.monotonic())

    def _receive(self, sock: object, got: Callable[[bytes], None]) -> None:
        """Hand over what *sock* has; it may have been closed by the call back before."""
        assert isinstance(sock, socket.socket)
        while sock.fileno() >= 0:
            try:
                data = sock.recv(_LONGEST)
            except ConnectionRefusedError:  # what was sent came to a port that is closed
                continue
            except OSError:
                return
            self._guarded(lambda data=data: got(data))  # type: ignore[misc]

    def _call_due(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0].when <= now:
            self._guarded(heapq.heappop(self._timers).call)
            self.changed.notify_all()

    def _guarded(self, call: Callable[[], None]) -> None:
        """Call *call*: a fault in it is told by ``errors``, and the others go on."""
        try:
            call()
        except Exception:  # noqa: BLE001
            self.errors.append(traceback.format_exc())
