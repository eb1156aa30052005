# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows a user's classes and event filters leave: rows are judged as list items."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from amiproxy.routing import classes
from amiproxy.routing.eventfilter import EventFilters
from amiproxy.routing.visibility import View
from amiproxy.state.tables import KINDS
from amiproxy.threads.state.encoding import EVENTS
from tests.state.tables import Tables, with_a_row_of_each
from tests.state.test_fields import header
from tests.support import ROOT

if TYPE_CHECKING:
    from amiproxy.state.table import Row


@pytest.fixture
def tables() -> Tables:
    """Return tables with a row of each kind, in the middle of queue calls."""
    return with_a_row_of_each()


def seen(tables: Tables, view: View) -> dict[str, list[Row]]:
    """Return the rows that *view* leaves, by kind."""
    found = {
        kind: [row for row in table.rows(kind, 1000.0) if view.sees_event(row.said)]
        for table in tables.all for kind in table.kinds
    }  # fmt: skip
    return {kind: rows for kind, rows in found.items() if rows}


def test_each_kind_has_its_class(tables: Tables) -> None:
    """As the events that tell of it."""
    agent, call = View(mask=classes.AGENT), View(mask=classes.CALL)
    system = View(mask=classes.SYSTEM)

    assert set(seen(tables, agent)) == {"queues", "members", "callers", "agents"}
    assert set(seen(tables, call)) == {"devices", "parked", "conferences", "mailboxes"}
    assert set(seen(tables, system)) == {"contacts", "registrations"}


def test_a_filter_for_one_queue_shows_that_queue_alone(tables: Tables) -> None:
    """Its row, its members and who waits in it, and nothing more."""
    view = View(filters=(EventFilters().with_line("Queue: support"),))
    found = seen(tables, view)

    assert {row.fields["queue"] for row in seen(tables, View())["callers"]} == {"sales", "support"}
    assert set(found) == {"queues", "members", "callers"}
    assert {row.fields["queue"] for rows in found.values() for row in rows} == {"support"}
    assert [row.fields["uniqueid"] for row in found["callers"]] == ["9.1"]
    assert len(found["members"]) == 2


def test_a_filter_for_a_phone_shows_what_names_it(tables: Tables) -> None:
    """Its device, its contact, and its memberships, whatever the header is called."""
    found = seen(tables, View(filters=(EventFilters().with_line("PJSIP/103"),)))

    assert [row.key for row in found["members"]] == ["support/PJSIP/103"]
    assert [row.key for row in found["devices"]] == ["PJSIP/103"]


@pytest.mark.parametrize("kind", KINDS[3:])
def test_fields_are_documented(tables: Tables, kind: str) -> None:
    """docs/clients.md names each field that these rows have, and no other."""
    row = next(iter(tables.rows(kind, 1000.0).values()))

    text = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| `{EVENTS[kind]}` \|.*$", text, re.MULTILINE)
    named = set(re.findall(r"`([A-Z][A-Za-z]*)`", line)) - {EVENTS[kind], "Key"}
    assert named == {header(name) for name in row.fields}
