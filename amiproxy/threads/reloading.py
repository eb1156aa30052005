# SPDX-License-Identifier: GPL-2.0-or-later
"""Reloader: carries out SIGHUPs in a thread of its own.

Files may hang (a FIFO in the place of one, a network file system without its server).
Main must not: it waits for the signal that ends the process.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Callable

from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

log = logging.getLogger("amiproxy.reloading")


#: Carries out one reload; its argument says who wants it, for the log.
Reload = Callable[[str], object]

_HUP = "Received HUP"


class Reloader:
    """Calls *reload* for each SIGHUP, or once for those that come while it runs."""

    def __init__(self, reload: Reload) -> None:
        self._reload = reload
        self._asked = threading.Event()
        self.busy_since = 0.0  # since when it reloads, for the watchdog

    def start(self) -> None:
        """Start the thread: when SIGHUP comes there may be none left."""
        WatchedThread(
            "sighup", lambda: endless("sighup", self._carry_out), self, essential=False
        ).start()

    def ask(self) -> None:
        """Have the files read again.  Never waits; for the main thread."""
        since = self.busy_since
        if since and not self._asked.is_set():
            seconds = time.monotonic() - since
            log.warning("Received HUP -- follows the one that takes %.1f s already", seconds)
        self._asked.set()

    def _carry_out(self) -> bool:
        self.busy_since = 0.0
        self._asked.wait()
        self._asked.clear()
        self.busy_since = time.monotonic()
        try:
            self._reload(_HUP)
        except Exception:
            log.exception("SIGHUP: bug in the proxy")
        return True
