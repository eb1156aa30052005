# SPDX-License-Identifier: GPL-2.0-or-later
"""WatchedThread: a thread that the watchdog (amiproxy/threads/watchdog.py) knows of."""

from __future__ import annotations

import threading
from typing import Callable, Protocol


class Work(Protocol):
    """What a watched thread does."""

    #: Since when its thread has been doing something that must be over soon, in monotonic
    #: seconds; 0 while the thread waits.  Only the thread itself sets it.
    busy_since: float


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


class WatchedThread(threading.Thread):
    """A daemon thread that runs *run* for *work*.

    While one that is *essential* hangs, everybody suffers.  One that *waits* may seem busy
    for long: it waits for answers, or for its turn, too.  The watchdog calls *look*
    each time it looks.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], object],
        work: Work,
        *,
        essential: bool = True,
        waits: bool = False,
        look: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(target=run, name=name, daemon=True)
        self._started = _Started(self)  # what Thread.start waits for
        self.work = work
        self.essential = essential
        self.waits = waits
        self.look = look

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: the system has none left, or no memory for it; it never runs.

        """
        super().start()
        if self._started.give_up():
            self.look = None  # threading goes on listing it
            raise RuntimeError("can't start new thread: no memory")
