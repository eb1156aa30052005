# SPDX-License-Identifier: GPL-2.0-or-later
"""Lease: the right to be connected to one server, as one proxy knows it.  Times are arguments.

The lease itself is a key of Redis that expires; ``scripts.py`` has what Redis does with it.  Each
function takes a Lease and returns the next one.  *now* and *sent* are seconds of
:func:`amiproxy.bus.clock.now`.  A request is sent, and then it is answered or has failed; of one
that has failed nobody knows whether Redis carries it out, or when.

Why no two proxies believe at once that they have the lease: a proxy counts its time from when it
*sent* the request, and less a margin; Redis from when it carried it out, which is later.
tests/bus/test_lease_model.py tries every order of events.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

#: Epochs of tenures are multiples of this: those between are of a tenure's connections.
STRIDE = 65536
#: Parts of a lease after which it is renewed: two renewals may be lost.
_RENEWALS = 3


class Phase(enum.IntEnum):
    """How a proxy is to a lease."""

    IDLE = 0
    HELD = 1
    #: Its tenure is over, but the server's thread has not let go of it yet.
    LEAVING = 2
    #: Redis may still keep it for this proxy, which does not want it.
    LEFT = 3


class Kind(enum.IntEnum):
    """What Redis is asked."""

    TAKE = 0
    OPEN = 1  # write the first entry of the tenure into the server's stream
    RENEW = 2
    RELEASE = 3


class Request(NamedTuple):
    """What Redis is asked; *epoch*: of the tenure, with TAKE the largest that is known."""

    kind: Kind
    epoch: int


class Reply(NamedTuple):
    """What Redis answers: whether it has done it; *epoch*: with TAKE that of the new tenure."""

    done: bool
    epoch: int = 0


class Effect(enum.Enum):
    """What follows for the server's thread."""

    NONE = "none"
    GRANT = "grant"
    WITHDRAW = "withdraw"


class Lease(NamedTuple):
    """One server's lease at this proxy.

    *length*: seconds for which Redis keeps it; *margin*: how much earlier this proxy stops to
    believe in it; *until*: when that is; *sent*: when the last renewal that has succeeded was sent;
    *opened*: the stream has the first entry of the tenure; *known*: the largest epoch heard of.
    """

    length: float
    margin: float
    phase: Phase = Phase.IDLE
    epoch: int = 0
    until: float = 0.0
    sent: float = 0.0
    opened: bool = False
    known: int = 0

    def is_valid(self, now: float) -> bool:
        """Return whether this proxy may be connected to the server."""
        return self.phase is Phase.HELD and now < self.until

    @property
    def renewal(self) -> float:
        """When it has to be renewed."""
        return self.sent + self.length / _RENEWALS


#: A lease, and what follows.
Step = tuple[Lease, Effect]


def margin(length: float) -> float:
    """Return the margin of a lease of *length* seconds.

    A tenth is for clocks that run at different rates, 50 ms are for a thread that has to wait for
    its turn before it can shut the connection.
    """
    return length / 10 + 0.05


def wanted(lease: Lease, now: float) -> Request | None:
    """Return what has to be asked now.  Whether a free lease is to be taken, placing.py says."""
    if lease.phase is Phase.LEFT:
        return Request(Kind.RELEASE, lease.epoch)
    if not lease.is_valid(now):
        return None
    if now >= lease.renewal:
        return Request(Kind.RENEW, lease.epoch)
    return None if lease.opened else Request(Kind.OPEN, lease.epoch)


def answered(lease: Lease, request: Request, reply: Reply, sent: float, now: float) -> Step:
    """Return what follows from the *reply* to *request*, which was *sent* then."""
    if request.kind is Kind.TAKE:
        return _taken(lease, reply, sent, now)
    if request.kind is Kind.RELEASE:
        over = lease.phase is Phase.LEFT and request.epoch == lease.epoch
        return (_idle(lease) if over else lease), Effect.NONE
    if lease.phase is not Phase.HELD or request.epoch != lease.epoch:
        return lease, Effect.NONE
    return _confirmed(lease, request, reply, sent, now)


def _confirmed(lease: Lease, request: Request, reply: Reply, sent: float, now: float) -> Step:
    """Return what follows from the reply to RENEW or OPEN of the tenure that is held."""
    if not reply.done:
        # Another has it, or has written already.
        return lease._replace(phase=Phase.LEFT), Effect.WITHDRAW
    if not lease.is_valid(now):
        # Another may have had it meanwhile; the answer counts only if it came in time.
        return expired(lease, now)
    if request.kind is Kind.OPEN:
        return lease._replace(opened=True), Effect.NONE
    until = max(lease.until, sent + lease.length - lease.margin)
    return lease._replace(until=until, sent=max(lease.sent, sent)), Effect.NONE


def _taken(lease: Lease, reply: Reply, sent: float, now: float) -> Step:
    lease = lease._replace(known=max(lease.known, reply.epoch))
    if not reply.done:
        return lease, Effect.NONE
    until = sent + lease.length - lease.margin
    taken = lease._replace(epoch=reply.epoch, until=until, sent=sent, opened=False)
    if lease.phase is not Phase.IDLE or now >= until:
        # It came too late, or is not wanted any more: Redis has to forget it.
        return taken._replace(phase=Phase.LEFT), Effect.NONE
    return taken._replace(phase=Phase.HELD), Effect.GRANT


def expired(lease: Lease, now: float) -> Step:
    """Return what follows if nothing has come until *now*."""
    if lease.phase is Phase.HELD and not lease.is_valid(now):
        return lease._replace(phase=Phase.LEFT), Effect.WITHDRAW
    if lease.phase is Phase.LEFT and now >= lease.sent + 2 * lease.length:
        # Redis has forgotten it by itself.
        return _idle(lease), Effect.NONE
    return lease, Effect.NONE


def given_up(lease: Lease) -> Step:
    """Return what follows if this proxy no longer wants the lease: the server's thread is told."""
    if lease.phase is Phase.HELD:
        return lease._replace(phase=Phase.LEAVING), Effect.WITHDRAW
    return lease, Effect.NONE


def let_go(lease: Lease) -> Step:
    """Return what follows if the server's thread is not connected any more, or had long enough."""
    if lease.phase in (Phase.HELD, Phase.LEAVING):
        return lease._replace(phase=Phase.LEFT), Effect.NONE
    return lease, Effect.NONE


def noticed(lease: Lease, epoch: int) -> Lease:
    """Return *lease* after another's tenure of *epoch* was seen."""
    return lease._replace(known=max(lease.known, epoch)) if epoch > lease.known else lease


def _idle(lease: Lease) -> Lease:
    return lease._replace(phase=Phase.IDLE, opened=False)
