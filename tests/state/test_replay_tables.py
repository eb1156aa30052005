# SPDX-License-Identifier: GPL-2.0-or-later
"""Queues, phones, parking lots and conferences by replay: whole, from any cut, with any bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.state.queues.table import QUEUE_STATUS
from amiproxy.state.table import Query
from tests.recordings import RECORDINGS
from tests.state.replays import Told, told
from tests.state.tables import Tables

#: Recordings that say something of what these tables have.
NAMES = [
    name for name in RECORDINGS
    if any(
        each.event.raw.startswith((
            b"Event: Queue", b"Event: Join", b"Event: Confbridge", b"Event: Parked",
            b"Event: PeerStatus", b"Event: ContactStatus", b"Event: Registry",
            b"Event: AgentLog", b"Event: MessageWaiting",
        ))
        for each in told(name) if each.event is not None
    )
]  # fmt: skip


def waiting_at_the_end(name: str) -> set[str]:
    """Return who waits at the end of the recording *name*, by its Joins and Leaves."""
    there: set[str] = set()
    for each in told(name):
        event = each.event.get("Event") if each.event is not None else ""
        if each.event is not None and event in ("Join", "QueueCallerJoin"):
            there.add(each.event.get("Uniqueid"))
        elif each.event is not None and event in ("Leave", "QueueCallerLeave"):
            there.discard(each.event.get("Uniqueid"))
    return there


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_leaves_nothing_that_ended(name: str) -> None:
    """Rows never contradict each other, Count is how many wait, and the last leave empties."""
    tables = Tables()
    every = max(len(told(name)) // 50, 1)
    for step, each in enumerate(told(name)):
        now = 1000.0 + step / 100
        tables.tell(each, now)
        if step % every == 0:
            tables.check(now)
        if each.event is not None and each.event.has("Count") and each.event.has("Queue"):
            row = tables.rows("queues", now)[each.event.get("Queue")]
            assert row.fields["waiting"] == int(each.event.get("Count"))

    tables.check(1e9)
    callers = tables.rows("callers", 1e9).values()
    assert {row.fields["uniqueid"] for row in callers} == waiting_at_the_end(name) == set()
    assert tables.queues.store.attempts._of == {}  # noqa: SLF001
    assert (len(tables.parked), len(tables.conferences)) == (0, 0)
    assert "in_call" not in [row.fields["state"] for row in tables.rows("members", 1e9).values()]


@pytest.mark.parametrize("name", NAMES)
def test_from_any_cut_the_tables_become_the_same(name: str) -> None:
    """Those that begin with lists, in the middle of calls, end as those that have seen all."""
    what = told(name)
    draw = random.Random(name)
    whole = Tables(is_11=name.startswith("asterisk11"))
    for step, each in enumerate(what):  # once before, so that members and phones are known
        whole.tell(each, step / 100)
    begun = []
    cuts = {draw.randrange(len(what)) for _ in range(3)}
    for step, each in enumerate(what):
        now = 1000.0 + step / 100
        if step in cuts:
            late = Tables()
            for query, items in whole.lists(now).items():
                late.tell(Told(None, query, tuple(items)), now)
            for query, items in whole.lists(now).items():
                assert late.tell(Told(None, query, tuple(items)), now) == 0
            late.standing.live = True
            assert late.facts(now) == whole.facts(now)
            begun.append(late)
        for tables in (whole, *begun):
            tables.tell(each, now)
        if step in cuts or step % 100 == 0:
            for late in begun:
                late.check(now)
                assert late.facts(now) == whole.facts(now)
    for late in begun:
        assert late.facts(1e9) == whole.facts(1e9)
        assert late.standing.doubts <= {"channels"}  # it was not told those before the cut


@pytest.mark.parametrize("name", ["e1_queue_complete", "e2_queue_abandon", "e4_queue_many"])
def test_lists_in_a_recording_agree_with_its_events(name: str) -> None:
    """Once a list has told the members, the next ones differ in nothing."""
    tables = Tables()
    seen = []
    for step, each in enumerate(told(name)):
        differing = tables.tell(each, 1000.0 + step / 100)
        if each.query == QUEUE_STATUS:
            seen.append(differing)
    assert seen[1:] == [0] * (len(seen) - 1)


# -- any bytes -----------------------------------------------------------------------------------

_HANDLED = sorted({name for table in Tables().all for name in table.events})
_QUERIES = [
    *dict.fromkeys(query for table in Tables().all for query in table.queries),
    Query("ConfbridgeList", ("Conference: a",)),
]  # fmt: skip
_ITEMS = [
    "QueueParams", "QueueMember", "QueueEntry", "ParkedCall", "Agents", "VoicemailUserEntry", "Other",
]  # fmt: skip
_HEADERS = [
    "Queue", "Uniqueid", "DestUniqueid", "BridgedChannel", "Interface", "Location", "Position",
    "Count", "Wait", "Status", "Paused", "PausedReason", "LastPause", "CallsTaken", "LastCall",
    "Wrapuptime", "Penalty", "Ringinuse", "Priority", "Device", "State", "Exten", "Context",
    "Hint", "Presentity", "Message", "AOR", "URI", "ContactStatus", "EndpointName", "ObjectName",
    "RoundtripUsec", "Peer", "PeerStatus", "Time", "Channel", "ChannelType", "Username", "Domain",
    "Host", "ParkingSpace", "Parkinglot", "ParkeeUniqueid", "ParkingTimeout", "ParkingDuration",
    "Conference", "Meetme", "Muted", "Talking", "Strategy", "ServicelevelPerf", "Bridgestate",
    "Uniqueid1", "Variable", "Value", "Agent", "CallStarted", "LoggedInTime", "Mailbox", "New",
    "Waiting", "VoicemailBox", "NewMessageCount",
]  # fmt: skip
_VALUES = st.one_of(
    st.sampled_from(["a", "b", "a/b", "%", "1", "2", "0", "-1", "1.5", "QUEUESTATUS", "TIMEOUT",
                     "Link", "<unknown>", "", "Removed", "Agent:a", "Agent/a", "AGENT_ONCALL", "hint:a@b", "PJSIP/1&b,c"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=12),
    st.sampled_from(["9" * 5000, "\xb2", "x" * 3000, "\n", "1\r2", "\0"]),
)  # fmt: skip
_LINES = st.lists(st.tuples(st.sampled_from(_HEADERS), _VALUES), max_size=8).map(
    lambda headers: [f"{name}: {value}" for name, value in headers]
)
_EVENTS = st.tuples(st.sampled_from(_HANDLED), _LINES).map(
    lambda event: Told(Message.of(f"Event: {event[0]}", *event[1]))
)
_LISTS = st.tuples(
    st.sampled_from(_QUERIES),
    st.lists(st.tuples(st.sampled_from(_ITEMS), _LINES), max_size=4),
).map(
    lambda asked: Told(
        None, asked[0], tuple(Message.of(f"Event: {name}", *lines) for name, lines in asked[1])
    )
)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.one_of(_EVENTS, _EVENTS, _EVENTS, _LISTS), max_size=25), st.booleans())
def test_no_bytes_break_the_tables(what: list[Told], live: bool) -> None:
    """They raise nothing, contradict nothing, grow no more than by what they are told."""
    tables = Tables()
    tables.standing.live = live
    for step, each in enumerate(what):
        tables.tell(each, 1000.0 + step)
    tables.check(2000.0)
    told_of = sum(len(each.items) or 1 for each in what)
    assert sum(map(len, tables.all)) <= 4 * told_of

    for table in tables.all:
        table.clear()
    for table in tables.all:
        assert len(table) == 0
        assert [row for kind in table.kinds for row in table.rows(kind, 2000.0)] == []


def test_events_without_end_do_not_fill_what_is_no_row() -> None:
    """What is remembered of what is gone has its limits."""
    tables = Tables()
    for step in range(10_100):
        now = 1000.0 + step / 1000
        values = (f"Queue: {step % 3}", f"Uniqueid: {step}", "Interface: a")
        for name in ("QueueCallerJoin", "QueueCallerLeave", "Hangup"):
            tables.tell(Told(Message.of(f"Event: {name}", *values)), now)
    assert len(tables.queues) == 3
    assert len(tables.queues.endings.recent) == 1000
    assert len(tables.standing.gone) == 10_000
