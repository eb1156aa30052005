# SPDX-License-Identifier: GPL-2.0-or-later
"""The client ends: one selector for all of them, which checks all they receive."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.views import View

_READ = 262144  # bytes
#: Close without TIME_WAIT: thousands of these would use up the ports.
_RESET = struct.pack("ii", 1, 0)
#: Clients that share one source address.
_PER_ADDRESS = 4000

_WRITE = selectors.EVENT_WRITE


class Opening(NamedTuple):
    """What a client says first, and how the answer to that ends."""

    says: bytes = b""
    answered: bytes = b"\n"


#: Who says nothing is greeted all the same.
BANNER = Opening()


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
        self._opening = BANNER

    def __enter__(self) -> Ends:  # noqa: PYI034 - Self is not in 3.9
        return self

    def __exit__(self, *_: object) -> None:
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
        opening: Opening = BANNER,
    ) -> list[End]:
        """Connect *count* clients, *at_once* at a time, and wait for their banners.

        Each says first what *opening* says.  Set ``greeted`` of each to the seconds until its
        banner.
        """
        self._opening = opening
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
        """Connect, shake hands or read; return whether *end* has its banner."""
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
                if self._opening.says and self.selector.get_key(end.sock).events & _WRITE:
                    end.sock.send(self._opening.says)
            self.selector.modify(end.sock, selectors.EVENT_READ, end)
            data = end.sock.recv(4096)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError as error:
            raise Failed(f"client {end.number} was refused: {error}") from error
        if not data:
            raise Failed(f"client {end.number} was closed before its banner")
        end.buffer += data
        answered = self._opening.answered
        if answered not in end.buffer:
            return False
        end.buffer = end.buffer.partition(answered)[2]
        return True

    def exchange(self, request: Callable[[End], bytes], until: bytes) -> None:
        """Send a request from each client; wait until each has received *until*."""
        waiting = set(self.all)
        for end in self.all:
            data = request(end)
            if end.sock.send(data) != len(data):
                raise Failed("a client's request was not sent whole")
        deadline = time.monotonic() + PATIENCE
        waiting = {end for end in waiting if until not in end.buffer}
        while waiting:
            for end, data in self._arrivals(deadline, f"{until!r}"):
                end.buffer += data
                if until in end.buffer:
                    waiting.discard(end)

    def forget(self, end: End) -> None:
        """Stop reading from *end*; it stays connected."""
        self.selector.unregister(end.sock)
        if end.view is not None:
            end.view.clients -= 1
            self._reading -= 1
            end.view = None

    # -- receiving events -------------------------------------------------------------

    def assign(self, views: Sequence[View]) -> None:
        """Assign *views* to the clients, in turn."""
        for end in self.all:
            view = views[end.number % len(views)]
            view.clients += 1
            end.view = view
        self._reading = len(self.all)

    def warm_up(self) -> None:
        """Receive batch 0 and all before it, without counting."""
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
        """Receive *batches* more batches at every client.

        *on_batch* is called after each batch and returns how many more to wait for;
        *tick* is called at least every 20 ms, with ``time.monotonic()``.
        """
        wanted = self.complete + batches
        while self.complete < wanted:
            for end, data in self._arrivals(time.monotonic() + PATIENCE, "events", tick):
                if end.view is None:
                    continue
                self.received += len(data)
                complete = self._take(end, end.view, data)
                self.complete += complete
                if on_batch is not None:
                    wanted += sum(on_batch() for _ in range(complete))

    def _take(self, end: End, view: View, data: bytes) -> int:
        """Check *data* of *end*; return how many batches are now complete at all clients."""
        view.take(end.position, data)
        end.position += len(data)
        complete = 0
        while end.events < len(view.bounds) and end.position >= view.bounds[end.events].end:
            number = end.events
            self.latencies.append(time.monotonic() - view.bounds[number].sent)
            self._counts[number] = self._counts.get(number, 0) + 1
            if self._counts[number] == self._reading:
                del self._counts[number]
                complete += 1
            end.events += 1
            view.passed(number)
        return complete

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
    """Begin to connect client *number*; return without waiting."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if number >= _PER_ADDRESS:
        # A source address has only as many ports as the system lends.
        sock.bind((f"127.0.0.{1 + number // _PER_ADDRESS}", 0))
    result = sock.connect_ex(address)
    if result not in (0, errno.EINPROGRESS):
        sock.close()
        raise Failed(f"cannot connect: {errno.errorcode.get(result, result)}")
    return sock


def check_connected(sock: socket.socket) -> None:
    """Check that connecting *sock* has not failed.

    Raises:
        Failed: it has.

    """
    error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise Failed(f"cannot connect: {errno.errorcode.get(error, error)}")


def close(sock: socket.socket) -> None:
    """Close *sock* at once."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()
