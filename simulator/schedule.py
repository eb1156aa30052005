# SPDX-License-Identifier: GPL-2.0-or-later
"""A thread that runs functions at their time."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from typing import Callable


class Schedule:
    """Functions and when they are due.

    One thread runs them all, one after the other.  It starts with the first of
    them, and sleeps while nothing is due.
    """

    def __init__(self) -> None:
        # Guards all fields below; notified when something earlier is due.
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def start(self) -> None:
        """Accept functions again after ``stop``."""
        with self._changed:
            self._stopped = False

    def stop(self) -> None:
        """Drop what is not yet due, end the thread, and ignore functions from now on."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._stopped = True
            self._due.clear()
            self._changed.notify()
        if thread is not None:
            thread.join()

    def plan(self, seconds: float, do: Callable[[], None]) -> None:
        """Call *do* in *seconds*, in this schedule's thread."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), do))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="simulator-calls", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._stopped and not self._is_due():
                    self._changed.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._stopped:
                    return
                _, _, do = heapq.heappop(self._due)
            do()  # outside the lock: it may plan more

    def _is_due(self) -> bool:
        return bool(self._due) and self._due[0][0] <= time.monotonic()
