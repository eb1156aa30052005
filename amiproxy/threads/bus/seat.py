# SPDX-License-Identifier: GPL-2.0-or-later
"""Seat: one server at the keeper: its lease, and what its thread is told of that."""

from __future__ import annotations

import math
import secrets
from typing import TYPE_CHECKING, Protocol

from amiproxy.bus import lease as leases
from amiproxy.bus.lease import STRIDE, Effect, Kind, Lease, Phase, Reply, Request
from amiproxy.bus.placing import PATIENCE
from amiproxy.threads.bus.tenure import Tenure

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.bus.lease import Step

#: Seconds that the server's thread has to end its connection, and to write the last entries,
#: before the lease is given back all the same.
LET_GO = 0.3
#: How many times as long as others a proxy that could not reach a server leaves it to them.
_LAST = 4
#: Seconds for which a server that could not be reached is rather left to other proxies.
_FAILED = 60.0


class HeldServer(Protocol):
    """What the keeper knows of a server.  What it calls, in its thread, must not wait.

    *can_hold*: this proxy can log in there; *not_before*: it does not want the lease before then,
    in ``clock.now()`` seconds; *epoch*: the largest that it has had events of.
    """

    scope: str
    can_hold: bool
    not_before: float

    @property
    def epoch(self) -> int:
        """See above."""

    def grant(self, tenure: Tenure) -> None:
        """This proxy may be connected, as soon as the server's stream has the tenure's entry."""

    def withdraw(self, reason: str) -> None:
        """This proxy may not be connected any more: end the connection now."""


