# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask: an action that one proxy wants the holder of a server to carry out; Answer: what came of it.

What goes to Asterisk must be exactly one action, with the ActionID by which its answer is
found: an ask that is anything else is no ask.
"""

from __future__ import annotations

import re
from struct import Struct
from struct import error as struct_error
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from amiproxy.bus.fields import Fields, Malformed, bounded, text_bytes
from amiproxy.bus.items import encode_items, read_items
from amiproxy.message import END

if TYPE_CHECKING:
    from amiproxy.wire.routed import Routed

#: Sum, version, flags, epoch, owner, deadline; how long wire_id, given, account and raw are.
_ASK = Struct(">IBBQqQHHHI")
#: Sum, version, epoch, number, how many are over.
_ANSWER = Struct(">IBQQI")
#: Owner, and how long its wire_id is.
_OVER = Struct(">qH")
_SUM = Struct(">I")
_VERSION = 1

_PRIVATE, _HELD_BACK, _HAS_GIVEN = 1, 2, 4
_ALL = 7

#: Every header that Asterisk, or a client library, may take for the ActionID.
_ACTION_ID = re.compile(rb"(?:\A|\r\n)actionid *:(.*?)(?=\r\n)", re.IGNORECASE | re.DOTALL)

#: What must not get into a log.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Ask(NamedTuple):
    """An action for the holder of a server.

    *epoch* is the tenure that it is meant for, *owner* the session that asks, *wire_id* the
    ActionID in *raw*, *given* what the client gave, None for none.  *private*: nobody else is to
    see the answers.  *held_back*: its answer is held back until the call's end is known.
    *deadline* is in Redis' milliseconds: later it must not be sent.  *account* is who asks.
    *raw* is the action as Asterisk is to get it.
    """

    epoch: int
    owner: int
    wire_id: str
    given: str | None
    private: bool
    held_back: bool
    deadline: int
    account: str
    raw: bytes


class Answer(NamedTuple):
    """What sessions of one proxy alone are told by the holder of a server.

    It came behind event *number* on the connection *epoch*.  *over* are actions that have ended:
    (owner, wire_id).
    """

    epoch: int
    number: int
    items: list[Routed]
    over: list[tuple[int, str]]


def encode_ask(ask: Ask) -> bytes:
    """Return *ask* as bytes.

    Raises:
        Malformed: it is too large, or a number does not fit.

    """
    flags = _PRIVATE * ask.private + _HELD_BACK * ask.held_back
    flags += _HAS_GIVEN * (ask.given is not None)
    wire_id, given = text_bytes(ask.wire_id), text_bytes(ask.given or "")
    account, raw = text_bytes(ask.account), ask.raw
    sizes = len(wire_id), len(given), len(account), len(raw)
    try:
        head = _ASK.pack(0, _VERSION, flags, ask.epoch, ask.owner, ask.deadline, *sizes)
    except struct_error as error:
        raise Malformed(f"an ask cannot be written: {error}") from None
    return _summed(b"".join((head, wire_id, given, account, raw)))


def decode_ask(data: bytes) -> Ask:
    """Return the ask that *data* is.

    Raises:
        Malformed: it is none.

    """
    fields = _checked(data)
    _, version, flags, epoch, owner, deadline, *sizes = fields.numbers(_ASK)
    if version != _VERSION or flags > _ALL or owner <= 0:
        raise Malformed("an ask of another version, or of nobody")
    wire_id = fields.text(sizes[0])
    given = fields.optional(sizes[1], is_there=flags & _HAS_GIVEN > 0)
    account = fields.text(sizes[2])
    raw = fields.take(sizes[3])
    fields.end()
    if _CONTROL.search(account):
        raise Malformed("an account has a control character")
    if given is not None and ("\n" in given or "\0" in given):
        raise Malformed("an ActionID has a line feed or a NUL")
    _check_action(raw, wire_id)
    private, held_back = flags & _PRIVATE > 0, flags & _HELD_BACK > 0
    return Ask(epoch, owner, wire_id, given, private, held_back, deadline, account, raw)


def encode_answer(answer: Answer) -> bytes:
    """Return *answer* as bytes.

    Raises:
        Malformed: it is too large, or a number does not fit.

    """
    try:
        head = _ANSWER.pack(0, _VERSION, answer.epoch, answer.number, len(answer.over))
        parts = [head]
        for owner, text in answer.over:
            wire_id = text_bytes(text)
            parts += _OVER.pack(owner, len(wire_id)), wire_id
    except struct_error as error:
        raise Malformed(f"an answer cannot be written: {error}") from None
    parts.append(encode_items(answer.items))
    return _summed(b"".join(parts))


def decode_answer(data: bytes) -> Answer:
    """Return the answer that *data* is.

    Raises:
        Malformed: it is none.

    """
    fields = _checked(data)
    _, version, epoch, number, count = fields.numbers(_ANSWER)
    if version != _VERSION:
        raise Malformed(f"an answer of version {version}, this proxy writes {_VERSION}")
    if count * _OVER.size > fields.left:
        raise Malformed("fewer actions are over than it says")
    over = []
    for _ in range(count):
        owner, size = fields.numbers(_OVER)
        over.append((owner, fields.text(size)))
    items = read_items(fields)
    fields.end()
    return Answer(epoch, number, items, over)


def _summed(data: bytes) -> bytes:
    """Return *data* with the checksum of what is behind its first four bytes in these."""
    rest = bounded(data)[_SUM.size :]
    return _SUM.pack(crc32(rest)) + rest


def _checked(data: bytes) -> Fields:
    """Return the fields of *data*; raises Malformed if its checksum is wrong."""
    fields = Fields(data)
    if len(data) < _SUM.size or _SUM.unpack_from(data)[0] != crc32(data[_SUM.size :]):
        raise Malformed("the checksum is wrong")
    return fields


def _check_action(raw: bytes, wire_id: str) -> None:
    """Raise Malformed unless *raw* is one action, whose ActionID is *wire_id*."""
    if raw.startswith(b"\r\n") or not raw.endswith(END) or raw.find(END) != len(raw) - len(END):
        raise Malformed("an ask is not one message")
    if b"\0" in raw or raw.count(b"\n") != raw.count(b"\r\n"):
        raise Malformed("an ask has a NUL or a bare line feed")
    found = [value.strip(b" ") for value in _ACTION_ID.findall(raw)]
    if found != [wire_id.encode("latin-1", "replace").strip(b" ")] or not wire_id:
        raise Malformed("an ask must bear its ActionID once")
