# SPDX-License-Identifier: GPL-2.0-or-later
"""What waits for the bus is bounded; who has the most waiting makes room, and nobody waits."""

from __future__ import annotations

import functools
import threading
import time

from amiproxy.bus.keys import Keys
from amiproxy.threads.bus.outqueue import Lane, Numbers, OutQueue, Source
from tests.locks import checked_locks
from tests.support import wait_until

KEY = b"k"


def bodies(queue: OutQueue) -> list[bytes]:
    """Take out all that waits."""
    return [item.body for item in queue.take(10**6, 10**9, 0.0)]


def test_items_come_out_in_order() -> None:
    """As many as are asked for, and one beyond the bytes."""
    with checked_locks():
        queue = OutQueue(10**6)
        one, other = Source("one"), Source("other")
        for number in range(10):
            queue.put(one if number % 2 else other, KEY, b"%d" % number)

        assert [item.body for item in queue.take(3, 10**9, 0.0)] == [b"0", b"1", b"2"]
        assert [item.body for item in queue.take(9, 1, 0.0)] == [b"3"]
        assert bodies(queue) == [b"4", b"5", b"6", b"7", b"8", b"9"]
        assert (queue.size, one.queued, other.queued) == (0, 0, 0)


def test_the_one_with_the_most_makes_room() -> None:
    """All that it has waiting goes; the others lose nothing."""
    queue = OutQueue(10_000)
    large, small = Source("large"), Source("small")
    queue.put(small, KEY, b"s" * 500)
    for _ in range(7):
        queue.put(large, KEY, b"l" * 1000)
    for _ in range(3):
        queue.put(small, KEY, b"t" * 500)

    assert bodies(queue) == [b"s" * 500] + [b"t" * 500] * 3
    assert (large.dropped, large.overruns, small.dropped, queue.dropped) == (7, 1, 0, 7)


def test_what_waits_is_bounded_for_ever() -> None:
    """However much comes, and the newest is there in the end."""
    queue = OutQueue(100_000)
    source = Source("one")
    for number in range(20_000):
        queue.put(source, KEY, b"%d" % number)
        assert queue.size <= 100_000

    found = bodies(queue)
    assert found[-1] == b"19999"
    assert source.dropped == 20_000 - len(found)


def test_an_item_that_never_fits_is_dropped() -> None:
    """It takes nothing with it."""
    queue = OutQueue(1000)
    source = Source("one")
    queue.put(source, KEY, b"a")
    queue.put(source, KEY, bytes(2000))

    assert bodies(queue) == [b"a"]
    assert source.dropped == 1


def test_who_waits_for_the_end_is_kept_when_there_is_no_room() -> None:
    """Told late rather than never."""
    queue = OutQueue(2000)
    source = Source("one")
    seen: list[int] = []
    for number in range(50):
        queue.put(source, KEY, b"x" * 500)
        if not number % 10:
            queue.put(source, b"", b"", lambda: seen.append(1))
    for item in queue.take(1000, 10**9, 0.0):
        if item.then is not None:
            item.then()

    assert len(seen) == 5


def test_a_source_that_is_over_puts_nothing() -> None:
    """What it had waiting is given back, or sent."""
    queue = OutQueue(10_000)
    gone, closed = Source("gone"), Source("closed")
    for source in (gone, closed):
        queue.put(source, KEY, source.name.encode())
    assert [item.body for item in queue.discard(gone)] == [b"gone"]
    queue.close(closed)

    assert not queue.put(gone, KEY, b"more")
    assert not queue.put(closed, KEY, b"more")
    assert bodies(queue) == [b"closed"]


def test_the_thread_is_woken_when_something_comes() -> None:
    """And when the queue stops."""
    queue = OutQueue(10_000)
    taken: list[bytes] = []

    def take() -> None:
        while items := queue.take(10, 10**6, 10.0):
            taken.extend(item.body for item in items)

    thread = threading.Thread(target=take)
    thread.start()
    begun = time.monotonic()
    for number in range(3):
        queue.put(Source("one"), KEY, b"%d" % number)
        wait_until(functools.partial(taken.__contains__, b"%d" % number))
    queue.stop()
    thread.join(10)

    assert time.monotonic() - begun < 5
    assert not queue.put(Source("one"), KEY, b"late")


def test_many_threads_put_at_once() -> None:
    """Nothing is lost, and each one's own order is kept."""
    queue = OutQueue(10**8)
    lanes = [Lane(queue, Keys("t"), f"s{number}", Numbers(1), lambda: None) for number in range(4)]

    def put(lane: Lane) -> None:
        for number in range(2000):
            lane.put(b"%d" % number)

    threads = [threading.Thread(target=put, args=(lane,)) for lane in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = queue.take(10**6, 10**9, 0.0)

    for lane in lanes:
        assert [item.body for item in items if item.source is lane] == [
            b"%d" % n for n in range(2000)
        ]
    assert queue.size == 0
