# SPDX-License-Identifier: GPL-2.0-or-later
"""View: what one client may see of what Asterisk says, as a value.

Everything here is a function of values: the view of a client, a batch, an
item.  Clients with equal views share one choice and one joined buffer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.classes import ALL, may_see, privilege_mask
from amiproxy.routing.facts import facts_of
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message
    from amiproxy.routing.eventfilter import EventFilters
    from amiproxy.wire.batch import Batch
    from amiproxy.wire.routed import Routed

# Looked up in the class they would cost more than the comparison.
_OFF, _ON, _UNIQUE = AutoFilter


@dataclass(frozen=True)
class View:
    """What a client may see.

    *silent*: nothing at all, it has not logged in.  *mask*: the classes of
    events it reads, its rights and its own event mask together.  *filters*: the
    eventfilter sets that an event must pass.  *restricted*: answers to others
    are none of its business, whatever the autofilter.  *last_id*: the ActionID
    it sent last, for autofilter ``on``.
    """

    silent: bool = False
    mode: AutoFilter = AutoFilter.OFF
    mask: int = ALL
    filters: tuple[EventFilters, ...] = ()
    restricted: bool = False
    last_id: str | None = None

    @property
    def sees_all_events(self) -> bool:
        """Whether no event is withheld for its class or its text."""
        return self.mask & ALL == ALL and not self.filters

    def takes_whole(self, batch: Batch) -> bool:
        """Tell whether this client gets all of *batch*, as it is."""
        if not self.sees_all_events:
            return False
        if batch.quiet:
            # Nothing in it carries an ActionID: who has sent one waits for it.
            return self.mode is not _ON or self.last_id is None
        return self.mode is _OFF and not self.restricted

    def picks(self, items: Sequence[Routed], number: int) -> list[bool]:
        """Tell which of *items* the client with session *number* sees."""
        return [self.sees(item, number) for item in items]

    def sees(self, item: Routed, number: int) -> bool:
        """Tell whether the client with session *number* sees *item*."""
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
        """Tell whether *item* carries the ActionID sent last, or none as long as none was."""
        if self.last_id is None:
            return item.wire_id is None or item.owner == BROADCAST
        return item.wire_id == self.last_id

    def sees_event(self, message: Message) -> bool:
        """Tell whether class and text of an event are among what the client reads."""
        facts = facts_of(message)
        if not facts.name:
            return True  # a mask or a filter never hides a response (asterisk.md)
        if self.mask & ALL != ALL and not may_see(self.mask, privilege_mask(facts.privilege)):
            return False
        return all(filters.passes(message) for filters in self.filters)
