# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever bytes come as events or as items of lists: nothing is raised, and sizes are bounded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.message import END, Message
from amiproxy.state import gone, graph
from amiproxy.state.channels import Channels
from amiproxy.state.model import BUILDING, LIVE, TOO_LARGE, ServerModel
from amiproxy.state.store import Store
from amiproxy.state.table import Standing
from tests.state.invariants import LIMIT, LISTS, check
from tests.state.test_channels import block, bridge, event

IDS = st.sampled_from(["1", "2", "3", "1", "2", "3", "4", "", "1|2", "\xff"])
NAMES = st.sampled_from([
    "Local/a@b-1;1", "Local/a@b-1;2", "PJSIP/1-2", "SIP/7-0", "SIP/7-0<ZOMBIE>", "Message/x", "-", ""
])  # fmt: skip
MODEL = ServerModel(LIMIT)
ALL = sorted({name for table in MODEL.tables for name in table.events})
#: Those that join and part come more often.
EVENTS = st.sampled_from(ALL) | st.sampled_from(
    ["newchannel", "newchannel", "bridgeenter", "bridgeenter", "bridgeleave", "dialbegin", "hangup",
     "bridge", "masquerade", "rename", "localbridge", "bridgecreate", "bridgedestroy", "pickup"]
)  # fmt: skip


@st.composite
def parts(draw: st.DrawFn, prefix: str) -> list[str]:
    """Return the block of some channel, perhaps not whole."""
    lines = block(
        draw(IDS), draw(st.integers(0, 9)), prefix, Channel=draw(NAMES), Linkedid=draw(IDS)
    )
    return lines if draw(st.integers(0, 9)) else lines[draw(st.integers(0, 13)) :]


@st.composite
def old_headers(draw: st.DrawFn) -> list[str]:
    """Return headers of Asterisk 11."""
    return [
        f"Uniqueid1: {draw(IDS)}", f"Uniqueid2: {draw(IDS)}",
        f"Bridgestate: {draw(st.sampled_from(['Link', 'Unlink']))}",
        f"SubEvent: {draw(st.sampled_from(['Begin', 'End']))}", f"DestUniqueID: {draw(IDS)}",
        f"Clone: {draw(NAMES)}", f"Original: {draw(NAMES)}", f"Newname: {draw(NAMES)}",
        f"UniqueID: {draw(IDS)}", f"Channel: {draw(NAMES)}",
        f"ChannelState: {draw(st.integers(0, 7))}", f"BridgedUniqueID: {draw(IDS)}",
    ]  # fmt: skip


@st.composite
def likely(draw: st.DrawFn) -> Message:
    """Return an event that a table takes, of a few channels and bridges."""
    kind = draw(st.sampled_from(["basic", "basic", "base", "parking", ""]))
    lines: list[str] = []
    if draw(st.integers(0, 3)):
        lines += bridge(draw(st.sampled_from(["a", "b"])), kind)
    if draw(st.integers(0, 3)):
        for prefix in draw(st.sampled_from([("",), ("", "Dest"), ("Target", ""), ("Dest",)])):
            lines += draw(parts(prefix))
    else:
        lines += draw(old_headers())
    lines += [f"Queue: {draw(IDS)}", f"DialStatus: {draw(st.sampled_from(['ANSWER', 'BUSY']))}"]
    if draw(st.booleans()):
        lines += [f"BridgeId: {draw(IDS)}", "Extension: 1", "Application: Queue", "AppData: q"]
    return event(draw(EVENTS), *lines)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(likely(), st.sampled_from([0.0, 0.1, 70.0])), max_size=40), st.data())
def test_any_order_of_events_keeps_rows_consistent(
    events: list[tuple[Message, float]], data: st.DataObject
) -> None:
    """Also with lists in between that contradict the events."""
    model = ServerModel(LIMIT)
    now = 1000.0
    for number, (message, later) in enumerate(events):
        now += later
        if data.draw(st.integers(0, 8)) == 0:
            items = [each for each, _ in events[number : number + 4]]
            model.take_list(data.draw(st.sampled_from(LISTS)), items, now)
            check(model, now)
        if number % 16 == 15:
            model.state = LIVE if model.state == BUILDING else BUILDING
        model.apply(message, now)
        if number % 3 == 0:
            check(model, now)
    check(model, now)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.binary(max_size=300)), max_size=6))
def test_any_bytes_are_no_harm(events: list[tuple[str, bytes]]) -> None:
    """Behind the name of an event that a table takes."""
    model = ServerModel(LIMIT)
    for name, rest in events:
        raw = b"Event: %b\r\n%b%b" % (name.encode(), rest, END)
        model.concerns(raw)
        model.apply(Message(raw), 1000.0)
        for query in LISTS:
            model.take_list(query, [Message(raw)], 1000.0)
    check(model, 1000.0)


def test_what_is_remembered_is_bounded() -> None:
    """Ids of channels that are gone, calls that have ended; the rest goes with the channels."""
    standing = Standing()
    store = Store(standing)
    table = Channels(store)
    for number in range(gone.MOST + 500):
        table.events["newchannel"](event("Newchannel", *block(f"1.{number}")), 1000.0)
        table.events["hangup"](event("Hangup", *block(f"1.{number}"), "Cause: 16"), 1000.0)

    assert len(standing.gone) == gone.MOST
    assert len(store.graph.ended) == graph.MOST_ENDED
    assert (store.channels, store.names, store.graph.calls) == ({}, {}, {})


def test_too_many_channels_are_too_large() -> None:
    """A model over its limit keeps nothing, and says so."""
    model = ServerModel(100)
    for number in range(400):
        model.apply(event("Newchannel", *block(f"1.{number}")), 1000.0)

    assert (model.state, len(model)) == (TOO_LARGE, 0)
