# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls of a simulated Asterisk: who is talking, and what happens when.

One thread plays all calls under way; it is started with the first of them, and
sleeps while nothing is due.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk


class Exchange:
    """What goes on inside the simulated Asterisk, in its time."""

    def __init__(self, server: SimulatedAsterisk, time_scale: float) -> None:
        self._server = server
        self._scale = time_scale
        self._numbers = itertools.count(1)
        self._channels = itertools.count(1)
        # Guards _due and _thread; notified when something earlier is due.
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def at(self, delay: float, do: Callable[[], None]) -> None:
        """Call *do* in *delay* seconds of call time."""
        with self._changed:
            due = time.monotonic() + delay * self._scale
            heapq.heappush(self._due, (due, next(self._order), do))
            if self._thread is None:
                self._stopped = False
                self._thread = threading.Thread(
                    target=self._run, name="simulator-calls", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Call *do* in *seconds* of real time."""
        self.at(seconds / self._scale, do)

    def stop(self) -> None:
        """Forget all that is due, and end the thread."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._stopped = True
            self._due.clear()
            self._changed.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and (not self._due or self._due[0][0] > time.monotonic()):
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._stopped:
                    return
                _, _, do = heapq.heappop(self._due)
            do()  # outside the lock: it may plan more
