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
        self.work = work
        self.essential = essential
        self.waits = waits
        self.look = look
