# SPDX-License-Identifier: GPL-2.0-or-later
"""The client ends of the benchmarks expect the right events, and notice any that is wrong."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Callable, cast

import pytest

from benchmarks.agents import Centre
from benchmarks.ends import End
from benchmarks.events import END, call_events, single_events, stamped
from benchmarks.exact import Feed, Heard, Hearers
from benchmarks.processes import Failed
from benchmarks.views import WIRES, View

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.upstream import Upstream

EVENTS = call_events(4)
BATCH = b"".join(event.raw for event in EVENTS)


def view_of(*indices: int) -> View:
    """Return a view of one client that expects *indices*, or all."""
    view = View(WIRES["standard"], indices or range(len(EVENTS)))
    view.clients = 1
    return view


def test_view_accepts_a_whole_stream_however_it_is_cut() -> None:
    """Batches that arrive in pieces of any size are counted correctly."""
    stream = b"".join(stamped(BATCH, batch) for batch in (1, 2, 3))
    for size in (1, 7, 1000, len(stream)):
        view = view_of()

        for start in range(0, len(stream), size):
            view.take(start, stream[start : start + size])

        assert view.events == 3 * len(EVENTS)
        assert view.bounds[-1].end == len(stream)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda events: events[:3] + events[4:],
        lambda events: events[:3] + events[2:],
        lambda events: [events[1], events[0], *events[2:]],
        lambda events: [*events[:3], b"Response: Success\r\n\r\n", *events[3:]],
        lambda events: [*events[:-1], events[-1].replace(b"BenchId", b"Bench")],
    ],
    ids=["lost", "twice", "swapped", "stray", "spoilt"],
)
def test_view_finds_what_is_wrong(spoil: Callable[[list[bytes]], list[bytes]]) -> None:
    """A lost, doubled, misplaced or corrupt event, or a surplus message, is found."""
    events = spoil([event.raw for event in EVENTS])

    with pytest.raises(Failed):
        view_of().take(0, stamped(b"".join(events), 1))


def test_view_finds_a_client_that_got_other_bytes() -> None:
    """Clients with the same view must get the same bytes."""
    view = view_of()
    view.clients = 2
    stream = stamped(BATCH, 1)
    view.take(0, stream)

    view.take(0, stream[:100])
    with pytest.raises(Failed, match="different bytes"):
        view.take(100, stream[100:].replace(b"Load 1", b"Load 2"))


def test_view_expects_only_what_a_filter_lets_through() -> None:
    """A view of some events rejects the others."""
    seen = stamped(EVENTS[2].raw, 1) + stamped(EVENTS[5].raw, 1)

    view_of(2, 5).take(0, seen)
    with pytest.raises(Failed):
        view_of(2, 5).take(0, stamped(BATCH, 1))


def test_single_events_are_batches_of_their_own() -> None:
    """At a fixed rate each event is number 0 of its batch."""
    view = view_of()
    view.expect_singles()

    stream = b"".join(
        stamped(single, batch) for batch, single in enumerate(single_events(EVENTS), 1)
    )
    view.take(0, stream)

    assert len(view.bounds) == len(EVENTS)


def test_phones_that_ring_together_hear_each_other() -> None:
    """All of the call once they are in it, and before that how another phone began."""
    events = call_events(2, together=2)

    first, second = Centre(2, together=2).hears(events)

    assert [events[each.place].name for each in first[:3]] == ["Newchannel", "Newchannel", "VarSet"]
    assert [(each.place, each.when) for each in second[:3]] == [(1, 1), (0, 2), (2, 2)]
    assert [each.place for each in second[2:] if each.place < 11] == list(range(2, 11))

    again = Centre(2, together=2).hears(events * 2)[1][len(second) :]
    assert [each.place - len(events) for each in again] == [each.place for each in second]


@pytest.fixture
def heard() -> Iterator[Callable[..., int]]:
    """Return what takes bytes for an agent who expects all of EVENTS in batches 3, 4..., in order."""
    ours, theirs = socket.socketpair()
    feed = Feed(cast("Upstream", None))
    feed.sent = 3
    with ours, theirs, Hearers(EVENTS, feed) as hearers:
        hearers.add([End(0, ours)], [[Heard(each, each) for each in range(len(EVENTS))]])
        hearers.expect(len(EVENTS))

        def take(data: bytes, size: int = 10**6, events: int = len(EVENTS)) -> int:
            pieces = (data[start : start + size] for start in range(0, len(data), size))

            def wanted() -> int:
                theirs.sendall(next(pieces, b""))
                return events

            hearers.receive(wanted)
            return hearers.heard

        yield take


def from_proxy(events: list[bytes], batch: int = 3) -> bytes:
    """Return *events* as the proxy writes them."""
    return stamped(b"".join(events), batch).replace(END, b"\r\nServer: 127.0.0.1" + END)


@pytest.mark.parametrize("size", [1, 100, 10**6])
def test_an_agent_hears_what_is_expected(heard: Callable[..., int], size: int) -> None:
    """Every event, once, again and again, however the bytes are cut."""
    raws = [event.raw for event in EVENTS]
    data = from_proxy(raws) + from_proxy(raws, batch=4)

    assert heard(data, size, 2 * len(EVENTS)) == 2 * len(EVENTS)


@pytest.mark.parametrize(
    ("spoil", "batch"),
    [
        (lambda events: [*events[:3], *events[4:]], 3),
        (lambda events: [*events[:3], *events[2:]], 3),
        (lambda events: [events[1], events[0], *events[2:]], 3),
        (lambda events: [*events, b"Response: Success\r\n\r\n"], 3),
        (lambda events: [*events[:-1], events[-1].replace(b"Load", b"Lord")], 3),
        (lambda events: [*events[:-1], events[-1].replace(b"@-", b"@+")], 3),
        (lambda events: events, 4),
    ],
    ids=["lost", "twice", "swapped", "stray", "spoilt", "spoilt behind", "of another batch"],
)
def test_an_agent_notices_what_is_wrong(
    heard: Callable[[bytes], int], spoil: Callable[[list[bytes]], list[bytes]], batch: int
) -> None:
    """As do clients who see everything."""
    with pytest.raises(Failed, match="client 0 got"):
        heard(from_proxy(spoil([event.raw for event in EVENTS]), batch))
