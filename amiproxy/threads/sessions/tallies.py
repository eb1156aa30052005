# SPDX-License-Identifier: GPL-2.0-or-later
"""Tallies: how often what has happened, since the proxy began."""

from __future__ import annotations

import enum
import threading
import time

#: In the place of a resource: requests for actions, and what was no request.
ACTIONS, NO_REQUEST = "actions", "none"


class Tallied(enum.Enum):
    """What is counted, and by what.  Each is rare, beside events and answers.

    By something that has few values, which no client chooses.
    """

    CONNECTION = "a client was let in; by listener"
    REFUSED = "a client was not let in; by listener"
    DROPPED = "a client was too slow"
    DROPPED_ELSE = "a client was dropped for something else; by reason"
    LOGIN = "a log-in succeeded"
    FAILED_LOGIN = "a log-in failed; by reason"
    REFUSED_ACTION = "an action was refused for its user's rights or filters; by name"
    UNSENT_ACTION = "an action could not be sent to any server; by name"
    REQUEST = "a request of HTTP was answered; by resource and status"


class Tallies:
    """The counts.  Any thread may call."""

    def __init__(self) -> None:
        # Guards _counts and _last; held for a few additions.
        self._lock = threading.Lock()
        self._counts: dict[Tallied, dict[tuple[str, ...], int]] = {each: {} for each in Tallied}
        self._last: dict[Tallied, float] = {}

    def note(self, what: Tallied, *by: str) -> None:
        """Count *what* once more, *by* what it is counted."""
        with self._lock:
            counts = self._counts[what]
            counts[by] = counts.get(by, 0) + 1
            self._last[what] = time.monotonic()

    def count(self, what: Tallied) -> int:
        """Return how often *what* has happened."""
        return sum(self.by(what).values())

    def by(self, what: Tallied) -> dict[tuple[str, ...], int]:
        """Return how often *what* has happened, by what it is counted."""
        with self._lock:
            return self._counts[what].copy()

    def ago(self, what: Tallied) -> float | None:
        """Return how many seconds ago *what* happened last; None: it never did."""
        last = self._last.get(what)
        return None if last is None else time.monotonic() - last
