# SPDX-License-Identifier: GPL-2.0-or-later
"""Parsing of actions, masks and filters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import events
from simulator.protocol import Input

STREAM = (
    b"Action: Ping\r\nActionID: 1\r\n\r\n"
    b"Action:Login\nUsername: joe\n\n\r\n"
    b"X: " + b"a" * 1300 + b"\r\nActionID: late\r\n\r\n" + b"H: v\r\n" * 130 + b"\r\n"
)


def read(*chunks: bytes) -> list[tuple[list[str], str]]:
    """Return lines and error of each action in *chunks*."""
    source = Input()
    found = []
    for chunk in chunks:
        source.feed(chunk)
        while (action := source.next()) is not None:
            found.append((action.lines, action.error))
    return found


@given(cuts=st.lists(st.integers(0, len(STREAM))))
def test_actions_do_not_depend_on_how_the_stream_is_cut(cuts: list[int]) -> None:
    """However TCP cuts the stream, the same actions come out."""
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in zip(edges, edges[1:])]

    assert read(*chunks) == read(STREAM)


@given(st.lists(st.binary(max_size=200)))
def test_any_bytes_are_read_without_an_exception(chunks: list[bytes]) -> None:
    """Actions come out, well-formed or not."""
    read(*chunks)


def test_the_raw_bytes_are_kept() -> None:
    """The raw bytes of all actions together are the stream."""
    source = Input()
    source.feed(STREAM)
    raw = []
    while (action := source.next()) is not None:
        raw.append(action.raw)

    assert b"".join(raw) == STREAM


@pytest.mark.parametrize(
    ("text", "wants_call", "wants_user"),
    [
        ("on", True, True),
        ("OFF", False, False),
        ("all", True, True),
        ("call", True, False),
        ("call,user", True, True),
        ("2", True, False),
        ("0", False, False),
        ("-1", False, False),
        ("garbage", False, False),
        ("\u00b2", False, False),
    ],
)
def test_event_masks_mean_what_they_mean_in_the_recording(
    text: str, wants_call: bool, wants_user: bool
) -> None:
    """Words, numbers and nonsense, as in h1_events_action."""
    mask = events.mask_of(text)

    assert bool(mask & events.CLASSES["call"]) is wants_call
    assert bool(mask & events.CLASSES["user"]) is wants_user


@given(st.text(max_size=40))
def test_any_filter_is_accepted_or_rejected(text: str) -> None:
    """A client's pattern never raises."""
    filters = events.Filters()
    filters.add(text)
    filters.passes(b"Event: X\r\n\r\n")


def test_an_event_repeats_the_header_of_a_list() -> None:
    """A list value becomes one header for each of its items, in order."""
    message = events.event("X", {"A": [1, 2], "B": ""})

    assert message == b"Event: X\r\nPrivilege: call,all\r\nA: 1\r\nA: 2\r\nB: \r\n\r\n"


@pytest.mark.parametrize(
    ("criteria", "text", "passes"),
    [
        ("action(exclude),name(UserEvent),header(Channel),method(exact)", "SIP/1", False),
        ("action(exclude),name(UserEvent),header(Channel),method(exact)", "SIP", True),
        ("action(exclude),name(Hangup)", "", True),
        ("action(include),name(UserEvent)", "", True),
        ("name(Hangup)", "", False),
        ("header(Channel),method(starts_with)", "SIP", True),
        ("header(Channel),method(ends_with)", "/1", True),
        ("header(Channel),method(contains)", "P/", True),
        ("header(Channel)", "X", False),
    ],
)
def test_match_criteria_select_events(criteria: str, text: str, passes: bool) -> None:
    """By the event's name, one of its headers, and the method of comparison."""
    filters = events.Filters()

    assert filters.add(events.criteria(criteria, text))
    assert filters.passes(events.event("UserEvent", {"Channel": "SIP/1", "B": "b"})) is passes


@given(st.text(max_size=40), st.text(max_size=20))
def test_any_match_criteria_are_accepted_or_rejected(criteria: str, text: str) -> None:
    """Malformed criteria give no pattern, and no exception."""
    pattern = events.criteria(criteria, text)
    if pattern:
        events.Filters().add(pattern)
