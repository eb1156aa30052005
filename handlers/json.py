# SPDX-License-Identifier: GPL-2.0-or-later
r"""JSON, in and out: each message is one line, an object of its headers (NDJSON).

    {"Event":"VarSet","Channel":"SIP/1-1","Variable":["a","b"]}

Header names are keys, in order; a header that is repeated becomes an array, at
its first place.  Where that would change the order of the lines, the key
``:order`` (no header's name can hold a colon) gives it: the keys, line by line.
A line that is not ``Name: value``, such as the text of a command before Asterisk
14, goes whole into the array ``UnparsedText``.  Bytes that are not UTF-8 are
``\udc80`` to ``\udcff`` (Python's surrogateescape).

Input has the same shape.  Numbers and booleans are taken as they are written;
null, nested objects, and line breaks in values are refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from amiproxy.blocks import TOO_MANY_LINES, UNPARSED, RecordReader, block, refusal
from amiproxy.wire.plain import PlainEncoder

if TYPE_CHECKING:
    from amiproxy.formats import Limits, Refused
    from amiproxy.message import Message

CONTENT_TYPE = "application/x-ndjson"

# Over HTTP several messages are one array, if the client does not ask for one a line.
DOCUMENT = (b"[", b",\n", b"]\n")
DOCUMENT_TYPE = "application/json"

ORDER = ":order"

INVALID = "Invalid JSON Input"
NO_OBJECT = "Invalid JSON Input: one object a line is expected"
BAD_NAME = "Invalid JSON Input: a name is empty or has a colon or line break"
BAD_VALUE = "Invalid JSON Input: values are strings, numbers, booleans, or arrays of these"
BAD_ORDER = "Invalid JSON Input: :order does not fit the other keys"
BAD_TEXT = "Invalid JSON Input: half a surrogate pair"


# -- output -------------------------------------------------------------------


_PLAIN = PlainEncoder(b'","%b":"', unique=True)


def write(message: Message) -> bytes:
    """Return *message* as one line."""
    text = message.raw[:-4]
    escaped = text
    if b'"' in text or b"\\" in text:
        escaped = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    plain = _PLAIN.encode(escaped)
    if plain is None:
        return _write_any(text)
    # Each opening closes the member before it; there is none before the first.
    return b'{%b"}\n' % plain[2:]


def _write_any(text: bytes) -> bytes:
    """Return the message *text*, whatever is in it, as one line."""
    values: dict[str, list[str]] = {}
    order: list[str] = []
    for line in text.decode("utf-8", "surrogateescape").split("\r\n"):
        name, value = _key_and_value(line)
        values.setdefault(name, []).append(value)
        order.append(name)
    shown: dict[str, Any] = {
        name: several if len(several) > 1 or name == UNPARSED else several[0]
        for name, several in values.items()
    }
    if order != [name for name, several in values.items() for _ in several]:
        shown[ORDER] = order
    encoded = json.dumps(shown, ensure_ascii=False, separators=(",", ":"))
    # Only lone surrogates are left to replace, and Python writes one with a backslash
    # as JSON does.
    return encoded.encode("utf-8", "backslashreplace") + b"\n"


def _key_and_value(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if name and name != UNPARSED and colon and value.startswith(" "):
        return name, value[1:]
    return UNPARSED, line


# -- input --------------------------------------------------------------------


#: Bytes of a text that holds nobody up, whatever is in it: usual actions are shorter.
_SHORT = 4096


class _Object(list[tuple[str, Any]]):
    """The pairs of a JSON object, in order; repeated keys are kept."""


class _NoBlock(Exception):
    """An object that is not a block; the text is for the client."""


def reader(limits: Limits) -> RecordReader:
    """Return a reader for one client: one object per line."""
    return RecordReader(limits, parse)


def parse(text: bytes, limits: Limits) -> Message | Refused | None:
    """Return the block that *text*, one JSON object, means, why it is refused, or None.

    None means that *text* is empty.
    """
    text = text.strip(b" \t\r\n")
    if not text:
        return None
    try:
        pairs = _pairs(text, limits)
        lines = [line.encode("utf-8", "surrogateescape") for line in _lines(pairs)]
    except _NoBlock as error:
        return refusal(str(error))
    except UnicodeEncodeError:
        return refusal(BAD_TEXT)
    return block(lines, limits)


def _pairs(text: bytes, limits: Limits) -> _Object:
    """Return the JSON object *text*.

    Raises:
        _NoBlock: it is none, or too large.

    """
    if len(text) > _SHORT and _is_too_much(text, limits):
        raise _NoBlock(TOO_MANY_LINES)
    try:
        value = json.loads(
            text.decode("utf-8", "surrogateescape"),
            object_pairs_hook=_Object,
            # Numbers stay as they are written: 1.10 is not 1.1 in a dialplan.
            parse_int=str,
            parse_float=str,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError):
        raise _NoBlock(INVALID) from None
    if not isinstance(value, _Object):
        raise _NoBlock(NO_OBJECT)
    return value


def _is_too_much(text: bytes, limits: Limits) -> bool:
    """Return whether *text* holds many times what a block may, so that nobody need parse it.

    The module holds the interpreter while it parses, however many values there are.
    """
    most = 4 * (3 * limits.headers + 8)  # a line is a name, a value and a place in ``:order``
    # Without these all quotation marks left are ends of strings.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if text.count(b'"') > 2 * most:
        return True
    between = b"".join(text.split(b'"')[::2])
    return sum(map(between.count, (b",", b":", b"[", b"{"))) > most


def _constant(name: str) -> str:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _lines(pairs: _Object) -> list[str]:
    """Return the lines that the object *pairs* means."""
    entries: list[tuple[str, str]] = []
    order: list[str] | None = None
    for name, value in pairs:
        texts = [_text(one) for one in (value if _is_array(value) else [value])]
        if name == ORDER:
            order = texts
        elif name == UNPARSED:
            entries += [(name, text) for text in texts]
        elif not name or ":" in name or "\r" in name or "\n" in name or "\0" in name:
            raise _NoBlock(BAD_NAME)
        else:
            entries += [(name, f"{name}: {text}") for text in texts]
    return [line for _, line in entries] if order is None else _ordered(entries, order)


def _is_array(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value, _Object)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _NoBlock(BAD_VALUE)


def _ordered(entries: list[tuple[str, str]], order: list[str]) -> list[str]:
    """Return the lines of *entries*, (key, line) pairs, in the order of the keys *order*."""
    waiting: dict[str, list[str]] = {}
    for name, line in reversed(entries):
        waiting.setdefault(name, []).append(line)
    if len(order) != len(entries):
        raise _NoBlock(BAD_ORDER)
    try:
        return [waiting[name].pop() for name in order]
    except (KeyError, IndexError):
        raise _NoBlock(BAD_ORDER) from None