class Seat:
    """One server: *lease* and *tenure* are this proxy's, *holder* is what Redis says."""

    def __init__(self, server: HeldServer, length: float) -> None:
        self.server = server
        self.lease = Lease(length, leases.margin(length))
        self.tenure: Tenure | None = None
        self.solo: Tenure | None = None
        #: Slot and epoch of who has the lease; zeros: nobody, as far as is known.
        self.holder = (0, 0)
        #: Slot of who had it before it was free.
        self.last_holder = 0
        #: Since when nobody has it.
        self.free_since = math.inf
        self._orphan_since = math.inf
        self._let_go_by = math.inf
        self._failed_until = -math.inf
        self._is_missed = False
        self.removed = False

    def take_over(self, server: HeldServer) -> None:
        """Serve *server*, which is in the place of the one before: that one is not connected."""
        self._let_go()
        self.server, self.removed = server, False
        self._failed_until = -math.inf

    @property
    def is_held(self) -> bool:
        """Whether this proxy has the lease and wants it."""
        return self.lease.phase is Phase.HELD

    def is_able(self, now: float) -> bool:
        """Return whether this proxy may well connect to the server."""
        return self.may_take(now) and now >= self._failed_until

    def patience(self, now: float) -> float:
        """Return the seconds for which a free server is left to others."""
        return PATIENCE if self.is_able(now) else _LAST * PATIENCE

    def may_take(self, now: float) -> bool:
        """Return whether this proxy wants the lease, if nobody else does."""
        server = self.server
        return server.can_hold and now >= server.not_before and not self.removed

    def is_orphan(self, own: int, live: Collection[int], now: float) -> bool:
        """Return whether its holder, not *own*, is for long none of the proxies that are *live*."""
        if self.lease.phase is not Phase.IDLE or self.holder[0] in (0, own, *live):
            self._orphan_since = math.inf
        elif self._orphan_since == math.inf:
            self._orphan_since = now
        return now > self._orphan_since + 2 * self.lease.length

    def is_free(self, own: int) -> bool:
        """Return whether the proxy *own* can get the lease: one that it has forgotten, too."""
        return self.lease.phase is Phase.IDLE and self.holder[0] in (0, own)

    @property
    def runs_out(self) -> float:
        """When something has to be done if nothing comes."""
        return min(self._let_go_by, self.lease.until if self.is_held else math.inf)

    def due(self, now: float) -> float:
        """Return when there is something to ask, if Redis says nothing new."""
        lease = self.lease
        if lease.phase is Phase.IDLE:
            held = self.free_since == math.inf or not self.server.can_hold or self.removed
            return math.inf if held else max(now, self.server.not_before)
        settled = lease.phase is Phase.HELD and lease.opened and not self._is_missed
        return lease.renewal if settled else now

    def wants(self, now: float) -> Request | None:
        """Return what Redis has to be asked, but for taking the lease."""
        if self._is_missed and self.lease.is_valid(now):
            self._is_missed = False
            return Request(Kind.RENEW, self.lease.epoch)
        return leases.wanted(self.lease, now)

    @staticmethod
    def take(epoch: int) -> Request:
        """Return the request for the lease; *epoch* is the largest that is known, of any server."""
        return Request(Kind.TAKE, epoch)

    def saw(self, own: int, slot: int, epoch: int, now: float) -> bool:
        """Note who has the lease; return whether something has to be done at once."""
        self.lease = leases.noticed(self.lease, epoch)
        if slot and not (slot == own and self.lease.phase is Phase.IDLE):
            self.free_since = math.inf
        elif self.free_since == math.inf:
            self.free_since = now
        self.last_holder = slot or self.last_holder
        changed, self.holder = (slot, epoch) != self.holder, (slot, epoch)
        if self.is_held and slot not in (0, own):
            # Redis has lost its memory, or its clock was set.
            self.answered(Request(Kind.RENEW, self.lease.epoch), Reply(done=False), now, now)
        self._is_missed = self.is_held and not slot
        return changed

    # -- each of these tells the server's thread what follows ---------------------------------

    def answered(self, request: Request, reply: Reply, sent: float, now: float) -> bool:
        """Redis has answered *request*; return whether there is more to ask at once."""
        before = self.lease.phase
        self._go(leases.answered(self.lease, request, reply, sent, now), "another proxy has it")
        if self.tenure is not None and self.is_held:
            self.tenure.valid_until = self.lease.until
        if self.removed or (request.kind is Kind.TAKE and not self.server.can_hold):
            self._let_go()
        return self.lease.phase is not before

    def look(self, now: float) -> bool:
        """See what has run out; return whether there is something to ask at once."""
        before = self.lease.phase
        self._go(leases.expired(self.lease, now), "the bus is lost")
        if now >= self._let_go_by:
            self._let_go()
        return self.lease.phase is not before

    def give_up(self, now: float, reason: str) -> None:
        """Have the server's thread end its connection; then the lease is given back."""
        if self.is_held:
            self._let_go_by = now + LET_GO
            self._go(leases.given_up(self.lease), reason)

    def fail(self, now: float, reason: str) -> None:
        """The lease is of no use for this proxy: perhaps it is for another."""
        if self.is_held:
            self._failed_until = now + _FAILED
            self.give_up(now, reason)

    def let_go(self, now: float) -> None:
        """The server's thread is not connected any more."""
        if self.is_held:
            # It could not connect, or was refused: perhaps another can.
            self._failed_until = now + _FAILED
        self._let_go()

    def _let_go(self) -> None:
        self._let_go_by = math.inf
        self._go(leases.let_go(self.lease), "")

    def go_alone(self, now: float) -> None:
        """Connect without a lease: the bus is away."""
        if self.solo is None and self.lease.phase is not Phase.HELD and self.may_take(now):
            epoch = self.lease.known + 1 + secrets.randbelow(STRIDE // 2 - 1)
            self.solo = Tenure(self.server.scope, epoch, is_solo=True)
            self.server.grant(self.solo)

    def come_back(self, reason: str) -> None:
        """End what was done without a lease."""
        solo, self.solo = self.solo, None
        if solo is not None:
            # The next tenure's connections have larger numbers than those of this one.
            self.lease = leases.noticed(self.lease, solo.epoch // STRIDE * STRIDE + STRIDE - 1)
            solo.end()
            self.server.withdraw(reason)

    def _go(self, step: Step, reason: str) -> None:
        """Take *step*; tell the server's thread what follows, for *reason*."""
        self.lease, effect = step
        tenure = self.tenure
        if not self.is_held and tenure is not None:
            self.tenure = None
            tenure.end()
        if effect is Effect.GRANT:
            granted = self.tenure = Tenure(self.server.scope, self.lease.epoch, self.lease.until)
            self.server.grant(granted)
        elif effect is Effect.WITHDRAW:
            self.server.withdraw(reason)
