# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts: what has come of the callers of one queue: of the last hour, of the day, of all."""

from __future__ import annotations

from amiproxy.metrics.histogram import TALKS, WAITS, Histogram

#: What is counted, as places in a list.
OFFERED, ANSWERED, IN_LEVEL, HUNG_UP, HUNG_UP_SHORT, TIMED_OUT, OTHER = range(7)
WAIT_SUM, WAIT_MAX, TALK_SUM = 7, 8, 9
NAMES = (
    "offered", "answered", "in_level", "hung_up", "hung_up_short", "timed_out", "other",
    "wait_sum", "wait_max", "talk_sum",
)  # fmt: skip
_ZEROS = (0,) * len(NAMES)

#: The last hour has so many minutes, besides the one that is not over.
MINUTES = 60


class Counts:
    """The counts of one queue.  Whoever keeps it says which minute and day it is.

    It is counted in lists, several at a time: ``present`` and ``past`` return them.
    """

    __slots__ = (
        "_day", "_hour", "_minute", "_minutes", "_present", "_today", "talks", "total", "waits",
    )  # fmt: skip

    def __init__(self) -> None:
        # By minute, the last ones in which there was anything; and their sum.
        self._minutes: dict[int, list[float]] = {}
        self._hour: list[float] = list(_ZEROS)
        # Of the day that began at _today; of all days.
        self._day: list[float] = list(_ZEROS)
        self._today = 0.0
        self.total: list[float] = list(_ZEROS)
        # Which minute it is, and what counts in it.
        self._minute = -1
        self._present: tuple[list[float], ...] = ()
        #: How long callers waited, by outcome (a place in the lists), and members talked.
        self.waits = {each: Histogram(WAITS) for each in (ANSWERED, HUNG_UP, TIMED_OUT, OTHER)}
        self.talks = Histogram(TALKS)

    def present(self, minute: int, today: float) -> tuple[list[float], ...]:
        """Return what counts in the *minute* that it is, of the day that began at *today*."""
        if minute != self._minute or today != self._today or not self._present:
            self._turn(minute, today)
            bucket = self._minutes.setdefault(minute, list(_ZEROS))
            self._present = bucket, self._hour, self._day, self.total
        return self._present

    def past(self, minute: int, now: int, today: float | None) -> tuple[list[float], ...]:
        """Return what counts what was in *minute*, while it is *now*.

        *today*: when the day began, None if that was later.
        """
        if minute < now - MINUTES:
            return (self.total,)
        self._turn(now, self._today if today is None else today)
        bucket = self._minutes.setdefault(minute, list(_ZEROS))
        return (bucket, self._hour, self.total, *(() if today is None else (self._day,)))

    def _turn(self, minute: int, today: float) -> None:
        """Go on to *minute*: forget what is older than an hour, or of another day."""
        if today != self._today:
            self._today, self._day, self._present = today, list(_ZEROS), ()
        if minute == self._minute:
            return
        self._minute, self._present = minute, ()
        minutes = self._minutes
        old = [each for each in minutes if each < minute - MINUTES]
        for each in old:
            del minutes[each]
        if old:
            self._hour = [sum(column) for column in zip(_ZEROS, *minutes.values())]
            self._hour[WAIT_MAX] = max((each[WAIT_MAX] for each in minutes.values()), default=0)

    def hour(self, minute: int) -> list[float]:
        """Return the counts of the last hour, where it is *minute*."""
        self._turn(minute, self._today)
        return self._hour

    def day(self, today: float) -> list[float]:
        """Return the counts of the day that began at *today*."""
        self._turn(self._minute, today)
        return self._day

    def shift(self, minutes: int, today: float) -> None:
        """Have all of it be *minutes* later, and belong to the day that began at *today*."""
        self._minutes = {minute + minutes: each for minute, each in self._minutes.items()}
        self._minute += minutes
        self._today, self._present = today, ()

    def forget(self) -> None:
        """Begin anew, but for the totals."""
        self._minutes.clear()
        self._hour, self._day, self._present = list(_ZEROS), list(_ZEROS), ()
