# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbering: which numbers the events of one Asterisk have, and which of them are kept.

The server's thread alone changes this; each field is one reference or number, which any thread
may read.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from amiproxy.routing.ring import START, Ring

if TYPE_CHECKING:
    from amiproxy.routing.ring import Place

#: A number for each connection to any server, never used again while the proxy runs.
_EPOCHS = itertools.count(1)

#: So many connections that are over are remembered.
_MOST_PAST = 200


def new_epoch() -> int:
    """Return a number that is greater than those of all connections so far."""
    return next(_EPOCHS)


def is_to_come(epoch: int) -> bool:
    """Return whether no connection can have had the number *epoch* so far."""
    return epoch >= new_epoch()


class Numbering:
    """The numbers of the events of one Asterisk, and the ring that keeps the last of them."""

    #: Where the last event stands: on which of all connections of the proxy it came, and how
    #: many have come on that.  Set before the event is handed to clients.
    place: Place = START
    #: Where the connections before that one ended, the last ones.
    past: tuple[Place, ...] = ()
    #: How many batches have been begun to be handed to clients, and how many are done.
    begun = ended = 0
    #: Where the last event stands that has been handed to all clients.
    handed: Place = START
    #: How many bytes of memory the operator and the state model want for the ring, and for how
    #: many seconds the operator wants it.
    _replay = _state = 0
    _seconds = 3600.0
    #: Whether other proxies may have more events of a connection than this one: they share it.
    is_shared = False
    #: How often all was read that other proxies have written of it.
    ends = 0

    def __init__(self) -> None:
        #: What came last.  Replaced whole when nothing is to be kept any more.
        self.ring = Ring()

    @property
    def is_current(self) -> bool:
        """Whether it has had what there was of it until a moment ago."""
        return True

    @property
    def epoch(self) -> int:
        """The number of the connection that the last events belong to, 0 before the first."""
        return self.place[0]

    def begin_epoch(self) -> None:
        """There is a new connection.  For the server's thread."""
        self.go_on_at(new_epoch())

    def go_on_at(self, epoch: int) -> None:
        """What comes next is the first of the connection *epoch*.  For the server's thread."""
        if self.place != START:
            self.past = (*self.past[-_MOST_PAST:], self.place)
        self.place = epoch, 0

    def end_of(self, epoch: int) -> int | None:
        """Return the number of the last event of the connection *epoch*; None: unknown here."""
        for here, number in sorted((self.place, self.ring.last), reverse=True):
            if here == epoch:
                return number
        return next((number for each, number in self.past if each == epoch), None)

    def has_had(self, epoch: int) -> bool:
        """Return whether *epoch* is one of its connections, as far as it remembers."""
        return epoch == self.place[0] or any(each == epoch for each, _ in self.past)

    def remember(self, limit: int, seconds: float) -> None:
        """Keep events of the last *seconds*, *limit* bytes of them.  Any thread may call."""
        self._replay, self._seconds = limit, seconds
        self._limit_ring()

    def remember_for_state(self, limit: int) -> None:
        """Keep at least *limit* bytes of events, whatever is configured.  Any thread may call."""
        self._state = limit
        self._limit_ring()

    def _limit_ring(self) -> None:
        """Have the ring keep what is wanted.  Two threads may do this at a time."""
        done = None
        while done != (wanted := (self._replay, self._state, self._seconds)):
            limit, seconds = max(wanted[:2]), wanted[2]
            if limit:
                self.ring.limit, self.ring.seconds = limit, seconds
            else:
                # Another one: the server's thread may be about to append to this.
                self.ring = Ring(0, seconds)
            done = wanted
