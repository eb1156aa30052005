# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams are read with one command; what Redis does wrong ends in a BusError."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.bus.client import BusClient, BusError, BusRefused
from amiproxy.threads.bus.streamreader import StreamReader
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bus.redisserver import RedisServer


@pytest.fixture
def streams(redis: RedisServer) -> Iterator[StreamReader]:
    """Return a reader of *redis*."""
    reader = StreamReader(BusClient(redis.url))
    yield reader
    reader.close()


def add(redis: RedisServer, key: str, entry_id: str, body: str) -> None:
    redis.command("XADD", key, entry_id, "b", body)


def test_several_streams_are_read_at_one_moment(redis: RedisServer, streams: StreamReader) -> None:
    """What lies behind the IDs, in order; a stream without any is left out."""
    for number in range(1, 5):
        add(redis, "events", f"7-{number}", f"body {number}")
    add(redis, "answers", "9-1", "answer")

    found = streams.read({"events": b"7-1", "answers": b"0-0", "none": b"0-0"}, 0, 2)

    assert dict(found) == {"events": [(b"7-2", b"body 2"), (b"7-3", b"body 3")],
                           "answers": [(b"9-1", b"answer")]}  # fmt: skip
    assert streams.read({"events": b"7-4"}, 0, 2) == []


def test_it_waits_for_the_first_entry(redis: RedisServer, streams: StreamReader) -> None:
    """No longer than it is told."""
    assert streams.read({"events": b"0-0"}, 50, 10) == []
    adding = threading.Timer(0.1, add, (redis, "events", "7-1", "late"))
    adding.start()

    assert streams.read({"events": b"0-0"}, 10_000, 10) == [("events", [(b"7-1", b"late")])]
    adding.join()


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 1_000_000, 20_000_000])
def test_entries_of_any_size_are_read(redis: RedisServer, streams: StreamReader, size: int) -> None:
    """Of what is too large for the bus there is the ID."""
    add(redis, "events", "7-1", "x" * size)
    add(redis, "events", "7-2", "end")

    ((_, found),) = streams.read({"events": b"0-0"}, 1000, 10)

    assert [(each, len(body)) for each, body in found] == [
        (b"7-1", size if size < 2**24 else 0),
        (b"7-2", 3),
    ]


def test_a_key_that_is_no_stream_is_refused(redis: RedisServer, streams: StreamReader) -> None:
    """The connection is as good as before."""
    redis.command("SET", "events", "1")

    with pytest.raises(BusRefused, match="WRONGTYPE"):
        streams.read({"events": b"0-0"}, 1000, 10)
    assert streams.read({"others": b"0-0"}, 0, 10) == []


def waiting(streams: StreamReader) -> tuple[threading.Thread, list[BaseException]]:
    """Have a thread wait in *streams*; return it, and what it is raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            streams.read({"events": b"0-0"}, 60_000, 10)
        except BusError as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, raised


def blocked(redis: RedisServer) -> bool:
    """Return whether a client waits inside *redis*."""
    return b"blocked_clients:1" in redis.command("INFO", "clients")


def test_another_thread_ends_the_waiting(redis: RedisServer, streams: StreamReader) -> None:
    """At once; the next read connects anew."""
    thread, raised = waiting(streams)
    wait_until(lambda: blocked(redis))

    streams.interrupt()
    thread.join(10)

    assert len(raised) == 1
    assert streams.read({"events": b"0-0"}, 0, 10) == []


def test_who_does_not_wait_yet_is_interrupted_too(
    redis: RedisServer, streams: StreamReader
) -> None:
    """Once: it comes between two reads as well as before the first one."""
    for _ in range(2):
        streams.interrupt()
        with pytest.raises(BusError):
            streams.read({"events": b"0-0"}, 60_000, 10)
        assert streams.read({"events": b"0-0"}, 0, 10) == []


def test_a_redis_that_is_gone_is_a_bus_error(redis: RedisServer, streams: StreamReader) -> None:
    """While it waits, and when it connects; it goes on when Redis is back."""
    thread, raised = waiting(streams)
    wait_until(lambda: blocked(redis))
    redis.kill()
    thread.join(10)

    assert len(raised) == 1
    with pytest.raises(BusError):
        streams.read({"events": b"0-0"}, 0, 10)
    redis.start()
    assert streams.read({"events": b"0-0"}, 0, 10) == []


def test_a_redis_that_says_nothing_is_a_bus_error(
    redis: RedisServer, streams: StreamReader
) -> None:
    """Stopped, with its connections open."""
    streams.read({"events": b"0-0"}, 0, 10)
    redis.pause()
    begun = time.monotonic()
    with pytest.raises(BusError):
        streams.read({"events": b"0-0"}, 10, 10)
    redis.go_on()

    assert time.monotonic() - begun < 10
    assert streams.read({"events": b"0-0"}, 0, 10) == []


def test_a_redis_that_begins_anew_is_read_from_the_start(redis: RedisServer) -> None:
    """Where IDs follow its clock, which may be behind that of the one before."""
    reader = StreamReader(BusClient(redis.url), by_time=True)
    last = b"99999-7"
    add(redis, "same", "99999-7", "old")
    streams = {"asks": last, "same": last}
    assert reader.read(streams, 0, 10) == []
    redis.restart(keep=False)
    add(redis, "asks", "5-1", "new")
    add(redis, "same", "99999-7", "old")
    with pytest.raises(BusError):
        reader.read(streams, 0, 10)

    assert reader.read(streams, 0, 10) == [("asks", [(b"5-1", b"new")])]
    streams["asks"] = b"5-1"
    add(redis, "asks", "5-2", "newer")
    assert reader.read(streams, 0, 10) == [("asks", [(b"5-2", b"newer")])]
    reader.close()


def test_other_streams_are_read_on_only(redis: RedisServer, streams: StreamReader) -> None:
    """What a holder has sent late must not come again."""
    add(redis, "events", "5-1", "early")

    assert streams.read({"events": b"9-1"}, 0, 10) == []
