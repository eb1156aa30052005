# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionIDs of `unique` go up changed and come back as they were."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.actionids import MAX_WIRE_ID, ActionIds, with_action_id

IDS = st.text(st.characters(min_codepoint=32, max_codepoint=255), min_size=1, max_size=200)


@given(st.integers(1, 10**9), IDS)
def test_every_action_id_comes_back(number: int, client_id: str) -> None:
    """Whatever a client sends as its ActionID, it gets exactly that back."""
    ids = ActionIds()

    wire = ids.wire_id(number, client_id)

    assert wire.startswith(f"amp{number}-")
    assert len(wire) <= MAX_WIRE_ID
    assert ids.owner(wire) == number
    assert ids.client_id(wire) == client_id


@given(st.lists(st.tuples(st.integers(1, 3), IDS), unique=True, max_size=20))
def test_different_ids_stay_different(asked: list[tuple[int, str]]) -> None:
    """No two actions of any clients get the same wire ActionID."""
    ids = ActionIds()

    wires = [ids.wire_id(number, client_id) for number, client_id in asked]

    assert len(set(wires)) == len(asked)


@given(st.integers(1, 10**9), IDS)
def test_a_fresh_action_id_differs_each_time(number: int, client_id: str) -> None:
    """Two actions with the same ActionID can be told apart, and both get it back."""
    ids = ActionIds()

    wires = {ids.wire_id(number, client_id, fresh=True) for _ in range(3)}

    assert len(wires) == 3
    assert max(map(len, wires)) <= MAX_WIRE_ID
    assert {ids.owner(wire) for wire in wires} == {number}
    assert {ids.client_id(wire) for wire in wires} == {client_id}


def test_an_id_that_the_client_did_not_give_is_removed_again() -> None:
    """A client that sends no ActionID gets none (spec 12.11)."""
    ids = ActionIds()
    wire = ids.wire_id(7, None)
    answer = Message.of("Response: Success", f"ActionID: {wire}", "Ping: Pong")

    restored = with_action_id(answer, ids.client_id(wire))

    assert restored.lines == ("Response: Success", "Ping: Pong")


def test_an_id_that_looks_like_ours_is_exchanged() -> None:
    """A client cannot pass off its ActionID as one of the proxy's own."""
    ids = ActionIds()

    assert ids.client_id(ids.wire_id(3, "!n1")) == "!n1"
    assert ids.owner(ids.wire_id(3, "amp4-x")) == 3
    assert ids.client_id(ids.wire_id(3, "amp4-x")) == "amp4-x"


def test_foreign_ids_belong_to_no_session() -> None:
    """An ActionID without our prefix belongs to no session and stays as it is."""
    ids = ActionIds()

    assert ids.owner("foo") == 0
    assert ids.client_id("foo") == "foo"
    assert ids.owner("ampx-1") == 0


def test_the_first_action_id_is_replaced_in_its_place() -> None:
    """Place, case and blanks of the header stay; a second one stays too."""
    message = Message.of("Action: Ping", "actionID:  a", "X: y", "ActionID: b")

    changed = with_action_id(message, "amp1-a")

    assert changed.lines == ("Action: Ping", "actionID:  amp1-a", "X: y", "ActionID: b")
    assert changed.get("ActionID") == "amp1-a"
    assert with_action_id(message, None).lines == ("Action: Ping", "X: y", "ActionID: b")
    assert with_action_id(Message.of("ActionID: 1", "A: b"), None).lines == ("A: b",)


def test_the_table_of_long_ids_is_bounded() -> None:
    """Actions that are never answered cost bounded memory: the oldest are forgotten."""
    ids = ActionIds(most_exchanged=10)
    given = ["x" * 100 + str(index) for index in range(50)]

    wires = [ids.wire_id(1, client_id) for client_id in given]

    assert [ids.client_id(wire) for wire in wires[-10:]] == given[-10:]
    assert not set(map(ids.client_id, wires[:-10])) & set(given)
