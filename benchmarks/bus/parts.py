# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.bus.parts``: what an entry costs on its way, part by part.

Processor time of the thread that does it, in microseconds for an entry of one event: of the
outbox and of the reader of streams, beside redis-py, which they take the place of.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.basics.deadline import Deadline
from amiproxy.bus.entries import EVENTS, Entry, decode_entry, encode_entry
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.outbox import Outbox
from amiproxy.threads.bus.streamreader import StreamReader
from benchmarks.redisserver import RedisServer

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPOCH = 1 << 20
#: As large as most events are.
_EVENT = b"Event: Newexten\r\n" + b"Header: some value\r\n" * 23 + b"\r\n"
_ENTRIES = 20_000
#: How many go in one go, or are read in one go.
_GROUPS = (1, 10, 100)
_TIMES = 3


def _bodies(step: int) -> list[bytes]:
    """Return entries of one event; with a *step* of 1 they are in a row, and can be joined."""
    numbers = range(0, _ENTRIES * step, step)
    return [encode_entry(Entry(EVENTS, _EPOCH, at, 1, 0, _EVENT)) for at in numbers]


def _least(count: int, act: Callable[[], object]) -> float:
    """Return the microseconds for each of *count* that *act* takes, the best time of some."""
    best = float("inf")
    for _ in range(_TIMES):
        begun = time.thread_time()
        act()
        best = min(best, time.thread_time() - begun)
    return best / count * 1e6


class _Metered(Outbox):
    """An outbox that knows what its thread has taken."""

    taken = 0.0

    def _run(self) -> None:
        super()._run()
        self.taken = time.thread_time()


def _sent(url: str, bodies: Sequence[bytes], group: int) -> tuple[float, float]:
    """Return what an entry costs who puts it, and the outbox, which sends *group* in one go."""
    outbox = _Metered(BusClient(url), "parts", 1 << 30, 1 << 26)
    lane = outbox.lane("pbx", time.monotonic_ns(), int)
    outbox.start()
    putting = 0.0
    for at in range(0, len(bodies), group):
        begun = time.thread_time()
        for body in bodies[at : at + group]:
            lane.put(body)
        putting += time.thread_time() - begun
        while outbox.counts.sent + outbox.counts.joined < at + group:
            time.sleep(0.0001)
    outbox.stop(Deadline(10.0))
    return putting / len(bodies) * 1e6, outbox.taken / len(bodies) * 1e6


def _added(redis: Any, bodies: Sequence[bytes], group: int) -> None:
    """Send as ``_sent`` does, by redis-py."""
    for at in range(0, len(bodies), group):
        pipeline = redis.pipeline(transaction=False)
        for body in bodies[at : at + group]:
            pipeline.xadd("plain", {"b": body})
        pipeline.execute()


def _read(read: Callable[[bytes], Sequence[tuple[bytes, Any]]], count: int) -> None:
    """Read *count* entries from the start."""
    last = b"0-0"
    while count > 0:
        found = read(last)
        count -= len(found)
        last = found[-1][0]


def _show(what: str, cost: float) -> None:
    print(f"{what:58} {cost:8.2f} us", flush=True)


def _show_group(url: str, redis: Any, bodies: Sequence[bytes], group: int) -> None:
    some = bodies[: group * 2000]
    costs = [_sent(url, some, group) for _ in range(_TIMES)]
    _show(f"Lane.put, {group} in a row", min(each for each, _ in costs))
    _show(f"outbox, {group} in one go", min(each for _, each in costs))
    _show(
        f"redis-py xadd, {group} in one go", _least(len(some), lambda: _added(redis, some, group))
    )
    reader = StreamReader(BusClient(url))
    read = _least(
        len(some),
        lambda: _read(lambda last: reader.read({"plain": last}, 0, group)[0][1], len(some)),
    )
    _show(f"StreamReader, {group} at a time", read)
    reader.close()
    plain = _least(
        len(some),
        lambda: _read(lambda last: redis.xread({"plain": last}, count=group)[0][1], len(some)),
    )
    _show(f"redis-py xread, {group} at a time", plain)


def main() -> None:
    """Measure, and print a table."""
    import redis as library  # noqa: PLC0415 - an extra; only this program compares with it

    bodies, row = _bodies(2), _bodies(1)
    _show("encode_entry", _least(_ENTRIES, lambda: _bodies(2)))
    _show("decode_entry", _least(_ENTRIES, lambda: [decode_entry(body) for body in bodies]))
    with RedisServer(settings=["appendonly no"]) as server:
        redis = library.Redis.from_url(server.url, protocol=2)
        for group in _GROUPS:
            _show_group(server.url, redis, bodies, group)
        joined = min(_sent(server.url, row, 1000)[1] for _ in range(_TIMES))
        _show("outbox, 1000 events in a row joined, each", joined)
        redis.close()


if __name__ == "__main__":
    main()
