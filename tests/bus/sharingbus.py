# SPDX-License-Identifier: GPL-2.0-or-later
"""A bus without sockets and threads: streams, leases, and the clock, for many proxies in one process.

What Redis does to streams is here as it is there: explicit IDs that are not larger are refused,
several streams are read at one moment, the oldest entries go.  What a proxy has queued goes when
the history says so, in part, twice or never.
"""

from __future__ import annotations

from bisect import bisect_right
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.bus.joining import Run
from amiproxy.bus.keys import Keys
from amiproxy.threads.bus.client import BusError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: As Redis would have it: milliseconds, and a number among those of one millisecond.
EntryID = tuple[int, int]

#: Seconds for which a lease is good, and how much earlier its holder stops to believe in it.
LEASE, MARGIN = 3.0, 0.35

#: Epochs of tenures are multiples of this.
STRIDE = 65536


class Clock:
    """The time of all proxies, and of Redis."""

    def __init__(self) -> None:
        self.now = 1000.0

    def pass_on(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.now += seconds

    @property
    def ms(self) -> int:
        """The time of Redis, in milliseconds."""
        return round((self.now + 1.8e9) * 1000)

    def as_module(self) -> Any:
        """Return what stands in for the module ``time``."""
        return SimpleNamespace(
            monotonic=lambda: self.now,
            time=lambda: self.now + 1.8e9,
            sleep=self.pass_on,
            perf_counter=lambda: self.now,
        )


class Stream:
    """One stream."""

    def __init__(self) -> None:
        self.ids: list[EntryID] = []
        self.bodies: list[bytes] = []
        self.last: EntryID = (0, 0)

    def add(self, entry_id: EntryID, body: bytes) -> bool:
        """Add *body*; return False if its ID is not larger than all that were there."""
        if entry_id <= self.last:
            return False
        self.last = entry_id
        self.ids.append(entry_id)
        self.bodies.append(body)
        return True

    def behind(self, entry_id: EntryID, count: int) -> list[tuple[bytes, bytes]]:
        """Return up to *count* entries behind *entry_id*."""
        at = bisect_right(self.ids, entry_id)
        return [
            (shown(each), body)
            for each, body in zip(self.ids[at : at + count], self.bodies[at : at + count])
        ]

    def trim(self, keep: int) -> None:
        """Remove all but the last *keep* entries."""
        drop = max(0, len(self.ids) - keep)
        del self.ids[:drop], self.bodies[:drop]


def shown(entry_id: EntryID) -> bytes:
    """Return *entry_id* as Redis writes it."""
    return b"%d-%d" % entry_id


def read(text: bytes) -> EntryID:
    """Return the ID that *text* is."""
    epoch, _, number = text.partition(b"-")
    return int(epoch), int(number)


class Bus:
    """Redis."""

    def __init__(self, clock: Clock, prefix: str) -> None:
        self.clock, self.keys = clock, Keys(prefix)
        self.streams: dict[str, Stream] = {}
        #: By scope: slot, epoch, and until when.
        self.leases: dict[str, tuple[int, int, float]] = {}
        self.epoch = 7 * STRIDE
        #: What each proxy has said last that it holds, by slot.
        self.presences: dict[int, SimpleNamespace] = {}

    def stream(self, key: str) -> Stream:
        """Return the stream *key*, an empty one if there is none."""
        return self.streams.setdefault(key, Stream())

    def add(self, key: str, body: bytes) -> bytes:
        """Add *body* with an ID of Redis' own."""
        stream = self.stream(key)
        ms = self.clock.ms
        entry_id = (ms, 0) if (ms, 0) > stream.last else (stream.last[0], stream.last[1] + 1)
        stream.add(entry_id, body)
        return shown(entry_id)

    def lease(self, scope: str) -> tuple[int, int]:
        """Return slot and epoch of who has the lease of *scope*, zeros: nobody."""
        slot, epoch, until = self.leases.get(scope, (0, 0, 0.0))
        return (slot, epoch) if self.clock.now < until else (0, 0)

    def new_epoch(self, known: int) -> int:
        """Return the epoch of a new tenure, greater than what its proxy has *known*."""
        self.epoch = max(self.epoch, known // STRIDE * STRIDE) + STRIDE
        return self.epoch

    def flush(self) -> None:
        """Forget all, as a Redis that was started anew without its data."""
        self.streams.clear()
        self.leases.clear()
        self.presences.clear()


class Way:
    """A proxy's way to the bus; the whole of what it does there goes through it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.is_cut = False
        self.shown = "bus"
        #: Whether the last read of a stream has not brought all there was, by key.
        self.left: dict[str, bool] = {}

    def check(self) -> Bus:
        """Return the bus; raises BusError if it is out of reach."""
        if self.is_cut:
            raise BusError("out of reach")
        return self.bus

    # -- as a BusClient, and its lines --------------------------------------------------------

    def connection(self) -> Way:
        """Return a connection."""
        self.check()
        return self

    def close(self) -> None:
        """There is nothing to close."""

    def command(self, name: str, key: str, *args: Any) -> list[tuple[bytes, list[bytes]]]:
        """Carry out XRANGE or XREVRANGE, as the proxy uses them."""
        stream = self.check().stream(key)
        count = int(args[-1])
        if name == "XREVRANGE":
            found = stream.behind((0, 0), 1 << 30)[::-1][:count]
        else:
            start = args[0] if isinstance(args[0], bytes) else args[0].encode()
            behind = (0, 0) if start == b"-" else read(start[1:])
            found = stream.behind(behind, count)
        return [(entry_id, [b"b", body]) for entry_id, body in found]


class Reader:
    """As StreamReader."""

    def __init__(self, way: Way, *, by_time: bool = False) -> None:
        self._way, self._by_time = way, by_time

    def read(
        self, streams: Mapping[str, bytes], block_ms: int, count: int
    ) -> list[tuple[str, list[tuple[bytes, bytes]]]]:
        """Return what lies behind these IDs; never waits."""
        del block_ms
        bus = self._way.check()
        found = [(key, bus.stream(key).behind(read(last), count)) for key, last in streams.items()]
        for key, entries in found:
            self._way.left[key] = len(entries) == count
        return [each for each in found if each[1]]

    def interrupt(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """There is nothing to close."""


class Lane:
    """As a lane of the outbox."""

    def __init__(self, outbox: Outbox, key: str, epoch: int, on_fenced: Callable[[], object]):
        self.outbox, self.key, self.epoch, self.on_fenced = outbox, key, epoch, on_fenced
        self.acknowledged = b""
        self.number = 0
        self.is_over = False

    def put(self, body: bytes) -> None:
        """Queue *body*."""
        if not self.is_over:
            self.outbox.queue.append((self, self.key, body, None))

    def answer(self, slot: int, body: bytes) -> None:
        """Queue *body*, an answer for the proxy *slot*, behind what was put before."""
        if not self.is_over:
            keys = self.outbox.way.bus.keys
            scope = self.key.split(":", 2)[2]
            self.outbox.queue.append((self, keys.answers(slot, scope), body, None))

    def put_last(self, then: Callable[[], object]) -> None:
        """Call *then* once all before it is settled."""
        if self.is_over:
            then()
        else:
            self.outbox.queue.append((self, "", b"", then))

    def close(self) -> None:
        """Take nothing more."""
        self.is_over = True


class Outbox:
    """As the outbox of one proxy; ``flush`` is its thread."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.queue: list[tuple[Lane | None, str, bytes, Callable[[], object] | None]] = []
        #: Whether entries of events in a row become one.
        self.joins = True
        #: Answers of lanes are numbered on, as the outbox does.
        self._sequences: dict[str, list[int]] = {}

    def lane(self, scope: str, epoch: int, on_fenced: Callable[[], object]) -> Lane:
        """Return the lane of the tenure *epoch*."""
        return Lane(self, self.way.bus.keys.events(scope), epoch, on_fenced)

    def send(self, key: str, body: bytes) -> None:
        """Queue *body* for the stream *key*."""
        self.queue.append((None, key, body, None))

    def lose(self, lane: Lane) -> int:
        """Drop what *lane* has queued, as for lack of room; return how many entries that were."""
        gone = [each for each in self.queue if each[0] is lane and each[3] is None]
        self.queue = [each for each in self.queue if each not in gone]
        return len(gone)

    def flush(self, most: int = 1 << 30, *, twice: bool = False) -> None:
        """Send up to *most* entries; *twice*: an acknowledgement is lost on its way."""
        if self.way.is_cut:
            return
        items, self.queue = self.queue[:most], self.queue[most:]
        ends = [then for *_, then in items if then is not None]
        runs: list[tuple[Lane | None, str, Run]] = []
        last: dict[Lane | None, tuple[str, Run]] = {}
        for lane, key, body, then in items:
            if then is not None:
                continue
            before = last.get(lane)
            if self.joins and before is not None and before[0] == key and before[1].takes(body):
                continue
            run = Run(body)
            runs.append((lane, key, run))
            last[lane] = key, run
        for lane, key, run in runs:
            self._send(lane, key, run.joined(), twice=twice)
        for then in ends:
            then()

    def _send(self, lane: Lane | None, key: str, body: bytes, *, twice: bool) -> None:
        bus = self.way.bus
        if lane is None:
            bus.add(key, body)
            return
        # Each stream has numbers of its own, of the tenure that wrote there last.
        sequence = self._sequences.setdefault(key, [0, 0])
        if sequence[0] != lane.epoch:
            sequence[:] = [lane.epoch, 0]
        sequence[1] += 1
        entry_id = lane.epoch, sequence[1]
        stream = bus.stream(key)
        taken_now = stream.add(entry_id, body)
        if taken_now and twice:
            assert not stream.add(entry_id, body)  # it is there, so it is acknowledged
        if taken_now:
            if key == lane.key:
                lane.acknowledged = shown(entry_id)
        elif stream.last[0] != lane.epoch:
            was_over, lane.is_over = lane.is_over, True
            self.queue = [each for each in self.queue if each[0] is not lane or each[3]]
            if not was_over:
                lane.on_fenced()
