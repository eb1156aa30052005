# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of an Asterisk itself: the one place where rows, resources and metrics read it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple, Optional

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink

#: Seconds after which the round trip is measured anew, while somebody looks.
STALE = 15.0


class ServerFacts(NamedTuple):
    """One Asterisk, as far as it has said.  Times are unix times; None: not known."""

    #: As ``22.1.0``, and its ``systemname``.
    version: Optional[str]
    system_name: Optional[str]
    #: How it greeted, when it was connected last.
    banner: Optional[str]
    #: When it began, and how often it was seen to have begun anew.
    booted: Optional[float]
    restarts: int
    #: Since when it stops, as it has said, and how often it has reloaded something: only where
    #: its state is kept.
    stopping_since: Optional[float]
    reloads: int
    #: How long it takes to answer a Ping, and by how many seconds the proxy's clock is ahead of
    #: its own.
    ping_seconds: Optional[float]
    clock_offset: Optional[float]
    #: When it was last heard, and when it is tried again, None: it is connected, or never.
    last_heard: Optional[float]
    next_try: Optional[float]


def server_facts(link: AsteriskLink) -> ServerFacts:
    """Return what is known of the Asterisk of *link*.  Any thread; waits for nothing."""
    record, pings, about = link.record, link.pings, link.about
    booted, now = record.booted, time.monotonic()
    return ServerFacts(
        version=about.version or None,
        system_name=about.system_name or None,
        banner=link.banner or None,
        booted=None if booted is None else time.time() - (now - booted),
        restarts=record.restarts,
        stopping_since=record.stopping_since if link.connected else None,
        reloads=record.reloads,
        ping_seconds=pings.delay(),
        clock_offset=pings.offset,
        last_heard=record.heard_at or None,
        next_try=record.unix(record.again_at) if record.again_at > now else None,
    )


def look(link: AsteriskLink, stale: float = STALE) -> None:
    """Have the server asked what it is, and how long it takes, unless *stale* seconds ago at most.

    Any thread; waits for nothing.  For who shows it: without anybody who looks, nothing is asked.
    """
    link.ask_about()
    if time.monotonic() - link.pings.measured > stale:
        link.ping()
