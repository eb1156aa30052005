# SPDX-License-Identifier: GPL-2.0-or-later
"""Classes: who sees which event, and how masks are read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.routing.classes import (
    AGENT,
    ALL,
    CALL,
    CLASSES,
    SYSTEM,
    describe_classes,
    event_mask,
    may_see,
    privilege_mask,
    read_classes,
)
from tests import recordings


@pytest.mark.parametrize(
    ("header", "mask"),
    [
        ("call,all", CALL),
        ("Call", CALL),
        ("system,call,all", SYSTEM | CALL),
        ("agent, all", AGENT),
        ("", 0),
        ("<none>", 0),
        ("all", 0),
        ("newclass,all", ALL),
    ],
)
def test_privilege_header(header: str, mask: int) -> None:
    """`all` is not a class of an event, and an unknown class needs all."""
    assert privilege_mask(header) == mask


@pytest.mark.parametrize(
    ("read", "event", "seen"),
    [(CALL, CALL, True), (CALL, AGENT, False), (CALL, CALL | SYSTEM, False), (ALL, ALL, True), (0, 0, True)],
)  # fmt: skip
def test_an_event_needs_all_its_classes(read: int, event: int, seen: bool) -> None:
    """As in Asterisk, one of several classes is not enough."""
    assert may_see(read, event) is seen


def blocks(data: bytes) -> list[str]:
    """Return the blocks of one side of a recorded session."""
    return data.decode("latin-1").replace("\r\n", "\n").split("\n\n")


def first(pattern: str, text: str) -> str:
    """Return the first group of *pattern* in *text*, or ""."""
    match = re.search(pattern, text)
    return match[1] if match else ""


def test_event_masks_are_read_as_asterisk_did() -> None:
    """on, off, lists, numbers and garbage, in recording h1_events_action."""
    answers = [one for one in blocks(recordings.said("h1_events_action")) if "Response" in one]
    asked = [one for one in blocks(recordings.asked("h1_events_action")) if "Action: Events" in one]
    assert len(asked) > 10
    for block in asked:
        identity = first(r"(ActionID: \S+)", block)
        [answer] = [one.splitlines()[-1] for one in answers if f"{identity}\n" in one]

        mask = event_mask(first("EventMask: (.*)", block))

        expected = f"Events: {'On' if mask else 'Off'}"
        assert answer == ("Message: Invalid event mask" if mask is None else expected)


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ("call,agent", CALL | AGENT),
        ("call, agent", CALL),  # Asterisk does not trim
        ("CALL", 0),
        ("Yes", ALL),
        ("2", CALL),
        ("99999999999999999999", ALL),
        ("\xb2", 0),
    ],
)
def test_event_mask(value: str, mask: int) -> None:
    """Lists name classes in lower case, numbers are bits."""
    assert event_mask(value) == mask


@given(st.text(max_size=60))
def test_any_mask_and_privilege_is_read(value: str) -> None:
    """Noise gives a mask within ALL."""
    mask = event_mask(value)
    assert mask is None or 0 <= mask <= ALL
    assert 0 <= privilege_mask(value) <= ALL
    assert 0 <= read_classes(value)[0] <= ALL


def test_read_and_write_lines() -> None:
    """Blanks and case around classes do not count; unknown words are returned."""
    assert read_classes("Call, agent ,,nonsense") == (CALL | AGENT, ["nonsense"])
    assert read_classes("all") == (ALL, [])
    assert read_classes("") == (0, [])
    assert describe_classes(CALL | AGENT) == "call, agent"
    assert describe_classes(ALL) == "everything"
    assert describe_classes(0) == "nothing"


def test_each_class_has_one_bit_of_its_own() -> None:
    """So that masks can be combined."""
    bits = [bit for name, bit in CLASSES.items() if name not in ("all", "none")]
    assert len(set(bits)) == len(bits)
    assert all(bit & (bit - 1) == 0 for bit in bits)
