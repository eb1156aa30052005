# SPDX-License-Identifier: GPL-2.0-or-later
"""Ledger: each answer finds the client that asked, by its ActionID or by its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.ledger import Ledger, PendingAction
from amiproxy.wire.routed import BROADCAST, PROXY, UNKNOWN_CLIENT, Routed


@pytest.fixture
def ids() -> ActionIds:
    return ActionIds()


@pytest.fixture
def ledger(ids: ActionIds) -> Ledger:
    return Ledger(ids, "pbx")


def ask(
    ledger: Ledger,
    owner: int,
    wire_id: str | None,
    *,
    originate: bool = False,
    held_back: bool = False,
    deadline: float = 0.0,
) -> PendingAction:
    """Let session *owner* send an action that carries *wire_id*."""
    action = PendingAction(
        owner, b"", wire_id, originate=originate, held_back=held_back, deadline=deadline
    )
    ledger.enter(action)
    return action


def hear(ledger: Ledger, *lines: str) -> Routed:
    """Return what the ledger makes of a message that some client may see."""
    found = ledger.classify(Message.of(*lines))
    assert found is not None
    return found


def accepted(wire_id: str) -> Message:
    """Return the Response to an Originate that is asynchronous."""
    text = "Message: Originate successfully queued"
    return Message.of("Response: Success", f"ActionID: {wire_id}", text)


def test_an_answer_belongs_to_the_action_with_its_action_id(ledger: Ledger) -> None:
    """Two actions under way, answers in order, each to its own client."""
    ask(ledger, 1, "amp1-a")
    ask(ledger, 2, "amp2-a")

    first = hear(ledger, "Response: Success", "ActionID: amp1-a")
    second = hear(ledger, "Response: Error", "ActionID: amp2-a")

    assert (first.owner, first.final) == (1, True)
    assert (second.owner, second.final) == (2, True)
    assert not ledger.is_waiting(1)


def test_an_answer_without_action_id_belongs_to_the_oldest_action(ledger: Ledger) -> None:
    """Asterisk answers one connection in order (spec 12.19)."""
    ask(ledger, 1, None)
    ask(ledger, 2, "amp2-a")

    assert hear(ledger, "Response: Success", "Ping: Pong").owner == 1
    assert hear(ledger, "Response: Success", "Ping: Pong").owner == 2


def test_an_action_that_was_never_answered_holds_up_nobody(ledger: Ledger) -> None:
    """IAXnetstats gets no answer: later answers pass it by."""
    ask(ledger, 1, "amp1-netstats")
    ask(ledger, 2, "amp2-a")
    ask(ledger, 3, None)

    assert hear(ledger, "Response: Success", "ActionID: amp2-a").owner == 2
    assert hear(ledger, "Response: Success").owner == 3
    assert not ledger.is_waiting(1)


def test_list_items_without_action_id_belong_to_the_list(ledger: Ledger) -> None:
    """PeerEntry of IAXpeers carries none; a real event in between is for all."""
    ask(ledger, 1, "amp1-a")
    start = hear(ledger, "Response: Success", "ActionID: amp1-a", "EventList: start")

    item = hear(ledger, "Event: PeerEntry", "ObjectName: 100")
    event = hear(ledger, "Event: Newchannel", "Privilege: call,all")
    end = hear(ledger, "Event: PeerlistComplete", "ActionID: amp1-a", "EventList: Complete")
    after = hear(ledger, "Event: PeerEntry", "ObjectName: 100")

    assert (start.owner, start.final) == (1, False)
    assert (item.owner, item.request_id, item.wire_id) == (1, "amp1-a", None)
    assert event.owner == BROADCAST
    assert (end.owner, end.final) == (1, True)
    assert after.owner == BROADCAST


def test_a_list_of_an_old_asterisk_ends_with_its_complete_event(ledger: Ledger) -> None:
    """Before 12 there is no EventList header; "will follow" announces a list."""
    ask(ledger, 1, "amp1-a")

    start = hear(
        ledger, "Response: Success", "ActionID: amp1-a", "Message: Queue status will follow"
    )
    end = hear(ledger, "Event: QueueStatusComplete", "ActionID: amp1-a")

    assert (start.final, end.final) == (False, True)
    assert not ledger.is_waiting(1)


def test_a_list_that_never_ends_is_over_with_the_next_answer(ledger: Ledger) -> None:
    """A lost end costs its own client the end, and nobody else anything."""
    ask(ledger, 1, "amp1-a")
    ask(ledger, 2, "amp2-a")
    hear(ledger, "Response: Success", "ActionID: amp1-a", "EventList: start")

    assert hear(ledger, "Response: Success", "ActionID: amp2-a").owner == 2
    assert hear(ledger, "Event: Odd").owner == BROADCAST


def test_an_action_id_of_ours_beats_the_position(ledger: Ledger) -> None:
    """A forged message cannot take the answer that is another client's (b10)."""
    ask(ledger, 1, "amp1-a")
    ask(ledger, 2, "amp2-a")

    forged = hear(ledger, "Response: Success", "ActionID: nobodys")
    real = hear(ledger, "Response: Success", "ActionID: amp1-a")

    assert forged.owner == UNKNOWN_CLIENT
    assert real.owner == 1


