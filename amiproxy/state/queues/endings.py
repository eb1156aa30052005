# SPDX-License-Identifier: GPL-2.0-or-later
"""Endings: how each caller's time in a queue ended.

No event says it.  A Leave comes before the AgentConnect of an answered call and after the
Abandon of one that was not, and an Abandon comes for a timeout and an emptied queue too.  So
the verdict waits for what follows the Leave.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.basics.bounded import BoundedDict

if TYPE_CHECKING:
    from amiproxy.state.queues.queue import Caller

ANSWERED, TIMED_OUT, HUNG_UP, OTHER = "answered", "timed_out", "hung_up", "other"

#: Seconds after the Leave within which the verdict comes.
HELD = 2.0

#: Endings remembered, and those without a verdict at a time.
MOST = 1000

# What a caller who was not answered gets as QUEUESTATUS.
_BY_STATUS = {
    "TIMEOUT": TIMED_OUT,
    "LEAVEEMPTY": TIMED_OUT,
    "LEAVEUNAVAIL": TIMED_OUT,
    "JOINEMPTY": TIMED_OUT,
    "JOINUNAVAIL": TIMED_OUT,
    "WITHDRAW": OTHER,
}


class Ending(NamedTuple):
    """The end of one caller's wait."""

    queue: str
    uniqueid: str
    #: One of answered, timed_out (or the queue was emptied), hung_up, other (left by key).
    outcome: str
    #: When the caller joined, None if that is not known, and left.
    since: float | None
    until: float


class Endings:
    """The endings of one server's queues; *note* is told each verdict."""

    def __init__(self, note: Callable[[Ending], None]) -> None:
        self._note = note
        #: Those with a verdict, by unique id; the last ones.
        self.recent: BoundedDict[str, Ending] = BoundedDict(MOST)
        self._held: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    def left(self, caller: Caller, now: float) -> None:
        """Note that *caller* waits no longer; what follows tells why."""
        self.settle(now)
        self._held[caller.uniqueid] = caller, now
        if len(self._held) > MOST:
            self._give(next(iter(self._held)), None)

    def caller(self, uniqueid: str) -> Caller | None:
        """Return the caller *uniqueid*, who left a moment ago; None if there is none."""
        held = self._held.get(uniqueid)
        return held[0] if held else None

    def answered(self, uniqueid: str) -> None:
        """Note that the caller *uniqueid* talks to a member."""
        self._give(uniqueid, ANSWERED)

    def told(self, uniqueid: str, status: str) -> None:
        """Note the QUEUESTATUS that the caller *uniqueid* went on with."""
        outcome = _BY_STATUS.get(status.upper())
        if outcome:
            self._give(uniqueid, outcome)

    def hung_up(self, uniqueid: str) -> None:
        """Note that the channel *uniqueid* hung up."""
        self._give(uniqueid, None)

    def settle(self, now: float) -> None:
        """Decide on those for whom nothing came in time."""
        while self._held:
            uniqueid, (_, until) = next(iter(self._held.items()))
            if -HELD < now - until < HELD:  # else the clock was set back
                break
            self._give(uniqueid, None)

    def outcome(self, uniqueid: str, now: float) -> str | None:
        """Return how the wait of *uniqueid* ended; None if it did not, or it is not decided."""
        self.settle(now)
        ending = self.recent.get(uniqueid)
        return ending.outcome if ending else None

    def clear(self) -> None:
        """Forget all."""
        self.recent.clear()
        self._held.clear()

    def _give(self, uniqueid: str, outcome: str | None) -> None:
        """Give the verdict, *outcome* or what the Abandon alone says."""
        held = self._held.pop(uniqueid, None)
        if held is not None:
            caller, until = held
            outcome = outcome or (HUNG_UP if caller.has_abandoned else OTHER)
            self.recent.pop(uniqueid, None)
            ending = Ending(caller.queue.name, uniqueid, outcome, caller.since, until)
            self.recent[uniqueid] = ending
            self._note(ending)
