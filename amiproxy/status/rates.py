# SPDX-License-Identifier: GPL-2.0-or-later
"""Rates: how often a second something happens, from counters that are looked at now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

#: A sample this old, in seconds, is compared with; an older one says too little of now.
OLDEST = 15.0

#: The shortest time between two samples that are compared, in seconds.
SHORTEST = 0.9

#: How many samples are kept.
_MOST = 8


class Sample(NamedTuple):
    """What the counters were at the moment *at*, in monotonic seconds."""

    at: float
    counters: Mapping[Hashable, float]


class Rates:
    """The last samples.  One thread at a time.

    Nothing is counted by time while nobody asks: who asks first has to wait for a second sample.
    """

    def __init__(self) -> None:
        self._samples: list[Sample] = []

    def note(self, sample: Sample) -> None:
        """Keep *sample*, to compare later ones with."""
        last = self._samples[-1] if self._samples else None
        # Who asks all the time must not push the others out.
        if last is None or sample.at - last.at >= SHORTEST:
            self._samples = [
                *(each for each in self._samples if sample.at - each.at <= OLDEST), sample
            ][-_MOST:]  # fmt: skip

    def since(self, now: float) -> Sample | None:
        """Return the newest sample that is old enough to compare with at *now*.

        None: there is none; keep one, and ask again in SHORTEST seconds.
        """
        found = [each for each in self._samples if SHORTEST <= now - each.at <= OLDEST]
        return found[-1] if found else None


def rate(before: Sample, now: Sample, key: Hashable) -> float:
    """Return how much the counter *key* has grown a second from *before* to *now*.

    What was not there before began at 0.
    """
    grown = now.counters.get(key, 0.0) - before.counters.get(key, 0.0)
    return max(0.0, grown) / max(now.at - before.at, 0.001)