def test_text_that_is_not_a_message_goes_to_whoever_asked(ledger: Ledger) -> None:
    """IAXnetstats with calls: raw lines, for the client that asked for them."""
    ask(ledger, 1, "amp1-a")

    assert hear(ledger, "                                -------- LOCAL").owner == 1


def test_no_client_sees_the_answer_to_the_proxys_own_ping(ledger: Ledger) -> None:
    """Answers to the keepalive are swallowed."""
    ask(ledger, PROXY, "amp0-!n1")

    pong = Message.of("Response: Success", "ActionID: amp0-!n1", "Ping: Pong")

    assert ledger.classify(pong) is None


def test_a_user_event_is_for_all_with_its_senders_own_action_id(
    ledger: Ledger, ids: ActionIds
) -> None:
    """Asterisk puts the sender's ActionID in; it is an event all the same (12.20)."""
    wire = ids.wire_id(5, "mine")

    item = hear(ledger, "Event: UserEvent", "ActionID: " + wire, "UserEvent: X")

    assert item.owner == BROADCAST
    assert item.message.get("ActionID") == "mine"


def test_a_held_back_originate_is_answered_by_its_event(ledger: Ledger) -> None:
    """The queued answer is swallowed, OriginateResponse becomes the answer (12.16)."""
    ask(ledger, 1, "amp1-o", originate=True, held_back=True)

    queued = ledger.classify(accepted("amp1-o"))
    waiting = ledger.is_waiting(1)
    answer = hear(
        ledger, "Event: OriginateResponse", "Privilege: call,all", "ActionID: amp1-o",
        "Response: Failure", "Reason: 5",
    )  # fmt: skip

    assert queued is None
    assert waiting
    assert answer.message.lines == (
        "Response: Error",
        "ActionID: amp1-o",
        "Message: Originate failed",
        "Server: pbx",
    )
    assert (answer.owner, answer.final) == (1, True)
    assert not ledger.is_waiting(1)


def test_a_refused_originate_is_answered_at_once(ledger: Ledger) -> None:
    """An error needs no waiting."""
    ask(ledger, 1, "amp1-o", originate=True, held_back=True)

    item = hear(ledger, "Response: Error", "ActionID: amp1-o", "Message: Invalid channel")

    assert (item.owner, item.final) == (1, True)


def test_an_originate_whose_event_never_comes_is_answered_in_the_end(ledger: Ledger) -> None:
    """Our user may lack the class call: nobody waits for ever."""
    ask(ledger, 1, "amp1-o", originate=True, held_back=True, deadline=50.0)
    ledger.classify(accepted("amp1-o"))

    assert ledger.expired(49.0) == []
    (item,) = ledger.expired(51.0)

    assert item.message.get("Response") == "Success"
    assert not ledger.held


