# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages with whom each is for, as bytes: the payload of mixed entries and of answers."""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING

from amiproxy.bus.entries import MIXED
from amiproxy.bus.fields import Fields, Malformed, text_bytes
from amiproxy.message import END, TEXT_FOLLOWS, Message
from amiproxy.wire.routed import BROADCAST, NO_CLIENT, Routed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.bus.entries import Entry

_COUNT = Struct(">I")
#: Flags, owner, asker; how long the message, the action_id and the request_id are.
_ITEM = Struct(">BqqIHH")

_FINAL, _PRIVATE, _OWN, _HAS_ACTION_ID, _HAS_REQUEST_ID = 1, 2, 4, 8, 16
_ALL = 31


def encode_items(items: Sequence[Routed]) -> bytes:
    """Return *items* as bytes.

    Raises:
        Malformed: a text is too long, or a number does not fit.

    """
    parts = [_COUNT.pack(len(items))]
    for item in items:
        message, action_id, request_id = item.message, item.action_id, item.request_id
        flags = (
            _FINAL * item.final
            + _PRIVATE * item.private
            + _OWN * message.own
            + _HAS_ACTION_ID * (action_id is not None)
            + _HAS_REQUEST_ID * (request_id is not None)
        )
        given, wire_id = text_bytes(action_id or ""), text_bytes(request_id or "")
        raw = message.raw
        try:
            head = _ITEM.pack(flags, item.owner, item.asker, len(raw), len(given), len(wire_id))
        except struct_error as error:
            raise Malformed(f"a message cannot be written: {error}") from None
        parts += head, raw, given, wire_id
    return b"".join(parts)


def decode_items(data: bytes) -> list[Routed]:
    """Return the messages that *data* holds.

    Raises:
        Malformed: it holds none.

    """
    fields = Fields(data)
    items = read_items(fields)
    fields.end()
    return items


def read_items(fields: Fields) -> list[Routed]:
    """Return the messages that come next in *fields*; raises Malformed."""
    (count,) = fields.numbers(_COUNT)
    if count * _ITEM.size > fields.left:
        raise Malformed("it has fewer messages than it says")
    return [_read_item(fields) for _ in range(count)]


def items_of(entry: Entry) -> list[Routed]:
    """Return the messages of *entry*, which is mixed: none is private, and its events are counted.

    Raises:
        Malformed: it is no such entry.

    """
    if entry.kind != MIXED:
        raise Malformed("no mixed entry")
    items = decode_items(entry.payload)
    if any(item.private for item in items):
        raise Malformed("a private message is in the stream of all")
    if sum(item.owner == BROADCAST for item in items) != entry.events:
        raise Malformed("it says another number of events than it has")
    return items


def _read_item(fields: Fields) -> Routed:
    flags, owner, asker, size, given, wire_id = fields.numbers(_ITEM)
    if flags > _ALL or owner < NO_CLIENT or asker < NO_CLIENT:
        raise Malformed("a message is for nobody")
    raw = fields.take(size)
    check_message(raw)
    return Routed(
        Message(raw, own=flags & _OWN > 0),
        owner=owner,
        action_id=fields.optional(given, is_there=flags & _HAS_ACTION_ID > 0),
        request_id=fields.optional(wire_id, is_there=flags & _HAS_REQUEST_ID > 0),
        asker=asker,
        final=flags & _FINAL > 0,
        private=flags & _PRIVATE > 0,
    )


def check_message(raw: bytes) -> None:
    """Raise Malformed unless *raw* is one message: lines, and a blank line at its end alone.

    The text of a command (``Response: Follows``) may have blank lines of its own.
    """
    if not raw.endswith(END):
        raise Malformed("a message has no end")
    if raw.startswith(TEXT_FOLLOWS):
        return
    if raw.startswith(b"\r\n") or raw.find(END) != len(raw) - len(END):
        raise Malformed("a message has a blank line")
