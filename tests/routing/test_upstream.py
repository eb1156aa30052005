# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes upstream is what was checked, and nothing Asterisk would cut or read differently."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits
from amiproxy.message import Message
from amiproxy.routing.actionids import MAX_WIRE_ID, ActionIds
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.upstream import (
    DEFAULT_RING,
    GRACE,
    LONGEST_RING,
    prepare,
    problem,
    ringing,
)

if TYPE_CHECKING:
    from amiproxy.routing.pending import PendingAction

LIMITS = Limits()
ORIGINATE = ("Action: Originate", "Channel: SIP/1", "Application: Wait")


@dataclass
class Session:
    """Session 7, which asks."""

    mode: AutoFilter
    number: int = 7
    is_web: bool = False


class Sent:
    """What went upstream of one action."""

    def __init__(self, action: PendingAction) -> None:
        self.action = action
        self.message = Message(action.raw)


def up(*lines: str, mode: AutoFilter = AutoFilter.OFF, hold_back: bool = True) -> Sent:
    """Let session 7 send *lines* at 100 s."""
    asker = Session(mode)
    return Sent(prepare(Message.of(*lines), ActionIds(), asker, hold_back=hold_back, now=100.0))


@pytest.mark.parametrize("mode", AutoFilter)
def test_the_action_id_is_prefixed_in_its_place(mode: AutoFilter) -> None:
    """Order, case and every other header stay."""
    out = up("ACTION: pInG", "actionid:  X1", "X: y", mode=mode)

    wire_id = out.action.wire_id
    assert out.message.lines == ("ACTION: pInG", f"actionid:  {wire_id}", "X: y")
    assert re.fullmatch(r"amp7-[^-]{18}-X1", wire_id)
    assert out.action.private is (mode is AutoFilter.UNIQUE)


@pytest.mark.parametrize("mode", AutoFilter)
@pytest.mark.parametrize("given", [(), ("ActionID: ",)])
def test_an_action_without_id_gets_one(given: tuple[str, ...], mode: AutoFilter) -> None:
    """So its answer is found; an empty one does not count."""
    out = up("Action: Ping", *given, mode=mode)

    assert out.message.lines == ("Action: Ping", f"ActionID: {out.action.wire_id}")
    assert re.fullmatch("amp7-[^-]{18}", out.action.wire_id)
    assert out.action.given is None


def test_the_proxy_key_does_not_go_upstream() -> None:
    """It is a secret of the proxy (spec 12.21)."""
    assert up("ProxyKey: sesame", "Action: Ping").message.lines[0] == "Action: Ping"


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
    out = up(*ORIGINATE, *given)

    assert out.action.held_back is held
    assert out.message.get("Async").lower() in ("true", "1", "yes")
    assert not out.action.synchronous


EXTEN = ("Exten: 1", "Context: c", "Priority: 1")


@pytest.mark.parametrize(
    ("headers", "held"),
    [
        (EXTEN, True),
        (("Exten: 1", "Context: c", "Priority: label"), True),
        (("Application: Wait", "Data: 1"), True),
        (("Application: Wait", "Exten: 1"), True),
        ((*EXTEN, "Application: "), True),
        ((*EXTEN, "PreDialGoSub: "), True),
        ((), False),
        (EXTEN[:2], False),
        (EXTEN[1:], False),
        ((EXTEN[0], EXTEN[2]), False),
        (("Exten: 1", "Context: c", "Priority: 0"), False),
        (("Exten: 1", "Context: c", "Priority: -0x"), False),
        (("Exten: 1", "Context: c", "Priority: "), False),
        (("Application: ",), False),
        (("Data: 1",), False),
        ((*EXTEN, "PreDialGoSub: evil,s,1"), False),
        (("Application: Wait", "predialgosub:evil,s,1"), False),
    ],
)
def test_an_originate_is_made_asynchronous_only_where_that_means_the_same(
    headers: tuple[str, ...], held: bool
) -> None:
    """What Asterisk refuses or does otherwise if it is asynchronous goes up as it is (12.31)."""
    out = up("Action: Originate", "Channel: SIP/1", *headers)

    assert (out.action.held_back, out.action.synchronous) == (held, not held)
    assert out.message.has("Async") is held


def test_originateasync_no_leaves_an_originate_alone() -> None:
    """It goes up as it came, and Asterisk is expected to be silent while it rings."""
    out = up(*ORIGINATE, "Timeout: 60000", hold_back=False)

    assert out.message.lines[:-1] == (*ORIGINATE, "Timeout: 60000")
    assert (out.action.synchronous, out.action.deadline) == (True, 100.0 + 60 + GRACE)


