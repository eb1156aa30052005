# SPDX-License-Identifier: GPL-2.0-or-later
"""What calls of the recordings are told to be, from their first to their last event."""

from __future__ import annotations

import pytest

from tests.state.stories import stories

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
