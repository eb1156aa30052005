# SPDX-License-Identifier: GPL-2.0-or-later
"""Tallies: how often what has happened, since the proxy began."""

from __future__ import annotations

import enum
import threading
import time


class Tallied(enum.Enum):
    """What is counted.  Each is rare, beside events and answers."""

    CONNECTION = "a client was let in"
    REFUSED = "a client was not let in"
    DROPPED = "a client was too slow"
    LOGIN = "a log-in succeeded"
    FAILED_LOGIN = "a log-in failed"
    REFUSED_ACTION = "an action was refused for its user's rights or filters"


class Tallies:
    """The counts.  Any thread may call."""

    def __init__(self) -> None:
        # Guards _counts, _last and bytes_sent; held for a few additions.
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(Tallied, 0)
        self._last: dict[Tallied, float] = {}
        #: Bytes that were sent to clients that have left; not those of web requests.
        self.bytes_sent = 0

    def note(self, what: Tallied) -> None:
        """Count *what* once more."""
        with self._lock:
            self._counts[what] += 1
            self._last[what] = time.monotonic()

    def note_sent(self, count: int) -> None:
        """Count *count* bytes that a client was sent that leaves now."""
        with self._lock:
            self.bytes_sent += count

    def count(self, what: Tallied) -> int:
        """Return how often *what* has happened."""
        return self._counts[what]

    def ago(self, what: Tallied) -> float | None:
        """Return how many seconds ago *what* happened last; None: it never did."""
        last = self._last.get(what)
        return None if last is None else time.monotonic() - last
