# SPDX-License-Identifier: GPL-2.0-or-later
"""WatchedThread: a thread that the watchdog (amiproxy/threads/watchdog.py) knows of."""

from __future__ import annotations

from typing import Callable, Protocol

from amiproxy.threads.net.starting import StartingThread


class Work(Protocol):
    """What a watched thread does."""

    #: Since when its thread has been doing something that must be over soon, in monotonic
    #: seconds; 0 while the thread waits.  Only the thread itself sets it.
    busy_since: float


class WatchedThread(StartingThread):
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
        super().__init__(name, run)
        self.work = work
        self.essential = essential
        self.waits = waits
        self.look = look

    def start(self) -> None:
        """As of any StartingThread."""
        try:
            super().start()
        except BaseException:
            self.look = None  # threading may go on listing it
            raise
