# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of whom each must receive events of its own, byte for byte; checked cheaply.

There are many of them, and they share the processors with the proxy.  What each must receive is
known beforehand but for the stamp of each event: a comparison is all that is needed.
"""

from __future__ import annotations

import select
import time
from collections import Counter
from itertools import accumulate
from typing import TYPE_CHECKING, Callable, NamedTuple

from benchmarks.events import BLANK, END, single_events
from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from benchmarks.ends import End
    from benchmarks.events import Event
    from benchmarks.upstream import Upstream

#: Bytes.  More at once would be memory that the system lends for each read, which takes 9 us.
_READ = 65536
_STAMP = len(BLANK)
_NUMBER = 8  # digits of the number of the batch, with which a stamp begins


class Heard(NamedTuple):
    """That a client receives the event number *place*; *when* that one is sent, or later."""

    place: int
    when: int


class _Part(NamedTuple):
    """An event as clients get it: what stands before and after its stamp, and its batch."""

    head: bytes
    tail: bytes
    batch: int


class Feed:
    """What is sent, counted: the number of a batch tells which events it has."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self.sent = 0  # batches

    def credit(self) -> None:
        """Send one batch more."""
        self._upstream.order("credit", 1)
        self.sent += 1

    def paced(self, rate: int, count: int) -> None:
        """Send *count* single events, *rate* a second."""
        self._upstream.order("paced", rate, count)
        self.sent += count


class Hearer:
    """One client."""

    __slots__ = ("_first", "_parts", "_place", "_round", "_sock", "_times", "_unread", "number")

    def __init__(self, end: End, times: list[float]) -> None:
        """Receive at *end*; add to *times* how long each event took, in seconds."""
        self.number = end.number
        self._sock: socket.socket = end.sock
        self._times = times
        self._unread = b""
        self._parts: Sequence[_Part] = ()
        self._place = self._first = self._round = 0

    def expect(self, parts: Sequence[_Part], first: int, batches: int) -> None:
        """Expect *parts*, again and again, the first in batch number *first*, of *batches*.

        Raises:
            Failed: something came that was not expected so far.

        """
        self.check_silent()
        self._parts, self._first, self._round, self._place = parts, first, batches, 0

    def check_silent(self) -> None:
        """Check that nothing has come but what was expected.

        Raises:
            Failed: something has.

        """
        if self._unread:
            raise Failed(f"client {self.number} got, besides: {self._unread[:500]!r}")

    def read(self) -> int:
        """Read; return how many events have come.

        Raises:
            Failed: an event is missing, or another came, or the connection has ended.

        """
        try:
            data = self._sock.recv(_READ)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Failed(f"client {self.number} was cut off: {error}") from error
        if not data:
            raise Failed(f"client {self.number} was closed")
        return self.take(data)

    def take(self, data: bytes) -> int:
        """Check *data*, which has come; return how many events are whole with it."""
        now = time.monotonic()
        data = self._unread + data
        start = count = 0
        while start < len(data):
            head, tail, batch = self._parts[self._place]
            stamp = start + len(head)
            end = stamp + _STAMP + len(tail)
            if end > len(data):
                break
            if not (
                data.startswith(head, start)
                and data.startswith(tail, stamp + _STAMP)
                and data.startswith(b"%08d" % (self._first + batch), stamp)
            ):
                raise Failed(
                    f"client {self.number} got {data[start : start + 1000]!r} instead of {head!r}, "
                    f"batch {self._first + batch}, {tail!r}"
                )
            self._times.append(now - int(data[stamp + _NUMBER + 1 : stamp + _STAMP]) / 1e6)
            start = end
            count += 1
            self._place += 1
            if self._place == len(self._parts):
                self._place = 0
                self._first += self._round
        self._unread = data[start:]
        return count


class Hearers:
    """Clients, and what each of them must receive of certain *events*."""

    def __init__(self, events: list[Event], feed: Feed) -> None:
        self._events = events
        self._feed = feed
        self._clients: dict[int, tuple[Hearer, Sequence[Heard]]] = {}
        self._poll = select.epoll()
        self._came = [0]
        #: Events that have come to all of them together, since it was told what to expect.
        self.heard = 0

    def __enter__(self) -> Hearers:  # noqa: PYI034 - Self is not in 3.9
        return self

    def __exit__(self, *_: object) -> None:
        self._poll.close()

    def add(self, ends: Sequence[End], hears: Sequence[Sequence[Heard]]) -> list[float]:
        """Receive at *ends*, in turn what *hears* tells; return where the times will be, in s."""
        times: list[float] = []
        for end, each in zip(ends, hears):
            self._clients[end.sock.fileno()] = (Hearer(end, times), each)
            self._poll.register(end.sock, select.EPOLLIN)
        return times

    def expect(self, piece: int) -> None:
        """Expect from the next batch on the events from the first one, *piece* in a batch."""
        raws = [event.raw for event in self._events] if piece > 1 else single_events(self._events)
        parts = [_part(raw, index // piece) for index, raw in enumerate(raws)]
        batches = parts[-1].batch + 1
        come = Counter[int]()
        for client, hears in self._clients.values():
            client.expect([parts[each.place] for each in hears], self._feed.sent, batches)
            come.update(each.when // piece for each in hears)
        self._came = list(accumulate((come[batch] for batch in range(batches)), initial=0))
        self.heard = 0

    def due(self, batches: int) -> int:
        """Return how many events come to them of the next *batches*, from the first one on."""
        rounds, rest = divmod(batches, len(self._came) - 1)
        return rounds * self._came[-1] + self._came[rest]

    def receive(self, wanted: Callable[[], int]) -> None:
        """Receive until as many events have come as are *wanted*, which is asked again and again.

        Raises:
            Failed: an event is missing, or another came.

        """
        deadline = time.monotonic() + PATIENCE
        while self.heard < wanted():
            ready = self._poll.poll(1.0)
            for fd, _ in ready:
                self.heard += self._clients[fd][0].read()
            if ready:
                deadline = time.monotonic() + PATIENCE
            elif time.monotonic() > deadline:
                self._check_silent()
                raise Failed(f"{self.heard} events came instead of {wanted()} in {PATIENCE:g} s")
        self._check_silent()

    def _check_silent(self) -> None:
        for client, _ in self._clients.values():
            client.check_silent()


def _part(raw: bytes, batch: int) -> _Part:
    """Return an event as the proxy writes it."""
    head, _, tail = raw.partition(BLANK)
    return _Part(head, tail[: -len(END)] + b"\r\nServer: 127.0.0.1" + END, batch)
