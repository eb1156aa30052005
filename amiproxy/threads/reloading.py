# SPDX-License-Identifier: GPL-2.0-or-later
"""Reloader: carries out SIGHUPs, and reloads that others ask for, in a thread of its own.

Files may hang (a FIFO in the place of one, a network file system without its server).
Main must not: it waits for the signal that ends the process.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.settings.reloadreport import ReloadReport
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from amiproxy.threads.supervisor import Supervisor

log = logging.getLogger("amiproxy.reloading")

#: Carries out one reload; its argument says who wants it, for the log.
Reload = Callable[[str], ReloadReport]

_HUP = "Received HUP"


class Asked:
    """One reload that somebody waits for."""

    def __init__(self, because: str) -> None:
        self.because = because
        self._report: ReloadReport | None = None
        self._done = threading.Event()

    def finish(self, report: ReloadReport) -> None:
        """Let whoever waits go on with *report*."""
        self._report = report
        self._done.set()

    def wait(self, timeout: float) -> ReloadReport | None:
        """Return what the reload did, or None if it is not over in *timeout* seconds."""
        self._done.wait(timeout)
        return self._report


class Reloader:
    """Calls *reload* for each SIGHUP, or once for all that is asked for while it runs.

    It tells *supervisor* of each.
    """

    def __init__(self, reload: Reload, supervisor: Supervisor) -> None:
        self._reload = reload
        self._supervisor = supervisor
        self._asked = threading.Event()
        # Those that wait for a reload which has not begun.  Each operation on it is one step.
        self._waiting: collections.deque[Asked] = collections.deque()
        self.busy_since = 0.0  # since when it reloads, for the watchdog
        #: What the last one did; before there was one, nothing.
        self.last = ReloadReport()
        self._last_at = 0.0

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

    def ask_and_tell(self, because: str) -> Asked:
        """Have the files read again; return what to wait for.  *because* is for the log."""
        asked = Asked(because)
        self._waiting.append(asked)
        self._asked.set()
        return asked

    def _carry_out(self) -> bool:
        self.busy_since = 0.0
        self._asked.wait()
        self._asked.clear()
        self.busy_since = time.monotonic()
        asked = self._take()
        report = ReloadReport(problems=("bug in the proxy: see its log",))
        try:
            with self._supervisor.reloading():
                report = self._reload(asked[0].because if asked else _HUP)
        except Exception:
            log.exception("SIGHUP: bug in the proxy")
        finally:
            self.last, self._last_at = report, time.time()
            for each in asked:
                each.finish(report)
        return True

    def outcome(self) -> tuple[float, bool]:
        """Return when the last one was, unix time, 0.0: never; and whether nothing was wrong."""
        return self._last_at, not self.last.problems

    def _take(self) -> list[Asked]:
        """Return those that wait for the reload that begins now."""
        found: list[Asked] = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._waiting.popleft())
        return found
