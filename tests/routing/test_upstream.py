# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes upstream is what was checked, and nothing Asterisk would cut or read differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds, with_action_id
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.upstream import GRACE, prepare, problem

if TYPE_CHECKING:
    from amiproxy.routing.ledger import PendingAction

LIMITS = Limits()
ORIGINATE = ("Action: Originate", "Channel: SIP/1")


class Sent:
    """What went upstream of one action."""

    def __init__(self, action: PendingAction) -> None:
        self.action = action
        self.message = Message(action.raw)


def up(*lines: str, mode: AutoFilter = AutoFilter.UNIQUE, hold_back: bool = True) -> Sent:
    """Let session 7 send *lines* at 100 s."""
    return Sent(prepare(Message.of(*lines), ActionIds(), 7, mode, hold_back=hold_back, now=100.0))


def test_in_unique_the_action_id_is_prefixed_in_its_place() -> None:
    """Order, case and every other header stay."""
    out = up("ACTION: pInG", "actionid: X1", "X: y")

    assert out.message.lines == ("ACTION: pInG", "actionid: amp7-X1", "X: y")
    assert out.action.wire_id == "amp7-X1"


@pytest.mark.parametrize("given", [(), ("ActionID: ",)])
def test_an_action_without_id_gets_one_in_unique(given: tuple[str, ...]) -> None:
    """So its answer is found; an empty one does not count."""
    out = up("Action: Ping", *given)

    assert out.message.get("ActionID") == out.action.wire_id
    assert str(out.action.wire_id).startswith("amp7-!n")


def test_in_other_modes_an_action_goes_up_as_it_came() -> None:
    """In off and on nothing is changed."""
    lines = ("Action: Ping", "ActionID: 1", "Server: here")

    assert up(*lines, mode=AutoFilter.OFF).message.lines == lines
    assert up("Action: Ping", mode=AutoFilter.OFF).action.wire_id is None


def test_the_proxy_key_does_not_go_upstream() -> None:
    """It is a secret of the proxy (spec 12.21)."""
    assert up("ProxyKey: sesame", "Action: Ping", mode=AutoFilter.OFF).message.lines == (
        "Action: Ping",
    )


@pytest.mark.parametrize(
    ("given", "held"),
    [
        ((), True),
        (("Async: false",), True),
        (("Async: maybe",), True),
        (("Async: true",), False),
        (("async: 1",), False),
        (("ASYNC: Yes",), False),
    ],
)
def test_a_synchronous_originate_is_made_asynchronous(given: tuple[str, ...], held: bool) -> None:
    """Whatever Asterisk reads as yes is asynchronous already (ast_true)."""
    out = up(*ORIGINATE, *given, mode=AutoFilter.OFF)

    assert out.action.held_back is held
    assert out.message.get("Async").lower() in ("true", "1", "yes")
    assert (out.action.wire_id is not None) is held


def test_originateasync_no_leaves_an_originate_alone() -> None:
    """It goes up as it came, and Asterisk is expected to be silent while it rings."""
    out = up(*ORIGINATE, "Timeout: 60000", mode=AutoFilter.OFF, hold_back=False)

    assert out.message.lines == (*ORIGINATE, "Timeout: 60000")
    assert out.action.deadline == 100.0 + 60 + GRACE


UNIQUE, OFF = AutoFilter.UNIQUE, AutoFilter.OFF
LONG = "x" * 100

#: What a client sends, its mode, and what stands upstream in place of its ActionID.
BOTH_WAYS = [
    (("Action: Ping", "ActionID: 1"), UNIQUE, "amp7-1"),
    (("Action: Ping", "actionID:   1", "X: y"), UNIQUE, "amp7-1"),
    (("Action: Ping", f"ActionID: {LONG}"), UNIQUE, "amp7-!l1"),
    (("Action: Ping", "ActionID: !n1"), UNIQUE, "amp7-!l1"),
    (("Action: Ping", "ActionID: amp3-1"), UNIQUE, "amp7-amp3-1"),
    (("Action: Ping", "ActionID: amp3-1"), OFF, "amp7-amp3-1"),
    (("Action: Ping", "ActionID: 1"), OFF, "1"),
    (("Action: Ping",), UNIQUE, "amp7-!n1"),
    ((*ORIGINATE,), OFF, "amp7-!n1"),
    ((*ORIGINATE, "ActionID: 1"), OFF, "1"),
]


@pytest.mark.parametrize(("sent", "mode", "wire_id"), BOTH_WAYS)
def test_an_action_id_comes_back_as_it_went(
    sent: tuple[str, ...], mode: AutoFilter, wire_id: str
) -> None:
    """Whatever goes up in its place, the client's answer carries what the client gave."""
    ids = ActionIds()
    given = Message.of(*sent).values.get("actionid")

    action = prepare(Message.of(*sent), ids, 7, mode, hold_back=True, now=0.0)
    answer = Message.of("Response: Success", f"ActionID: {wire_id}", "Ping: Pong")

    assert action.wire_id == wire_id
    assert Message(action.raw).get("ActionID") == wire_id
    restored = with_action_id(answer, ids.client_id(wire_id)).lines
    expected = [f"ActionID: {given}"] if given is not None else []
    assert restored == ("Response: Success", *expected, "Ping: Pong")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Message.of("Action: Ping"), None),
        (Message.of("Action: Ping", "X: " + "y" * 1019), None),
        (Message.of("Action: Ping", "X: " + "y" * 1020), "Line too long: 1023 bytes"),
        (Message.of("Action: Ping", *["A: b"] * 127), None),
        (Message.of("Action: Ping", *["A: b"] * 128), "Too many headers: 129"),
        (Message.of("Action: Ping", "X: a\rb"), None),
        (Message.of("Action: Ping", "X: a\nAction: Logoff"), "Line break"),
        (Message.of("Action: Ping", "X: a\r\n\r\nAction: Logoff"), "Line break"),
        (Message.of("Action: Ping", "X: a\0b"), "Line break"),
        (Message.of("", "Action: Ping"), "Line break"),
        (Message.of("Action: Ping", "", "Action: Logoff"), "Line break"),
        (Message.of("Action:Ping", "Action: Logoff"), "More than one Action"),
        (Message.of("Action: Ping", "Action:Logoff"), None),
        (Message.of("Action: Ping", "Action: CoreStatus"), None),
        (Message.of("Action: ", "Action: Ping"), None),
        (Message.of("Action: Ping", "action: PING"), None),
        (Message.of("Action: Setvar", "Value: Action: x"), None),
    ],
)
def test_what_asterisk_would_cut_or_read_differently_is_refused(
    message: Message, why: str | None
) -> None:
    """Line, header and injection limits, each with its own reason (spec 12.7, 12.17)."""
    told = problem(message.raw, LIMITS)

    assert (told is None) == (why is None)
    assert str(told).startswith(str(why))


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), min_size=1, max_size=6))
def test_what_passes_is_one_message(lines: list[str]) -> None:
    """Nothing that passes holds a second message, a blank line or a NUL."""
    message = Message.of(*lines)

    if problem(message.raw, LIMITS) is None:
        assert message.raw.endswith(b"\r\n\r\n")
        body = message.raw[:-4].split(b"\n")
        assert all(line.endswith(b"\r") for line in body[:-1])
        assert b"\0" not in message.raw
        assert b"\r\n\r\n" not in message.raw[:-4]
