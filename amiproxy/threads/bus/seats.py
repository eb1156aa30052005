# SPDX-License-Identifier: GPL-2.0-or-later
"""Seats: all servers at the keeper, who has them, and which of them this proxy takes."""

from __future__ import annotations

import logging
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from amiproxy.bus import clock, placing
from amiproxy.bus.placing import Place
from amiproxy.bus.scripts import read_holder

if TYPE_CHECKING:
    from amiproxy.bus.lease import Request
    from amiproxy.threads.bus.presences import Presences
    from amiproxy.threads.bus.seat import Seat

log = logging.getLogger("amiproxy.bus")


class Seats:
    """The servers of the proxy *own*.  For the keeper's thread; any thread may look one up."""

    def __init__(self, own: int, presences: Presences) -> None:
        self.by_scope: dict[str, Seat] = {}
        self._own = own
        self._presences = presences
        self._values: list[Any] = []  # of all leases, as Redis gave them last
        self._counts: Counter[int] = Counter()  # slot -> leases
        self._moved = clock.now()  # when a lease changed hands
        self._wait_until = 0.0
        self._largest = 0

    def add(self, seat: Seat) -> None:
        """Add a server."""
        self.by_scope[seat.server.scope] = seat
        self._values = []

    def drop(self, scope: str) -> None:
        """Forget a server."""
        del self.by_scope[scope]
        self._values = []

    @property
    def held(self) -> tuple[str, ...]:
        """The servers that this proxy holds."""
        return tuple(scope for scope, seat in self.by_scope.items() if seat.is_held)

    @property
    def largest(self) -> int:
        """The largest epoch that this proxy has heard of, of any server that it has had."""
        for seat in self.by_scope.values():
            self._largest = max(self._largest, seat.lease.known, seat.server.epoch)
        return self._largest

    def wait(self, until: float) -> None:
        """Take no lease before then: Redis gives none out."""
        self._wait_until = until

    def saw(self, seats: tuple[Seat, ...], values: list[Any], now: float) -> bool:
        """Take the *values* of the leases of *seats*; return whether there is more to ask."""
        if values == self._values:
            return False
        self._values = values
        found = [seat.saw(self._own, *read_holder(value), now)
                 for seat, value in zip(seats, values)]  # fmt: skip
        self._counts = Counter(seat.holder[0] for seat in seats)
        if any(found):
            self._moved = now
        return any(found)

    def due(self, now: float) -> float:
        """Return when there is something to ask, if Redis says nothing new."""
        return min((seat.due(now) for seat in self.by_scope.values()), default=math.inf)

    def requests(self, now: float, *, stopping: bool) -> list[tuple[Seat, Request]]:
        """Return what has to be asked about leases."""
        found = [(seat, seat.wants(now)) for seat in self.by_scope.values()]
        wanted = [(seat, request) for seat, request in found if request is not None]
        if stopping or not self._presences.is_known or now < self._wait_until:
            return wanted
        epoch = self.largest
        tried = [*self._to_take(now), *self._orphans(now)]
        return [*wanted, *((seat, seat.take(epoch)) for seat in tried)]

    def _to_take(self, now: float) -> list[Seat]:
        """Return the free leases that this proxy takes; give one up if it has too many."""
        free = [
            seat for seat in self.by_scope.values()
            if seat.is_free(self._own) and seat.may_take(now)
        ]  # fmt: skip
        if not free:
            membership = self._presences.membership
            if now >= max(membership.calm_since + placing.CALM, self._moved + placing.BETWEEN):
                self._spread(now)
            return []
        last = {seat.server.scope: seat.last_holder for seat in free}
        plan = placing.planned([*last], self._places(now), last)
        return [
            seat for seat in free
            if plan.get(seat.server.scope) == self._own
            or now >= max(seat.free_since, self._wait_until) + seat.patience(now)
        ]  # fmt: skip

    def _orphans(self, now: float) -> list[Seat]:
        """Return servers whose lease lasts too long, its holder having gone.

        Redis' clock was set back.  Who asks for such a lease gets Redis to give it up in time.
        """
        live = {each.slot for each in self._presences.membership.live(now)}
        return [
            seat for seat in self.by_scope.values()
            if seat.is_orphan(self._own, live, now) and seat.may_take(now)
        ]  # fmt: skip

    def _spread(self, now: float) -> None:
        """Give one server up if another proxy has far fewer."""
        scope = placing.to_give_up(self._own, self.held, self._places(now))
        if scope:
            self._moved = now
            log.info("asterisk@%s: left to another proxy, which has fewer servers", scope)
            self.by_scope[scope].give_up(now, "another proxy takes it over")

    def _places(self, now: float) -> list[Place]:
        """Return which proxies may take how many servers."""
        own, counts = self._own, self._counts
        able = {scope for scope, seat in self.by_scope.items() if seat.is_able(now)}
        others = self._presences.membership.live(now)
        return [
            Place(own, counts[own], able),
            *(Place(each.slot, counts[each.slot], set(each.able))
              for each in others if each.slot != own and not each.stopping),
        ]  # fmt: skip
