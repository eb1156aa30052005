# SPDX-License-Identifier: GPL-2.0-or-later
"""LinkState: how the way to one Asterisk is, as clients are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.access.user import User
    from amiproxy.threads.sessions.link import AsteriskLink


class LinkState(NamedTuple):
    """How it is, since when (Unix time), and why it is not connected, as far as known."""

    word: str
    since: int
    reason: str


def link_state(link: AsteriskLink) -> LinkState:
    """Return how *link* is now."""
    record = link.record
    since = link.gate.since if link.gate.is_shut else record.since
    return LinkState(_word(link), int(record.unix(since)), "" if link.connected else record.reason)


def _word(link: AsteriskLink) -> str:
    if link.gate.is_shut:
        return "paused"  # connected or not
    if link.connected:
        return "connected"
    if link.given_up:
        return "given up"
    return "lost" if link.record.connects else "connecting"


class Behind(NamedTuple):
    """A server behind another proxy."""

    name: str
    is_lost: bool


def behind(link: AsteriskLink, user: User | None) -> Iterator[Behind]:
    """Yield the servers behind *link* that *user* sees, as far as known; none if it is no proxy."""
    known = link.behind
    for inner in known.servers.values():
        if sees(user, inner.words | link.names):
            yield Behind(inner.name, not link.connected or inner.name in known.lost)


def sees(user: User | None, names: frozenset[str]) -> bool:
    """Return whether *user* sees the server with these *names*."""
    return user is None or user.reaches(names)
