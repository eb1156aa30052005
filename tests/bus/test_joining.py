# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries in a row become one that says the same; all others stay apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.entries import Entry, decode_entry, encode_entry
from amiproxy.bus.joining import ENOUGH, Run
from tests.bus.values import EVENT


def events(after: int, *wires: bytes, epoch: int = 7, sent: int = 0) -> bytes:
    """Return an entry of events behind event *after*."""
    return encode_entry(Entry(b"E", epoch, after, len(wires), sent, b"".join(wires)))


ONE = b"Event: A\r\n\r\n"


@given(st.lists(st.lists(EVENT, min_size=1, max_size=3), min_size=1, max_size=5))
def test_entries_in_a_row_become_one(groups: list[list[bytes]]) -> None:
    """With all their events, behind the same one, sent when the first was."""
    after, bodies = 10, []
    for number, group in enumerate(groups):
        bodies.append(events(after, *group, sent=number))
        after += len(group)
    run = Run(bodies[0])

    assert all(run.takes(body) for body in bodies[1:])
    wires = [wire for group in groups for wire in group]
    assert decode_entry(run.joined()) == Entry(b"E", 7, 10, len(wires), 0, b"".join(wires))


@pytest.mark.parametrize(
    "other",
    [events(12, ONE), events(10, ONE), events(11, ONE, epoch=8), b"", b"rubbish",
     encode_entry(Entry(b"N", 7, 11, 1, 0, ONE)), encode_entry(Entry(b"P", 7, 11, 0, 0)),
     events(11, b"Event: A\r\nX: " + b"x" * ENOUGH + b"\r\n\r\n")],
    ids=["later", "earlier", "epoch", "nothing", "rubbish", "notice", "place", "large"],
)  # fmt: skip
def test_what_is_not_in_a_row_stays_apart(other: bytes) -> None:
    """Whichever comes first."""
    body = events(10, ONE)
    for first, second in ((body, other), (other, events(12, ONE, ONE, epoch=9))):
        run = Run(first)
        assert not run.takes(second)
        assert run.joined() == first
