# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes upstream is what was checked, and nothing Asterisk would cut or read otherwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.upstream import GRACE, prepare, problem

LIMITS = Limits()
ORIGINATE = ("Action: Originate", "Channel: SIP/1")


def up(*lines, mode=AutoFilter.UNIQUE, hold_back=True):
    return prepare(Message.of(*lines), ActionIds(), 7, mode, hold_back=hold_back, now=100.0)


def test_in_unique_the_action_id_is_prefixed_in_its_place():
    """Order, case and every other header stay."""
    out = up("ACTION: pInG", "actionid: X1", "X: y")

    assert out.message.lines == ("ACTION: pInG", "actionid: amp7-X1", "X: y")
    assert out.request.wire_id == "amp7-X1"


@pytest.mark.parametrize("given", [(), ("ActionID: ",)])
def test_an_action_without_id_gets_one_in_unique(given):
    """So its answer is found; an empty one is none."""
    out = up("Action: Ping", *given)

    assert out.message.get("ActionID") == out.request.wire_id
    assert out.request.wire_id.startswith("amp7-!n")


def test_otherwise_an_action_goes_up_as_it_came():
    """In off and on nothing is changed."""
    lines = ("Action: Ping", "ActionID: 1", "Server: here")

    assert up(*lines, mode=AutoFilter.OFF).message.lines == lines
    assert up("Action: Ping", mode=AutoFilter.OFF).request.wire_id is None


def test_the_proxy_key_stays_here():
    """It is a secret of the proxy's (spec 12.21)."""
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
def test_a_synchronous_originate_is_made_asynchronous(given, held):
    """Whatever Asterisk takes for yes is asynchronous already (ast_true)."""
    out = up(*ORIGINATE, *given, mode=AutoFilter.OFF)

    assert out.request.held_back is held
    assert out.message.get("Async").lower() in ("true", "1", "yes")
    assert (out.request.wire_id is not None) is held


def test_originateasync_no_leaves_an_originate_alone():
    """It goes up as it came, and the silence it makes is expected."""
    out = up(*ORIGINATE, "Timeout: 60000", mode=AutoFilter.OFF, hold_back=False)

    assert out.message.lines == (*ORIGINATE, "Timeout: 60000")
    assert out.request.deadline == 100.0 + 60 + GRACE


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
def test_what_asterisk_would_cut_or_read_otherwise_is_refused(message, why):
    """Line, header and injection limits, each with its own reason (spec 12.7, 12.17)."""
    told = problem(message, LIMITS)

    assert told == why if why is None else told.startswith(why)


@given(st.lists(st.text(st.characters(max_codepoint=255), max_size=40), min_size=1, max_size=6))
def test_what_passes_is_one_message(lines):
    """Nothing that passes holds a second message, a blank line or a NUL."""
    message = Message.of(*lines)

    if problem(message, LIMITS) is None:
        assert message.raw.endswith(b"\r\n\r\n")
        body = message.raw[:-4].split(b"\n")
        assert all(line.endswith(b"\r") for line in body[:-1])
        assert b"\0" not in message.raw
        assert b"\r\n\r\n" not in message.raw[:-4]
