# SPDX-License-Identifier: GPL-2.0-or-later
"""Deadline: the moment at which something must be over."""

from __future__ import annotations

import math
import time
from typing import Callable


class Deadline:
    """A moment *seconds* from now; None or ``math.inf`` is never.

    *clock* returns monotonic seconds.  A deadline is a value: it does not move.
    """

    __slots__ = ("_at", "_clock")

    def __init__(
        self, seconds: float | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._at = math.inf if seconds is None else clock() + seconds

    def __repr__(self) -> str:
        return f"Deadline({self.left():g})"

    @property
    def over(self) -> bool:
        """Whether the moment has come."""
        return self._clock() >= self._at

    def left(self, at_least: float = 0.0) -> float:
        """Return the seconds left, never less than *at_least*; ``math.inf`` for never."""
        return max(at_least, self._at - self._clock())

    def timeout(self) -> float | None:
        """Return the seconds left as calls that wait expect them: None for never."""
        return None if self._at == math.inf else self.left()
