# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers as rows, for clients that ask."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from amiproxy.basics.characters import text_of
from amiproxy.threads.sessions.serverfacts import look
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.serverrows import fields_of, state_of
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink

#: Seconds over which events are counted, at the least.
_RATE = 1.0


class _Rates:
    """How many events a second come from each server, between the times that somebody looks."""

    def __init__(self) -> None:
        # What is in them is replaced whole: who looks at the same moment counts the same.
        self._before: dict[AsteriskLink, tuple[float, int, float | None]] = {}

    def rate(self, link: AsteriskLink, now: float) -> float | None:
        """Return the rate of *link*; None: nobody has looked before."""
        events = link.record.events
        since, count, rate = self._before.get(link, (now, events, None))
        if now - since >= _RATE:
            rate = round((events - count) / (now - since), 1)
        elif since != now:
            return rate
        self._before[link] = now, events, rate
        return rate


def rows_of(context: ProxyContext, links: Iterable[AsteriskLink]) -> list[dict[str, Any]]:
    """Return a row for each of *links*; waits for nothing.

    Who looks at them has their state kept from then on, where it may be.
    """
    followers = followers_of(context)
    rates = context.made.setdefault("rates of events", _Rates())
    assert isinstance(rates, _Rates)
    now = time.monotonic()
    rows = []
    for link in links:
        look(link)
        is_kept = context.config.state and not link.spec.proxy
        follower = followers.follower(link) if is_kept else None
        fields = fields_of(link, follower, state_of(link, follower), rates.rate(link, now))
        name = text_of(link.name)
        told = {
            field: text_of(value) if isinstance(value, str) else value
            for field, value in fields.items()
        }
        rows.append({"id": name, "server": name, **told})
    return rows


def unknown_server(name: str) -> Problem:
    """Return the problem of a request about the server *name*, which is not there."""
    shown = text_of(name)[:80]
    return Problem("unknown-server", f"There is no server {shown!a}: GET /v1/servers lists them")
