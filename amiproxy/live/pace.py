# SPDX-License-Identifier: GPL-2.0-or-later
"""Pace: so many requests a second, and a few more at once."""

from __future__ import annotations


class Pace:
    """How many requests one client has left: *rate* come back each second, *most* at the most."""

    def __init__(self, rate: float, most: float, now: float) -> None:
        self._rate, self._most = rate, most
        self._left, self._at = most, now

    def take(self, now: float) -> float:
        """Take one at *now*, in monotonic seconds; return in how many seconds there is one, 0: now.

        Unless it is 0 none was taken.
        """
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return (1 - self._left) / self._rate
        self._left -= 1
        return 0.0
