# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that act on one client instead of the shared session: Events, Filter, WaitEvent."""

from __future__ import annotations

import pytest

from amiproxy.routing.classes import ALL, CLASSES
from amiproxy.threads.actions.local import MAX_WAIT, finish_wait
from tests.threads.actions.support import Client


@pytest.mark.parametrize(
    ("mask", "answer", "classes"),
    [
        ("off", ["Response: Success", "Events: Off"], 0),
        ("on", ["Response: Success", "Events: On"], ALL),
        ("call", ["Response: Success", "Events: On"], CLASSES["call"]),
    ],
)
def test_events_sets_the_mask_of_this_client(mask: str, answer: list[str], classes: int) -> None:
    """And says whether any class is left."""
    client = Client()

    assert client.ask("Action: Events", f"EventMask: {mask}") == answer
    assert client.session.event_mask == classes


def test_an_empty_mask_changes_nothing() -> None:
    """It is an error."""
    client = Client()

    answer = client.ask("Action: Events", "EventMask:")

    assert answer == ["Response: Error", "Message: Invalid event mask"]
    assert client.session.event_mask == ALL


def test_filters_of_a_client_add_up() -> None:
    """Each Filter adds one; a wrong one changes nothing."""
    client = Client()
    for number in (1, 2):
        answer = client.ask("Action: Filter", "Operation: Add", f"Filter: Channel: SIP/{number}")
        assert answer[0] == "Response: Success"
    filters = client.session.own_filters
    assert filters is not None
    assert len(filters.includes) == 2

    answer = client.ask("Action: Filter", "Operation: Remove", "Filter: x")

    assert answer[0] == "Response: Error"
    assert client.session.own_filters == filters


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [("5", 5), ("0", 0), ("-1", MAX_WAIT), ("", MAX_WAIT), ("x", MAX_WAIT), ("nan", MAX_WAIT)],
)
def test_waitevent_waits_for_a_bounded_time(timeout: str, seconds: float) -> None:
    """Its Timeout, or an hour; it is not answered before it is over."""
    client = Client()

    outcome = client.handle("Action: WaitEvent", f"Timeout: {timeout}")

    assert outcome.stays
    assert outcome.wait is not None
    assert 0 <= seconds - outcome.wait.deadline.left() < 5
    assert client.session.told == []


def test_a_waitevent_that_is_over_is_answered_once() -> None:
    """With the response and the event that completes it (recording h4)."""
    client = Client()
    session = client.session
    session.waiting_for_event = client.handle("Action: WaitEvent", "ActionID: 7").wait

    finish_wait(session)
    finish_wait(session)

    assert session.waiting_for_event is None
    assert session.told == [
        ["Response: Success", "ActionID: 7", "Message: Waiting for Event completed."],
        ["Event: WaitEventComplete", "ActionID: 7"],
    ]
