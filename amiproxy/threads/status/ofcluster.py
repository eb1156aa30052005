# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on at the bus and in the cluster."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.status import units
from amiproxy.status.clustervalues import (
    ALONE,
    ClusterStatus,
    HoldingStatus,
    MemberStatus,
    ReaderStatus,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.threads.sessions.cluster import Bus, Member
    from amiproxy.threads.sessions.context import ProxyContext


class _Trouble:
    """When it was last seen that a count of what went wrong had risen."""

    def __init__(self) -> None:
        self._seen, self._at = 0, 0.0

    def ago(self, count: int) -> float | None:
        """Return how long ago that was, in seconds, now that it is *count*; None: never."""
        now = time.monotonic()
        if count > self._seen:
            self._seen, self._at = count, now
        return now - self._at if self._at else None


def cluster_status(context: ProxyContext) -> ClusterStatus | None:
    """Return the cluster of the proxy, None if it is in none; waits for nothing."""
    bus = context.bus
    if bus is None:
        return None
    figures = bus.figures()
    members = sorted(bus.members(), key=lambda each: (each.name, each.slot))
    servers = [link.scope for link in context.router.servers if not link.spec.proxy]
    trouble = context.made.setdefault("trouble of the bus", _Trouble())
    assert isinstance(trouble, _Trouble)
    servers += [name for each in members for name in (*each.holds, *each.lags)]
    return ClusterStatus(
        name=bus.name,
        slot=units.slot(bus.me.slot),
        proxy=bus.me.name,
        state=figures.state,
        problem=figures.problem,
        members=tuple(_member(each) for each in members),
        servers=tuple(_holdings(bus, members, dict.fromkeys(servers))),
        clients=context.admission.clients + _elsewhere(bus, members),
        queued=figures.queued,
        sent=figures.sent,
        dropped=figures.dropped,
        overruns=figures.overruns,
        trouble_ago=trouble.ago(figures.dropped + figures.overruns),
    )


def _elsewhere(bus: Bus, members: Iterable[Member]) -> int:
    """Return how many clients the others have."""
    return sum(each.clients for each in members if each.slot != bus.me.slot)


def _member(member: Member) -> MemberStatus:
    return MemberStatus(
        slot=units.slot(member.slot),
        name=member.name,
        host=member.host,
        pid=member.pid,
        version=member.version,
        state=member.state,
        stopping=member.stopping,
        started=float(member.started),
        clients=member.clients,
        holds=tuple(sorted(member.holds)),
    )


def _holdings(bus: Bus, members: Sequence[Member], names: Iterable[str]) -> Iterable[HoldingStatus]:
    # Without the bus this proxy is connected itself, whoever else may be.
    me = next((each for each in members if each.slot == bus.me.slot), None)
    alone = bus.figures().state == ALONE
    for name in names:
        holder = me if alone else bus.holder_of(name)
        readers = [
            ReaderStatus(each.name, each.lags[name] / 1000)
            for each in members
            if name in each.lags and (holder is None or each.slot != holder.slot)
        ]
        yield HoldingStatus(
            server=name,
            holder="" if holder is None else holder.name,
            slot="" if holder is None else units.slot(holder.slot),
            epoch=bus.epoch_of(name),
            readers=tuple(readers),
        )
