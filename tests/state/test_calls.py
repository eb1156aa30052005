# SPDX-License-Identifier: GPL-2.0-or-later
"""What calls of the recordings are told to be, from their first to their last event."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.state.model import ServerModel
from amiproxy.state.table import Query
from tests.state.invariants import LIMIT
from tests.state.stories import line_of, stories
from tests.state.test_channels import block, bridge, event, model_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What comes and goes within one read between two of the states below.
PASSING = ("application", "dialling")

STORIES = {
    "pjsip_basic": ["ringing 101>102 (1)", "talking 101>102", "ended 101>102 16"],
    "asterisk11_basic": ["ringing 101>102 (1)", "talking 101>102", "ended 101>102 16"],
    "pjsip_hold": [
        "ringing 101>102 (1)", "talking 101>102", "hold 101>102", "talking 101>102",
        "hold 101>102", "talking 101>102", "ended 101>102 16",
    ],
    "asterisk11_hold": [
        "ringing 101>102 (1)", "talking 101>102", "hold 101>102", "talking 101>102",
        "hold 101>102", "talking 101>102", "ended 101>102 16",
    ],
    # The transferee dials on: the same call, another To.
    "pjsip_blind": [
        "ringing 101>102 (1)", "talking 101>102", "ringing 102>103 (1)", "talking 102>103",
        "ended 102>103 16",
    ],
    "pjsip_blind_callee": [
        "ringing 101>102 (1)", "talking 101>102", "ringing 101>104 (1)", "talking 101>104",
        "ended 101>104 16",
    ],
    # Who picks up had another Linkedid, and no event says that it changes.
    "pjsip_pickup": [
        "ringing 101>102 (1)", "ringing 101>103 (1)", "talking 101>103", "ended 101>103 16",
    ],
    "asterisk11_pickup": [
        "ringing 101>102 (1)", "ringing 101>103 (1)", "talking 101>103", "ended 101>103 16",
    ],
    "pjsip_ringgroup": [
        "ringing 104>105 (1)", "ringing 104> (2)", "ringing 104>105 (1)", "talking 104>105",
        "ended 104>105 16",
    ],
    "asterisk11_ringgroup": [
        "ringing 104>105 (1)", "ringing 104> (2)", "ringing 104>105 (1)", "talking 104>105",
        "ended 104>105 16",
    ],
    # 102 is parked by 101, and 103 fetches it.
    "pjsip_park": [
        "ringing 101>102 (1)", "talking 101>102", "parked 101>102", "talking 101>102",
        "talking 102>103", "ended 102>103 16",
    ],
    # Three calls in one conference stay three.
    "pjsip_conf": ["conference 101>800", "ended 101>800 16"],
    "asterisk11_conf": ["conference 101>800", "ended 101>800 None"],
    "f1_confbridge": ["conference 700>stay", "ended 700>stay 16"],
    "pjsip_queue": [
        "waiting 105>600", "waiting 105>103 (1)", "waiting 105> (2)", "waiting 105>103 (1)",
        "ringing 105>103 (1)", "talking 105>103", "ended 105>103 16",
    ],
    "asterisk11_queue": ["waiting 105>600", "talking 105>103", "ended 105>103 16"],
    "d9_iax_calls": ["ringing 104>107 (1)", "talking 104>107"],
    # Local channels are no parties, unless there is nothing else.
    "d2_local_optimize": ["ringing 301>", "ended 301> 16"],
    "d1_dial_bridge": ["ringing 200>110 (1)"],
}  # fmt: skip


@pytest.mark.parametrize("name", STORIES)
def test_the_first_call_of_a_recording(name: str) -> None:
    """Its states, parties and cause, one line for each change."""
    first = stories(name, *PASSING)[0]

    wanted = STORIES[name]
    assert first[: len(wanted)] == wanted


def test_an_attended_transfer_makes_one_call_of_two() -> None:
    """The elder stays, and goes on with who is left; the other has become part of it."""
    first, _, second, _ = stories("asterisk11_attended", *PASSING)

    assert first[:3] == ["ringing 101>102 (1)", "talking 101>102", "hold 101>102"]
    assert first[-2:] == ["talking 102>103", "ended 102>103 16"]
    assert second == ["ringing 101>103 (1)", "talking 101>103", "ended 101> merged"]


def test_the_calls_of_a_queue() -> None:
    """One answered after another, the last one given up by the caller while a phone rings."""
    calls = stories("pjsip_queue", *PASSING)

    assert [call[-1] for call in calls] == [
        "ended 105>103 16", "ended 106>101 16", "ended 106>102 16", "ended 106>601 16",
    ]  # fmt: skip
    assert "waiting 106>105 (1)" in calls[3]
    assert not any(line.startswith("talking") for line in calls[3])


def test_a_parked_call_that_nobody_fetches_comes_back() -> None:
    """The phone that parked it rings: the same call still."""
    second = stories("pjsip_park", *PASSING)[2]

    assert second == [
        "ringing 101>102 (1)", "talking 101>102", "parked 101>102", "ringing 101>102 (1)",
        "talking 101>102", "talking 102>101", "ended 102>101 16",
    ]  # fmt: skip


def test_failed_calls_end_with_their_cause() -> None:
    """Busy, rejected, given up while it rang, unallocated: what Hangup says last."""
    assert [call[-1] for call in stories("pjsip_failures", *PASSING)] == [
        "ended 101>102 17", "ended 101>102 21", "ended 101>102 127", "ended 101>904 17",
        "ended 101>905 34",
    ]  # fmt: skip


def test_an_attended_transfer_of_asterisk_13_and_later() -> None:
    """Two calls of one phone; the others meet in one bridge, the phone hangs up."""
    model = model_of(
        event("Newchannel", *block("1", 4)), event("Newchannel", *block("2", 0, Linkedid="1")),
        event("DialBegin", *block("1", 4), *block("2", 5, "Dest", Linkedid="1")),
        event("BridgeCreate", *bridge("a")),
        event("BridgeEnter", *bridge("a"), *block("2", Linkedid="1")),
        event("BridgeEnter", *bridge("a"), *block("1")),
        event("Newchannel", *block("3", 4)), event("Newchannel", *block("4", 0, Linkedid="3")),
        event("DialBegin", *block("3", 4), *block("4", 5, "Dest", Linkedid="3")),
        event("BridgeCreate", *bridge("b")),
        event("BridgeEnter", *bridge("b"), *block("4", Linkedid="3")),
        event("BridgeEnter", *bridge("b"), *block("3")),
    )  # fmt: skip
    assert lines(model) == {"1": "talking 1>2", "3": "talking 3>4"}

    for message in (
        event("BridgeLeave", *bridge("b"), *block("4", Linkedid="3")),
        event("BridgeEnter", *bridge("a"), *block("4", Linkedid="3"), "SwapUniqueid: 1"),
        event("BridgeLeave", *bridge("a"), *block("1")),
        event("Hangup", *block("1"), "Cause: 16"),
        event("BridgeLeave", *bridge("b"), *block("3")),
        event("Hangup", *block("3"), "Cause: 16"),
    ):
        model.apply(message, 1001.0)
    assert lines(model) == {"1": "talking 2>4", "3": "ended 3> merged"}


def test_channels_that_part_are_two_calls() -> None:
    """The part with the oldest channel keeps the id; the other has one of its own."""
    model = model_of(
        event("Newchannel", *block("1")), event("Newchannel", *block("2")),
        event("BridgeCreate", *bridge("a")),
        event("BridgeEnter", *bridge("a"), *block("1")),
        event("BridgeEnter", *bridge("a"), *block("2")),
    )  # fmt: skip
    assert lines(model) == {"1": "talking 1>2"}

    # It has its own Linkedid again: it was redirected to something else.
    model.apply(event("BridgeLeave", *bridge("a"), *block("2", Linkedid="1")), 1001.0)
    model.apply(event("Newstate", *block("2", 5, Linkedid="2")), 1001.0)
    assert lines(model) == {"1": "application 1>200", "2": "ringing 2>200"}


def test_strangers_in_one_parking_lot_stay_strangers() -> None:
    """Nor do conferences and agent pools make one call of many."""
    for kind, state in (
        ("parking", "parked"),
        ("base", "conference"),
        ("agent_hold", "application"),
    ):
        model = model_of(
            event("Newchannel", *block("1")), event("Newchannel", *block("2")),
            event("BridgeCreate", *bridge("lot", kind)),
            event("BridgeEnter", *bridge("lot", kind), *block("1")),
            event("BridgeEnter", *bridge("lot", kind), *block("2")),
        )  # fmt: skip
        assert lines(model) == {"1": f"{state} 1>200", "2": f"{state} 2>200"}


def test_a_caller_waits_also_without_the_events_of_queues() -> None:
    """The application tells, or QueueStatus."""
    queue = [*block("1"), "Extension: 200", "Application: Queue", "AppData: support,t"]
    model = model_of(event("Newchannel", *block("1")), event("Newexten", *queue))

    (row,) = model.rows("calls", 1000.0)
    assert (row.fields["state"], row.fields["queue"]) == ("waiting", "support")
    entry = Message.of("Event: QueueEntry", "Queue: sales", "Uniqueid: 1", "Wait: 30")
    model.take_list(Query("QueueStatus"), [entry], 1010.0)
    (row,) = model.rows("calls", 1010.0)
    assert (row.fields["since"], row.fields["queue"]) == (980.0, "sales")


def test_a_phone_that_originate_calls_is_dialled_until_it_rings() -> None:
    """AppDial2 is what Asterisk has run in its channel until somebody answers."""
    runs = ["Extension: s", "Application: AppDial2", "AppData: (Outgoing Line)"]
    model = model_of(
        event("Newchannel", *block("1", 0)), event("Newexten", *block("1", 0), *runs)
    )  # fmt: skip
    assert lines(model) == {"1": "dialling 1>200"}

    model.apply(event("Newstate", *block("1", 5)), 1001.0)
    assert lines(model) == {"1": "ringing 1>200"}
    model.apply(event("Newstate", *block("1", 6)), 1002.0)
    assert lines(model) == {"1": "application 1>200 AppDial2"}


def memory_of(messages: Sequence[Message]) -> int:
    """Return how many bytes a model takes for *messages*."""
    model = ServerModel(LIMIT)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for message in messages:
            model.apply(Message(message.raw), 1000.0)
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()


def test_memory_of_a_channel() -> None:
    """At most one and a half kilobytes, its call included."""
    count = 1000
    messages = [
        event("Newchannel", *block(f"1795686178.{n}", CallerIDName=f"Phone {n}"))
        for n in range(count)
    ]
    # The least of three: what other threads take meanwhile is counted, too.
    used = min(memory_of(messages) for _ in range(3))

    assert used / count < 1500


def lines(model: ServerModel) -> dict[str, str]:
    """Return each call by its key, in short."""
    return {row.key: line_of(row) for row in model.rows("calls", 1001.0)}
