# SPDX-License-Identifier: GPL-2.0-or-later
"""View: what one client may see of what Asterisk says, as a value.

Everything here is a function of values: the view of a client, a batch, an
item.  Clients with equal views share one choice and one joined buffer.  Whose answer an
item is (also whose OriginateResponse), the ledger has found out before: ledger.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from operator import attrgetter
from typing import TYPE_CHECKING

from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import ALL
from amiproxy.routing.marks import ANSWER, OWNED, PRIVATE
from amiproxy.routing.ruleset import RuleSet
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST, NO_CLIENT, UNKNOWN_CLIENT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message
    from amiproxy.routing.callwords import Kinds
    from amiproxy.routing.eventfilter import EventFilters
    from amiproxy.routing.selection import Selection
    from amiproxy.wire.routed import Routed


class Route(Enum):
    """How the bytes for one client are made of a batch, from cheap to dear."""

    #: The client gets none of it.
    NOTHING = "nothing"
    #: All that is not private, made once for each format.
    WHOLE = "whole"
    #: The client's own answers and nothing else.
    OWN = "own"
    #: What all clients with an equal view get, made once for each view and format.
    SHARED = "shared"
    #: Message by message, for this client alone.
    EACH = "each"


#: Of a client that sees all servers.
NO_SERVERS: frozenset[str] = frozenset()

# Looked up in the class they would cost more than the comparison.
_OFF, _ON, _UNIQUE = AutoFilter
_OWNER = attrgetter("owner")


@dataclass(frozen=True)
class View:
    """What a client may see.

    *silent*: nothing at all, it has not logged in.  *mask*: the classes of
    events it reads, its rights and its own event mask together.  *filters*: the
    eventfilter sets that an event must pass.  *restricted*: it gets no
    answers to others, whatever the autofilter.  *last_id*: the ActionID
    it sent last, for autofilter ``on``.  *filtered*: a filter of spec section 8
    judges each message as well, so that no other client shares the choice.  *servers*: it sees
    only what comes from these, and its own answers; empty: from all.  *selection*: the events that
    it wants, None: all.  *kinds*: what the filter of spec section 8 lets through, if it goes by
    names alone: what comes of events is shared then, too.
    """

    silent: bool = False
    mode: AutoFilter = AutoFilter.OFF
    mask: int = ALL
    filters: tuple[EventFilters, ...] = ()
    restricted: bool = False
    last_id: str | None = None
    filtered: bool = False
    servers: frozenset[str] = NO_SERVERS
    selection: Selection | None = None
    kinds: Kinds | None = None

    @cached_property  # it is asked for each message
    def sees_all_events(self) -> bool:
        """Whether no event is withheld for its class or its text."""
        selection = self.selection
        return self.mask & ALL == ALL and not self.filters and (not selection or selection.has_all)

    @cached_property  # it is asked for each batch
    def narrow(self) -> bool:
        """Whether the client sees some servers only."""
        return bool(self.servers or (self.selection and self.selection.servers))

    @cached_property
    def rules(self) -> RuleSet:
        """What an event must not have, and what it must."""
        hides = ~self.mask & ALL | PRIVATE
        if self.mode is _UNIQUE or self.restricted:
            hides |= OWNED
        return RuleSet.of(hides, (self.selection,), self.filters)

    @cached_property
    def _shared_rules(self) -> RuleSet:
        """The same and ``kinds``."""
        hides = ~self.mask & ALL | PRIVATE | OWNED
        if self.kinds and self.kinds.only:
            hides |= ANSWER  # what has no name is of no kind
        return RuleSet.of(hides, (self.selection, self.kinds), self.filters)

    @property
    def is_deaf(self) -> bool:
        """Whether the client gets no events at all, whatever they are."""
        return self.silent or (self.selection is not None and self.selection.is_empty)

    @property
    def hears_notices(self) -> bool:
        """Whether the client gets any event at all: then it is told of the servers themselves."""
        if self.is_deaf or (self.mode is _ON and self.last_id is not None):
            return False
        return bool(self.mask & ALL)

    def route(self, kind: BatchKind, *, owns: bool) -> Route:
        """Return how the bytes of a batch of that *kind* are made.

        *owns* says whether the client is one of its owners: it gets back the
        ActionIDs it gave, so it shares the bytes with nobody; nobody owns events.  This
        is the one place that decides which clients get bytes that nobody has looked at
        for them; whether they may see the server at all is asked before (``is_of``).
        """
        events = kind is BatchKind.EVENTS
        # A client that has sent an ActionID gets messages that carry it, no others.
        is_elsewhere = events and self.mode is _ON and self.last_id is not None
        if self.silent or is_elsewhere or (self.is_deaf and not owns):
            return Route.NOTHING
        if kind is BatchKind.NOTICE:
            return Route.WHOLE if self.hears_notices else Route.NOTHING
        is_judged = self.filtered and not (events and self.kinds)
        if is_judged or (self.mode is _ON and not events):
            return Route.EACH
        if kind is BatchKind.ANSWERS and self.mode is _UNIQUE and self.sees_all_events:
            return Route.OWN
        if owns and not events:
            return Route.EACH
        is_open = events or (self.mode is _OFF and not self.restricted)
        is_whole = is_open and self.sees_all_events and not self.kinds
        return Route.WHOLE if is_whole else Route.SHARED

    def is_of(self, names: frozenset[str]) -> bool:
        """Return whether the client sees what comes from the server with these *names*."""
        if self.servers and self.servers.isdisjoint(names):
            return False
        return self.selection is None or self.selection.is_of(names)

    def shared_picks(self, items: Sequence[Routed]) -> list[bool]:
        """Return for each of *items* whether every client with this view sees it.

        With ``kinds`` they are of a batch of events.
        """
        if self.kinds is not None:
            return self._shared_rules.picks(items)
        exactly = self.mode is _ON and (self.last_id is not None or any(map(_OWNER, items)))
        if self.sees_all_events or exactly:
            return [self.sees(item, NO_CLIENT) for item in items]
        return self.rules.picks(items)

    def sees(self, item: Routed, number: int) -> bool:
        """Return whether the client with session *number* sees *item*."""
        if self.mode is _ON and not item.private and not self._matches(item):
            return False
        if item.owner == number:
            return True
        if item.private:
            return False
        if item.owner != BROADCAST and (self.mode is _UNIQUE or self.restricted):
            return False
        return self.sees_all_events or self.sees_event(item.message)

    def _matches(self, item: Routed) -> bool:
        """Return whether *item* carries the ActionID sent last, or none as long as none was.

        What nobody has asked for carries nobody's.
        """
        if self.last_id is None:
            return item.action_id is None or item.owner == BROADCAST
        return item.action_id == self.last_id and item.owner != UNKNOWN_CLIENT

    def sees_event(self, message: Message) -> bool:
        """Return whether class and text of an event are among what the client reads."""
        return self.rules.passes(message)  # never a response's (asterisk.md)
