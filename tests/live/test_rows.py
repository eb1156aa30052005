# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows and documents of what there is, as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.live import causes, rows, statedocs
from amiproxy.live.statedocs import Head
from amiproxy.live.totals import Totals
from amiproxy.live.where import Where

HEAD = Head("pbx1", "abc.1-2", 1795686180.5)


def test_a_row_is_flat_and_what_is_not_known_is_null() -> None:
    """Several values are an array; the server stands first."""
    fields = {"queue": None, "since": 1.25, "hold": True, "channels": ("a", "b")}
    told = b'{"server":"pbx1","queue":null,"since":1.25,"hold":true,"channels":["a","b"]}'

    assert rows.row("pbx1", fields) == told
    assert json.loads(rows.row("pbx1", fields, stale=True))["stale"] is True


@pytest.mark.parametrize(
    ("wire", "read"),
    [
        (b"Jos\xc3\xa9", "Jos\xe9"),  # UTF-8
        (b"Jos\xe9", "Jos\xe9"),  # latin-1
        (b'<b>"\x1b\x00', '<b>"\x1b\x00'),
        (b"\xed\xa0\xbd", "\xed\xa0\xbd"),  # half a pair is no UTF-8
    ],
)
def test_text_is_read_as_utf_8_or_else_as_latin_1(wire: bytes, read: str) -> None:
    """Each value for itself, whatever is beside it."""
    fields = {"caller_name": wire.decode("latin-1"), "dialled": b"\xc3\xbc".decode("latin-1")}
    found = json.loads(rows.row("pbx1", fields).decode())

    assert (found["caller_name"], found["dialled"]) == (read, "\xfc")


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_entries_are_marked_as_old_whatever_is_in_them(server: str, key: str) -> None:
    """Also if an id looks like JSON."""
    for name, one in ((server, key), ('":{"server":', '":{"server":')):
        entry = rows.entry(name, one, {"name": key})
        ((id_, found),) = json.loads(b"{%b}" % rows.staled(entry)).items()
        ((before, row),) = json.loads(b"{%b}" % entry).items()
        assert id_ == before
        assert found == {"stale": True, **row}


def test_a_snapshot_comes_in_parts() -> None:
    """Each says which kinds it is of; the last one says so; together they are all rows."""
    found = {"calls": [rows.entry("pbx1", str(n), {"text": "x" * 500}) for n in range(400)],
             "queues": [rows.entry("pbx1", "a", {})], "parked": []}  # fmt: skip
    parts = [json.loads(each.json) for each in statedocs.snapshot(HEAD, found)]

    assert [(each["part"], each["last"]) for each in parts] == [
        (1, False), (2, False), (3, False), (4, True),
    ]  # fmt: skip
    assert {tuple(each["of"]) for each in parts} == {("calls", "queues", "parked")}
    assert sum(len(each["rows"].get("calls", ())) for each in parts) == 400
    assert all(len(each.json) < 70_000 for each in statedocs.snapshot(HEAD, found))
    (empty,) = statedocs.snapshot(HEAD, {"calls": ()})
    assert json.loads(empty.json) == {
        "type": "snapshot", "upto": "abc.1-2", "now": 1795686180.5, "server": "pbx1",
        "of": ["calls"], "part": 1, "last": True, "rows": {"calls": {}},
    }  # fmt: skip


def test_a_change_tells_what_is_and_what_is_no_more() -> None:
    """And nothing that is empty."""
    gone = statedocs.gone("pbx1", "1.2", {"cause": 17, "text": causes.text(17)})
    told = statedocs.change(HEAD, {"queues": [rows.entry("pbx1", "a", {"waiting": 1})]},
                            {"calls": [gone]})  # fmt: skip
    found = json.loads(told.json)

    assert told.kind == found["type"] == "change"
    assert found["set"] == {"queues": {"pbx1/a": {"server": "pbx1", "waiting": 1}}}
    assert found["del"] == {"calls": {"pbx1/1.2": {"cause": 17, "text": "User busy"}}}
    assert "del" not in json.loads(statedocs.change(HEAD, {"queues": []}, {}).json)


def test_where_asks_rows_that_have_the_field() -> None:
    """One of several values is enough; what is not known is null; servers in any case."""
    where = Where.of({"queue": ["support", "null"], "legs": ["1"], "server": ["PBX1"]})

    assert where.reaches("pbx1")
    assert not where.reaches("pbx2")
    assert where.passes({"device": "PJSIP/101"})
    assert where.passes({"queue": None, "legs": ("2", "1")})
    assert not where.passes({"queue": "sales"})
    assert not where.passes({"legs": ()})
    assert Where.of({"hold": ["true"], "ringing": ["2"]}).passes({"hold": True, "ringing": 2})
    assert where == Where.of({"legs": ["1"], "server": ["pbx1"], "queue": ["null", "support"]})


def test_totals_count_what_there_is() -> None:
    """Calls that have ended do not count; of kinds that are not known nothing is."""
    totals = Totals()
    states: dict[str, dict[str, Any]] = {
        "calls": {"1": "talking", "2": "ended", "3": "talking", "4": "application"},
        "devices": {"a": "NOT_INUSE", "b": None},
        "callers": {"x": None},
    }
    for kind, found in states.items():
        for key, state in found.items():
            totals.set(kind, key, {"state": state})
    totals.drop("calls", "3")
    fields = totals.fields(())

    assert (fields["calls"], fields["calls_talking"], fields["channels"]) == (2, 1, 0)
    assert (fields["devices"], fields["devices_not_inuse"], fields["waiting"]) == (2, 1, 1)
    unknown = totals.fields(("devices", "callers"))
    assert (unknown["devices"], unknown["devices_busy"], unknown["waiting"]) == (None, None, None)
    assert unknown["calls"] == 2
