# SPDX-License-Identifier: GPL-2.0-or-later
"""Pings: what the proxy asks an Asterisk for a sign of life, and how long that takes."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from amiproxy.metrics.histogram import MOMENTS, Histogram
from amiproxy.routing.pending import own_action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.ledger import Ledger
    from amiproxy.routing.pending import PendingAction

#: The shortest time between two Pings that ask whether answers will come, in seconds.
_INTERVAL = 1.0

#: What time it is there, as the answer has it.
_TIMESTAMP = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


class Pings:
    """The Pings of one link.  Whoever calls its methods holds the link's lock.

    ``round_trip``, ``measured`` and ``offset`` may be read without it.
    """

    def __init__(self, ids: ActionIds) -> None:
        self._ids = ids
        self._last: PendingAction | None = None
        # When the first one went that has had no answer, nor has one after it, in monotonic
        # seconds; 0.0: there is none.
        self._open_since = 0.0
        #: How long the last one took, in seconds; None: none has come back.
        self.round_trip: float | None = None
        #: When that was measured, in monotonic seconds; 0.0: never.
        self.measured = 0.0
        #: By how many seconds the proxy's clock is ahead of Asterisk's; None: not known.
        self.offset: float | None = None
        #: How long all of them took so far.
        self.seconds = Histogram(MOMENTS)

    def enter(self, ledger: Ledger) -> bytes:
        """Enter a Ping in *ledger*; return its bytes, to be sent now."""
        self._last = ping = own_action(self._ids, "Ping")
        ping.since = time.monotonic()
        self._open_since = self._open_since or ping.since
        return ledger.enter(ping)

    def is_under_way(self, ledger: Ledger) -> bool:
        """Return whether one is to be answered."""
        return self._last is not None and ledger.awaits(self._last)

    def is_recent(self, ledger: Ledger) -> bool:
        """Return whether one is to be answered that went within the last second."""
        last = self._last
        recent = last is not None and time.monotonic() - last.since < _INTERVAL
        return recent and self.is_under_way(ledger)

    def note(self, ledger: Ledger, messages: Iterable[Message]) -> None:
        """Note that *ledger* has taken in *messages*: there may be an answer among them."""
        last = self._last
        if self._open_since and last is not None and not ledger.awaits(last):
            self._open_since = 0.0
            self.measured = time.monotonic()
            self.round_trip = self.measured - last.since
            self.seconds.note(self.round_trip)
            self._set_clock(messages, last.wire_id, self.round_trip)

    def _set_clock(self, messages: Iterable[Message], wire_id: str, took: float) -> None:
        """Note what time Asterisk had half of the way between question and answer."""
        for message in messages:
            if message.values.get("actionid") == wire_id:
                theirs = message.get("Timestamp").strip()
                if _TIMESTAMP.fullmatch(theirs):
                    self.offset = time.time() - took / 2 - float(theirs)

    def delay(self) -> float | None:
        """Return how long the last one took, or has been taking so far, if that is longer."""
        since, took = self._open_since, self.round_trip
        if not since:
            return took
        so_far = time.monotonic() - since
        if took is None:
            return so_far if so_far > _INTERVAL else None
        return max(took, so_far)

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._last, self.round_trip, self.measured, self._open_since = None, None, 0.0, 0.0
        self.offset = None
