# SPDX-License-Identifier: GPL-2.0-or-later
"""History: what the bus has of a server when this proxy begins to follow it.

It goes into the ring, not to clients: so who was at another proxy can resume here.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from amiproxy.bus import states
from amiproxy.bus.entries import DOWN, EVENTS, MIXED, NOTICE, TAKEN, UP, decode_entry
from amiproxy.bus.fields import Malformed
from amiproxy.bus.ids import place_of
from amiproxy.routing.ring import START

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.bus.entries import Entry
    from amiproxy.routing.ring import Place
    from amiproxy.threads.bus.around import Around
    from amiproxy.threads.bus.client import Line
    from amiproxy.threads.bus.sharedlink import SharedLink
    from amiproxy.threads.bus.sharedpublisher import SharedPublisher

#: Entries of one read, and how many are looked at for how the server is where none are kept.
_PAGE = 500
_LATEST = 2000

_KEPT = frozenset({EVENTS, MIXED, NOTICE})


class History:
    """Reads what there is of the server of *link*.  For its server's thread."""

    def __init__(self, link: SharedLink, publisher: SharedPublisher, around: Around) -> None:
        self._link, self._publisher, self._around = link, publisher, around
        #: Where the last event stands.
        self.at: Place = START
        #: Whether the holder is connected; the first epoch of its tenure.
        self.is_up, self.tenure = False, 0
        #: The tenure of this proxy that the last entry opens; 0: none.
        self.opened = 0
        self._past: list[Place] = []

    def read(self, key: str) -> bytes:
        """Read the stream *key*; return the id of the last entry.

        Raises:
            BusError: it cannot be read.

        """
        last = b"0-0"
        line = self._around.client.connection()
        try:
            for entry_id, body in self._entries(line, key):
                last = entry_id
                try:
                    self._take(entry_id, decode_entry(body))
                except Malformed:
                    self._link.dropped += 1
        finally:
            line.close()
        self._settle()
        return last

    def _entries(self, line: Line, key: str) -> Iterator[tuple[bytes, bytes]]:
        if not (self._link.ring.limit or self._around.keeps_calls):
            latest = line.command("XREVRANGE", key, "+", "-", "COUNT", _LATEST)
            yield from reversed(list(map(_pair, latest)))
            return
        start = b"-"
        while page := line.command("XRANGE", key, start, "+", "COUNT", _PAGE):
            yield from map(_pair, page)
            start = b"(" + page[-1][0]

    def _take(self, entry_id: bytes, entry: Entry) -> None:
        kind, link = entry.kind, self._link
        self.opened, self.tenure = 0, place_of(entry_id)[0]
        if kind == TAKEN:
            self.is_up = False
            if states.read_taken(entry.payload) == self._around.slot:
                self.opened = self.tenure
            return
        if entry.epoch < self.at[0] or (entry.epoch, entry.after) < self.at:
            return
        if entry.epoch > self.at[0] and self.at != START:
            self._past.append(self.at)
        if kind == UP:
            address, link.banner = states.read_up(entry.payload)
            link.set_address(address)
        if kind != NOTICE:
            self.is_up = kind != DOWN
        if kind in _KEPT:
            ago = max(0, self._around.now() - entry.sent) / 1000
            self._publisher.refill(entry, time.monotonic() - ago)
        self.at = entry.epoch, entry.after + entry.events

    def _settle(self) -> None:
        """Have the link go on behind what was read."""
        link = self._link
        if self.at != START:
            link.past = (*link.past, *self._past)
            link.place = link.handed = self.at


def _pair(found: Any) -> tuple[bytes, bytes]:
    """Return the id and the body of an entry as Redis writes it."""
    entry_id, fields = found
    return entry_id, fields[1] if isinstance(fields, list) and len(fields) == 2 else b""
