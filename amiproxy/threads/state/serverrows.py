# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of the kind ``servers``: how the way to each Asterisk is, and what is known of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy.threads.sessions.linkstate import link_state
from amiproxy.threads.sessions.serverfacts import server_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.state.follower import Follower

#: States of a server whose rows are true.
TRUE_STATES = ("building", "live", "stopping")

#: The fields of a row.
FIELDS = (
    "name", "state", "since", "reason", "version", "system_name", "last_heard", "next_try",
    "ping_seconds", "clock_offset", "events", "events_per_second", "building", "unknown",
)  # fmt: skip


def state_of(link: AsteriskLink, follower: Follower | None) -> dict[str, Any]:
    """Return the state of the server of *link*, since when it is so, and why, if that is known."""
    state = link_state(link)
    if state.word not in ("connected", "paused"):
        return {"state": state.word, "since": float(state.since), "reason": state.reason or None}
    if link.spec.proxy:
        reason = "it is another proxy; ask that one"
    elif follower is None or not follower.is_alive:
        reason = "there is no state, or nobody has asked for it"
    else:
        stopping = server_facts(link).stopping_since
        if stopping is not None:
            return {"state": "stopping", "since": stopping, "reason": None}
        return {"state": follower.state, "since": follower.since, "reason": None}
    return {"state": "connected", "since": float(state.since), "reason": reason}


def fields_of(
    link: AsteriskLink, follower: Follower | None, state: Mapping[str, Any], rate: float | None
) -> dict[str, Any]:
    """Return the row of the server of *link*, which is as *state* says.

    *rate*: its events a second.
    """
    record, facts = link.record, server_facts(link)
    kept = follower if follower is not None and follower.is_alive else None
    return {
        "name": link.name,
        **state,
        "version": facts.version,
        "system_name": facts.system_name,
        "last_heard": _rounded(facts.last_heard),
        "next_try": None if link.connected else _rounded(facts.next_try),
        "ping_seconds": facts.ping_seconds,
        "clock_offset": _rounded(facts.clock_offset),
        "events": record.events,
        "events_per_second": rate,
        "building": None if kept is None else kept.progress,
        "unknown": {} if kept is None else dict(kept.unknown),
    }


def _rounded(seconds: float | None) -> float | None:
    """Return *seconds* in milliseconds: two clocks are in them, whose difference is never still."""
    return None if seconds is None else round(seconds, 3)
