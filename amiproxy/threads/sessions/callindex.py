# SPDX-License-Identifier: GPL-2.0-or-later
"""CallIndex: which filters that go by calls may have to be asked about an event.

A thousand users may each see one channel of their own.  To ask each of their filters about each
event costs a thousand times what the event costs; here they are found by what the event names.
The filter stays the judge: what is found is every filter that might let the event through, or
learn or forget something by it, and now and then one that does neither.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Union

from amiproxy.basics.counts import Counts
from amiproxy.routing.classes import SECURITY, privilege_mask
from amiproxy.routing.facts import Facts, facts_of
from amiproxy.routing.links import Links

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amiproxy.routing.callfilter import SessionFilter
    from amiproxy.wire.routed import Routed

    #: Filters, in the order in which they came.
    _Filters = dict[SessionFilter, None]
    #: Those that are found by one key: nearly always one, which needs no dict.
    _Entry = Union[SessionFilter, _Filters]

#: Nothing is known of a server.
_NOTHING: Mapping[str, _Entry] = {}


class CallIndex:
    """The filters that go by calls, of all clients, by what they want.

    Clients' and servers' threads add and remove; servers' threads look up without the lock: each
    look-up is one step of the interpreter.  Who is added while one looks may be missed, which is
    as if its client had logged in a moment later; Crowd sees to the others.
    """

    def __init__(self) -> None:
        # Guards _channels, _counts, _lengths, _contexts, _anywhere, _nameless, _recalling and
        # _knowers; held for dict operations only, nothing is taken under it.
        self._lock = threading.Lock()
        # Prefix of channels, in lower case -> who sees them.
        self._channels: dict[str, _Entry] = {}
        # How many filters have a prefix of a length; and these lengths, replaced whole.
        self._counts: Counts[int] = Counts()
        self._lengths: tuple[int, ...] = ()
        # Context -> who sees it, and has no channel.
        self._contexts: dict[str, _Entry] = {}
        # Who has no channel, but a context: calls without any context concern them.
        self._anywhere: _Filters = {}
        # Who sees events about no channel.
        self._nameless: _Filters = {}
        # Who knows calls again that its client was shown on another connection.
        self._recalling: _Filters = {}
        # Server -> id of a channel or bridge -> who knows it, or knew it until it ended.
        self._knowers: dict[str, dict[str, _Entry]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is no filter in it."""
        return not (self._channels or self._anywhere or self._knowers)

    # -- any thread; the caller holds the lock of the filter's session -------------------------

    def add(self, callfilter: SessionFilter) -> None:
        """Have *callfilter* be found."""
        with self._lock:
            if callfilter.channel:
                _put(self._channels, callfilter.channel, callfilter)
                self._counts.add(len(callfilter.channel))
                self._note_lengths()
            else:
                _put(self._contexts, callfilter.in_context, callfilter)
                self._anywhere[callfilter] = None
            if callfilter.more_events:
                self._nameless[callfilter] = None

    def remove(self, callfilter: SessionFilter) -> None:
        """Have *callfilter* be found no more; what it knows is forgotten already."""
        with self._lock:
            if callfilter.channel:
                _take(self._channels, callfilter.channel, callfilter)
                self._counts.remove(len(callfilter.channel))
                self._note_lengths()
            else:
                _take(self._contexts, callfilter.in_context, callfilter)
            for filters in (self._anywhere, self._nameless, self._recalling):
                filters.pop(callfilter, None)

    def recall(self, callfilter: SessionFilter) -> None:
        """Have *callfilter* be asked about calls that it would have known from the first."""
        with self._lock:
            self._recalling[callfilter] = None

    def know(self, scope: str, uid: str, callfilter: SessionFilter) -> None:
        """Note that *callfilter* knows *uid* of the server *scope*."""
        with self._lock:
            knowers = self._knowers.get(scope)
            if knowers is None:
                knowers = self._knowers[scope] = {}
            _put(knowers, uid, callfilter)

    def forget(self, scope: str, uids: Iterable[str], callfilter: SessionFilter) -> None:
        """Note that *callfilter* knows *uids* of the server *scope* no more."""
        with self._lock:
            knowers = self._knowers.get(scope)
            if knowers is None:
                return
            for uid in uids:
                _take(knowers, uid, callfilter)
            if not knowers:
                del self._knowers[scope]

    def _note_lengths(self) -> None:
        assert self._lock.locked()
        if len(self._counts) != len(self._lengths):  # one has come or gone
            self._lengths = tuple(sorted(self._counts))

    # -- a server's thread ---------------------------------------------------------------------

    def select(
        self, items: Sequence[Routed], scope: str
    ) -> dict[SessionFilter, list[Routed]] | None:
        """Return which of *items*, of the server *scope*, each filter has to be asked about.

        None: all filters about all of them.
        """
        found: dict[SessionFilter, list[Routed]] = {}
        knowers = self._knowers.get(scope, _NOTHING)
        # Who is asked about one of them may know after that what it teaches.
        taught: dict[str, _Filters] = {}
        for item in items:
            message = item.message
            if message.own:
                return None
            links = message.links
            if type(links) is not Links or item.private:
                continue
            facts = message.facts
            if type(facts) is not Facts:
                facts = facts_of(message)
            if facts.response:
                continue
            asked = self._asked(facts, links, knowers, taught)
            for callfilter in asked:
                chosen = found.get(callfilter)
                if chosen is None:
                    found[callfilter] = [item]
                else:
                    chosen.append(item)
            if asked and links.learned and len(items) > 1:
                for uid in links.learned:
                    taught.setdefault(uid, {}).update(asked)
        return found

    def _asked(
        self,
        facts: Facts,
        links: Links,
        knowers: Mapping[str, _Entry],
        taught: Mapping[str, _Filters],
    ) -> _Filters:
        """Return who has to be asked about the message of *facts* and *links*."""
        asked: _Filters = {}
        if facts.channels and self._lengths:
            self._add_by_name(facts.channels, asked)
        uids = links.live
        if links.ended or links.past:
            uids = (*uids, *links.ended, *links.past)
        if facts.name == "hangup":  # a second one ends for who still knows it
            uids = (*uids, facts.own_uid)
        for uid in uids:
            entry = knowers.get(uid)
            if entry is not None:
                _add(entry, asked)
            if taught and uid in taught:
                asked.update(taught[uid])
        if not facts.uids:
            self._add_nameless(facts, asked)
        elif self._anywhere:
            self._add_by_context(facts, asked)
        if links.replays and self._recalling:
            self._add_recalling(links, asked)
        return asked

    def _add_by_name(self, text: str, asked: _Filters) -> None:
        """Add who sees channels or devices whose names are in *text*, a line feed before each."""
        channels, lengths = self._channels, self._lengths
        for name in text.split("\n"):
            for length in lengths:
                entry = channels.get(name[:length])
                if entry is not None:
                    _add(entry, asked)

    def _add_by_context(self, facts: Facts, asked: _Filters) -> None:
        """Add who sees calls by their context alone, of an event about a channel."""
        contexts = facts.contexts
        if not contexts:
            asked.update(list(self._anywhere.items()))
        for context in contexts:
            entry = self._contexts.get(context)
            if entry is not None:
                _add(entry, asked)

    def _add_nameless(self, facts: Facts, asked: _Filters) -> None:
        """Add who sees an event that is about no channel."""
        if facts.devices:
            self._add_by_name(facts.devices, asked)
        if self._nameless and not privilege_mask(facts.privilege) & SECURITY:
            asked.update(list(self._nameless.items()))

    def _add_recalling(self, links: Links, asked: _Filters) -> None:
        """Add who would have known the channels of an event from their beginning."""
        by_beginning: _Filters = {}
        for _, messages in links.replays:
            for each in messages:
                facts = facts_of(each)
                self._add_by_name(facts.channels, by_beginning)
                self._add_by_context(facts, by_beginning)
        for callfilter in by_beginning:
            if callfilter in self._recalling:
                asked[callfilter] = None


def _put(table: dict[str, _Entry], key: str, callfilter: SessionFilter) -> None:
    """Enter *callfilter* in *table*."""
    entry = table.get(key)
    if entry is None:
        table[key] = callfilter
    elif isinstance(entry, dict):
        entry[callfilter] = None
    elif entry is not callfilter:
        table[key] = {entry: None, callfilter: None}


def _take(table: dict[str, _Entry], key: str, callfilter: SessionFilter) -> None:
    """Take *callfilter* out of *table*, if it is there."""
    entry = table.get(key)
    if entry is callfilter:
        del table[key]
    elif isinstance(entry, dict):
        entry.pop(callfilter, None)
        if not entry:
            del table[key]


def _add(entry: _Entry, asked: _Filters) -> None:
    """Add to *asked* who is in *entry*, which other threads may change meanwhile."""
    if isinstance(entry, dict):
        asked.update(list(entry.items()))
    else:
        asked[entry] = None
