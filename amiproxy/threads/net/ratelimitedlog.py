# SPDX-License-Identifier: GPL-2.0-or-later
"""Log lines about what strangers send, bounded in number."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


class Complaints:
    """A log that one attacker cannot fill: one line a second, the rest is counted."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._last = float("-inf")
        self._unsaid = 0

    def log(self, text: str, *args: object) -> None:
        """Log a warning, or count it.  For one thread."""
        now = time.monotonic()
        if now - self._last < 1.0:
            self._unsaid += 1
            return
        if self._unsaid:
            text += " (and %d more like it)"
            args = (*args, self._unsaid)
        self._last, self._unsaid = now, 0
        self._log.warning(text, *args)
