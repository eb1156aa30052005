# SPDX-License-Identifier: GPL-2.0-or-later
"""StartingThread: a thread whose start is not waited for without a limit.

``threading.Thread.start`` waits for ever until the new thread says that it runs, though
that may have found no memory to begin.
"""

from __future__ import annotations

import threading
from typing import Callable

#: Seconds for which the start of a thread is waited for.
PATIENCE = 5.0


def _nothing() -> None:
    """Run in place of what has been given up."""


class _Started(threading.Event):
    """Set by a new thread before it runs; one that found no memory to begin sets it never."""

    def __init__(self, thread: threading.Thread) -> None:
        super().__init__()
        self._thread = thread
        self._turn = [None]  # whoever takes it out decides whether the thread runs

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to *timeout* seconds, None for PATIENCE; return whether it is set."""
        return super().wait(PATIENCE if timeout is None else timeout)

    def set(self) -> None:
        """Have the calling thread, the new one, run, unless it has been given up."""
        if not self._decide():
            setattr(self._thread, "run", _nothing)  # noqa: B010 - mypy takes it for a mistake
        super().set()

    def give_up(self) -> bool:
        """Have the thread never run; return False if it does already."""
        return not self.is_set() and self._decide()

    def _decide(self) -> bool:
        try:
            self._turn.pop()
        except IndexError:
            return False
        return True


class StartingThread(threading.Thread):
    """A daemon thread that runs *run*."""

    def __init__(self, name: str, run: Callable[[], object]) -> None:
        super().__init__(target=run, name=name, daemon=True)
        self._started = _Started(self)  # what Thread.start waits for

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: the system has none left, or no memory for it; it never runs.

        """
        super().start()
        if self._started.give_up():
            raise RuntimeError("can't start new thread: no memory")
