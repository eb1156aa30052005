# SPDX-License-Identifier: GPL-2.0-or-later
"""What Redis refuses is told once, with what to do; all else goes on."""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.bus import outbox as module
from tests.bus.cutter import Cutter
from tests.bus.outboxes import EPOCH, MEGA, body, entries, nothing, numbers, outbox_of, running
from tests.support import free_port, wait_until

if TYPE_CHECKING:
    from amiproxy.threads.bus.outbox import Outbox
    from tests.bus.redisserver import RedisServer, StartRedis


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_PAUSE", 0.1)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what was logged from warnings on."""
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


def put(outbox: Outbox, first: int, count: int = 50) -> None:
    """Put entries, no two of which are joined."""
    lane = outbox.lane("pbx", EPOCH, nothing)
    for number in range(first, first + count):
        lane.put(body(number))


def test_a_full_redis_gets_the_rest_when_it_has_room(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is lost, and the log says what to do: once, and when it is over."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        put(outbox, 0)
        wait_until(lambda: outbox.counts.sent == 50)
        redis.command("CONFIG", "SET", "maxmemory", "1")
        put(outbox, 50)
        outbox.send("t:asks:pbx", b"ask")
        wait_until(lambda: lines(caplog))
        redis.command("CONFIG", "SET", "maxmemory", "0")
        wait_until(lambda: outbox.counts.sent == 101)

    assert numbers(redis) == list(range(100))
    first, second = lines(caplog)
    assert first.startswith("bus: entries wait to be sent: OOM command not allowed")
    assert "maxmemory" in first
    assert "takes entries again" in second


def test_a_replica_takes_nothing_until_it_is_the_master(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A failover in the middle of everything."""
    outbox = outbox_of(redis.url)
    with running(outbox):
        put(outbox, 0)
        wait_until(lambda: outbox.counts.sent == 50)
        redis.command("REPLICAOF", "127.0.0.1", free_port())
        put(outbox, 50)
        wait_until(lambda: lines(caplog))
        redis.command("REPLICAOF", "NO", "ONE")
        wait_until(lambda: outbox.counts.sent == 100)

    assert numbers(redis) == list(range(100))
    assert "READONLY" in lines(caplog)[0]
    assert "master" in lines(caplog)[0]


@pytest.mark.parametrize("with_data", [False, True])
def test_a_key_of_another_program_is_left_alone(
    redis: RedisServer, caplog: pytest.LogCaptureFixture, with_data: bool
) -> None:
    """The other streams go on; one line tells which key, however many entries there are."""
    redis.command("SET", "t:events:pbx", "x" * (MEGA if with_data else 1))
    outbox = outbox_of(redis.url)
    with running(outbox):
        put(outbox, 0, 1000)
        other = outbox.lane("other", EPOCH, nothing)
        other.put(body(1))
        wait_until(lambda: other.acknowledged)
        wait_until(lambda: outbox.counts.refused == 1000)

    assert numbers(redis, "t:events:other") == [1]
    (line,) = lines(caplog)
    assert line.startswith("bus: entries for t:events:pbx are refused: WRONGTYPE ")
    assert line.endswith("set another busname")


def test_what_the_user_may_not_is_told(
    start_redis: StartRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """Without his password."""
    redis = start_redis(users={"proxy": ">secret ~t:* &* +@all -xadd"})
    url = redis.url.replace("redis://", "redis://proxy:secret@")
    outbox = outbox_of(url)
    with running(outbox):
        put(outbox, 0)
        wait_until(lambda: outbox.counts.refused == 50)
        redis.command("ACL", "SETUSER", "proxy", "+xadd")
        put(outbox, 50)
        wait_until(lambda: outbox.counts.sent == 50)

    (line,) = lines(caplog)
    assert "NOPERM" in line
    assert "ACL SETUSER" in line
    assert "secret" not in line


def test_less_may_be_allowed(start_redis: StartRedis, caplog: pytest.LogCaptureFixture) -> None:
    """Only adding: nothing else is needed as long as nothing goes wrong."""
    redis = start_redis(users={"proxy": ">secret ~t:* resetchannels -@all +xadd"})
    outbox = outbox_of(redis.url.replace("redis://", "redis://proxy:secret@"))
    with running(outbox):
        put(outbox, 0)
        wait_until(lambda: outbox.counts.sent == 50)

    assert lines(caplog) == []


def test_who_may_not_look_loses_what_was_on_its_way(
    start_redis: StartRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """When the connection breaks: it is told, nothing is there twice, the server is kept."""
    redis = start_redis(users={"proxy": ">secret ~t:* resetchannels -@all +xadd"})
    fenced: list[int] = []
    with Cutter(redis.port) as cutter:
        outbox = outbox_of(f"redis://proxy:secret@127.0.0.1:{cutter.port}/0")
        with running(outbox):
            lane = outbox.lane("pbx", EPOCH, lambda: fenced.append(1))
            lane.put(body(0))
            wait_until(lambda: lane.acknowledged)
            cutter.cut_down = 5
            lane.put(body(1))
            outbox.send("t:asks:pbx", b"ask 1")
            wait_until(lambda: not outbox.waiting and cutter.cuts)
            lane.put(body(2))
            outbox.send("t:asks:pbx", b"ask 2")
            wait_until(lambda: lane.acknowledged == b"%d-3" % EPOCH)
            wait_until(lambda: not outbox.waiting)

    assert numbers(redis) == [0, 1, 2]
    found = [each for _, each in entries(redis, "t:asks:pbx")]
    assert found == sorted(set(found))
    assert found[-1] == b"ask 2"
    assert fenced == []
    assert any("NOPERM" in line for line in lines(caplog))


def test_a_user_who_is_gone_is_told(
    start_redis: StartRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """And what waits goes when he is back."""
    redis = start_redis(users={"proxy": ">secret ~t:* &* +@all"})
    outbox = outbox_of(redis.url.replace("redis://", "redis://proxy:secret@"))
    with running(outbox):
        put(outbox, 0)
        wait_until(lambda: outbox.counts.sent == 50)
        redis.command("ACL", "DELUSER", "proxy")
        put(outbox, 50)
        wait_until(lambda: lines(caplog))
        redis.command("ACL", "SETUSER", "proxy", "on", ">secret", "~t:*", "&*", "+@all")
        wait_until(lambda: outbox.counts.sent == 100)

    assert numbers(redis) == list(range(100))
    assert "secret" not in "".join(lines(caplog))


def test_an_entry_that_redis_cannot_take_is_given_up(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It closes the connection at it; those before and behind get there."""
    redis.command("CONFIG", "SET", "proto-max-bulk-len", MEGA)
    outbox = outbox_of(redis.url)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put(body(0))
        lane.put(body(1, 3 * MEGA))
        lane.put(body(2))
        wait_until(lambda: outbox.counts.sent == 2)

    assert numbers(redis) == [0, 2]
    assert outbox.counts.refused == 1
    assert any("proto-max-bulk-len" in line for line in lines(caplog))


def test_large_entries_get_there(redis: RedisServer) -> None:
    """Up to the largest that there are."""
    outbox = outbox_of(redis.url, limit=64 * MEGA, stream=256 * MEGA)
    large = body(1, 16 * MEGA - 100)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        lane.put(body(0))
        lane.put(large)
        outbox.send("t:asks:pbx", large)
        lane.put(body(2))
        wait_until(lambda: outbox.counts.sent == 4, timeout=20)

    assert [len(each) for _, each in entries(redis)] == [len(body(0)), len(large), len(body(2))]


def test_a_stream_is_trimmed_by_bytes(redis: RedisServer) -> None:
    """To what busbytes says, as Redis counts them; the newest are there."""
    outbox = outbox_of(redis.url, stream=MEGA, limit=64 * MEGA)
    with running(outbox):
        lane = outbox.lane("pbx", EPOCH, nothing)
        for number in range(20_000):
            lane.put(body(number, number % 1500))
        wait_until(lambda: outbox.counts.sent == 20_000, timeout=30)

    used = redis.command("MEMORY", "USAGE", "t:events:pbx", "SAMPLES", 0)
    assert MEGA / 2 < used < MEGA * 2.2  # a flight comes on top
    found = numbers(redis)
    assert found == list(range(found[0], 20_000))


def test_what_another_holder_has_left_counts_too(redis: RedisServer) -> None:
    """A takeover does not double the bytes of a stream."""
    for first, epoch in ((0, EPOCH - 65536), (5000, EPOCH), (10_000, EPOCH + 65536)):
        outbox = outbox_of(redis.url, stream=2 * MEGA, limit=64 * MEGA)
        with running(outbox):
            lane = outbox.lane("pbx", epoch, nothing)
            for number in range(first, first + 5000):
                lane.put(body(number, 300))
            done: list[int] = []
            lane.put_last(functools.partial(done.append, 1))
            wait_until(done.copy, timeout=30)
        used = redis.command("MEMORY", "USAGE", "t:events:pbx", "SAMPLES", 0)
        assert used < 2 * MEGA + MEGA * 1.2
        found = numbers(redis)
        assert found == list(range(found[0], first + 5000))


def test_a_stream_of_asks_is_trimmed_by_bytes(redis: RedisServer) -> None:
    """A quarter of busbytes."""
    outbox = outbox_of(redis.url, stream=4 * MEGA, limit=64 * MEGA)
    with running(outbox):
        for number in range(10_000):
            outbox.send("t:asks:pbx", b"%d " % number + bytes(500))
        wait_until(lambda: outbox.counts.sent == 10_000, timeout=30)

    assert redis.command("MEMORY", "USAGE", "t:asks:pbx", "SAMPLES", 0) < 2.2 * MEGA
    last = entries(redis, "t:asks:pbx")[-1][1]
    assert last.startswith(b"9999 ")
