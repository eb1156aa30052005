# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the Asterisks, as the proxy is connected to them."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from amiproxy.metrics import families
from amiproxy.routing import gaps
from amiproxy.threads.net.traffic import traffic
from amiproxy.threads.sessions.meter import OTHER, Meter
from amiproxy.threads.sessions.serverfacts import look
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.threads.status.ofservers import under_way

if TYPE_CHECKING:
    from amiproxy.metrics.page import Page
    from amiproxy.threads.metrics.scrape import Scrape
    from amiproxy.threads.sessions.link import AsteriskLink

#: Seconds between two Pings, however often somebody scrapes.
_PINGS = 5.0

#: What is told before it has happened: where a counter begins with 1, that is no increase.
_GAPS = (gaps.RING, gaps.SERVER_LOST, gaps.SLOW, gaps.RESTART)
_LOSSES = ("closed the connection", "no answer to a Ping", "the connection failed")


def collect(scrape: Scrape) -> None:
    """Add it, and have what is measured only for who asks be measured from now on."""
    page, tallies = scrape.page, scrape.context.tallies
    for server, link in scrape.servers:
        record = link.record
        if record.meter is None:
            record.meter = Meter(record.events)
        look(link, _PINGS)
        _standing(page, server, link)
        _traffic(page, server, link, tells_classes=scrape.sees_all(link))
        _actions(page, server, link)
        for reason, count in {**dict.fromkeys(_GAPS, 0), **record.gaps()}.items():
            page.add(families.GAPS, count, server, reason)
        page.add(families.RING_BYTES, link.ring.size, server)
        if link.ring.head is not None:
            page.add(families.RING_OLDEST, time.time() - link.ring.age(time.monotonic()), server)
    for what in (Tallied.REFUSED_ACTION, Tallied.UNSENT_ACTION):
        for (name,), count in tallies.by(what).items():
            page.add(families.ACTIONS, count, "", name, "refused")


def _standing(page: Page, server: str, link: AsteriskLink) -> None:
    record = link.record
    page.add(families.SERVER_UP, int(link.connected), server)
    page.add(families.SERVER_GIVEN_UP, int(link.given_up), server)
    page.add(families.SERVER_LAST_MESSAGE, record.heard_at or None, server)
    page.add(families.SERVER_CLOCK, link.pings.offset, server)
    page.add(families.SERVER_CONNECTS, record.connects, server)
    losses = {**dict.fromkeys(_LOSSES, 0), **record.losses_by.copy()}
    for reason, count in losses.items():
        page.add(families.SERVER_LOSSES, count, server, reason)
    page.add(families.SERVER_PING, link.pings.seconds.snapshot(), server)


def _traffic(page: Page, server: str, link: AsteriskLink, *, tells_classes: bool) -> None:
    record, meter = link.record, link.record.meter
    assert meter is not None
    events = meter.events.copy()
    if not tells_classes:  # how many calls there are could be told by them
        events = Counter({OTHER: sum(events.values())})
    for name, count in events.items():
        page.add(families.SERVER_EVENTS, count, server, name)
    page.add(families.DELIVERY_DELAY, meter.delays.snapshot(), server)
    with link.lock:  # else a connection that ends just now counts twice, or not at all
        found = None if link.transport is None else traffic(link.transport.sock)
        received, sent = record.received, record.sent
    if found is not None:
        received, sent = received + found.received, sent + found.sent
    page.add(families.SERVER_BYTES, received, server, "received")
    page.add(families.SERVER_BYTES, sent, server, "sent")
    page.add(families.PARSE_ERRORS, link.ledger.strays, server)


def _actions(page: Page, server: str, link: AsteriskLink) -> None:
    actions, here = link.record.actions, under_way(link)
    waiting = sum(here.gone.values()) + sum(here.waiting.values())
    page.add(families.ACTIONS_UNDER_WAY, waiting, server)
    for (name, result), count in actions.ended.copy().items():
        page.add(families.ACTIONS, count, server, name, result)
    for kind, seconds in actions.seconds.items():
        page.add(families.ACTION_DURATION, seconds.snapshot(), server, kind)
