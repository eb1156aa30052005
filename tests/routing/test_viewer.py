# SPDX-License-Identifier: GPL-2.0-or-later
"""Viewers: the bytes one client gets of a batch, whatever way they are made."""

from __future__ import annotations

from typing import Any

import pytest

from amiproxy.access.user import User
from amiproxy.formats import Format, load_formats
from amiproxy.message import Message
from amiproxy.routing import notices
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.classes import CALL
from amiproxy.routing.viewer import Plan, Viewer
from amiproxy.routing.visibility import View
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import Routed
from tests.support import ROOT

FORMATS = load_formats(ROOT / "handlers")
STANDARD = FORMATS["standard"]
EVENT = Message.of("Event: Newchannel", "Privilege: call,all", "Channel: SIP/1", "Uniqueid: 1")
BOOTED = Message.of("Event: FullyBooted", "Privilege: system,all")
ME, OTHER = 7, 8


def viewer(number: int = ME, **view: Any) -> Viewer:
    """Return a viewer without filters of spec section 8."""
    return Viewer(number, View(**view))


def user_of(channel: str) -> User:
    return User("user", "secret", channel=channel)


def filtering(number: int, channel: str, **view: Any) -> Viewer:
    """Return a viewer whose user sees the calls of *channel*."""
    callfilter = SessionFilter(user_of(channel), "off")
    return Viewer(number, View(filtered=True, **view), callfilter)


def call_event(name: str, *lines: str) -> Message:
    return Message.of(f"Event: {name}", "Privilege: call,all", *lines)


def noted(table: CallTable, *messages: Message) -> Batch:
    """Return a batch of *messages*, which *table* has looked at."""
    for message in messages:
        table.note(message)
    wire = b"".join(message.raw for message in messages)
    return Batch("pbx", wire, [Routed(message) for message in messages])


def test_events_reach_every_client_as_the_same_bytes() -> None:
    """Nothing is joined or copied for a client of AMI that sees all."""
    batch = Batch("pbx", EVENT.raw + BOOTED.raw)

    for mode in AutoFilter:
        assert viewer(mode=mode).encode(batch, STANDARD) is batch.wire


def test_clients_of_equal_views_share_their_bytes() -> None:
    """What a thousand clients with the same rights get is joined once."""
    batch = Batch("pbx", EVENT.raw + BOOTED.raw)
    first, second = (viewer(number, mask=CALL) for number in (ME, OTHER))

    assert first.encode(batch, STANDARD) == EVENT.raw
    assert first.encode(batch, STANDARD) is second.encode(batch, STANDARD)
    assert first.plan is second.plan
    other = viewer()
    other.encode(batch, STANDARD)
    assert first.plan is not other.plan


def test_a_plan_does_not_depend_on_the_last_action_id() -> None:
    """With autofilter on, each action would need a plan of its own otherwise."""
    one, other = (Plan.of(View(mode=AutoFilter.ON, last_id=each)) for each in ("a", "b"))

    assert one is other
    assert one is not Plan.of(View(mode=AutoFilter.ON))


def test_an_unauthenticated_client_gets_nothing() -> None:
    """Whatever is in the batch, its own answers included."""
    for batch in (
        Batch("pbx", EVENT.raw),
        Batch.of_items("pbx", [Routed(EVENT), Routed(BOOTED, owner=ME)]),
    ):
        assert viewer(silent=True).encode(batch, STANDARD) == b""
        assert viewer(silent=True).chosen(batch) == []


@pytest.mark.parametrize("form", [STANDARD, FORMATS["json"]], ids=["standard", "json"])
@pytest.mark.parametrize("mode", AutoFilter)
@pytest.mark.parametrize("private", [True, False])
def test_a_private_answer_is_for_its_owner_alone(
    form: Format, mode: AutoFilter, private: bool
) -> None:
    """Whatever autofilter others have chosen (spec 12.26), an event in the same batch or not."""
    answer = Message.of("Response: Success", "ActionID: mine")
    item = Routed(answer, owner=ME, action_id="mine", private=private)

    for items in ([item], [Routed(EVENT), item]):
        batch = Batch.of_items("pbx", items)
        mine = viewer(mode=mode).encode(batch, form)
        others = viewer(OTHER, mode=mode).encode(batch, form)

        assert (b"mine" in mine) is (private or mode is not AutoFilter.ON)
        assert (b"mine" in others) is (mode is AutoFilter.OFF and not private)


