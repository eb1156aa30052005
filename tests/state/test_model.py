# SPDX-License-Identifier: GPL-2.0-or-later
"""ServerModel: which events concern it, and what its tables are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.state import model, tables
from amiproxy.state.table import Query, Row, Standing, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pytest

QUERY = Query("Things")


class Things(Table):
    """A table that remembers what it was told."""

    kinds = ("things",)
    queries = (QUERY,)

    def __init__(self) -> None:
        self.told: list[Message] = []
        self.events = {"thing": self._take, "varset": self._take}
        self.marks = {"varset": b"\r\nVariable: THING\r\n"}

    def _take(self, message: Message, _now: float) -> None:
        self.told.append(message)

    def take_list(self, query: Query, items: Sequence[Message], _now: float) -> int:
        assert query == QUERY
        self.told[:] = items
        return 1

    def rows(self, _kind: str, now: float) -> Iterator[Row]:
        for each in self.told:
            yield Row(each.get("Name"), {"seen": now}, each)

    def __len__(self) -> int:
        return len(self.told)

    def clear(self) -> None:
        self.told.clear()


def made_of(monkeypatch: pytest.MonkeyPatch, limit: int = 1000) -> model.ServerModel:
    """Return a model with a table of things alone."""

    def made(_standing: Standing) -> tuple[Table, ...]:
        return (Things(),)

    monkeypatch.setattr(tables, "made", made)
    return model.ServerModel(limit)


THING = Message.of("Event: Thing", "Name: one")


def test_the_first_line_tells_what_concerns_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the event's name, and one search where a name comes too often."""
    there = made_of(monkeypatch)

    assert there.concerns(THING.raw)
    assert there.concerns(b"Event: VarSet\r\nVariable: THING\r\nValue: 1\r\n\r\n")
    assert not there.concerns(b"Event: VarSet\r\nVariable: OTHER\r\nValue: 1\r\n\r\n")
    assert not there.concerns(b"Event: Things\r\n\r\n")
    assert not there.concerns(b"Response: Success\r\nEvent: Thing\r\n\r\n")
    assert not there.concerns(b"Event: " + b"thing" * 1000)
    assert not there.concerns(b"")


def test_events_and_lists_reach_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown event changes nothing; a list sets; clear forgets."""
    there = made_of(monkeypatch)

    there.apply(THING, 1.0)
    there.apply(Message.of("Event: Other", "Name: two"), 1.0)
    assert [row.key for row in there.rows("things", 2.0)] == ["one"]

    assert there.queries == (QUERY,)
    assert there.take_list(QUERY, [Message.of("Event: Item", "Name: three")], 3.0) == 1
    assert [row.key for row in there.rows("things", 4.0)] == ["three"]

    there.state = model.LIVE
    there.clear()
    assert (len(there), there.state) == (0, model.BUILDING)


def test_a_model_over_its_limit_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """It keeps nothing then, until it begins again."""
    there = made_of(monkeypatch, limit=3)

    there.take_list(QUERY, [THING] * 4, 1.0)
    there.apply(THING, 2.0)
    assert (len(there), there.state) == (0, model.TOO_LARGE)
    assert there.take_list(QUERY, [THING], 3.0) == 0

    there.clear()
    for _ in range(300):
        there.apply(THING, 4.0)
    assert there.state == model.TOO_LARGE
