# SPDX-License-Identifier: GPL-2.0-or-later
"""The client ends: one selector holds them all and checks all they receive.

Clients that must see the same form a :class:`View`.  What the first of them
receives is parsed: every event must be there, once, in order, and nothing else.
The others must receive the same bytes, which one ``memcmp`` tells.  So checking
costs little, and leaves the processors to what is measured.
"""

from __future__ import annotations

import contextlib
import errno
import re
import selectors
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

_READ = 262144
_MARK = re.compile(rb"BenchId[^0-9\r\n]{1,12}([0-9]{8}-[0-9]{16}-[0-9]{4})[^0-9]")
_SERVER_HEADER = len(b"Server: 127.0.0.1\r\n")
#: A close that leaves no TIME_WAIT behind: thousands of these would use up ports.
_RESET = struct.pack("ii", 1, 0)
#: Clients that come from one source address.
_PER_ADDRESS = 4000


class Wire(NamedTuple):
    """How events begin and end in a format, and whether sizes can be foretold."""

    start: bytes
    end: bytes
    plain: bool


WIRES = {
    "standard": Wire(b"Event: ", b"\r\n\r\n", plain=True),
    "xml": Wire(b"<AsteriskManagerOutput>\r\n", b"\r\n\r\n", plain=False),
    "csv": Wire(b'"Event: ', b"\r\n\r\n", plain=False),
    "json": Wire(b'{"Event":', b"\n", plain=False),
}


class Bound(NamedTuple):
    """Where a batch ends in a view's stream, and when it was sent."""

    end: int
    sent: float


class View:
    """What a group of clients must receive."""

    def __init__(self, wire: Wire, indices: Sequence[int], size: int = 0) -> None:
        """Expect of each batch the events *indices*, *size* bytes in all (0: unknown)."""
        self.wire = wire
        self.clients = 0
        self.stream = bytearray()  # what not all clients have received yet
        self.base = 0  # where in the whole stream it begins
        self.parsed = 0
        self.events = 0
        self.bounds: list[Bound] = []  # from batch 1 on: 0 is for warming up
        self.done: list[int] = []
        self._batch = [b"-%04d" % index for index in indices]
        self._batch_size = size
        self.expect_batches()

    def expect_batches(self) -> None:
        """Expect whole batches from now on."""
        self.tails = self._batch
        self.size = self._batch_size
        self._next = 0

    def expect_singles(self) -> None:
        """Expect single events from now on, each a batch of its own."""
        self.tails = [b"-0000"]
        self.size = 0
        self._next = 0

    def warm(self, data: bytes) -> int | None:
        """Return where in *data* batch 0 ends, None if it has not."""
        for mark in _MARK.finditer(data):
            if mark[1][:8] == b"00000000" and mark[1][25:] == self.tails[-1]:
                end = data.find(self.wire.end, mark.end() - 1)
                return None if end < 0 else end + len(self.wire.end)
        return None

    def take(self, position: int, data: bytes) -> None:
        """Check *data*, which one client received at *position* of the stream."""
        known = self.base + len(self.stream) - position
        if known >= len(data):
            if not self.stream.startswith(data, position - self.base):
                raise Failed("two clients received different bytes")
            return
        if known > 0:
            if not self.stream.startswith(data[:known], position - self.base):
                raise Failed("two clients received different bytes")
            data = data[known:]
        self.stream += data
        self._parse()

    def _parse(self) -> None:
        end = self.wire.end
        whole = self.base + self.stream.rfind(end) + len(end)
        if whole <= self.parsed or end not in self.stream:
            return
        start = self.parsed
        chunk = bytes(self.stream[start - self.base : whole - self.base])
        marks = _MARK.findall(chunk)
        if chunk.count(end) != len(marks) or not chunk.startswith(self.wire.start):
            raise Failed(f"a message too many, or one spoilt, in {chunk[:2000]!r}")
        batch = b"%08d" % (len(self.bounds) + 1)
        for mark in marks:
            if mark[:8] != batch or mark[25:] != self.tails[self._next]:
                raise Failed(
                    f"event {mark!r} came instead of {batch!r}...{self.tails[self._next]!r}"
                )
            self._next += 1
            if self._next == len(self.tails):
                self._next = 0
                place = chunk.index(end, chunk.index(mark)) + len(end)
                self._bound(start + place, int(mark[9:25]) / 1e6)
                batch = b"%08d" % (len(self.bounds) + 1)
        self.parsed = whole
        self.events += len(marks)

    def _bound(self, end: int, sent: float) -> None:
        size = end - (self.bounds[-1].end if self.bounds else 0)
        if self.size and size != self.size:
            raise Failed(f"a batch of {size} bytes instead of {self.size}")
        self.bounds.append(Bound(end, sent))
        self.done.append(0)

    def passed(self, number: int) -> None:
        """Count that one more client has received bound *number*; forget what all have."""
        self.done[number] += 1
        if self.done[number] == self.clients:
            end = self.bounds[number].end
            del self.stream[: end - self.base]
            self.base = end


