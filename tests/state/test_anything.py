# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever bytes come as events or as items of lists: nothing is raised, and sizes are bounded."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.message import END, Message
from amiproxy.state import gone
from amiproxy.state.calls import graph
from amiproxy.state.calls.channels import ChannelTable
from amiproxy.state.calls.store import Store
from amiproxy.state.model import BUILDING, LIVE, TOO_LARGE, ServerModel
from amiproxy.state.table import Standing
from tests.state.invariants import LIMIT, LISTS, check
from tests.state.test_channels import block, bridge, event, model_of

IDS = ("1", "2", "3", "1", "2", "3", "41", "42", "", "1|2", "\xff")
NAMES = ("Local/a@b-1;1", "Local/a@b-1;2", "PJSIP/1-2", "SIP/7-0", "SIP/7-0<ZOMBIE>", "Message/x",
         "-", "")  # fmt: skip
MODEL = ServerModel(LIMIT)
EVENTS = sorted({name for table in MODEL.tables for name in table.events})
#: Those that join and part come more often.
JOINING = ("newchannel", "newchannel", "bridgeenter", "bridgeenter", "bridgeleave", "dialbegin",
           "hangup", "bridge", "masquerade", "rename", "bridgecreate", "bridgedestroy",
           "pickup")  # fmt: skip
BEGUN = (
    *(event("Newchannel", *block(uniqueid)) for uniqueid in ("1", "2", "3")),
    *(event("Newchannel", *block(f"4{half}", Channel=f"Local/a@b-1;{half}")) for half in "12"),
    event("BridgeCreate", *bridge("a")), event("BridgeCreate", *bridge("b")),
    event("BridgeEnter", *bridge("a"), *block("1")),
)  # fmt: skip


def part(draw: random.Random, prefix: str) -> list[str]:
    """Return the block of some channel, perhaps not whole."""
    lines = block(
        draw.choice(IDS), draw.randrange(10), prefix, Channel=draw.choice(NAMES),
        Linkedid=draw.choice(IDS),
    )  # fmt: skip
    return lines if draw.random() < 0.9 else lines[draw.randrange(14) :]


def old_headers(draw: random.Random) -> list[str]:
    """Return headers of Asterisk 11."""
    lines = [f"{name}: {draw.choice(IDS)}" for name in (
        "Uniqueid1", "Uniqueid2", "DestUniqueID", "UniqueID", "BridgedUniqueID",
    )]  # fmt: skip
    lines += [f"{name}: {draw.choice(NAMES)}" for name in (
        "Clone", "Original", "Newname", "Channel",
    )]  # fmt: skip
    return [
        *lines, f"Bridgestate: {draw.choice(('Link', 'Unlink'))}",
        f"SubEvent: {draw.choice(('Begin', 'End'))}", f"ChannelState: {draw.randrange(8)}",
    ]  # fmt: skip


def likely(draw: random.Random) -> Message:
    """Return an event that a table takes, of a few channels and bridges."""
    lines: list[str] = []
    if draw.random() < 0.7:
        kind = draw.choice(("basic", "basic", "base", "parking", ""))
        lines += bridge(draw.choice("ab"), kind)
    if draw.random() < 0.7:
        for prefix in draw.choice((("",), ("", "Dest"), ("Target", ""), ("Dest",))):
            lines += part(draw, prefix)
    else:
        lines += old_headers(draw)
    lines += [f"Queue: {draw.choice(IDS)}", f"DialStatus: {draw.choice(('ANSWER', 'BUSY'))}"]
    if draw.random() < 0.5:
        lines += [
            f"BridgeId: {draw.choice('ab ')}",
            "Extension: 1",
            "Application: Queue",
            "AppData: q",
        ]
    return event(draw.choice(draw.choice((EVENTS, JOINING))), *lines)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 1 << 32))
def test_any_order_of_events_keeps_rows_consistent(seed: int) -> None:
    """Also with lists in between that contradict the events."""
    draw = random.Random(seed)
    model = model_of(*BEGUN)
    now = 1000.0
    for number in range(40):
        now += draw.choice((0.0, 0.0, 0.1, 70.0))
        model.apply(likely(draw), now)
        if draw.random() < 0.1:
            model.take_list(draw.choice(LISTS), [likely(draw) for _ in range(4)], now)
        if number % 16 == 15:
            model.state = LIVE if model.state == BUILDING else BUILDING
        check(model, now)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.binary(max_size=300)), max_size=6))
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
    table = ChannelTable(store)
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
