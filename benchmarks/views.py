# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients must receive, and the check that they do.

Clients that must see the same form a :class:`View`.  The view parses what the
first of them receives: every event must be there, once, in order, and nothing
else.  The others must receive the same bytes, which is one ``memcmp``.  So
checking costs little, and leaves the processors to the subject.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.processes import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile(rb"BenchId[^0-9\r\n]{1,12}([0-9]{8}-[0-9]{16}-[0-9]{4})[^0-9]")
_SERVER_HEADER = len(b"Server: 127.0.0.1\r\n")


class Wire(NamedTuple):
    """How events begin and end in a format; *plain*: their size is known beforehand."""

    start: bytes
    end: bytes
    plain: bool


WIRES = {
    "standard": Wire(b"Event: ", b"\r\n\r\n", plain=True),
    "xml": Wire(b"<AsteriskManagerOutput>\r\n", b"\r\n\r\n", plain=False),
    "csv": Wire(b'"Event: ', b"\r\n\r\n", plain=False),
    "json": Wire(b'{"Event":', b"\n", plain=False),
    "ws": Wire(b"\x81", b'"}}', plain=False),
}


class Bound(NamedTuple):
    """Where a batch ends in a view's stream, and when it was sent."""

    end: int
    sent: float


class View:
    """What a group of clients must receive."""

    def __init__(self, wire: Wire, indices: Sequence[int], size: int = 0) -> None:
        """Expect the events *indices* of each batch, *size* bytes in all (0: unknown)."""
        self.wire = wire
        self.clients = 0
        self.stream = bytearray()  # what some clients have not received yet
        self.base = 0  # its start in the whole stream
        self.parsed = 0
        self.events = 0
        self.bounds: list[Bound] = []  # from batch 1 on; batch 0 is the warm-up
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
        """Return where batch 0 ends in *data*; None if it has not ended."""
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
            raise Failed(f"a surplus or corrupt message in {chunk[:2000]!r}")
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
        """Count one more client at bound *number*; discard what all have received."""
        self.done[number] += 1
        if self.done[number] == self.clients:
            end = self.bounds[number].end
            del self.stream[: end - self.base]
            self.base = end


def event_size(raw: bytes, *, server_header: bool) -> int:
    """Return how many bytes of the standard format the event *raw* is."""
    return len(raw) + (_SERVER_HEADER if server_header else 0)
