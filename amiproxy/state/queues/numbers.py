# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers: what has come of the callers of each queue of one server, as the proxy saw it.

They outlive what is forgotten when a connection is lost, and say since when they hold, and
whether events are missing in that time.  Asterisk's own are of no use for that: moving averages,
counted at the ends of calls, zero after a reload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Protocol

from amiproxy.basics.days import Day, day_of
from amiproxy.state.queues import counts as place
from amiproxy.state.queues.counts import MINUTES, NAMES, Counts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.state.queues.endings import Ending

#: Queues of which there are numbers, at most; the oldest make room.
MOST = 10_000

#: Seconds between two looks from which on the clock has been set, or the machine has slept.
_JUMP, _JUMP_BACK = 120.0, 2.0

_OUTCOMES = {
    "answered": place.ANSWERED, "hung_up": place.HUNG_UP, "timed_out": place.TIMED_OUT,
    "other": place.OTHER,
}  # fmt: skip


class Rules(Protocol):
    """What the operator says of numbers."""

    @property
    def abandon_short(self) -> float:
        """Who hangs up within so many seconds does not count as lost."""

    @property
    def timezone(self) -> str:
        """The name of the zone whose midnight begins a day, "": the proxy's own."""


class Defaults(NamedTuple):
    """What they are where nobody says anything."""

    abandon_short: float = 5.0
    timezone: str = ""


class Numbers:
    """The numbers of all queues of one server.  One thread changes them.

    *rules* returns those in force.  ``look`` is to be called often: it notes what time it is, and
    whether the model is what Asterisk says.
    """

    def __init__(self, rules: Callable[[], Rules] = Defaults) -> None:
        self._rules = rules
        self._of: dict[str, Counts] = {}
        self._now = 0.0
        self._minute = 0
        self._day = Day(0.0, 0.0)
        self._zone = ""
        #: Since when they are counted, None: not yet; and up to when events may be missing.
        self._began: float | None = None
        self._missing_until = 0.0
        self._is_live = False

    # -- what time it is ------------------------------------------------------------------------

    def look(self, now: float, *, live: bool) -> bool:
        """Note that it is *now*, and whether the model is *live*: if not, events may be missing.

        Returns:
            Whether that changes what is said of the windows of all queues.

        """
        passed = now - self._now
        jumps = bool(self._now) and not -_JUMP_BACK < passed < _JUMP
        if jumps:
            self._jump(now)
        self._turn(now)
        if live == self._is_live:
            return jumps
        self._is_live = live
        if live and self._began is None:
            self._began = now
            for counts in self._of.values():
                counts.forget()
        elif live:
            self._missing_until = now
        return True

    def interrupt(self) -> None:
        """Note that events may be missing, until ``look`` says that the model is live."""
        self._is_live = False

    def _jump(self, now: float) -> None:
        """The clock was set, or the machine has slept: what there is may not be of its time."""
        if now < self._now:
            minutes = int(now // 60) - self._minute
            if self._began is not None:
                self._began += now - self._now
            self._now, self._minute = now, self._minute + minutes
            self._set_day(now)
            for counts in self._of.values():
                counts.shift(minutes, self._day.start)
        self._missing_until = now

    def _turn(self, now: float) -> None:
        """Go on to *now*; what came a moment ago may be told a moment later."""
        if now <= self._now:
            return
        self._now = now
        minute = int(now // 60)
        if minute != self._minute:
            self._minute = minute
            if not self._day.start <= now < self._day.end or self._rules().timezone != self._zone:
                self._set_day(now)

    def _set_day(self, now: float) -> None:
        zone = self._rules().timezone
        try:
            self._day = day_of(now, zone)
        except ValueError:  # it was there when the file was read
            self._day = day_of(now, "")
        self._zone = zone

    # -- what happens ---------------------------------------------------------------------------

    def _counts(self, queue: str) -> Counts:
        counts = self._of.get(queue)
        if counts is None:
            if len(self._of) >= MOST:
                del self._of[next(iter(self._of))]
            counts = self._of[queue] = Counts()
        return counts

    def joined(self, queue: str, now: float) -> None:
        """Note that somebody has come to *queue*."""
        self._turn(now)
        for each in self._counts(queue).present(self._minute, self._day.start):
            each[place.OFFERED] += 1

    def ended(self, ending: Ending, level: float | None) -> None:
        """Note how somebody's time in a queue ended, whose *level* is so many seconds."""
        if ending.until - self._now < _JUMP or not self._now:
            self._turn(ending.until)
        outcome = _OUTCOMES[ending.outcome]
        counts = self._counts(ending.queue)
        until = min(ending.until, self._now)  # the clock may have been set back meanwhile
        minute, today = int(until // 60), self._day.start
        if minute == self._minute and until >= today:
            lists = counts.present(minute, today)
        else:
            lists = counts.past(minute, self._minute, today if until >= today else None)
        for each in lists:
            each[outcome] += 1
        if ending.since is None:
            return
        waited = max(ending.until - ending.since, 0.0)
        counts.waits[outcome].note(waited)
        for each in lists:
            each[place.WAIT_SUM] += waited
            each[place.WAIT_MAX] = max(each[place.WAIT_MAX], waited)
        if outcome == place.ANSWERED and level is not None and waited <= level:
            for each in lists:
                each[place.IN_LEVEL] += 1
        elif outcome == place.HUNG_UP and waited < self._rules().abandon_short:
            for each in lists:
                each[place.HUNG_UP_SHORT] += 1

    def talked(self, queue: str, seconds: float, now: float) -> None:
        """Note that a member of *queue* has talked for *seconds* with one who had waited there."""
        self._turn(now)
        counts = self._counts(queue)
        counts.talks.note(seconds)
        for each in counts.present(self._minute, self._day.start):
            each[place.TALK_SUM] += seconds

    # -- what comes of it -----------------------------------------------------------------------

    def fields(self, queue: str, level: float | None) -> dict[str, float | bool | None]:
        """Return the fields of the row of *queue*; *level*: its seconds, None if it has none."""
        found: dict[str, float | bool | None] = {}
        counts = self._counts(queue)
        hour = (self._minute - MINUTES) * 60.0
        windows = (("hour", hour, counts.hour(self._minute)),
                   ("day", self._day.start, counts.day(self._day.start)))  # fmt: skip
        for window, start, values in windows:
            for name, value in zip(NAMES, values):
                found[f"{window}_{name}"] = value if type(value) is int else round(value, 3)
            if level is None:
                found[f"{window}_in_level"] = None
            since = None if self._began is None else max(start, self._began)
            found[f"{window}_since"] = since
            found[f"{window}_complete"] = self._is_complete(since)
            found[f"{window}_level_percent"] = level_percent(values, level)
        return found

    def _is_complete(self, since: float | None) -> bool:
        """Return whether no event can be missing *since* then."""
        return self._is_live and since is not None and self._missing_until <= since

    def totals(self) -> Mapping[str, Counts]:
        """Return the counts of each queue since there are any.  Any thread may look at them."""
        return dict(self._of)


def level_percent(values: list[float], level: float | None) -> float | None:
    """Return which part was answered within the *level*, of those who were not gone at once."""
    lost = values[place.HUNG_UP] - values[place.HUNG_UP_SHORT]
    of = values[place.ANSWERED] + lost + values[place.TIMED_OUT] + values[place.OTHER]
    return round(100.0 * values[place.IN_LEVEL] / of, 1) if of and level is not None else None
