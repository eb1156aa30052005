# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that tell when each single event came to them: one at the holder, some at edges."""

from __future__ import annotations

import re
import selectors
import socket
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.ends import close
from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The mark of a single event, as benchmarks/events.py writes it: its batch, when it was sent.
_MARK = re.compile(rb"\r\nBenchId: (\d{8})-(\d{16})-\d{4}\r\n")
_END = b"\r\n\r\n"
_READ = 262144  # bytes


class Lost(NamedTuple):
    """Some events are missing: *since* that one was sent which came before them, until one came.

    Both by time.monotonic().
    """

    since: float
    until: float


class Marks:
    """What one client has had; *delays* has the seconds until it had each event, in order."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        #: Whether they come from one server, and so in the order in which they were sent.
        self.in_order = True
        #: Whether events may be missing; and where some were.
        self.may_lose = False
        self.lost: list[Lost] = []
        self._sent = 0.0
        self._unread = b""
        self._last: int | None = None

    def take(self, data: bytes, now: float) -> None:
        """Note the events in *data*, which came at *now*.

        Raises:
            Failed: an event is out of order, or is missing that may not.

        """
        data = self._unread + data
        whole = data.rfind(_END) + len(_END)
        if whole < len(_END):
            self._unread = data
            return
        self._unread = data[whole:]
        for number, sent in _MARK.findall(data, 0, whole):
            batch, when = int(number), int(sent) / 1e6
            if self._last is not None and self.in_order and not 0 <= batch - self._last <= 1:
                if not self.may_lose or batch < self._last:
                    raise Failed(f"an event of batch {batch} came behind {self._last}")
                self.lost.append(Lost(self._sent, now))
            self._last, self._sent = batch, when
            self.delays.append(now - when)


class Tap(Marks):
    """One client."""

    def __init__(self, address: tuple[str, int]) -> None:
        """Connect, and wait for the banner: from then on it has every event.

        Raises:
            Failed: there is none.

        """
        super().__init__()
        self.sock = socket.create_connection(address, PATIENCE)
        self.sock.settimeout(PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        heard = b""
        while b"\n" not in heard:
            heard += self._received()
        self.take(heard.partition(b"\n")[2], time.monotonic())

    def read(self) -> None:
        """Take what has come.

        Raises:
            Failed: an event is missing, or the connection has ended.

        """
        data = self._received()
        self.take(data, time.monotonic())

    def _received(self) -> bytes:
        try:
            data = self.sock.recv(_READ)
        except OSError as error:
            raise Failed(f"a client was cut off: {error}") from error
        if not data:
            raise Failed("a client was closed")
        return data


class Taps:
    """Several of them, read by one thread."""

    def __init__(self, addresses: Sequence[tuple[str, int]]) -> None:
        self._selector = selectors.DefaultSelector()
        self.all: list[Tap] = []
        for address in addresses:
            tap = Tap(address)
            self.all.append(tap)
            self._selector.register(tap.sock, selectors.EVENT_READ, tap)

    def serve(self, seconds: float) -> None:
        """Read what comes, for *seconds* at the most, until something has come."""
        for key, _ in self._selector.select(seconds):
            key.data.read()

    def receive(self, events: int) -> None:
        """Read until each has so many *events* since its list was empty.

        Raises:
            Failed: nothing comes any more.

        """
        heard, since = -1, time.monotonic()
        while min(len(tap.delays) for tap in self.all) < events:
            self.serve(1.0)
            now = sum(len(tap.delays) for tap in self.all)
            if now != heard:
                heard, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                raise Failed(f"of {events} events came {[len(tap.delays) for tap in self.all]}")

    def clear(self) -> None:
        """Forget all delays."""
        for tap in self.all:
            tap.delays.clear()

    def __enter__(self) -> Taps:  # noqa: PYI034 - Self is not in 3.9
        return self

    def __exit__(self, *_: object) -> None:
        for tap in self.all:
            close(tap.sock)
        self._selector.close()
