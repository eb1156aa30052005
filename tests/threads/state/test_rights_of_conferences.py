# SPDX-License-Identifier: GPL-2.0-or-later
"""Conferences and those who see some channels only."""

from __future__ import annotations

from amiproxy.access.user import User
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.visibility import View
from amiproxy.state.conferences import ConferenceTable
from amiproxy.state.table import Row, Standing
from amiproxy.state.values import list_item
from amiproxy.threads.state.rights import Reader, judge
from tests.state.replays import fed


def test_a_conference_is_shown_to_who_may_see_all_in_it() -> None:
    """Its row names them; one that a stranger is in is not shown."""
    table = ConferenceTable(Standing())
    join = "Event: ConfbridgeJoin"
    fed(table, join, "Conference: own", "Uniqueid: 1.1", "Channel: PJSIP/101-1")
    for channel, uniqueid in (("PJSIP/101-2", "1.2"), ("PJSIP/999-1", "1.3")):
        fed(table, join, "Conference: mixed", f"Uniqueid: {uniqueid}", f"Channel: {channel}")
    calls = [
        Row(uniqueid, {}, list_item("CoreShowChannel", "call", [
            ("Channel", channel), ("Uniqueid", uniqueid),
        ]))
        for channel, uniqueid in (
            ("PJSIP/101-1", "1.1"), ("PJSIP/101-2", "1.2"), ("PJSIP/999-1", "1.3"),
        )
    ]  # fmt: skip
    limited = Reader(View(), SessionFilter(User("anna", "", channel="PJSIP/101"), "off"))

    for reader, expected in ((Reader(View()), ["own", "mixed"]), (limited, ["own"])):
        shows = judge(reader, calls)
        rows = table.rows("conferences", 1000.0)
        assert [row.fields["conference"] for row in rows if shows("conferences", row)] == expected