class End:
    """One client."""

    __slots__ = ("buffer", "events", "greeted", "number", "position", "sock", "view", "warm")

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.sock = sock
        self.buffer = b""
        self.position = 0
        self.events = 0  # bounds passed
        self.view: View | None = None
        self.warm = False
        self.greeted = 0.0


class Ends:
    """All clients of a run."""

    def __init__(self) -> None:
        self.selector = selectors.DefaultSelector()
        self.all: list[End] = []
        self.latencies: list[float] = []
        self.received = 0  # bytes
        self.complete = 0  # batches that every client has received, after warming up
        self._counts: dict[int, int] = {}
        self._reading = 0

    def __enter__(self) -> Ends:  # noqa: PYI034 - Self is not in 3.9
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for end in self.all:
            close(end.sock)
        self.selector.close()

    # -- connecting -------------------------------------------------------------------

    def connect(
        self,
        address: tuple[str, int],
        count: int,
        *,
        at_once: int = 50,
        tls: ssl.SSLContext | None = None,
        receive_buffer: int = 0,
    ) -> list[End]:
        """Connect *count* clients, *at_once* at a time, and wait for their banners.

        ``greeted`` of each is how many seconds its banner took.
        """
        new: list[End] = []
        waiting: dict[End, float] = {}
        deadline = time.monotonic() + PATIENCE + count / 100
        while len(new) < count or waiting:
            while len(new) < count and len(waiting) < at_once:
                started = time.monotonic()
                sock = open_socket(address, len(self.all) + len(new), receive_buffer)
                end = End(len(self.all) + len(new), sock)
                new.append(end)
                waiting[end] = started
                self.selector.register(sock, selectors.EVENT_WRITE, end)
            for end, _ in self._ready(deadline, "banners"):
                if end in waiting and self._greet(end, tls):
                    end.greeted = time.monotonic() - waiting.pop(end)
        self.all += new
        return new

    def _greet(self, end: End, tls: ssl.SSLContext | None) -> bool:
        """Bring *end* a step nearer to its banner; tell whether it has it."""
        if tls is not None and not isinstance(end.sock, ssl.SSLSocket):
            check_connected(end.sock)
            self.selector.unregister(end.sock)
            end.sock = tls.wrap_socket(end.sock, do_handshake_on_connect=False)
            self.selector.register(end.sock, selectors.EVENT_READ, end)
        try:
            if isinstance(end.sock, ssl.SSLSocket):
                end.sock.do_handshake()
            else:
                check_connected(end.sock)
            self.selector.modify(end.sock, selectors.EVENT_READ, end)
            data = end.sock.recv(4096)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError as error:
            raise Failed(f"client {end.number} was refused: {error}") from error
        if not data:
            raise Failed(f"client {end.number} was closed before its banner")
        end.buffer += data
        if b"\n" not in end.buffer:
            return False
        end.buffer = end.buffer.partition(b"\n")[2]
        return True

    def exchange(self, request: Callable[[End], bytes], until: bytes) -> None:
        """Send a request from each client, and wait until each has *until* in its answer."""
        waiting = set(self.all)
        for end in self.all:
            data = request(end)
            if end.sock.send(data) != len(data):
                raise Failed("a client's request was not taken")
        deadline = time.monotonic() + PATIENCE
        waiting = {end for end in waiting if until not in end.buffer}
        while waiting:
            for end, data in self._arrivals(deadline, f"{until!r}"):
                end.buffer += data
                if until in end.buffer:
                    waiting.discard(end)

    def forget(self, end: End) -> None:
        """Read no more from *end*; it stays connected."""
        self.selector.unregister(end.sock)
        if end.view is not None:
            end.view.clients -= 1
            self._reading -= 1
            end.view = None

    # -- receiving events -------------------------------------------------------------

    def look(self, views: Sequence[View]) -> None:
        """Give the clients *views*, in turn."""
        for end in self.all:
            view = views[end.number % len(views)]
            view.clients += 1
            end.view = view
        self._reading = len(self.all)

    def warm_up(self) -> None:
        """Receive batch 0, and all that may come before it; do not count any."""
        cold = set(self.all)
        deadline = time.monotonic() + PATIENCE
        for end in self.all:
            self._warm(end, b"", cold)
        while cold:
            for end, data in self._arrivals(deadline, "the first batch"):
                self._warm(end, data, cold)

    def _warm(self, end: End, data: bytes, cold: set[End]) -> None:
        assert end.view is not None
        end.buffer += data
        place = end.view.warm(end.buffer)
        if place is not None and end in cold:
            cold.discard(end)
            if len(end.buffer) > place:
                raise Failed(f"unexpected after the first batch: {end.buffer[place:][:500]!r}")
            end.buffer = b""

    def receive(
        self,
        batches: int,
        on_batch: Callable[[], int] | None = None,
        tick: Callable[[float], None] | None = None,
    ) -> None:
        """Receive *batches* more of them, at every client.

        *on_batch* is called after each batch and returns how many more to await;
        *tick* is called now and then with the time.
        """
        wanted = self.complete + batches
        counts = self._counts
        latencies = self.latencies
        while self.complete < wanted:
            for end, data in self._arrivals(time.monotonic() + PATIENCE, "events", tick):
                view = end.view
                if view is None:
                    continue
                view.take(end.position, data)
                end.position += len(data)
                self.received += len(data)
                bounds = view.bounds
                number = end.events
                while number < len(bounds) and end.position >= bounds[number].end:
                    latencies.append(time.monotonic() - bounds[number].sent)
                    counts[number] = counts.get(number, 0) + 1
                    if counts[number] == self._reading:
                        del counts[number]
                        self.complete += 1
                        if on_batch is not None:
                            wanted += on_batch()
                    number += 1
                    end.events = number
                    view.passed(number - 1)

    def _ready(
        self, deadline: float, what: str, tick: Callable[[float], None] | None = None
    ) -> Iterator[tuple[End, int]]:
        while True:
            keys = self.selector.select(0.02 if tick is not None else 1.0)
            now = time.monotonic()
            if tick is not None:
                tick(now)
            if keys:
                break
            if now > deadline:
                raise Failed(f"waited {PATIENCE:g} s for {what}")
        for key, events in keys:
            yield key.data, events

    def _arrivals(
        self, deadline: float, what: str, tick: Callable[[float], None] | None = None
    ) -> Iterator[tuple[End, bytes]]:
        if time.monotonic() > deadline:
            raise Failed(f"waited too long for {what}")
        for end, _ in self._ready(deadline, what, tick):
            try:
                data = end.sock.recv(_READ)
            except (BlockingIOError, ssl.SSLWantReadError):
                continue
            except OSError as error:
                raise Failed(f"client {end.number} was cut off: {error}") from error
            if not data:
                raise Failed(f"client {end.number} was closed")
            yield end, data


def open_socket(address: tuple[str, int], number: int, receive_buffer: int = 0) -> socket.socket:
    """Begin to connect client *number*, without waiting."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if number >= _PER_ADDRESS:
        # One source address has no more ports than the system lends.
        sock.bind((f"127.0.0.{1 + number // _PER_ADDRESS}", 0))
    result = sock.connect_ex(address)
    if result not in (0, errno.EINPROGRESS):
        sock.close()
        raise Failed(f"cannot connect: {errno.errorcode.get(result, result)}")
    return sock


def check_connected(sock: socket.socket) -> None:
    """Raise Failed if connecting *sock* has failed."""
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise Failed(f"cannot connect: {errno.errorcode.get(error, error)}")


def close(sock: socket.socket) -> None:
    """Close *sock* at once."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


def event_size(raw: bytes, *, server_header: bool) -> int:
    """Return how many bytes of the standard format the event *raw* is."""
    return len(raw) + (_SERVER_HEADER if server_header else 0)
