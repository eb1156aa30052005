# SPDX-License-Identifier: GPL-2.0-or-later
"""Log lines about what unauthenticated peers send, bounded in number."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    import logging


class RateLimitedLog:
    """A log that one attacker cannot fill: one line a second, the rest is counted.

    For one thread.  *clock* returns monotonic seconds.
    """

    def __init__(self, log: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._last = float("-inf")
        self._suppressed = 0

    def warning(self, text: str, *args: object) -> None:
        """Log a warning, or count it."""
        now = self._clock()
        if now - self._last < 1.0:
            self._suppressed += 1
            return
        if self._suppressed:
            text += " (and %d more like it)"
            args = (*args, self._suppressed)
        self._last, self._suppressed = now, 0
        self._log.warning(text, *args)
