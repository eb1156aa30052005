# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on at the Asterisks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.status import values
from amiproxy.threads.net.traffic import traffic
from amiproxy.threads.sessions.linkstate import behind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.threads.sessions.link import AsteriskLink


class UnderWay(NamedTuple):
    """The actions at one Asterisk, by session: those that have gone, those that wait."""

    gone: Mapping[int, int]
    waiting: Mapping[int, int]

    def of(self, number: int) -> int:
        """Return how many are of session *number*."""
        return self.gone.get(number, 0) + self.waiting.get(number, 0)


def under_way(link: AsteriskLink) -> UnderWay:
    """Return the actions at *link*; holds its lock for a copy of what is unanswered."""
    with link.lock:
        return UnderWay(dict(link.ledger.owed), link.turns.counts())


def server_status(link: AsteriskLink, actions: UnderWay, rate: float) -> values.ServerStatus:
    """Return what goes on at *link*, where events come at *rate* a second."""
    status = _server_status(link, actions, rate)
    there = list(behind(link, None))
    lost = tuple(each.name for each in there if each.is_lost)
    return replace(status, behind=tuple(each.name for each in there), behind_lost=lost)


def _server_status(link: AsteriskLink, actions: UnderWay, rate: float) -> values.ServerStatus:
    """Return what can be told of *link* itself."""
    record, transport, now = link.record, link.transport, time.monotonic()
    found, state = (traffic(transport.sock) if transport else None), _state(link, now)
    return values.ServerStatus(
        name=link.scope,
        host=link.host,
        port=link.spec.port,
        address=link.address,
        user=link.spec.user,
        tls=link.spec.tls,
        state=state,
        since=now - (link.gate.since if state == values.PAUSED else record.since),
        problem="" if link.connected else record.problem,
        again_in=max(0.0, record.again_at - now) if state == values.WAITING else None,
        banner=link.banner,
        version=link.about.version,
        connects=record.connects,
        losses=record.losses,
        lost=now - record.lost_at if record.losses else None,
        lost_because=record.lost_because,
        heard=now - record.heard if record.heard else None,
        events=record.events,
        events_per_second=rate,
        round_trip=link.pings.delay(),
        network_round_trip=None if found is None else found.round_trip,
        actions_under_way=sum(actions.gone.values()),
        actions_waiting=sum(actions.waiting.values()),
        actions_timed_out=record.timeouts,
        late_answers=link.ledger.late_answers,
        bytes_received=None if found is None else found.received,
        bytes_sent=None if found is None else found.sent,
        backlog=0 if transport is None else transport.backlog,
        model=record.model,
        model_rows=record.model_rows,
        model_corrections=record.model_corrections,
        model_gaps=record.model_gaps,
        ring_bytes=link.ring.size,
        ring_age=link.ring.age(now) if link.ring.head is not None else None,
    )


def _state(link: AsteriskLink, now: float) -> str:
    if link.gate.is_shut:
        return values.PAUSED  # connected or not: the problem says that it is not
    if link.connected:
        return values.UP
    if link.given_up:
        return values.GIVEN_UP
    if link.has_connection:
        return values.LOGGING_IN
    return values.WAITING if link.record.again_at > now else values.CONNECTING
