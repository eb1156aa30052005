# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts: what has come of the callers of one queue: of the last hour, of the day, of all."""

from __future__ import annotations

from bisect import bisect_left

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

#: Bounds of histograms, in seconds.
WAITS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
TALKS = (15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)


class Spread:
    """How many values were up to which of *bounds*, and their sum."""

    __slots__ = ("_bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def note(self, value: float) -> None:
        """Note *value*."""
        self.counts[bisect_left(self._bounds, value)] += 1
        self.sum += value


class Counts:
    """The counts of one queue.  Whoever keeps it says which minute and day it is."""

    __slots__ = ("_hour", "_hour_at", "_minutes", "_today", "day", "talks", "total", "waits")

    def __init__(self) -> None:
        # By minute, the last ones in which there was anything; and their sum, in which minute.
        self._minutes: dict[int, list[float]] = {}
        self._hour: list[float] = list(_ZEROS)
        self._hour_at = 0
        #: Of the day that began at _today; of all days.
        self.day: list[float] = list(_ZEROS)
        self._today = 0.0
        self.total: list[float] = list(_ZEROS)
        #: How long callers waited, by outcome (a place in the lists), and members talked.
        self.waits = {outcome: Spread(WAITS) for outcome in (ANSWERED, HUNG_UP, TIMED_OUT, OTHER)}
        self.talks = Spread(TALKS)

    def add(self, places: tuple[int, ...], minute: int, *, at: int, today: float | None) -> None:
        """Count one more at *places*, of the *minute*; the present one is *at*.

        *today*: when the day began, None if it was before.
        """
        for counts in self._at(minute, at, today):
            for place in places:
                counts[place] += 1

    def wait(self, seconds: float, minute: int, *, at: int, today: float | None) -> None:
        """Note that one more has waited for *seconds*."""
        for counts in self._at(minute, at, today):
            counts[WAIT_SUM] += seconds
            counts[WAIT_MAX] = max(counts[WAIT_MAX], seconds)

    def talk(self, seconds: float, minute: int, today: float) -> None:
        """Note that one more has talked for *seconds*."""
        self.talks.note(seconds)
        for counts in self._at(minute, minute, today):
            counts[TALK_SUM] += seconds

    def _at(self, minute: int, at: int, today: float | None) -> tuple[list[float], ...]:
        """Return what counts what was in *minute*."""
        total = self.total
        if minute < at - MINUTES:
            return (total,)
        bucket = self._minutes.get(minute)
        if bucket is None:
            self._drop(at)
            bucket = self._minutes[minute] = list(_ZEROS)
        if today is None:
            return bucket, self._hour, total
        if today != self._today:
            self._today, self.day = today, list(_ZEROS)
        return bucket, self._hour, self.day, total

    def _drop(self, at: int) -> None:
        """Forget what is older than an hour."""
        if at == self._hour_at:
            return
        self._hour_at = at
        minutes = self._minutes
        old = [minute for minute in minutes if minute < at - MINUTES]
        for minute in old:
            del minutes[minute]
        if old:
            self._hour = [sum(column) for column in zip(_ZEROS, *minutes.values())]
            self._hour[WAIT_MAX] = max((each[WAIT_MAX] for each in minutes.values()), default=0)

    def hour(self, at: int) -> list[float]:
        """Return the counts of the last hour, where the minute is *at*."""
        self._drop(at)
        return self._hour

    def of_day(self, today: float) -> list[float]:
        """Return the counts of the day that began at *today*."""
        if today != self._today:
            self._today, self.day = today, list(_ZEROS)
        return self.day

    def shift(self, minutes: int, today: float) -> None:
        """Have all of it be *minutes* later, and belong to the day that began at *today*."""
        self._minutes = {minute + minutes: each for minute, each in self._minutes.items()}
        self._hour_at += minutes
        self._today = today

    def forget(self) -> None:
        """Begin anew, but for the totals."""
        self._minutes.clear()
        self._hour, self.day = list(_ZEROS), list(_ZEROS)
