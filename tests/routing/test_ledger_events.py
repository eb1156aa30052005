# SPDX-License-Identifier: GPL-2.0-or-later
"""Ledger: events that bear an ActionID, Originates held back, and what is counted."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.pending import PendingAction
from amiproxy.wire.routed import BROADCAST
from tests.routing.ledgerplay import Play


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.mark.parametrize("name", ["UserEvent", "OriginateResponse", "SIPQualifyPeerDone"])
@pytest.mark.parametrize("given", [None, "mine", "x" * 200, "amp3-abc", "amp3-" + "y" * 60])
def test_an_event_that_echoes_an_action_id_is_for_all(
    play: Play, name: str, given: str | None
) -> None:
    """With the ActionID as its sender gave it, before and after the answer (12.20, 12.24)."""
    wire_id = play.ask(5, given, echoed=True)
    lines = (f"Event: {name}", "Privilege: x,all", f"ActionID: {wire_id}", "A: b")
    before = play.heard(*lines)
    play.hear("Response: Success", f"ActionID: {wire_id}")

    for item in (before, play.heard(*lines)):
        assert (item.owner, item.action_id) == (BROADCAST, given)
        echo = [] if given is None else [f"ActionID: {given}"]
        assert item.message.lines == (*lines[:2], *echo, "A: b")


@pytest.mark.parametrize("name", ["UserEvent", "OriginateResponse", "Status", "X"])
@pytest.mark.parametrize("given", ["foo", "amp3-foo", "amp1-abcdefABCDEF012345-foo", ""])
def test_an_event_of_another_program_passes_untouched(play: Play, name: str, given: str) -> None:
    """Also in the middle of a list, and whatever its ActionID looks like (12.24)."""
    play.start(play.ask(1, "foo"))
    message = Message.of(f"Event: {name}", "Privilege: call,all", f"ActionID: {given}")

    item = play.ledger.classify(message)

    assert item is not None
    assert item.message is message
    assert (item.owner, item.asker, item.action_id) == (BROADCAST, BROADCAST, given)


def test_an_event_keeps_what_the_call_table_noted(play: Play) -> None:
    """Putting the ActionID back does not change which channels it names."""
    wire_id = play.ids.make(5, "mine")
    message = Message.of("Event: UserEvent", f"ActionID: {wire_id}", "Uniqueid: 1.1")
    links = CallTable().note(message)

    item = play.ledger.classify(message)

    assert item is not None
    assert item.message is not message
    assert item.message.links is links


@pytest.mark.parametrize("given", [None, "call", "x" * 100])
def test_a_held_back_originate_is_answered_by_its_event(play: Play, given: str | None) -> None:
    """The queued answer is swallowed, OriginateResponse becomes the answer (12.16)."""
    wire_id = play.ask(1, given, held_back=True)

    queued = play.accept(wire_id)
    waiting = play.ledger.unanswered(1)
    answer = play.heard(
        "Event: OriginateResponse", "Privilege: call,all", f"ActionID: {wire_id}",
        "Response: Failure", "Reason: 5",
    )  # fmt: skip

    assert queued is None
    assert waiting
    assert answer.message.lines == (
        "Response: Error",
        *([] if given is None else [f"ActionID: {given}"]),
        "Message: Originate failed",
        "Server: pbx",
    )
    assert (answer.owner, answer.final, answer.request_id) == (1, True, wire_id)
    assert not play.ledger.unanswered(1)


def test_an_event_before_its_answer_answers_an_originate_all_the_same(play: Play) -> None:
    """No real Asterisk sends it so; nobody waits for what has come."""
    wire_id = play.ask(1, held_back=True)

    answer = play.heard("Event: OriginateResponse", f"ActionID: {wire_id}", "Response: Success")

    assert (answer.owner, answer.message.get("Response")) == (1, "Success")
    assert play.accept(wire_id) is None
    assert play.over == [1]


def test_a_refused_originate_is_answered_at_once(play: Play) -> None:
    """An error needs no waiting."""
    wire_id = play.ask(1, held_back=True)

    item = play.heard("Response: Error", f"ActionID: {wire_id}", "Message: Invalid channel")

    assert (item.owner, item.final) == (1, True)


def test_an_originate_whose_event_never_comes_is_answered_in_the_end(play: Play) -> None:
    """Our user may lack the class call: nobody waits for ever."""
    wire_id = play.ask(1, "a", held_back=True, private=True, since=20.0, ringing=30.0)
    play.accept(wire_id)

    assert play.ledger.expired(49.0) == []
    (item,) = play.ledger.expired(51.0)

    assert item.message.lines[:2] == ("Response: Success", "ActionID: a")
    assert item.private
    assert not play.ledger.held
    assert play.over == [1]
    late = play.heard("Event: OriginateResponse", "Privilege: call,all", f"ActionID: {wire_id}")
    assert (late.owner, late.action_id) == (BROADCAST, "a")


def test_one_originate_too_many_answers_the_oldest(play: Play) -> None:
    """Memory is bounded, and nobody is left waiting."""
    play = Play(most_held=2)
    for owner in (1, 2, 3):
        play.accept(play.ask(owner, held_back=True, ringing=99.0))

    assert [item.owner for item in play.ledger.expired(0.0)] == [1]
    assert [play.ledger.unanswered(owner) for owner in (1, 2, 3)] == [0, 1, 1]


def test_what_is_unanswered_is_counted(play: Play) -> None:
    """Queued, held, and with an open list; and the bytes that Asterisk may not have read."""
    size = len(b"Action: X\r\n\r\n")
    held, listing, queued = play.ask(1, held_back=True), play.ask(1), play.ask(1)

    counts = [(play.ledger.unanswered(1), play.ledger.in_flight)]
    for first, wire_id in (
        ("Response: Success", held),
        ("Response: Success\r\nEventList: start", listing),
        ("Event: XComplete", listing),
        ("Response: Success", queued),
        ("Event: OriginateResponse", held),
    ):
        play.hear(first, f"ActionID: {wire_id}")
        counts.append((play.ledger.unanswered(1), play.ledger.in_flight))

    assert counts == [(3, 3 * size), (3, 2 * size), (3, size), (2, size), (1, 0), (0, 0)]
    assert play.over == [1, 1, 1]


def test_what_went_upstream_is_not_kept(play: Play) -> None:
    """An Originate may be remembered for minutes, and may be long."""
    action = PendingAction(1, b"Action: X\r\n\r\n", play.ids.make(1, "a"), "a")

    assert play.ledger.enter(action) == b"Action: X\r\n\r\n"
    assert action.raw == b""


def test_a_lost_connection_leaves_nothing_behind(play: Play) -> None:
    """Everything unanswered comes back, held-back Originates too."""
    play.accept(play.ask(2, held_back=True, ringing=9.0))
    play.start(play.ask(3))
    play.ask(4, synchronous=True)

    play.ledger.abandon()

    assert play.over == [3, 4, 2]
    assert not any(map(play.ledger.unanswered, range(5)))
    assert (play.ledger.in_flight, play.ledger.open_list) == (0, None)
    assert play.ledger.patience(0.0, 0.0) == 0.0
    assert play.ledger.expired(99.0) == []


def test_only_a_call_under_way_extends_patience(play: Play) -> None:
    """None behind it, or behind what is not answered; from when it could begin (recording b7)."""
    assert play.ledger.patience(20.0, heard=5.0) == 0.0
    play.accept(play.ask(1, held_back=True, since=0.0, ringing=1000.0))
    assert play.ledger.patience(20.0, heard=5.0) == 0.0
    first = play.ask(1, synchronous=True, since=10.0, ringing=40.0)
    second = play.ask(1, synchronous=True, since=11.0, ringing=45.0)

    assert play.ledger.patience(20.0, heard=5.0) == 30.0
    play.hear("Response: Success", f"ActionID: {first}")
    assert play.ledger.patience(60.0, heard=50.0) == 35.0
    play.hear("Response: Success", f"ActionID: {second}")
    assert play.ledger.patience(60.0, heard=50.0) == 0.0
    play.ask(2)
    play.ask(1, synchronous=True, since=55.0, ringing=45.0)
    assert play.ledger.patience(60.0, heard=50.0) == 0.0
