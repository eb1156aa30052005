# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings as a model is told them: events, and whole lists with what was asked."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.message import Message
from amiproxy.state.table import Query
from simulator.recordings import split
from tests.recordings import after_banner, asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.state.table import Row, Table


class Told(NamedTuple):
    """An event, or the whole answer to a query."""

    event: Message | None
    query: Query | None = None
    items: tuple[Message, ...] = ()


def _whole(data: bytes) -> list[Message]:
    """Return the messages of *data* that are whole, without blank lines in front."""
    parts = [part.lstrip(b"\r\n") for part in split(data)]
    return [Message(part) for part in parts if part.endswith(b"\r\n\r\n")]


def _queries(name: str) -> dict[str, Query]:
    """Return the actions of the recording *name* by their ActionID."""
    try:
        actions = _whole(asked(name))
    except KeyError:
        return {}
    return {
        action.get("ActionID"): Query(
            action.get("Action"),
            tuple(
                line for line in action.lines
                if line.partition(":")[0].lower() not in ("action", "actionid")
            ),
        )
        for action in actions
    }  # fmt: skip


@cache
def told(name: str) -> tuple[Told, ...]:
    """Return what the recording *name* tells a model, in order."""
    queries = _queries(name)
    found: list[Told] = []
    query: Query | None = None
    items: list[Message] = []
    for message in _whole(after_banner(name)):
        if message.get("EventList").lower() == "start":
            query, items = queries.get(message.get("ActionID"), Query("?")), []
        elif query is None:
            if message.raw.startswith(b"Event: "):
                found.append(Told(message))
        elif message.get("EventList").lower() == "complete":
            found.append(Told(None, query, tuple(items)))
            query = None
        else:
            items.append(message)
    return tuple(found)


def by_name(table: Table, message: Message, now: float) -> None:
    """Give the event *message* to *table*, if it takes such an event."""
    handler = table.events.get(message.get("Event").lower())
    if handler is not None:
        handler(message, now)


def give(table: Table, name: str, start: int = 0, stop: int | None = None) -> Iterator[float]:
    """Tell *table* what the recording *name* says; yield the time after each step."""
    for number, each in enumerate(told(name)[start:stop], start):
        now = 1000.0 + number / 100
        if each.event is not None:
            by_name(table, each.event, now)
        elif each.query is not None and table.takes(each.query):
            table.take_list(each.query, each.items, now)
        yield now


def fed(table: Table, *lines: str, now: float = 1000.0) -> None:
    """Tell *table* the event of *lines* at the time *now*."""
    by_name(table, Message.of(*lines), now)


def row(table: Table, kind: str, key: str, now: float = 1000.0) -> Row:
    """Return the row *key* of *kind*."""
    return {each.key: each for each in table.rows(kind, now)}[key]


def shown(table: Table, kind: str, *fields: str, now: float = 1000.0) -> list[tuple[object, ...]]:
    """Return *fields* of each row of *kind*."""
    return [tuple(each.fields[name] for name in fields) for each in table.rows(kind, now)]
