# SPDX-License-Identifier: GPL-2.0-or-later
"""Who fills in a page of metrics: one function for each thing that has some.

All is read when somebody asks, in the thread that asks.  What is counted on the way of an event
or an action is an addition to a number that is there; a family is made of these here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from amiproxy.threads.metrics import (
    ofbus,
    ofclients,
    ofpbx,
    ofprogram,
    ofqueues,
    ofservers,
    ofstate,
)
from amiproxy.threads.metrics.scrape import Scrape

if TYPE_CHECKING:
    from amiproxy.metrics.page import Page
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession

#: In this order; each adds families of its own to the page of a scrape.
COLLECTORS: tuple[Callable[[Scrape], None], ...] = (
    ofprogram.collect,
    ofservers.collect,
    ofstate.collect,
    ofclients.collect,
    ofbus.collect,
    ofpbx.collect,
    ofqueues.collect,
)


def collect(context: ProxyContext, session: ClientSession | None = None) -> Page:
    """Return all that there is to tell of *context* now, to *session*; None: to anybody."""
    scrape = Scrape(context, session)
    for fill in COLLECTORS:
        fill(scrape)
    return scrape.page
