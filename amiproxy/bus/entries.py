# SPDX-License-Identifier: GPL-2.0-or-later
"""Entry: what the holder of a server writes into that server's stream of events.

An entry is a head and a payload, and the checksum of both in front: what was cut, or written
by something else, is no entry.  The checksum keeps out accidents, not enemies; so what the
payload must be like is looked at as well.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error
from typing import NamedTuple
from zlib import crc32

from amiproxy.bus.fields import MOST, Malformed, bounded
from amiproxy.message import END

#: Taken: the entry that opens a tenure.  Payload: ``states.taken``.
TAKEN = b"T"
#: A connection to the server is live.  Payload: ``states.up``.
UP = b"U"
#: The connection is lost.  Payload: none.
DOWN = b"D"
#: Events as Asterisk sent them.  Payload: their bytes.
EVENTS = b"E"
#: Messages with whom they are for.  Payload: ``items.encode_items``.
MIXED = b"M"
#: What the proxy itself says of the server, one event.  Payload: its bytes.
NOTICE = b"N"
#: Where the holder is, told now and then, and after entries were dropped.  Payload: none, or as
#: of ``UP``.
PLACE = b"P"

KINDS = frozenset({TAKEN, UP, DOWN, EVENTS, MIXED, NOTICE, PLACE})

#: Of the bytes: another version's entries are no entries.
_VERSION = 1
#: Version, kind, epoch, after, events, sent.
_HEAD = Struct(">BcQQIQ")
_SUM = Struct(">I")
#: Sum and head together.
_WHOLE = Struct(">IBcQQIQ")
_SUM_SIZE = _SUM.size
#: Bytes of an entry in front of its payload.
HEAD_SIZE = _WHOLE.size
#: The largest number of a connection, and of an event: what Redis' scripts can count to.
MOST_PLACE = 2**53
_CRLF = b"\r\n"


class Entry(NamedTuple):
    """One entry of a server's stream of events.

    *epoch* is the connection that it is about, *after* the number of the event before its
    first one, *events* how many it has, *sent* when it was made, in Redis' milliseconds.
    """

    kind: bytes
    epoch: int
    after: int
    events: int
    sent: int
    payload: bytes = b""


def encode_entry(entry: Entry) -> bytes:
    """Return *entry* as bytes.

    Raises:
        Malformed: it is larger than ``MOST``, or a number does not fit.

    """
    kind, epoch, after, events, sent, payload = entry
    try:
        head = _HEAD.pack(_VERSION, kind, epoch, after, events, sent)
    except struct_error as error:
        raise Malformed(f"an entry cannot be written: {error}") from None
    return bounded(_SUM.pack(crc32(payload, crc32(head))) + head + payload)


def decode_entry(data: bytes) -> Entry:
    """Return the entry that *data* is.

    What the payloads of T, U, P and M hold is for their own decoders.

    Raises:
        Malformed: it is none.

    """
    if not HEAD_SIZE <= len(data) <= MOST:
        raise Malformed(f"{len(data)} bytes are no entry")
    total, version, kind, epoch, after, events, sent = _WHOLE.unpack_from(data)
    payload = data[HEAD_SIZE:]
    if version != _VERSION:
        raise Malformed(f"an entry of version {version}, this proxy writes {_VERSION}")
    if total != crc32(payload, crc32(data[_SUM_SIZE:HEAD_SIZE])):
        raise Malformed("the checksum is wrong")
    if max(epoch, after) > MOST_PLACE:
        raise Malformed("a place beyond all that there are")
    _check(kind, events, payload)
    return Entry(kind, epoch, after, events, sent, payload)


def _check(kind: bytes, events: int, payload: bytes) -> None:
    """Raise Malformed if an entry of *kind* cannot have so many *events* in *payload*."""
    if kind in (EVENTS, NOTICE):
        if kind == NOTICE and events != 1:
            raise Malformed("a notice is one event")
        _check_wire(payload, events)
    elif kind not in KINDS:
        raise Malformed("an entry of no known kind")
    elif kind != MIXED and events:
        raise Malformed("an entry of this kind has no events")


def _check_wire(wire: bytes, events: int) -> None:
    """Raise Malformed unless a blank line ends each of *events* messages, and stands nowhere else.

    As amiproxy.wire.batch.Batch wants it.
    """
    parts = wire.split(END)
    if not events or len(parts) != events + 1 or parts.pop():
        raise Malformed("it says another number of events than it has")
    for part in parts:
        if part[:2] == _CRLF or not part:
            raise Malformed("a blank line does not end each event")
