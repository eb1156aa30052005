# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists: which list of one Asterisk is asked when, to begin a model and to check it.

No thread, no clock: the thread that follows the server (follower.py) says what time it is, asks,
and hands in the answers.
"""

from __future__ import annotations

import re
from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.access.listedactions import listed_actions
from amiproxy.state.model import BUILDING, LIVE, TOO_LARGE
from amiproxy.state.table import Query
from amiproxy.state.values import decimal
from amiproxy.threads.state.check import Check

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.model import ServerModel

#: What Asterisk says in place of an empty list.
_EMPTY = re.compile(r"No .*(found|conferences)\.?", re.IGNORECASE)

#: The kinds whose lists are asked twice before a model counts as live.
_TWICE = ("channels", "queues")
#: How often, at the most, until they agree.
_ROUNDS = 3

#: How often in a row a list is asked again of which a part is missing.
_TRIES = 2
_CUT = "not all of the list has come"

#: What time it is by Asterisk's clock, and which lists there are at all.
PING, COMMANDS = Query("Ping"), Query("ListCommands")
_FIRST = (PING, COMMANDS)

#: What follows from lists besides: Asterisk 11 has no other of bridges and devices.
_ALSO: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "CoreShowChannels": ("bridges",),
        "Status": ("bridges",),
        "SIPpeers": ("devices",),
        "IAXpeers": ("devices",),
    }
)


class Pace(NamedTuple):
    """How often lists are asked, in seconds."""

    apart: float = 5.0  #: from the end of one check to the next, whatever list
    each: float = 60.0  #: from one check of a list to its next
    share: float = 50.0  #: so many times as long as the list took, at the least: 2 % of the time
    settle: float = 2.0  #: before the second round, when a model begins
    patience: float = 30.0  #: without a sign of an answer


class Lists:
    """The lists of one *model*.  For the thread that keeps it."""

    def __init__(self, model: ServerModel, pace: Pace) -> None:
        self._model = model
        self._pace = pace
        self._listed: Mapping[str, int] | None = None  # None: it does not say
        self._own = frozenset((*_FIRST, *model.queries))  # those that depend on nothing
        self._waiting: deque[Query] = deque()
        self._rounds = 0
        self._not_before = 0.0
        self._asked_at = self._heard_at = 0.0
        #: The list under way, if there is one.
        self.asked: Query | None = None
        #: What went wrong with a list, by query.
        self.refusals: dict[Query, str] = {}
        self._had: dict[Query, None] = {}  # those that have come, in that order
        self._again: dict[Query, int] = {}  # how often each was asked again, as it was cut
        # When each is to be checked, and before when it may not be, for what it costs.
        self._next: dict[Query, float] = {}
        self._earliest: dict[Query, float] = {}
        self.check = Check(model)

    def begin(self, now: float) -> None:
        """Ask everything anew from *now* on: the connection is new, or events were missed."""
        self.stop()
        self.refusals.clear()
        self._had.clear()
        self._next.clear()
        self._listed = None
        self._waiting.extend(_FIRST)
        self._rounds, self._not_before = 0, now

    def stop(self) -> None:
        """Ask nothing: the connection is lost."""
        self._waiting.clear()
        self.asked = None
        self.check.clear()

    @property
    def is_idle(self) -> bool:
        """Whether nothing has been asked since it began."""
        return self.asked is None and not self._had and not self._rounds

    @property
    def progress(self) -> tuple[int, int]:
        """How many lists there are, had or refused, and how many there will be, as far as known."""
        done = len(self._had) + len(self.refusals)
        return done, done + len(self._waiting) + (self.asked is not None)

    # -- what is to be asked ------------------------------------------------------------------

    def due(self, now: float) -> Query | None:
        """Return the list that is to be asked at *now*, None if there is none."""
        if self.asked is not None or now < self._not_before:
            return None
        while self._waiting:
            query = self._waiting[0]
            if query in _FIRST or self._may_ask(query):
                return query
            self._waiting.popleft()
        if self._model.state == BUILDING:
            self._waiting.extend(self._further())
            if not self._waiting:
                self._end_round(now)
            return None
        return self._due_check(now) if self._model.state == LIVE else None

    def sent(self, query: Query, now: float) -> None:
        """Note that *query* goes to Asterisk at *now*."""
        if self._waiting and self._waiting[0] == query:
            self._waiting.popleft()
        self.asked, self._asked_at, self._heard_at = query, now, now

    def _may_ask(self, query: Query) -> bool:
        """Return whether Asterisk has the list of *query*, and no better one."""
        other = query.instead_of
        if other and any(had.action == other for had in self._had):
            return False
        if self._listed is not None and query.action.lower() not in self._listed:
            if query.beside.lower() not in self._listed:
                self.refusals.setdefault(query, f"{query.action} is not there, or not allowed")
            return False
        return True

    def _further(self) -> list[Query]:
        """Return the lists that depend on rows there are, and were not asked yet; forget others."""
        there = self._model.further()
        for kept in (self.refusals, self._next, self._had):
            for query in [one for one in kept if one not in self._own and one not in there]:
                del kept[query]
        return [one for one in there if one not in self._had and one not in self.refusals]

    def _end_round(self, now: float) -> None:
        """All lists have been taken once more: go on, or be live."""
        self._rounds += 1
        again = [query for query in self._had if self.check.kinds(query).intersection(_TWICE)]
        agrees = self._rounds > 1 and not self.check.has_differed
        self.check.clear()
        if not again or agrees or self._rounds > _ROUNDS:
            self._model.state = LIVE
            self._model.doubts.clear()
            self._not_before = now + self._pace.apart
            for query in self._had:
                if not query.once:
                    self._next.setdefault(query, now + self._pace.each)
        else:
            self._waiting.extend(again)
            self._not_before = now + self._pace.settle

    def _due_check(self, now: float) -> Query | None:
        """Return the list whose check is due first, if any is."""
        for query in self._further():
            self._next.setdefault(query, now)
        doubts = self._model.doubts
        if doubts:
            for query in self._next:
                if doubts & self.check.kinds(query):
                    # Before all that are due, but for what it costs.
                    earliest = self._earliest.get(query, 0.0)
                    self._next[query] = min(self._next[query], 0.0 if earliest <= now else earliest)
            doubts.clear()
        if not self._next:
            return None
        query = min(self._next, key=self._next.__getitem__)
        return query if self._next[query] <= now else None

    # -- what comes of it ---------------------------------------------------------------------

    def answered(self, messages: Sequence[Message], now: float) -> list[str]:
        """Take the whole answer to what was asked; return the keys of rows that were corrected."""
        query, self.asked = self.asked, None
        if query is None or not messages:
            return []
        took = now - self._asked_at
        if query in _FIRST:
            self._take_first(query, messages[0], now)
            return []
        items, problem = _items(messages)
        if problem == _CUT and self._tries_again(query):
            return []
        if problem:
            self._refuse(query, problem, now)
            return []
        was_unknown = self.refusals.pop(query, None) is not None
        self._again.pop(query, None)
        self._had[query] = None
        corrected = self._take(query, items, now, as_it_is=was_unknown)
        self._pause(query, now, took)
        return corrected

    def cut(self, now: float) -> None:
        """A part of the answer was lost before it was read: ask once more, if that may help."""
        query, self.asked = self.asked, None
        if query is not None and not self._tries_again(query):
            self._give_up(query, _CUT, now)

    def too_long(self, now: float) -> None:
        """The answer is longer than any list may be: go on without it."""
        query, self.asked = self.asked, None
        if query is not None:
            self._give_up(query, "the list is too long", now)

    def _tries_again(self, query: Query) -> bool:
        """Ask the list of *query* once more, unless that has been done often enough."""
        tries = self._again.get(query, 0)
        if tries < _TRIES:
            self._again[query] = tries + 1
            self._waiting.appendleft(query)
        return tries < _TRIES

    def _give_up(self, query: Query, problem: str, now: float) -> None:
        """Go on without an answer to *query*."""
        if query in _FIRST:
            self._take_first(query, None, now)
        else:
            self._refuse(query, problem, now)

    def overdue(self, now: float) -> bool:
        """Give up what was asked, if nothing has come for too long; return whether that is so."""
        query = self.asked
        if query is None or now - self._heard_at < self._pace.patience:
            return False
        self.asked = None
        self._give_up(query, "no answer in time", now)
        return True

    def heard(self, now: float) -> None:
        """Note that a part of the answer has come."""
        self._heard_at = now

    def _take_first(self, query: Query, message: Message | None, now: float) -> None:
        """Take the answer to Ping or ListCommands; None: there is none."""
        if query == COMMANDS:
            self._listed = None if message is None else listed_actions(message)
            self._waiting.extend(self._model.queries)
        elif message is not None:
            theirs = decimal(message.get("Timestamp"))
            if theirs is not None:  # Asterisk's times in rows are whole seconds
                self._model.offset = float(round(now - theirs))

    def _take(
        self, query: Query, items: Sequence[Message], now: float, *, as_it_is: bool
    ) -> list[str]:
        """Give the model a list, if that may be; return the keys of what it has corrected.

        *as_it_is*: nothing was known before, so nothing is corrected.
        """
        if self._model.state != LIVE or as_it_is:
            if self._rounds:
                self.check.compare(query, items, now)
            self._model.take_list(query, items, now)
            return []
        verdict = self.check.compare(query, items, now)
        if verdict.takes:
            self._model.take_list(query, items, now)
        return verdict.stands

    def _refuse(self, query: Query, problem: str, now: float) -> None:
        self.refusals[query] = f"{query.action}: {problem}"
        self._had.pop(query, None)
        if self._model.state == LIVE:
            self._pause(query, now, self._pace.each)
        else:  # Asterisk may be loading it
            self._next[query] = now + self._pace.each

    def _pause(self, query: Query, now: float, took: float) -> None:
        """Set when *query* is asked again."""
        if self._model.state in (LIVE, TOO_LARGE):
            self._not_before = now + self._pace.apart
        self._earliest[query] = now + took * self._pace.share
        self._next[query] = max(now + self._pace.each, self._earliest[query])
        if query.once and query in self._had:
            del self._next[query]

    def unknown(self) -> dict[str, str]:
        """Return the kinds of which no list was had, and why, by kind."""
        if self._model.state == BUILDING:
            return {}
        known: set[str] = set()
        for query in self._had:
            if query not in self.refusals:
                known |= self.check.kinds(query)
                known.update(_ALSO.get(query.action, ()))
        found: dict[str, str] = {}
        for query, problem in self.refusals.items():
            for kind in self.check.kinds(query):
                if kind not in known:
                    found.setdefault(kind, problem)
        return found


def _items(messages: Sequence[Message]) -> tuple[Sequence[Message], str]:
    """Return the items of an answer, and what is wrong with it, "" if nothing is."""
    first, last = messages[0], messages[-1]
    if first.get("Response").lower() != "success":
        text = first.get("Message") or "no list"
        return (), "" if _EMPTY.fullmatch(text) else text[:200]
    if len(messages) == 1:
        return (), ""
    items = messages[1:]
    if _ends(last):
        items = messages[1:-1]
        said = last.get("ListItems")
        if said.isdigit() and said != str(len(items)):
            return (), _CUT
    return items, ""


def _ends(message: Message) -> bool:
    return message.get("Event").lower().endswith("complete")
