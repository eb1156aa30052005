# SPDX-License-Identifier: GPL-2.0-or-later
"""What must be so of a model whatever it is told, and how it is told a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.model import ServerModel
from amiproxy.state.table import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.message import Message
    from amiproxy.state.table import Row
    from tests.state.replays import Told

LIMIT = 50_000
LISTS = (
    Query("BridgeList"),
    Query("CoreShowChannels"),
    Query("Status", instead_of="CoreShowChannels"),
    Query("QueueStatus"),
)


def rows(model: ServerModel, kind: str, now: float) -> dict[str, Row]:
    """Return the rows of *kind* by their keys, which differ."""
    found = list(model.rows(kind, now))
    by_key = {row.key: row for row in found}
    assert len(by_key) == len(found)
    return by_key


def check(model: ServerModel, now: float) -> None:
    """Fail if rows of channels, bridges and calls contradict each other."""
    calls = rows(model, "calls", now)
    channels = rows(model, "channels", now)
    bridges = rows(model, "bridges", now)
    in_bridges = [uniqueid for row in bridges.values() for uniqueid in names(row, "channels")]
    in_calls = [uniqueid for row in calls.values() for uniqueid in names(row, "channels")]
    assert len(set(in_bridges)) == len(in_bridges)  # a channel is in at most one bridge
    assert len(set(in_calls)) == len(in_calls)  # and in one call
    assert set(in_bridges) | set(in_calls) <= set(channels)  # no row names a missing channel
    for key, row in channels.items():
        assert (row.fields["bridge"] is None) == (key not in in_bridges)
        assert row.fields["bridge"] is None or key in names(
            bridges[str(row.fields["bridge"])], "channels"
        )
        assert key in names(calls[str(row.fields["call"])], "channels")
    for row in calls.values():
        assert set(names(row, "legs")) <= set(channels)
        since = row.fields["since"]
        assert isinstance(since, float)
        assert since <= now


def names(row: Row, field: str) -> tuple[str, ...]:
    """Return the ids that *row* has in *field*."""
    found = row.fields[field]
    assert isinstance(found, tuple)
    return found


def tell(model: ServerModel, each: Told, now: float) -> None:
    """Tell *model* an event or a list of a recording."""
    if each.event is not None:
        model.apply(each.event, now)
    elif each.query is not None:
        model.take_list(each.query, each.items, now)


def told_all(what: Iterable[Told], begin: float = 1000.0, every: int = 5) -> ServerModel:
    """Return a model that was told all of *what*; it was checked at each *every*-th step."""
    model = ServerModel(LIMIT)
    for number, each in enumerate(what):
        tell(model, each, begin + number / 100)
        if number % every == 0:
            check(model, begin + number / 100)
    return model


def listed(model: ServerModel, now: float) -> dict[Query, list[Message]]:
    """Return the lists that an Asterisk which is as *model* says would answer."""
    channels = [row.said for row in model.rows("channels", now)]
    bridges = [row.said for row in model.rows("bridges", now)]
    for message in channels:
        assert message.has("BridgeUniqueid")
    items = [message.with_header("BridgeId", message.get("BridgeUniqueid")) for message in channels]
    return {LISTS[0]: bridges, LISTS[1]: items}


def facts(
    model: ServerModel, now: float, ours: set[str] | None = None
) -> dict[str, Mapping[str, object]]:
    """Return what a list and events must agree on, by channel: of all, or of *ours*."""
    fields = ("name", "state", "bridge", "caller_number", "account", "technology")
    return {
        row.key: {name: row.fields[name] for name in fields}
        for row in model.rows("channels", now)
        if ours is None or row.key in ours
    }