def test_an_originate_response_belongs_to_the_client_that_sent_the_originate(
    ledger: Ledger,
) -> None:
    """In every mode the ledger knows whose OriginateResponse it is."""
    ask(ledger, 4, "plain", originate=True)
    hear(ledger, "Response: Success", "ActionID: plain")

    assert hear(ledger, "Event: OriginateResponse", "ActionID: plain").owner == 4
    assert hear(ledger, "Event: OriginateResponse", "ActionID: plain").owner == UNKNOWN_CLIENT


def test_a_lost_connection_leaves_nothing_behind(ledger: Ledger) -> None:
    """Everything unanswered comes back, held-back Originates too."""
    held = ask(ledger, 2, "amp2-o", originate=True, held_back=True)
    ledger.classify(accepted("amp2-o"))
    queued = ask(ledger, 1, "amp1-a")

    assert ledger.abandon() == [queued, held]
    assert not ledger.is_waiting(1)
    assert not ledger.is_waiting(2)


def test_originates_without_a_response_fill_no_memory(ids: ActionIds) -> None:
    """A dialler may use one ActionID for all calls; events may be off: the oldest are forgotten."""
    ledger = Ledger(ids, "pbx", most_originates=10)
    asked = [("same" if number % 2 else f"call-{number}") for number in range(40)]

    for _ in range(2):  # and no count goes wrong when the responses come after all
        for wire_id in asked:
            ask(ledger, 1, wire_id, originate=True)
            ledger.classify(accepted(wire_id))
        owners = [
            hear(ledger, "Event: OriginateResponse", f"ActionID: {wire_id}").owner
            for wire_id in asked
        ]
        assert owners.count(1) == 10
        assert owners.count(UNKNOWN_CLIENT) == 30


def test_an_originate_that_is_forgotten_is_held_no_longer(ids: ActionIds) -> None:
    """Nothing waits for it, not even until its deadline."""
    ledger = Ledger(ids, "pbx", most_originates=1)
    for number in (1, 2):
        ask(ledger, number, f"amp{number}-o", originate=True, held_back=True, deadline=9.0)
        ledger.classify(accepted(f"amp{number}-o"))

    assert [item.owner for item in ledger.expired(10.0)] == [2]


def test_a_user_event_keeps_what_the_call_table_noted(ledger: Ledger, ids: ActionIds) -> None:
    """Putting the ActionID back does not change which channels it names."""
    message = Message.of("Event: UserEvent", "ActionID: " + ids.wire_id(5, "mine"), "Uniqueid: 1.1")
    links = CallTable().note(message)

    item = ledger.classify(message)

    assert item is not None
    assert item.message is not message
    assert item.message.links is links


_LINES = st.sampled_from(
    [
        "Response",
        "response",
        "Response:",
        "Response: Success",
        "Response:Success",
        "Event",
        "Event: UserEvent",
        "Event: OriginateResponse",
        "Event: PeerlistComplete",
        "Privilege: call,all",
        "EventList: start",
        "ActionID",
        "ActionID:",
        "ActionID: amp1-a",
        "ActionID: amp2-!n1",
        "text without a colon",
        ": no name",
    ]
)


@given(st.lists(st.lists(_LINES, min_size=1, max_size=4), max_size=6), st.booleans())
def test_whatever_asterisk_sends_has_an_owner_or_none(
    said: list[list[str]], held_back: bool
) -> None:
    """Values are not escaped and may forge any line: none raises an error."""
    ledger = Ledger(ActionIds(), "pbx")
    ask(ledger, 1, "amp1-a", originate=held_back, held_back=held_back)
    ask(ledger, 2, "amp2-!n1")
    ask(ledger, 3, None)

    for lines in said:
        found = ledger.classify(Message.of(*lines))
        assert found is None or found.owner in (1, 2, 3, BROADCAST, UNKNOWN_CLIENT)
