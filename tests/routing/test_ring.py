# SPDX-License-Identifier: GPL-2.0-or-later
"""Ring: what one Asterisk said last, for whoever was not there."""

from __future__ import annotations

import threading
import time
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.links import Links
from amiproxy.routing.ring import OVERHEAD, START, Entry, Place, Reader, Ring
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import PROXY, Routed

_EVENT = b"Event: X\r\nN: %d\r\n\r\n"


def batch(epoch: int, after: int, count: int, *, scope: str = "pbx") -> Batch:
    """Return a batch of *count* events, which say their numbers."""
    made = Batch(scope, b"".join(_EVENT % (after + 1 + each) for each in range(count)))
    made.epoch, made.after, made.names = epoch, after, frozenset({scope})
    return made


def filled(*batches: Batch, limit: int = 10**6) -> Ring:
    """Return a ring to which *batches* came."""
    ring = Ring(limit)
    for number, each in enumerate(batches):
        ring.append(each, float(number))
    return ring


def read(reader: Reader) -> list[Entry]:
    """Return all that there is for *reader* now."""
    found = []
    while (entry := reader.next()) is not None:
        found.append(entry)
    return found


def told(ring: Ring, place: Place = START) -> list[tuple[int, int, int, bool]]:
    """Return what a reader from behind *place* is told: epoch, after, upto, whether it is lost."""
    return [(each.epoch, each.after, each.upto, each.lost) for each in read(ring.read(place))]


def test_a_reader_gets_what_came_behind_its_place() -> None:
    """From the batch on that holds the next event, with the numbers it had."""
    ring = filled(batch(1, 0, 3), batch(1, 3, 2), batch(1, 5, 1))

    assert told(ring, (1, 3)) == [(1, 3, 5, False), (1, 5, 6, False)]
    assert told(ring, (1, 4)) == [(1, 3, 5, False), (1, 5, 6, False)]
    assert told(ring, (1, 6)) == []


def test_an_entry_is_the_batch_again() -> None:
    """Its messages, scope, names and numbers."""
    entry = filled(batch(7, 4, 2)).head
    assert entry is not None
    again = entry.batch()

    assert (again.scope, again.kind) == ("pbx", BatchKind.EVENTS)
    assert again.names == {"pbx"}
    assert (again.epoch, again.after, again.upto) == (7, 4, 6)
    assert again.wire == _EVENT % 5 + _EVENT % 6


def test_answers_are_for_nobody_else() -> None:
    """Of a batch with answers in it the events are kept, and what the proxy asked to keep."""
    event, answer, own = (Message.of(name) for name in ("Event: A", "Response: B", "Event: C"))
    mixed = Batch.of_items(
        "pbx",
        [
            Routed(event, action_id="x", asker=5),
            Routed(answer, owner=5, private=True),
            Routed(own, owner=PROXY, private=True, request_id="r", final=True),
        ],
    )
    mixed.epoch = 1
    (entry,) = read(filled(mixed).read(START))
    items = entry.batch().items

    assert [(item.message, item.action_id, item.asker, item.final) for item in items] == [
        (event, "x", 5, False),
        (own, None, 0, True),
    ]
    only_answer = Batch.of_items("pbx", [Routed(answer, owner=5)])
    assert filled(only_answer).head is None


def test_what_a_message_meant_for_calls_is_kept() -> None:
    """A client that follows calls is shown the right ones later."""
    links, made = Links(("1.1",)), batch(1, 0, 2)
    made.items[0].message.links = links
    entry = filled(made).head
    assert entry is not None

    assert [item.message.links for item in entry.batch().items] == [links, None]


def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    """Whoever wanted them is told which are lost, in their place."""
    one = OVERHEAD + len(_EVENT % 1)
    ring = filled(*(batch(1, each, 1) for each in range(5)), limit=2 * one)

    assert ring.size == 2 * one
    assert told(ring) == [(1, 0, 3, True), (1, 3, 4, False), (1, 4, 5, False)]
    assert told(ring, (1, 2)) == [(1, 2, 3, True), (1, 3, 4, False), (1, 4, 5, False)]


def test_what_is_longer_than_the_ring_is_lost_alone() -> None:
    """What came before it stays, and the ring is never larger than its limit."""
    ring = filled(batch(1, 0, 1), batch(1, 1, 100), batch(1, 101, 1), limit=3 * OVERHEAD + 100)

    assert told(ring) == [(1, 0, 1, False), (1, 1, 101, True), (1, 101, 102, False)]
    assert ring.size <= ring.limit


def test_what_is_too_old_goes() -> None:
    """With the next event."""
    ring = Ring(10**6, seconds=10)
    for number in range(3):
        ring.append(batch(1, number, 1), 100.0 + number * 6)

    assert told(ring) == [(1, 0, 1, True), (1, 1, 2, False), (1, 2, 3, False)]
    assert ring.age(115.0) == 9.0


