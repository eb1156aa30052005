# SPDX-License-Identifier: GPL-2.0-or-later
"""EarlyBatches: what comes for a client before its first block is answered (spec 12.29).

An Asterisk sends no event before a log-in is answered, and there are client libraries that take
the first message for the answer.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.wire.batch import Batch

#: For so long a client that has not been answered gets nothing else, in seconds.
HOLD = 0.2

#: And whatever it asks that puts off its answer, the first of them for no longer than this.
LONGEST = 5.0

#: Bytes that are kept at the most: to write them all, in its format, takes a moment in which
#: the server's thread may have to wait.
MOST = 512 * 1024


class EarlyBatches:
    """Batches in order, at most *most* bytes of them.  The session's lock guards them."""

    __slots__ = ("_latest", "_left", "batches", "until")

    def __init__(self, most: int) -> None:
        self._left = min(most, MOST)
        self._latest = math.inf  # until there is a first
        #: Copies: whoever releases them is another thread than the batch's own.
        self.batches: list[Batch] = []
        #: When they are to be released, in monotonic seconds.  The client's thread sets it.
        self.until = 0.0
        self.extend()

    def extend(self) -> None:
        """Count the time anew."""
        self.until = time.monotonic() + HOLD

    def keep(self, batch: Batch) -> bool:
        """Keep *batch*; return whether another one may be kept."""
        now = time.monotonic()
        if not self.batches:
            self._latest = now + LONGEST
        self.batches.append(batch.copy())
        self._left -= len(batch.wire)
        return self._left > 0 and now < self._latest