def test_an_event_of_its_own_action_passes_the_filters_of_a_user() -> None:
    """An OriginateResponse names the channel that was asked for, not the user's own."""
    event = call_event("OriginateResponse", "Channel: Local/1@x", "Uniqueid: 1.9")
    CallTable().note(event)
    batch = Batch.of_items("pbx", [Routed(event, asker=ME)])

    assert filtering(ME, "sip/1").encode(batch, STANDARD) == event.raw
    assert filtering(OTHER, "sip/1").encode(batch, STANDARD) == b""


@pytest.mark.parametrize("form", [STANDARD, FORMATS["json"]], ids=["standard", "json"])
def test_clients_that_filter_calls_are_replayed_each_its_own(form: Format) -> None:
    """What one client is sent first of a call that it sees late, no other one is sent."""
    table = CallTable()
    calls = [
        call_event("Newchannel", f"Channel: SIP/x-{n}", f"Uniqueid: {n}.2") for n in range(1, 9)
    ]
    for call in calls:
        table.note(call)
    seen = [
        call_event("Dial", f"Channel: SIP/{n}-1", f"Uniqueid: {n}.1", f"DestUniqueID: {n}.2")
        for n in range(1, 9)
    ]
    batch = noted(table, *seen)

    for n, call, event in zip(range(1, 9), calls, seen):
        got = filtering(n, f"sip/{n}-").encode(batch, form)
        assert got == b"".join([batch.part(form, call), batch.part(form, event)])


def test_what_no_call_table_has_noted_is_withheld_from_clients_that_filter_calls() -> None:
    """It was read before they logged in; answers to them need no call table."""
    answer = Message.of("Response: Success", "ActionID: x")
    batch = Batch.of_items("pbx", [Routed(EVENT), Routed(answer, owner=ME)])

    assert filtering(ME, "sip/1").encode(batch, STANDARD) == answer.raw


def test_a_wait_event_ends_with_an_event_and_not_with_a_list() -> None:
    """The items of Status look like events."""
    item = Message.of("Event: Status", "Privilege: Call", "Channel: SIP/1")

    assert not viewer().hears_event(Batch.of_items("pbx", [Routed(item, owner=ME)]))
    assert not viewer().hears_event(Batch.of_items("pbx", [Routed(item, owner=OTHER)]))
    assert viewer().hears_event(Batch("pbx", EVENT.raw))
    assert not viewer(mask=0).hears_event(Batch("pbx", EVENT.raw))


@pytest.mark.parametrize(
    ("client", "hears"),
    [
        (viewer(), True),
        (viewer(mask=CALL), True),
        (viewer(mode=AutoFilter.UNIQUE, restricted=True), True),
        (viewer(mode=AutoFilter.ON), True),
        (filtering(ME, "SIP/2"), True),
        (viewer(mask=0), False),
        (viewer(silent=True), False),
        (viewer(mode=AutoFilter.ON, last_id="1"), False),
    ],
)
def test_a_notice_is_for_everybody_who_gets_any_event(client: Viewer, hears: bool) -> None:
    """Whatever classes and filters say; so it ends a WaitEvent too, and web sessions keep it."""
    lost = notices.lost("pbx", "dropped", 1.0)
    batch = Batch("pbx", lost.raw, [Routed(lost)], kind=BatchKind.NOTICE, events=1)

    for form in FORMATS.values():
        if form.is_output:
            assert bool(client.encode(batch, form)) is hears
    assert client.hears_event(batch) is hears
    assert [item.message for item in client.chosen(batch)] == [lost] * hears
    assert client.events == hears * sum(form.is_output for form in FORMATS.values())
