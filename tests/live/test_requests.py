# SPDX-License-Identifier: GPL-2.0-or-later
"""What live clients say, read as values."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.limits import Limits
from amiproxy.live import requests
from amiproxy.live.requests import Ask, Asked, Ping, Subscription, WrongError, read
from amiproxy.routing.selection import Selection

LIMITS = Limits(1024, 128, 65536)


def said(**members: Any) -> Asked:
    """Return what *members* ask."""
    return read(json.dumps(members), LIMITS)


def wrong(text: str) -> WrongError:
    """Return what is wrong with *text*."""
    with pytest.raises(WrongError) as caught:
        read(text, LIMITS)
    return caught.value


def test_an_action_is_its_headers() -> None:
    """Numbers as they are written, arrays as repeated headers, the server as one."""
    asked = said(
        type="action",
        id="7",
        server="pbx1",
        action={"Action": "Originate", "Variable": ["a=1", "b=2"], "Priority": 1, "Async": True},
    )

    assert asked.id == "7"
    assert isinstance(asked.wanted, Ask)
    assert asked.wanted.message.lines == (
        "Action: Originate",
        "Variable: a=1",
        "Variable: b=2",
        "Priority: 1",
        "Async: true",
        "Server: pbx1",
    )


def test_a_bare_action_is_called_by_its_action_id() -> None:
    """As programs write it that know AMI."""
    asked = said(Action="Ping", ActionID="x9")

    assert (asked.id, isinstance(asked.wanted, Ask)) == ("x9", True)


def test_a_number_in_an_action_stays_as_it_is_written() -> None:
    """1.10 is not 1.1 in a dialplan."""
    asked = read('{"Action":"Setvar","Variable":"v","Value":1.10}', LIMITS)

    assert isinstance(asked.wanted, Ask)
    assert asked.wanted.message.get("Value") == "1.10"


@pytest.mark.parametrize("text", ["a\r\nAction: Hangup", "a\nb", "a\0b", "\r"])
@pytest.mark.parametrize("place", ["name", "value", "server"])
def test_no_line_gets_into_an_action(text: str, place: str) -> None:
    """Neither by a name, nor by a value, nor by the server."""
    members: dict[str, Any] = {"type": "action", "id": 1, "action": {"Action": "Ping"}}
    if place == "server":
        members["server"] = text
    elif place == "name":
        members["action"][text] = "x"
    else:
        members["action"]["Channel"] = text

    error = wrong(json.dumps(members))

    assert (error.id, error.problem.kind) == (1, "bad-request")


def test_a_subscription() -> None:
    """Names, beginnings, servers, rows and from where on."""
    asked = said(
        type="subscribe",
        id=8,
        events=["Hangup", "Dial*"],
        server="pbx1",
        state=["calls"],
        where={"queue": ["support", "sales"]},
        since="abcdefgh.1-2",
    )

    assert asked == Asked(
        8,
        Subscription(
            Selection(frozenset({"hangup"}), ("dial",), frozenset({"pbx1"})),
            ("calls",),
            {"queue": ("support", "sales"), "server": ("pbx1",)},
            "abcdefgh.1-2",
        ),
    )


def test_unknown_members_are_ignored() -> None:
    """A newer client may say more."""
    assert said(type="ping", id="p", colour="red") == Asked("p", Ping())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no JSON"),
        ("[]", "one JSON object"),
        ("NaN", "no JSON"),
        ('{"type":"ping","type":"ping"}', "twice"),
        ('{"type":"dance"}', "subscribe"),
        ('{"type":"action","action":{}}', "Action"),
        ('{"type":"action","action":{"Action":null}}', "Action"),
        ('{"type":"action","action":{"Action":"Ping"},"server":["a","b"]}', "one server"),
        ('{"type":"subscribe","events":"Hang up"}', "events"),
        ('{"type":"subscribe","events":["a*b"]}', "events"),
        ('{"type":"subscribe","state":[7]}', "state"),
        ('{"type":"subscribe","where":[]}', "where"),
        ('{"type":"subscribe","since":"yesterday"}', "since"),
        ('{"type":"ping","id":1.5}', "id"),
        ('{"type":"ping","id":{}}', "id"),
        ('{"type":"action","action":{"Action":"\\ud800"}}', "surrogate"),
        ("[" * 50000, "nested too deep"),
    ],
)
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    """In words that say what to do."""
    assert words in str(wrong(text))


def test_there_may_be_64_patterns() -> None:
    """And no more: each costs time for each event."""
    said(type="subscribe", events=["E"] * requests.MOST)

    error = wrong(json.dumps({"type": "subscribe", "events": ["E"] * (requests.MOST + 1)}))

    assert "64" in str(error)


def test_a_url_subscribes() -> None:
    """The same by fields; without any it does not."""
    fields = [("events", "Hangup,Dial*"), ("state", "calls"), ("where.queue", "a,b"), ("x", "y")]

    found = requests.of_fields(fields)

    assert found == Subscription(
        Selection(frozenset({"hangup"}), ("dial",)), ("calls",), {"queue": ("a", "b")}
    )
    assert requests.of_fields([("ticket", "x")]) is None
    # The words that /events has, too.
    rows = requests.of_fields([("snapshot", "calls")])
    assert rows is not None
    assert rows.kinds == ("calls",)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_NAMES = ["type", "id", "action", "server", "events", "state", "where", "since", "Action"]
_EXAMPLES = int(os.environ.get("ASTMANPROXY_FRAMES", "80"))


@settings(max_examples=_EXAMPLES)
@given(
    st.one_of(
        st.text(max_size=60),
        st.dictionaries(
            st.sampled_from(_NAMES),
            st.sampled_from(["action", "subscribe", "ping"]) | _JSON,
            max_size=6,
        ).map(json.dumps),
    )
)
def test_any_text_is_a_request_or_a_problem(text: str) -> None:
    """Whatever it is; and what is to be sent upstream is one block of lines."""
    try:
        asked = read(text, LIMITS)
    except WrongError as error:
        assert error.problem.status == 400  # noqa: PT017 - it is one of two good ends
    else:
        if isinstance(asked.wanted, Ask):
            raw = asked.wanted.message.raw
            assert raw.endswith(b"\r\n\r\n")
            assert raw.count(b"\r\n\r\n") == 1
            assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
            assert b"\0" not in raw
