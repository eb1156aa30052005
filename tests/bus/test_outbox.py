# SPDX-License-Identifier: GPL-2.0-or-later
"""What is put into the outbox gets to Redis: in order, each once, under the tenure's IDs."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.bus.members import slot_text
from tests.bus.outboxes import EPOCH, body, entries, nothing, numbers, outbox_of, running
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.bus.redisserver import RedisServer


def test_entries_arrive_in_order(redis: RedisServer) -> None:
    """Under IDs of the tenure: epoch, and a number from 1 on."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        for number in range(2000):
            lane.put(body(number))
        wait_until(lambda: outbox.counts.sent == 2000)

    assert numbers(redis) == list(range(2000))
    assert [each for each, _ in entries(redis)] == [f"{EPOCH}-{n}" for n in range(1, 2001)]
    assert lane.acknowledged == b"%d-2000" % EPOCH
    assert outbox.waiting == 0


def test_events_in_a_row_become_one_entry(redis: RedisServer) -> None:
    """When several wait; nothing is lost by that."""
    outbox = outbox_of(redis.url)
    lane = outbox.lane("pbx", EPOCH, nothing)
    for number in range(300):
        lane.put(body(number, step=1))
    with running(outbox):
        wait_until(lambda: outbox.counts.sent)

    assert numbers(redis) == list(range(300))
    assert len(entries(redis)) == 1
    assert outbox.counts.joined == 299


def test_what_comes_soon_behind_another_goes_together(redis: RedisServer) -> None:
    """Within busjoin of what went last; what comes after silence goes at once."""
    outbox = outbox_of(redis.url, join=1.0)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        began = time.monotonic()
        lane.put(body(0, step=1))
        wait_until(lambda: outbox.counts.sent)
        assert time.monotonic() - began < 0.9
        for number in range(1, 4):
            lane.put(body(number, step=1))
        wait_until(lambda: outbox.counts.sent == 2)
        assert time.monotonic() - began > 0.9

    assert outbox.counts.flights == 2
    assert numbers(redis) == list(range(4))
    assert len(entries(redis)) == 2


def test_an_answer_waits_for_nothing(redis: RedisServer) -> None:
    """What was put before goes with it, however long busjoin is."""
    outbox = outbox_of(redis.url, join=20.0)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put(body(0, step=1))
        wait_until(lambda: outbox.counts.sent)
        lane.put(body(1, step=1))
        lane.answer(77, b"answer")
        wait_until(lambda: outbox.counts.sent == 3)
        outbox.send("t:asks:pbx", b"ask")
        wait_until(lambda: outbox.counts.sent == 4)
        lane.put(body(2, step=1))

    assert numbers(redis) == [0, 1, 2]


def test_an_answer_goes_behind_what_was_put_before(redis: RedisServer) -> None:
    """Events are not joined across it: its place is between them."""
    outbox = outbox_of(redis.url)
    lane = outbox.lane("pbx", EPOCH, nothing)
    lane.put(body(1, step=1))
    lane.answer(77, b"answer")
    lane.put(body(2, step=1))
    with running(outbox):
        wait_until(lambda: outbox.counts.sent == 3)

    assert [each for each, _ in entries(redis)] == [f"{EPOCH}-1", f"{EPOCH}-2"]
    key = f"t:answers:{slot_text(77)}:pbx"
    assert entries(redis, key) == [(f"{EPOCH}-1", b"answer")]
    assert lane.acknowledged == b"%d-2" % EPOCH


def test_asks_get_ids_of_redis(redis: RedisServer) -> None:
    """Several proxies add to one stream."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        for number in range(10):
            outbox.send("t:asks:pbx", b"ask %d" % number)
        wait_until(lambda: outbox.counts.sent == 10)

    assert [each for _, each in entries(redis, "t:asks:pbx")] == [b"ask %d" % n for n in range(10)]


def test_streams_expire_when_nobody_adds(redis: RedisServer) -> None:
    """Those of talk soon, those of events in days: a server may be gone for good."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        outbox.lane("pbx", EPOCH, nothing).put(body(1))
        outbox.send("t:asks:pbx", b"ask")
        wait_until(lambda: outbox.counts.sent == 2)

    assert 0 < redis.command("PTTL", "t:asks:pbx") <= 120_000
    assert redis.command("PTTL", "t:events:pbx") > 24 * 3600 * 1000


