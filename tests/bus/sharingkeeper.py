# SPDX-License-Identifier: GPL-2.0-or-later
"""The keeper of one proxy without threads: it takes, renews and gives up leases when it is told to."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable, Protocol

from amiproxy.bus.entries import TAKEN, Entry, encode_entry
from amiproxy.bus.states import taken
from amiproxy.status.clustervalues import ALONE, CUT_OFF, JOINED
from amiproxy.threads.bus.tenure import Tenure
from tests.bus.sharingbus import LEASE, MARGIN, STRIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bus.sharingbus import Way


class Turn(Protocol):
    """What the keeper knows of a server's thread."""

    scope: str
    can_hold: bool
    not_before: float

    def grant(self, tenure: Tenure) -> None:
        """This proxy has the lease."""

    def withdraw(self, reason: str) -> None:
        """It has it no more."""


class Keeper:
    """As the keeper of one proxy; ``look`` is its thread, and ``ask`` what Redis answers it."""

    def __init__(self, way: Way, slot: int, *, optional: bool) -> None:
        self.way, self.slot, self._optional = way, slot, optional
        self._clock = way.bus.clock
        self.state = JOINED
        self.turns: dict[str, Turn] = {}
        self.tenures: dict[str, Tenure] = {}
        #: Tenures whose first entry is still to be written.
        self.unopened: list[Tenure] = []
        self.solo: dict[str, Tenure] = {}
        self.known = 0
        self._leaving: dict[str, int] = {}
        self._last_good = self._clock.now
        self._members: Sequence[Any] = ()
        #: Whether it takes leases.
        self.wants = True
        #: Greater for each tenure without a bus, of all proxies.
        self.next_solo: Callable[[], int] = lambda: 1

    # -- any thread -------------------------------------------------------------------------

    def add(self, turn: Turn) -> None:
        """Take leases for *turn*."""
        self.turns[turn.scope] = turn

    def remove(self, turn: Turn | str) -> None:
        """Take none for it any more."""
        scope = turn if isinstance(turn, str) else turn.scope
        self.turns.pop(scope, None)
        if scope in self.tenures:
            self.release(scope, self.tenures[scope].epoch)

    def release(self, scope: str, epoch: int) -> None:
        """Give the lease back, if it is that of the tenure *epoch*."""
        tenure = self.tenures.get(scope)
        if tenure is not None and tenure.epoch == epoch:
            del self.tenures[scope]
            tenure.end()
            self._leaving[scope] = tenure.epoch

    def members(self) -> Sequence[Any]:
        """Return who is there, as of the last round."""
        return self._members

    def redis_ms(self) -> int:
        """Return the time of Redis."""
        return self._clock.ms

    # -- its thread -----------------------------------------------------------------------------

    def look(self) -> None:
        """See what has run out."""
        for scope, tenure in list(self.tenures.items()):
            if not tenure.is_valid:
                self._withdraw(scope, "the bus is lost")
        if self._clock.now >= self._last_good + LEASE - MARGIN:
            self.state = ALONE if self._optional else CUT_OFF
            if self._optional:
                for scope, turn in self.turns.items():
                    if scope not in self.solo and scope not in self.tenures:
                        epoch = self.known + self.next_solo()
                        self.solo[scope] = Tenure(scope, epoch, math.inf, is_solo=True)
                        turn.grant(self.solo[scope])

    def _withdraw(self, scope: str, reason: str) -> None:
        tenure = self.tenures.pop(scope)
        tenure.end()
        self._leaving[scope] = tenure.epoch
        if scope in self.turns:
            self.turns[scope].withdraw(reason)

    def give_up(self, scope: str) -> None:
        """Give a lease to others: as ``move``, or where one holds more than others."""
        if scope in self.tenures:
            self._withdraw(scope, "another proxy is to connect")

    def ask(self) -> None:
        """Have Redis answer what there is to be asked now."""
        if self.way.is_cut:
            return
        bus, now = self.way.bus, self._clock.now
        self._last_good = now
        if self.state != JOINED:
            self.state = JOINED
            for scope, tenure in self.solo.items():
                self.known = max(self.known, tenure.epoch // STRIDE * STRIDE + STRIDE - 1)
                tenure.end()
                self.turns[scope].withdraw("the bus is back")
            self.solo.clear()
        for scope, epoch in self._leaving.items():
            if bus.lease(scope) == (self.slot, epoch):
                del bus.leases[scope]
        self._leaving.clear()
        for scope, tenure in list(self.tenures.items()):
            self._renew(scope, tenure, now)
        self._open()
        for scope, turn in list(self.turns.items()):
            self.known = max(self.known, bus.lease(scope)[1])
            wanted = self.wants and turn.can_hold and now >= turn.not_before
            if wanted and scope not in self.tenures and not bus.lease(scope)[0]:
                epoch = bus.new_epoch(self.known)
                bus.leases[scope] = self.slot, epoch, now + LEASE
                self.known = epoch
                self.tenures[scope] = Tenure(scope, epoch, now + LEASE - MARGIN)
                self.unopened.append(self.tenures[scope])
                turn.grant(self.tenures[scope])
        bus.presences[self.slot] = SimpleNamespace(
            slot=self.slot, holds=tuple(self.tenures), until=now + 2 * LEASE
        )
        self._members = [each for each in bus.presences.values() if now < each.until]

    def _renew(self, scope: str, tenure: Tenure, now: float) -> None:
        bus = self.way.bus
        found = bus.lease(scope)
        if found[0] and found != (self.slot, tenure.epoch):
            self._withdraw(scope, "another proxy has it")
            return
        # One that Redis has forgotten is set again.
        bus.leases[scope] = self.slot, tenure.epoch, now + LEASE
        tenure.valid_until = now + LEASE - MARGIN

    def _open(self) -> None:
        """Write the first entries of tenures."""
        bus, unopened = self.way.bus, self.unopened
        self.unopened = []
        for tenure in unopened:
            if self.tenures.get(tenure.scope) is not tenure:
                continue
            entry = Entry(TAKEN, tenure.epoch, 0, 0, self._clock.ms, taken(self.slot))
            stream = bus.stream(bus.keys.events(tenure.scope))
            if not stream.add((tenure.epoch, 0), encode_entry(entry)):
                self._withdraw(tenure.scope, "another proxy has it")
