# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders: what the operator of one proxy has another one do, and what that says, as bytes.

An order is a command line of the control socket.  The bytes come from others: they are JSON of
known fields, bounded, or :class:`Malformed`.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, NamedTuple

from amiproxy.bus.fields import MOST_SLOT, Malformed, read_json

#: Characters of a command line, and of who asks.
MOST_LINE, MOST_WHO = 1024, 300
#: Bytes of an order; of an answer, as it goes through Redis and unpacked: 20 000 clients in JSON
#: are 14 MB, a tenth of that packed.
MOST_ORDER = 16 * 1024
MOST_PACKED = 8 * 1024 * 1024
MOST_ANSWER = 32 * 1024 * 1024

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_MOST_NUMBER = 2**53


class Order(NamedTuple):
    """One order: *line* is to be carried out for *who*, unless it is read after *until*.

    *number* is what its answers bear, *asker* the slot of the proxy that they are for; *until* is
    milliseconds of Redis' clock.
    """

    number: int
    asker: int
    until: int
    who: str
    line: str


class Reply(NamedTuple):
    """What the proxy *slot* says to the order *number*.

    Not *is_final*: it has taken the order, and what comes of it follows; *packed* is empty then.
    """

    number: int
    slot: int
    is_final: bool
    packed: bytes = b""


def encode_order(order: Order) -> bytes:
    """Return *order* as bytes.

    Raises:
        Malformed: it is too long, or holds a control character.

    """
    if not (_is_text(order.who, MOST_WHO) and _is_text(order.line, MOST_LINE)):
        raise Malformed("the command is too long for another proxy, or holds a control character")
    return json.dumps([*order]).encode()


def decode_order(body: bytes) -> Order:
    """Return the order that *body* is.

    Raises:
        Malformed: it is none.

    """
    values = _list(body, MOST_ORDER, 5)
    number, asker, until, who, line = values
    if not (_is_number(number, _MOST_NUMBER) and _is_number(asker, MOST_SLOT)):
        raise Malformed("an order has no number, or no asker")
    if not _is_number(until, _MOST_NUMBER):
        raise Malformed("an order has no end")
    if not (_is_text(who, MOST_WHO) and _is_text(line, MOST_LINE)):
        raise Malformed("an order is no line of text")
    return Order(number, asker, until, who, line)


def encode_reply(reply: Reply) -> bytes:
    """Return *reply* as bytes: a line of JSON, and what is packed."""
    head = json.dumps([reply.number, reply.slot, reply.is_final]).encode()
    return head + b"\n" + reply.packed


def decode_reply(body: bytes) -> Reply:
    """Return the reply that *body* is; what is packed in it is not looked at.

    Raises:
        Malformed: it is none.

    """
    if len(body) > MOST_PACKED:
        raise Malformed("too long")
    head, _, packed = body.partition(b"\n")
    number, slot, is_final = _list(head, 100, 3)
    if not (_is_number(number, _MOST_NUMBER) and _is_number(slot, MOST_SLOT)):
        raise Malformed("a reply has no number, or is nobody's")
    if not isinstance(is_final, bool):
        raise Malformed("a reply is neither the last one nor another")
    return Reply(number, slot, is_final, packed)


def pack(*, is_good: bool, lines: list[str], data: Any = None) -> bytes:
    """Return what came of an order, packed.

    Raises:
        Malformed: it is too much.

    """
    plain = json.dumps([is_good, lines, data]).encode()
    packed = zlib.compress(plain, 1)
    if len(plain) > MOST_ANSWER or len(packed) > MOST_PACKED - 100:
        raise Malformed("the answer is too long")
    return packed


def unpack(packed: bytes) -> tuple[bool, list[str], Any]:
    """Return what ``pack`` was given; *data* is any JSON.

    Raises:
        Malformed: it is something else, or more than ``MOST_ANSWER`` bytes.

    """
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(packed, MOST_ANSWER)
    except zlib.error:
        raise Malformed("not packed") from None
    if not unpacker.eof:
        raise Malformed("more than an answer may be, or not all of it")
    is_good, lines, data = _list(plain, MOST_ANSWER, 3)
    if not isinstance(is_good, bool) or not isinstance(lines, list):
        raise Malformed("no answer")
    if not all(isinstance(each, str) for each in lines):
        raise Malformed("a line of an answer is none")
    return is_good, lines, data


def _list(body: bytes, most: int, count: int) -> list[Any]:
    values = read_json(body, most)
    if not isinstance(values, list) or len(values) != count:
        raise Malformed("no list of that length")
    return values


def _is_number(value: Any, most: int) -> bool:
    return type(value) is int and 0 < value <= most


def _is_text(value: Any, most: int) -> bool:
    # Of those from 128 on a name in UTF-8 has some, as the proxy has it inside; logs escape them.
    return isinstance(value, str) and len(value) <= most and not _CONTROL.search(value)