def test_who_waits_for_the_last_entry_is_told(redis: RedisServer) -> None:
    """When Redis has it, not before: another proxy may take the server then."""
    outbox = outbox_of(redis.url)
    lane = outbox.lane("pbx", EPOCH, nothing)
    seen: list[int] = []
    for number in range(100):
        lane.put(body(number))
    lane.put_last(lambda: seen.append(len(entries(redis))))
    lane.close()
    lane.put(body(100))
    assert seen == []
    with running(outbox):
        wait_until(lambda: seen)

    assert seen == [100]
    assert numbers(redis) == list(range(100))


def test_a_lane_that_is_over_tells_at_once(redis: RedisServer) -> None:
    """Nobody waits for ever."""
    outbox = outbox_of(redis.url)
    lane = outbox.lane("pbx", EPOCH, nothing)
    lane.close()
    seen: list[str] = []
    lane.put_last(lambda: seen.append("over"))
    with running(outbox):
        pass
    outbox.lane("pbx", EPOCH, nothing).put_last(lambda: seen.append("stopped"))

    assert seen == ["over", "stopped"]


def test_who_fails_in_a_callback_stops_nobody(redis: RedisServer) -> None:
    """The thread goes on."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put_last(lambda: 1 / 0)
        lane.put(body(1))
        wait_until(lambda: outbox.counts.sent)

    assert numbers(redis) == [1]


def test_a_superseded_holder_is_told(redis: RedisServer) -> None:
    """Redis refuses what it sends, and nothing of it gets into the stream."""
    fenced = threading.Event()
    outbox = outbox_of(redis.url)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, fenced.set)
        lane.put(body(1))
        wait_until(lambda: lane.acknowledged)
        redis.command("XADD", "t:events:pbx", f"{EPOCH + 65536}-0", "b", body(9))
        seen: list[int] = []
        for number in range(2, 1000):
            lane.put(body(number))
        lane.put_last(lambda: seen.append(1))
        assert fenced.wait(10)
        wait_until(lambda: seen)
        lane.put(body(1000))
        other = outbox.lane("other", EPOCH, nothing)
        other.put(body(3))
        wait_until(lambda: other.acknowledged)

    assert numbers(redis) == [1, 9]
    assert numbers(redis, "t:events:other") == [3]
    assert outbox.waiting == 0


def test_a_superseded_holder_answers_nobody(redis: RedisServer) -> None:
    """Its successor has answered there already."""
    fenced = threading.Event()
    key = f"t:answers:{slot_text(7)}:pbx"
    redis.command("XADD", key, f"{EPOCH + 65536}-1", "b", "new")
    outbox = outbox_of(redis.url)
    with running(outbox):
        outbox.lane("pbx", EPOCH, fenced.set).answer(7, b"old")
        assert fenced.wait(10)

    assert [each for _, each in entries(redis, key)] == [b"new"]


def test_a_lane_that_was_closed_is_not_told(redis: RedisServer) -> None:
    """Its tenure is over anyway, and the one in force may be the same proxy's."""
    outbox = outbox_of(redis.url)
    redis.command("XADD", "t:events:pbx", f"{EPOCH + 65536}-0", "b", body(9))
    seen: list[str] = []
    lane = outbox.lane("pbx", EPOCH, lambda: seen.append("fenced"))
    lane.put(body(1))
    lane.put_last(lambda: seen.append("last"))
    lane.close()
    with running(outbox):
        wait_until(lambda: seen)

    assert seen == ["last"]
    assert numbers(redis) == [9]


def test_a_later_tenure_goes_on_in_the_same_stream(redis: RedisServer) -> None:
    """Of the same proxy; what the earlier one puts late goes nowhere."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        first = outbox.lane("pbx", EPOCH, nothing)
        first.put(body(1))
        wait_until(lambda: outbox.counts.sent == 1)
        again = outbox.lane("pbx", EPOCH, nothing)  # of the same tenure: the IDs go on
        again.put(body(2))
        wait_until(lambda: outbox.counts.sent == 2)
        second = outbox.lane("pbx", EPOCH + 65536, nothing)
        second.put(body(3))
        wait_until(lambda: outbox.counts.sent == 3)
        first.put(body(4))
        second.put(body(5))
        wait_until(lambda: outbox.counts.sent == 4)

    assert numbers(redis) == [1, 2, 3, 5]


def test_stopping_sends_what_waits(redis: RedisServer) -> None:
    """Up to the deadline."""
    outbox = outbox_of(redis.url)
    lane = outbox.lane("pbx", EPOCH, nothing)
    for number in range(5000):
        lane.put(body(number))
    outbox.start()
    outbox.stop(Deadline(10.0))

    assert numbers(redis) == list(range(5000))