def test_only_an_originate_may_hold_up_asterisk() -> None:
    """Other actions with such headers do not, nor one that is asynchronous there."""
    asynchronous = up(*ORIGINATE, "Async: true", "Timeout: 1e300")
    other = up("Action: Ping", "Timeout: 600000", "Async: no")

    assert not asynchronous.action.synchronous
    assert (other.action.synchronous, other.action.ringing) == (False, 0.0)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        ("", DEFAULT_RING),
        ("15000", 15.0),
        (" \t+15000ms", 15.0),
        ("1e300", 0.001),
        ("1.5", 0.001),
        ("0", 0.0),
        ("-1", LONGEST_RING),
        ("-99999999999999999999", 0.0),
        ("4294967297", 0.001),
        ("2147483648", LONGEST_RING),
        ("99999999999999999999", LONGEST_RING),
        ("9" * 5000, LONGEST_RING),
        ("nan", 0.0),
        ("inf", 0.0),
        ("0x10", 0.0),
        ("\u0661", 0.0),
        ("--1", 0.0),
        ("600001", LONGEST_RING),
    ],
)
def test_a_timeout_is_read_as_asterisk_reads_it(timeout: str, seconds: float) -> None:
    """By sscanf, into an int; and at most ten minutes count."""
    assert ringing(timeout) == seconds


@given(st.text(max_size=40) | st.integers().map(str))
def test_no_timeout_is_an_error_or_long(timeout: str) -> None:
    """Whatever a client writes."""
    assert 0.0 <= ringing(timeout) <= LONGEST_RING


#: What a client sends, and the ActionID that it means.
BOTH_WAYS: list[tuple[tuple[str, ...], str | None]] = [
    (("Action: Ping", "ActionID: 1"), "1"),
    (("Action: Ping", "actionid:   1", "X: y"), "1"),
    (("Action: Ping", "ActionID: " + "x" * 100), "x" * 100),
    (("Action: Ping", "ActionID: !n1"), "!n1"),
    (("Action: Ping", "ActionID: amp3-1"), "amp3-1"),
    (("Action: Ping",), None),
    (ORIGINATE, None),
    ((*ORIGINATE, "ActionID: 1"), "1"),
]


@pytest.mark.parametrize("mode", AutoFilter)
@pytest.mark.parametrize(("sent", "means"), BOTH_WAYS)
def test_an_action_id_comes_back_as_it_went(
    sent: tuple[str, ...], means: str | None, mode: AutoFilter
) -> None:
    """Whatever goes up in its place, the client's answer carries what the client gave."""
    ids = ActionIds()

    action = prepare(Message.of(*sent), ids, Session(mode), hold_back=True, now=0.0)

    assert action.given == means
    assert Message(action.raw).get("ActionID") == action.wire_id
    assert len(action.wire_id) <= MAX_WIRE_ID
    assert ids.given(action.wire_id) == (means if means != "x" * 100 else None)


@pytest.mark.parametrize(
    ("name", "textual", "echoed"),
    [("IAXnetstats", True, False), ("queues", True, False), ("Ping", False, False),
     ("UserEvent", False, True), ("ORIGINATE", False, True), ("SIPqualifypeer", True, True)],
)  # fmt: skip
def test_the_name_of_an_action_tells_how_it_is_answered(
    name: str, textual: bool, echoed: bool
) -> None:
    """With text that is no message; with an event for all."""
    action = up(f"Action: {name}").action

    assert (action.textual, action.echoed) == (textual, echoed)


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


@pytest.mark.parametrize(
    ("lines", "loads"),
    [
        (("Action: Reload",), True),
        (("Action: ModuleLoad", "LoadType: load"), True),
        (("Action: Command", "Command: core Reload"), True),
        (("Action: Command", "Command: module unload app_queue.so"), True),
        (("Action: UpdateConfig", "Reload: yes"), True),
        (("Action: UpdateConfig", "SrcFilename: x"), False),
        (("Action: Command", "Command: core show channels"), False),
        (("Action: Command", "Command: core show application Download"), False),
        (("Action: Command",), False),
        (("Action: QueueStatus", "Command: reload"), False),
    ],
)
def test_what_loads_something_anew_may_last(lines: tuple[str, ...], loads: bool) -> None:
    """Asterisk is silent meanwhile, and is not lost for that; all else it answers at once."""
    assert bool(up(*lines).action.occupies) is loads
