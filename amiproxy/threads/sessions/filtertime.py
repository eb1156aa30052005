# SPDX-License-Identifier: GPL-2.0-or-later
"""FilterTime: the processor time that filters added by clients may take.

What one event costs is bounded when a filter is added (routing/eventfilter.py); how many
events there are, and how many clients with filters, is not.
"""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Callable
from weakref import WeakKeyDictionary

from amiproxy.errors import PeerError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Seconds of processor time for each second that goes by, of all clients together.
BUDGET = 0.25
# Seconds between two looks at how much one client takes, and at how much is left for each.
_WINDOW = 1.0


class FilterTimeError(PeerError):
    """The filters of a client take more than its share of the time there is."""


class FilterTime:
    """What the filters of all clients take.  Any thread may use it.

    While that is less than *budget*, anybody may take any part of it.
    """

    def __init__(self, budget: float = BUDGET, clock: Callable[[], float] = time.monotonic) -> None:
        self._budget = budget
        self.clock = clock
        # Guards _rates, _share, _computed and total.
        self._lock = threading.Lock()
        # By client: seconds for each second in its last window, and when that ended.
        self._rates: WeakKeyDictionary[FilterMeter, tuple[float, float]] = WeakKeyDictionary()
        self._share = math.inf
        self._computed = -math.inf
        #: Seconds of processor time that they have taken so far, but for the last second or so.
        self.total = 0.0

    def meter(self) -> FilterMeter:
        """Return a meter for one client."""
        return FilterMeter(self, self._budget)

    def is_too_much(self, meter: FilterMeter, rate: float, now: float, spent: float = 0.0) -> bool:
        """Note that *meter* took *rate*, seconds a second, until *now*; is that too much?

        That is, *spent* seconds.
        """
        with self._lock:
            self.total += spent
            self._rates[meter] = (rate, now)
            # Not each time: with many clients it takes longer.
            if now - self._computed >= _WINDOW / 4 or rate > self._budget:
                self._computed = now
                current = [one for one, at in self._rates.values() if now - at < 2 * _WINDOW]
                self._share = _share(current, self._budget)
            return rate > self._share


class FilterMeter:
    """What the filters of one client take.  The session's lock guards it."""

    __slots__ = ("__weakref__", "_budget", "_since", "_spent", "_time")

    def __init__(self, of_all: FilterTime, budget: float) -> None:
        self._time = of_all
        self._budget = budget
        self._since = of_all.clock()
        self._spent = 0.0

    def spend(self, seconds: float) -> None:
        """Note that the filters have taken *seconds* of processor time.

        Raises:
            FilterTimeError: it is too much.

        """
        self._spent += seconds
        now = self._time.clock()
        passed = now - self._since
        if passed < _WINDOW and self._spent < self._budget * _WINDOW:
            return
        spent, rate = self._spent, self._spent / max(passed, _WINDOW)
        self._since, self._spent = now, 0.0
        if self._time.is_too_much(self, rate, now, spent):
            raise FilterTimeError(
                f"dropped: the filters it has added take {rate * 1000:.0f} ms of each second"
            )


def _share(rates: Iterable[float], budget: float) -> float:
    """Return what each may take so that all together take *budget*; who takes less, does."""
    waiting = sorted(rates)
    for done, rate in enumerate(waiting):
        share = budget / (len(waiting) - done)
        if rate > share:
            return share
        budget -= rate
    return math.inf
