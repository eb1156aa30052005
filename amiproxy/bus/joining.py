# SPDX-License-Identifier: GPL-2.0-or-later
"""Joining: entries of events in a row become one, when several wait to be sent.

Redis, and each proxy that reads, does most of its work for an entry, not for its bytes.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

from amiproxy.bus.entries import EVENTS, HEAD_SIZE, Entry, encode_entry

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bytes of an entry from which on nothing is joined to it: Redis has 64 KiB for it.
ENOUGH = 48 * 1024

#: Kind, epoch, after, events and sent, behind checksum and version.
_PLACE = Struct(">5xcQQIQ")


class Run:
    """Entries of one stream in a row, which will be one."""

    __slots__ = ("_epoch", "_upto", "bodies", "size")

    def __init__(self, body: bytes) -> None:
        self.bodies = [body]
        self.size = len(body)
        self._epoch, self._upto = -1, -1
        if body[5:6] == EVENTS and len(body) > HEAD_SIZE:
            _, self._epoch, after, events, _ = _PLACE.unpack_from(body)
            self._upto = after + events

    def takes(self, body: bytes) -> bool:
        """Take *body* if its events are those right behind; return whether that is so."""
        if self._epoch < 0 or body[5:6] != EVENTS or len(body) <= HEAD_SIZE:
            return False
        _, epoch, after, events, _ = _PLACE.unpack_from(body)
        if epoch != self._epoch or after != self._upto or self.size + len(body) > ENOUGH:
            return False
        self.bodies.append(body)
        self.size += len(body) - HEAD_SIZE
        self._upto = after + events
        return True

    def joined(self) -> bytes:
        """Return them as one entry, sent when the first one was."""
        bodies = self.bodies
        return bodies[0] if len(bodies) == 1 else _joined(bodies)


def _joined(bodies: Sequence[bytes]) -> bytes:
    kind, epoch, after, _, sent = _PLACE.unpack_from(bodies[0])
    events = sum(_PLACE.unpack_from(body)[3] for body in bodies)
    wire = b"".join([body[HEAD_SIZE:] for body in bodies])
    return encode_entry(Entry(kind, epoch, after, events, sent, wire))
