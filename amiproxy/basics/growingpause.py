# SPDX-License-Identifier: GPL-2.0-or-later
"""GrowingPause: how long to wait before what has failed is tried again."""

from __future__ import annotations

import random
from typing import Callable


class GrowingPause:
    """Pauses that grow to double their length each time, and differ from one process to another.

    The first one is exact.  The others last between half and all of what they grew to: many
    who lost the same peer at the same moment do not come back at one moment.  *chance*
    returns numbers from 0 to 1.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._times = 0

    def next(self, first: float, most: float) -> float:
        """Return the next pause; *first* is that after a success, *most* the longest one.

        All are seconds; where *most* is shorter than *first* it counts for nothing.
        """
        # Bounded, for floats are: nobody counts on so long a pause.
        longest = min(first * 2.0 ** min(self._times, 64), max(first, most))
        self._times += 1
        if longest == first:
            return first
        return longest * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """Begin anew: it has succeeded, or somebody asks for it."""
        self._times = 0
