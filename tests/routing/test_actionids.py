# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionIDs go up as the proxy's own, which nobody can guess, and are read back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.actionids import MAX_WIRE_ID, ActionIds, exchanged

IDS = st.text(st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=200)


@given(st.integers(0, 10**9), st.none() | IDS)
@example(1, "x" * 43)
@example(1, "x" * 44)
@example(10**9, "x" * 900)
def test_an_action_id_tells_whose_it_is(number: int, client_id: str | None) -> None:
    """Session and action can be read from it, and what the client gave if there is room."""
    ids = ActionIds()

    wire = ids.make(number, client_id)
    key = ids.key(wire)

    assert wire.startswith(f"amp{number}-")
    assert len(wire) <= MAX_WIRE_ID
    assert key is not None
    assert ids.owner(key) == number
    assert ids.given(wire) in (client_id, None)
    if client_id is None or len(client_id) <= 30:
        assert ids.given(wire) == client_id


def test_a_cut_action_id_is_still_known() -> None:
    """An Asterisk that keeps fewer bytes, or no blanks at the end, finds its action."""
    ids = ActionIds()
    wire = ids.make(12, "some id ")

    for cut in (wire[:-1], wire[:-5], wire[:-9]):
        assert ids.key(cut) == ids.key(wire)
    assert ids.key(wire[:-10]) != ids.key(wire)


def test_no_two_actions_have_the_same() -> None:
    """Whatever thread asks, whatever the client gave."""
    ids = ActionIds()

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: ids.make(1, "same"), range(5000)))

    assert len({ids.key(wire) for wire in made}) == 5000


def test_the_token_is_not_like_the_one_before() -> None:
    """Who knows some of them cannot tell the next: no part of the token repeats or counts."""
    ids = ActionIds()
    mark = len("amp1-") + 6
    tokens = [ids.make(1, None)[mark:] for _ in range(2000)]

    for place in range(12):
        letters = [token[place] for token in tokens]
        assert len(set(letters)) > 48  # of 64


def test_another_process_makes_others() -> None:
    """Two proxies at one Asterisk, or one that was restarted, do not know each other's."""
    one, other = ActionIds(), ActionIds()

    assert one.key(other.make(1, "a")) is None
    assert one.make(1, None)[5:11] != other.make(1, None)[5:11]


@pytest.mark.parametrize("foreign", ["", "foo", "amp", "amp1", "amp1-", "amp1-foo", "-", "amp-x"])
def test_foreign_ids_are_not_ours(foreign: str) -> None:
    """Those that clients and other programs give."""
    assert ActionIds().key(foreign) is None


@pytest.mark.parametrize("number", ["", "x", "-", "²", "9" * 30])
def test_a_forged_session_number_is_nobodys(number: str) -> None:
    """Who has seen the mark of the process may write anything around it."""
    ids = ActionIds()
    key = ids.key(ids.make(1, None).replace("amp1", f"amp{number}"))

    assert key is None or ids.owner(key) == 0


def test_an_id_that_the_client_did_not_give_is_removed_again() -> None:
    """A client that sends no ActionID gets none (spec 12.11)."""
    answer = Message.of("Response: Success", "ActionID: amp7-x", "Ping: Pong")

    assert Message(exchanged(answer.raw, None)).lines == ("Response: Success", "Ping: Pong")


def test_the_first_action_id_is_replaced_in_its_place() -> None:
    """Place, case and blanks of the header stay; a second one stays too."""
    message = Message.of("Action: Ping", "actionID:  a", "X: y", "ActionID: b")

    changed = Message(exchanged(message.raw, "amp1-a"))

    assert changed.lines == ("Action: Ping", "actionID:  amp1-a", "X: y", "ActionID: b")
    assert changed.get("ActionID") == "amp1-a"
    assert Message(exchanged(message.raw, None)).lines == ("Action: Ping", "X: y", "ActionID: b")
    assert exchanged(b"ActionID: 1\r\nA: b\r\n\r\n", None) == b"A: b\r\n\r\n"