def test_a_lost_connection_does_not_empty_it() -> None:
    """The end of the old epoch is there, before the new one."""
    ring = filled(batch(1, 0, 2), batch(1, 2, 1), batch(4, 0, 1))

    assert told(ring, (1, 2)) == [(1, 2, 3, False), (4, 0, 1, False)]


def test_the_end_of_an_epoch_is_lost_by_its_number() -> None:
    """What was dropped of the old epoch and of the new one, each."""
    one = OVERHEAD + len(_EVENT % 1)
    batches = (batch(1, 0, 2), batch(4, 0, 1), batch(4, 1, 1))

    assert told(filled(*batches, limit=2 * one), (1, 1)) == [
        (1, 1, 2, True), (4, 0, 1, False), (4, 1, 2, False)
    ]  # fmt: skip
    assert told(filled(*batches, limit=one), (1, 1)) == [(4, 0, 1, True), (4, 1, 2, False)]


def test_events_that_came_while_nothing_was_kept_are_lost() -> None:
    """As if they had been dropped."""
    assert told(filled(batch(1, 0, 1), batch(1, 5, 1))) == [
        (1, 0, 1, False), (1, 1, 5, True), (1, 5, 6, False)
    ]  # fmt: skip


def test_a_slow_reader_keeps_one_entry_alive_and_is_told_what_is_lost() -> None:
    """What it stands at is cut off what comes behind."""
    ring = filled(batch(1, 0, 1), batch(1, 1, 1), limit=2000)
    reader = ring.read(START)
    first = reader.next()
    for number in range(2, 50):
        ring.append(batch(1, number, 1), 0.0)

    assert first is not None
    assert first.next is None
    hole, *rest = read(reader)
    assert (hole.after, hole.lost) == (1, True)
    assert (rest[0].after, rest[-1].upto) == (hole.upto, 50)


class Step(NamedTuple):
    """One thing that happens: a batch of so many events, or readers go so many entries on."""

    events: int
    reads: int
    new_epoch: bool


_STEPS = st.lists(
    st.builds(Step, st.integers(1, 40), st.integers(0, 6), st.integers(0, 9).map(lambda n: n == 0)),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(_STEPS, st.integers(900, 6000))
def test_what_is_read_and_what_is_lost_is_all_there_was(steps: list[Step], limit: int) -> None:
    """For a reader at any pace: each number once, in order, at most an epoch's end unknown."""
    ring, epoch, number = Ring(limit), 1, 0
    reader, seen = ring.read(START), []
    for step in steps:
        if step.new_epoch:
            epoch, number = epoch + 1, 0
        ring.append(batch(epoch, number, step.events), 0.0)
        number += step.events
        seen += [entry for _ in range(step.reads) if (entry := reader.next()) is not None]
        assert ring.size <= limit
    seen += read(reader)
    ends: dict[int, int] = {}
    for entry in seen:
        assert entry.epoch >= max(ends, default=0)
        assert entry.after == ends.get(entry.epoch, 0)
        assert entry.upto > entry.after
        ends[entry.epoch] = entry.upto
        if not entry.lost:
            assert (
                entry.batch().wire == batch(entry.epoch, entry.after, entry.upto - entry.after).wire
            )
    if steps:
        assert ends[epoch] == number


def test_a_reader_is_told_of_answers_that_were_dropped_unread() -> None:
    """They have no numbers, so no lost entry stands for them; what is whole is not skipped."""
    ring = Ring(4 * (OVERHEAD + 1000))
    reader = ring.read(START)
    item = Routed(Message(b"Event: Item\r\n\r\n"), owner=PROXY, request_id="7", private=True)
    seen = []
    for count in (2, 1, 9, 1):
        for _ in range(count):
            ring.append(Batch.of_items("pbx", [item]), 0.0)
        found = []
        while reader.next() is not None:
            found.append(reader.skipped)
        seen.append((found[0], any(found[1:])))

    assert seen == [(False, False), (False, False), (True, False), (False, False)]


def test_readers_and_the_servers_thread_do_not_disturb_each_other() -> None:
    """At full speed, with a ring that is always too small."""
    ring, most = Ring(20_000), 20_000
    wrong: list[tuple[int, int]] = []

    def follow() -> None:
        reader, at = ring.read(START), 0
        while at < most and time.monotonic() < ends:
            entry = reader.next()
            if entry is None:
                continue
            if entry.after != at or (not entry.lost and entry.batch().upto != entry.upto):
                wrong.append((at, entry.after))
            at = entry.upto
        if at != most:
            wrong.append((at, most))

    ends = time.monotonic() + 20
    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(0, most, 2):
        ring.append(batch(1, number, 2), 0.0)
    for thread in threads:
        thread.join()

    assert wrong == []
