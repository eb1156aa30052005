# SPDX-License-Identifier: GPL-2.0-or-later
"""However a connection to Redis breaks, each entry is there once, and in order."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.bus import outbox as module
from tests.bus.cutter import Cutter
from tests.bus.outboxes import EPOCH, MEGA, body, entries, nothing, numbers, outbox_of, running
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.bus.redisserver import RedisServer, StartRedis

#: What goes in one go in these tests.
EVENTS, ASKS = 12, 6


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.05)


def sizes(redis: RedisServer, cutter: Cutter) -> tuple[int, int]:
    """Return how many bytes a flight has, and how many its replies have, by sending one."""
    cutter.cut_up = cutter.cut_down = 10**9
    send_all(cutter)
    assert cutter.cut_up
    assert cutter.cut_down
    up, down = 10**9 - cutter.cut_up, 10**9 - cutter.cut_down
    cutter.cut_up = cutter.cut_down = None
    redis.command("FLUSHALL")
    return up, down


def send_all(cutter: Cutter) -> None:
    """Send entries and asks in one go."""
    outbox = outbox_of(f"redis://127.0.0.1:{cutter.port}/0")
    lane = outbox.lane("pbx", EPOCH, nothing)
    for number in range(EVENTS):
        lane.put(body(number))
        if number < ASKS:
            outbox.send("t:asks:pbx", b"ask %d" % number)
            lane.answer(7, b"answer %d" % number)
    seen: list[int] = []
    lane.put_last(lambda: seen.append(1))
    with running(outbox):
        wait_until(lambda: seen)
    assert outbox.dropped == outbox.counts.refused == 0


@pytest.mark.parametrize("way", ["cut_up", "cut_down"])
def test_a_connection_may_break_at_any_byte(redis: RedisServer, way: str) -> None:
    """Of what is sent, and of the replies, half ones included."""
    with Cutter(redis.port) as cutter:
        up, down = sizes(redis, cutter)
        total = up if way == "cut_up" else down
        steps = sorted({*range(1, total, max(1, total // 60)), *range(total - 60, total + 1, 7)})
        for at in steps:
            setattr(cutter, way, at)
            send_all(cutter)
            assert numbers(redis) == list(range(EVENTS)), at
            asks = [each for _, each in entries(redis, "t:asks:pbx")]
            assert asks == [b"ask %d" % number for number in range(ASKS)], at
            answers = [each for _, each in entries(redis, "t:answers:00007:pbx")]
            assert answers == [b"answer %d" % number for number in range(ASKS)], at
            setattr(cutter, way, None)
            redis.command("FLUSHALL")
        assert cutter.cuts >= len(steps) - 1


def test_a_redis_that_was_killed_gets_the_rest_when_it_is_back(start_redis: StartRedis) -> None:
    """Nothing that it has acknowledged is sent again; all else is."""
    # Else what it acknowledges while it waits for its disk may be lost.
    redis = start_redis(settings=["appendfsync always"])
    outbox = outbox_of(redis.url)
    sent = 0
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        for round_ in range(4):
            for _ in range(500):
                lane.put(body(sent))
                sent += 1
            if round_ % 2:
                redis.kill()
                redis.start()
        wait_until(lambda: lane.acknowledged == b"%d-%d" % (EPOCH, sent), timeout=20)

    assert numbers(redis) == list(range(sent))


def test_a_redis_that_hangs_holds_up_nobody(redis: RedisServer) -> None:
    """What was on its way is found there, and not sent twice."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put(body(0))
        wait_until(lambda: lane.acknowledged)
        redis.pause()
        for number in range(1, 100):
            lane.put(body(number))
            outbox.send("t:asks:pbx", b"ask %d" % number)
        wait_until(lambda: outbox.problem, timeout=20)
        redis.go_on()
        wait_until(lambda: lane.acknowledged == b"%d-100" % EPOCH, timeout=20)
        wait_until(lambda: not outbox.waiting)

    assert numbers(redis) == list(range(100))
    assert [each for _, each in entries(redis, "t:asks:pbx")] == [
        b"ask %d" % n for n in range(1, 100)
    ]


def test_a_redis_that_comes_back_empty_gets_what_comes(redis: RedisServer) -> None:
    """Under the same tenure: IDs go on."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put(body(1))
        wait_until(lambda: lane.acknowledged)
        redis.restart(keep=False)
        lane.put(body(2))
        wait_until(lambda: lane.acknowledged == b"%d-2" % EPOCH)

    assert entries(redis) == [(f"{EPOCH}-2", body(2))]


def test_a_redis_that_is_away_costs_a_bounded_amount(redis: RedisServer) -> None:
    """Of memory: what has waited for too long is dropped; and of time: it is tried now and then."""
    outbox = outbox_of(redis.url, limit=MEGA)
    redis.kill()
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        for number in range(5000):
            lane.put(body(number, 1000))
        assert outbox.waiting <= MEGA
        wait_until(lambda: outbox.problem)
        before = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - before < 0.25
        redis.start()
        wait_until(lambda: outbox.counts.sent and not outbox.waiting)
        wait_until(lambda: not outbox.problem)

    found = numbers(redis)
    assert found == sorted(found)
    assert found[-1] == 4999
    assert lane.dropped == outbox.dropped == 5000 - len(found)
    assert lane.overruns > 0


def test_stopping_does_not_wait_for_a_redis_that_is_away(redis: RedisServer) -> None:
    """Nor for one that hangs: longer than the deadline."""
    redis.pause()
    outbox = outbox_of(redis.url)
    seen: list[int] = []
    lane = outbox.lane("pbx", EPOCH, nothing)
    lane.put(body(1))
    lane.put_last(lambda: seen.append(1))
    outbox.start()
    wait_until(lambda: not outbox.waiting)
    begun = time.monotonic()
    outbox.stop(Deadline(0.5))

    assert time.monotonic() - begun < 3
    redis.go_on()
    wait_until(lambda: seen)


def test_many_asks_at_once_are_found_again(redis: RedisServer) -> None:
    """As many as go in one go: the replies are lost, all of them."""
    with Cutter(redis.port) as cutter:
        outbox = outbox_of(f"redis://127.0.0.1:{cutter.port}/0")
        with running(outbox):
            outbox.send("t:asks:pbx", b"first")
            wait_until(lambda: outbox.counts.sent)
            redis.pause()
            for number in range(520):
                outbox.send("t:asks:pbx", b"ask %d" % number)
            cutter.cut_down = 5000
            redis.go_on()
            wait_until(lambda: outbox.counts.sent == 521)
        assert cutter.cuts == 1

    found = [each for _, each in entries(redis, "t:asks:pbx")]
    assert found == [b"first"] + [b"ask %d" % number for number in range(520)]


def test_one_who_talks_nonsense_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """Another service at that port: no work, few lines, and the proxy can end."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with listener.accept()[0] as peer:
                        peer.sendall(b"SSH-2.0-OpenSSH\r\n" * 50)
                        peer.recv(65536)

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        outbox = outbox_of(f"redis://127.0.0.1:{listener.getsockname()[1]}/0")
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put(body(1))
        with running(outbox):
            wait_until(lambda: caplog.records)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)

    assert len(caplog.records) == 1
    assert "entries wait to be sent" in caplog.records[0].getMessage()
