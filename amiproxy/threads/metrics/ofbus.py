# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the bus and the cluster, where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.metrics import busfamilies as families
from amiproxy.status.clustervalues import ALONE, CUT_OFF, JOINED

if TYPE_CHECKING:
    from amiproxy.threads.metrics.scrape import Scrape


def collect(scrape: Scrape) -> None:
    """Add it."""
    page, context, bus = scrape.page, scrape.context, scrape.context.bus
    if bus is None:
        return
    figures, members = bus.figures(), bus.members()
    others = [each for each in members if each.slot != bus.me.slot]
    page.add(families.UP, int(figures.state == JOINED))
    page.add(families.CUT_OFF, int(figures.state == CUT_OFF))
    page.add(families.MEMBERS, len(members))
    page.add(families.CLIENTS, context.admission.clients + sum(each.clients for each in others))
    page.add(families.QUEUE, figures.queued)
    page.add(families.SENT, figures.sent)
    page.add(families.DROPPED, figures.dropped)
    page.add(families.OVERRUNS, figures.overruns)
    mine = next((each for each in members if each.slot == bus.me.slot), None)
    for server, link in scrape.servers:
        if link.spec.proxy:
            continue
        holder = mine if figures.state == ALONE else bus.holder_of(link.scope)
        page.add(families.HOLDS, int(holder is not None and holder.slot == bus.me.slot), server)
        page.add(families.HELD, int(holder is not None), server)
        if mine is not None and link.scope in mine.lags:
            page.add(families.LAG, mine.lags[link.scope] / 1000, server)
