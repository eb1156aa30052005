# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows about agents expect the right events, and notice any that is wrong."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Callable, cast

import pytest

from benchmarks.agents import Centre
from benchmarks.ends import End
from benchmarks.events import END, call_events, stamped
from benchmarks.exact import Feed, Heard, Hearers
from benchmarks.processes import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.upstream import Upstream

EVENTS = call_events(4)


def test_phones_that_ring_together_hear_each_other() -> None:
    """All of the call once they are in it, and before that how another phone began."""
    events = call_events(2, together=2)

    first, second = Centre(2, together=2).hears(events)

    assert [events[each.place].name for each in first[:3]] == ["Newchannel", "Newchannel", "VarSet"]
    assert [(each.place, each.when) for each in second[:3]] == [(1, 1), (0, 2), (2, 2)]
    assert [each.place for each in second[2:] if each.place < 11] == list(range(2, 11))


@pytest.fixture
def heard() -> Iterator[Callable[[bytes], int]]:
    """Return what takes bytes for an agent who expects all of EVENTS in batch 3, in order."""
    ours, theirs = socket.socketpair()
    feed = Feed(cast("Upstream", None))
    feed.sent = 3
    with ours, theirs, Hearers(EVENTS, feed) as hearers:
        hearers.add([End(0, ours)], [[Heard(each, each) for each in range(len(EVENTS))]])
        hearers.expect(len(EVENTS))

        def take(data: bytes) -> int:
            theirs.sendall(data)
            hearers.receive(lambda: len(EVENTS))
            return hearers.heard

        yield take


def from_proxy(events: list[bytes], batch: int = 3) -> bytes:
    """Return *events* as the proxy writes them."""
    return stamped(b"".join(events), batch).replace(END, b"\r\nServer: 127.0.0.1" + END)


def test_an_agent_hears_what_is_expected(heard: Callable[[bytes], int]) -> None:
    """Every event, once."""
    assert heard(from_proxy([event.raw for event in EVENTS])) == len(EVENTS)


@pytest.mark.parametrize(
    ("spoil", "batch"),
    [
        (lambda events: [*events[:3], *events[4:]], 3),
        (lambda events: [*events[:3], *events[2:]], 3),
        (lambda events: [events[1], events[0], *events[2:]], 3),
        (lambda events: [*events, b"Response: Success\r\n\r\n"], 3),
        (lambda events: [*events[:-1], events[-1].replace(b"Load", b"Lord")], 3),
        (lambda events: events, 4),
    ],
    ids=["lost", "twice", "swapped", "stray", "spoilt", "of another batch"],
)
def test_an_agent_notices_what_is_wrong(
    heard: Callable[[bytes], int], spoil: Callable[[list[bytes]], list[bytes]], batch: int
) -> None:
    """As do clients who see everything."""
    with pytest.raises(Failed, match="client 0 got"):
        heard(from_proxy(spoil([event.raw for event in EVENTS]), batch))
