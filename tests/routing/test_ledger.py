# SPDX-License-Identifier: GPL-2.0-or-later
"""Ledger: each answer finds the client that asked; what is none finds nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.ledger import Ledger
from amiproxy.routing.pending import own_action
from amiproxy.wire.routed import BROADCAST, UNKNOWN_CLIENT
from tests.routing.ledgerplay import Play


@pytest.fixture
def play() -> Play:
    return Play()


def test_an_answer_belongs_to_the_action_with_its_action_id(play: Play) -> None:
    """Two clients that gave the same one, each its own answer with that ActionID."""
    one, two = play.ask(1, "a"), play.ask(2, "a")

    first = play.heard("Response: Success", f"ActionID: {one}")
    second = play.heard("Response: Error", f"ActionID: {two}", "Message: No")

    assert (first.owner, first.final, first.action_id) == (1, True, "a")
    assert (second.owner, second.final) == (2, True)
    assert second.message.lines == ("Response: Error", "ActionID: a", "Message: No")
    assert not play.ledger.unanswered(1)


@pytest.mark.parametrize(
    "forged",
    ["a", "amp1-a", "amp1-42", "amp2-", "", "amp1-{token}-a", None],
)
def test_an_answer_without_the_action_id_of_an_action_is_nobodys(
    play: Play, forged: str | None
) -> None:
    """Values are not escaped (b10): none, a guessed one, what another process may have given."""
    given = play.ask(1, "a")
    other = ActionIds().make(1, "a")
    token = other.partition("-")[2][:18]
    lines = [] if forged is None else [f"ActionID: {forged.format(token=token)}"]

    item = play.hear("Response: Success", *lines, "Message: forged")
    assert item is None or item.owner == UNKNOWN_CLIENT
    assert (item is None) is str(forged).startswith("amp")
    assert play.heard("Response: Success", f"ActionID: {given}").owner == 1


def test_an_answer_comes_once(play: Play) -> None:
    """Who has seen the ActionID of an action that is over can do nothing with it."""
    wire_id = play.ask(1, "a")
    play.hear("Response: Success", f"ActionID: {wire_id}")

    assert play.hear("Response: Success", f"ActionID: {wire_id}", "X: again") is None
    assert play.hear("Event: PeerEntry", f"ActionID: {wire_id}") is None


def test_an_answer_counts_only_where_it_was_asked(play: Play) -> None:
    """Another server of the same proxy cannot answer it."""
    other = Ledger(play.ids, "other")
    wire_id = play.ask(1, "a")

    for lines in (["Response: Success"], ["Event: Status"], ["text"]):
        assert other.classify(Message.of(*lines, f"ActionID: {wire_id}")) is None
    assert play.ledger.unanswered(1)


def test_an_action_that_was_never_answered_holds_up_nobody(play: Play) -> None:
    """IAXnetstats gets no answer: later answers pass it by."""
    play.ask(1)
    two, three = play.ask(2), play.ask(3)

    assert play.heard("Response: Success", f"ActionID: {two}").owner == 2
    assert play.heard("Response: Success", f"ActionID: {three}").owner == 3
    assert play.over == [1, 2, 3]
    assert not play.ledger.unanswered(1)


@pytest.mark.parametrize("answered", [0, 1])
def test_what_is_private_says_so(play: Play, answered: int) -> None:
    """The answer to a session in ``unique``, its list items and the end (spec 12.26)."""
    wire_id = play.ask(1, private=True)
    items = [play.start(wire_id), play.heard("Event: PeerEntry", "X: 1")]
    items += [play.heard("Event: PeerlistComplete", f"ActionID: {wire_id}")] * answered

    assert all(item.private for item in items)


def test_list_items_belong_to_the_list(play: Play) -> None:
    """Those of IAXpeers carry no ActionID, those of Status a Privilege; others are for all."""
    wire_id = play.ask(1, "a")
    start = play.start(wire_id)

    item = play.heard("Event: PeerEntry", "ObjectName: 100")
    status = play.heard("Event: Status", "Privilege: Call", f"ActionID: {wire_id}")
    event = play.heard("Event: Newchannel", "Privilege: call,all")
    end = play.heard("Event: StatusComplete", f"ActionID: {wire_id}", "EventList: Complete")
    after = play.heard("Event: PeerEntry", "ObjectName: 100")

    assert (start.owner, start.final) == (1, False)
    assert (item.owner, item.request_id, item.action_id) == (1, wire_id, None)
    assert (status.owner, status.message.get("ActionID")) == (1, "a")
    assert event.owner == BROADCAST
    assert (end.owner, end.final) == (1, True)
    assert after.owner == BROADCAST


def test_no_value_ends_a_list_whose_items_carry_the_action_id(play: Play) -> None:
    """A forged end, or a forged answer, would show the rest of the list to nobody or all."""
    wire_id = play.ask(1, "a")
    play.start(wire_id)
    play.hear("Event: Status", "Privilege: Call", f"ActionID: {wire_id}", "Value: ")

    assert play.heard("Event: StatusComplete", "EventList: Complete").final is False
    assert play.heard("Response: Success").owner == UNKNOWN_CLIENT
    assert play.heard("Response: Success", "ActionID: a").owner == UNKNOWN_CLIENT
    more = play.heard("Event: Status", "Privilege: Call", f"ActionID: {wire_id}")
    end = play.heard("Event: StatusComplete", f"ActionID: {wire_id}")

    assert (more.owner, end.owner, end.final) == (1, 1, True)


def test_a_list_of_an_old_asterisk_ends_with_its_complete_event(play: Play) -> None:
    """Before 12 there is no EventList header; "will follow" announces a list."""
    wire_id = play.ask(1)
    text = "Message: Queue status will follow"

    start = play.heard("Response: Success", f"ActionID: {wire_id}", text)
    end = play.heard("Event: QueueStatusComplete", f"ActionID: {wire_id}")

    assert (start.final, end.final) == (False, True)
    assert not play.ledger.unanswered(1)


def test_a_list_that_never_ends_is_over_with_the_next_answer(play: Play) -> None:
    """A lost end costs its own client the end, and nobody else anything."""
    one, two = play.ask(1), play.ask(2)
    play.start(one)

    assert play.heard("Response: Success", f"ActionID: {two}").owner == 2
    assert play.heard("Event: Odd").owner == BROADCAST
    assert play.over == [1, 2]


def test_an_error_in_the_middle_of_a_list_ends_it(play: Play) -> None:
    """It is the answer of the same action."""
    wire_id = play.ask(1)
    play.start(wire_id)

    error = play.heard("Response: Error", f"ActionID: {wire_id}")

    assert (error.owner, error.final, play.ledger.open_list) == (1, True, None)


def test_text_that_is_not_a_message_goes_to_whoever_asked_for_text(play: Play) -> None:
    """IAXnetstats with calls: raw lines, until a Ping that goes behind is answered."""
    action, ping, end = play.ask_for_text(1).decode().split("\r\n\r\n")
    assert (action, ping.split("\r\n")[0], end) == ("Action: IAXnetstats", "Action: Ping", "")
    other = play.ask_for_text(2).decode().split("\r\n")

    assert play.heard("IAX2/phone101-7683  1000").owner == 1
    assert play.over == []
    assert play.hear("Response: Success", ping.split("\r\n")[1], "Ping: Pong") is None
    assert (play.over, len(play.untold)) == ([1], 1)
    assert play.heard("IAX2/phone101-7683  1000").owner == 2
    assert play.hear("Response: Success", other[3], "Ping: Pong") is None
    assert play.over == [1, 2]
    assert play.heard("IAX2/phone101-7683  1000").owner == UNKNOWN_CLIENT


@pytest.mark.parametrize(
    "lines",
    [
        ["Response: Success", "Message: FAXStats event will follow"],  # of 22
        ["Response: Success", "Message: Result will follow"],  # DBGet of 1.8
        ["Event: SCCPShowDevice"],  # chan_sccp: no Response
        ["ActionID first", "and text"],
    ],
)
def test_where_nothing_tells_the_end_a_ping_behind_it_does(play: Play, lines: list[str]) -> None:
    """What is asked later is answered later; the asker is not told of the Ping."""
    wire_id = play.ask(1, "a")
    head, *rest = lines
    assert play.ledger.ask_behind() == b""

    first = play.heard(head, f"ActionID: {wire_id}", *rest)
    ping = play.ledger.ask_behind().decode().split("\r\n")
    item = play.heard("Event: Item", f"ActionID: {wire_id}")

    assert (first.owner, first.final, item.owner, item.final) == (1, False, 1, False)
    assert ping[0] == "Action: Ping"
    assert play.ledger.ask_behind() == b""  # one is enough
    assert play.over == []
    assert play.hear("Response: Success", ping[1], "Ping: Pong") is None
    assert (play.over, play.untold) == ([1], [wire_id])
    assert not play.ledger.unanswered(1)


@pytest.mark.parametrize("answered", [True, False])
def test_text_belongs_to_no_answer_before_it(play: Play, answered: bool) -> None:
    """Neither to a list of another client that nothing ends, nor to nobody."""
    before = play.ask(1)
    if answered:
        play.heard("Response: Success", f"ActionID: {before}", "Message: Result will follow")
        play.heard("Event: DBGetResponse", f"ActionID: {before}")

    first, text, behind = play.ask_for_text(2).decode().split("Action: ")[1:]
    assert play.hear("Response: Success", first.split("\r\n")[1], "Ping: Pong") is None

    assert text.startswith("IAXnetstats")
    assert play.untold == [before]
    assert play.heard("text").owner == 2
    assert play.hear("Response: Success", behind.split("\r\n")[1], "Ping: Pong") is None
    assert play.over == [1, 2]


def test_no_ping_goes_behind_an_answer_that_tells_its_end(play: Play) -> None:
    """A list with EventList headers; an old one that is over already; one with more behind it."""
    wire_id = play.ask(1)
    play.start(wire_id)
    assert play.ledger.ask_behind() == b""
    play.heard("Event: QueueStatusComplete", f"ActionID: {wire_id}")

    wire_id = play.ask(1)
    play.heard("Response: Success", f"ActionID: {wire_id}", "Message: Queue status will follow")
    play.heard("Event: QueueStatusComplete", f"ActionID: {wire_id}")
    assert play.ledger.ask_behind() == b""

    wire_id = play.ask(1)
    play.ask(2)
    play.heard("Response: Success", f"ActionID: {wire_id}", "Message: Queue status will follow")
    assert play.ledger.ask_behind() == b""
    assert play.untold == []


def test_text_for_an_action_that_is_not_answered_with_text_is_nobodys(play: Play) -> None:
    """A value may forge it."""
    wire_id = play.ask(1)

    assert play.heard("forged").owner == UNKNOWN_CLIENT
    assert play.heard(f"ActionID: {wire_id}", "Name/username  Host").owner == 1


def test_an_answer_whose_action_id_stands_first_is_one(play: Play) -> None:
    """JabberSend of Asterisk 1.6."""
    item = play.heard(f"ActionID: {play.ask(1)}", "Response: Success")

    assert (item.owner, item.final) == (1, True)


def test_no_client_sees_the_answer_to_the_proxys_own_ping(play: Play) -> None:
    """Answers to the keepalive are swallowed, and nobody waits for them."""
    ping = own_action(play.ids, "Ping")
    play.ledger.enter(ping)

    for lines in (["text"], ["Event: X"], ["Response: Success", "EventList: start"]):
        assert play.hear(*lines, f"ActionID: {ping.wire_id}") is None
    assert play.ledger.open_list is None
    assert play.over == []


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
        "ActionID: {0}",
        "ActionID: {1}",
        "actionid:{2}",
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
    play = Play()
    ids = (play.ask(1, "a", held_back=held_back), play.ask(2), play.ask(3, textual=True))

    for lines in said:
        found = play.hear(*(line.format(*ids) for line in lines))
        assert found is None or found.owner in (1, 2, 3, BROADCAST, UNKNOWN_CLIENT)
