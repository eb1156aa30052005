# SPDX-License-Identifier: GPL-2.0-or-later
"""Histogram: how often something took how long."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

#: Seconds that things take which should be over at once; and those that take as long as Asterisk,
#: or people, do.
MOMENTS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
ANSWERS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0)

#: And for how long people wait, and talk.
WAITS = (5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0)
TALKS = (15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)


class Histogram:
    """How many values came that are at most as large as each of *bounds*, and their sum.

    To note a value costs a search among a dozen bounds and two additions.  Not thread-safe: one
    thread notes, or a lock guards it; any thread may read ``snapshot``.
    """

    __slots__ = ("_counts", "_sum", "bounds")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Make an empty one; *bounds* rise."""
        self.bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def note(self, value: float) -> None:
        """Note *value*; one that equals a bound is below it."""
        self._counts[bisect_left(self.bounds, value)] += 1
        self._sum += value

    def snapshot(self) -> HistogramValue:
        """Return what has been noted so far."""
        # A copy first: what is noted meanwhile may be in the sum only, which nobody can tell.
        counts = self._counts.copy()
        return HistogramValue(self.bounds, tuple(accumulate(counts)), self._sum)


class HistogramValue:
    """A histogram at one moment.  A value: nothing changes it.

    *counts* is how many values there were up to each of *bounds*, and in all.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...], counts: tuple[int, ...], total: float) -> None:
        self.bounds, self.counts, self.sum = bounds, counts, total

    def __add__(self, other: HistogramValue) -> HistogramValue:
        """Return both together; they have the same bounds."""
        assert self.bounds == other.bounds
        counts = tuple(map(int.__add__, self.counts, other.counts))
        return HistogramValue(self.bounds, counts, self.sum + other.sum)
