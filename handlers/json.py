# SPDX-License-Identifier: GPL-2.0-or-later
r"""JSON, in and out: each message is one line, an object of its headers (NDJSON).

    {"Event":"VarSet","Channel":"SIP/1-1","Variable":["a","b"]}

Header names are keys, in order; a header that is repeated becomes an array, at
its first place.  Where that would change the order of the lines, the key
``:order`` (no header's name can hold a colon) gives it: the keys, line by line.
A line that is not ``Name: value``, such as the text of a command before Asterisk
14, goes whole into the array ``UnparsedText``.

A value whose bytes are not UTF-8 is read as latin-1, as in XML, and the key ``:charset``
says so; of an array it names the charset of each value:

    {"CallerIDName":"José","V":["é","é"],":charset":{"CallerIDName":"latin-1","V":["utf-8","latin-1"]}}

So every line is JSON in UTF-8 to any parser, text of old systems is readable, and the bytes
can be had back: those of the value in its charset.

Input has the same shape.  What is read goes to Asterisk byte for byte: a value as UTF-8, or in
the charset that ``:charset`` names; bytes that are not UTF-8 as they are, and ``\udc80`` to
``\udcff`` (Python's surrogateescape) as the bytes 80 to ff.  Numbers and booleans are taken
as they are written; null, nested objects, and line breaks in values are refused.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from amiproxy.blocks import TOO_MANY_LINES, UNPARSED, RecordReader, block, refusal
from amiproxy.wire.plain import PlainEncoder, is_utf8

if TYPE_CHECKING:
    from amiproxy.formats import Limits, Refused
    from amiproxy.message import Message

CONTENT_TYPE = "application/x-ndjson"

# Over HTTP several messages are one array, if the client does not ask for one a line.
DOCUMENT = (b"[", b",\n", b"]\n")
DOCUMENT_TYPE = "application/json"

ORDER, CHARSET = ":order", ":charset"

UTF_8, LATIN_1 = "utf-8", "latin-1"

INVALID = "Invalid JSON Input"
NO_OBJECT = "Invalid JSON Input: one object a line is expected"
BAD_NAME = "Invalid JSON Input: a name is empty or has a colon or line break"
BAD_VALUE = "Invalid JSON Input: values are strings, numbers, booleans, or arrays of these"
BAD_ORDER = "Invalid JSON Input: :order does not fit the other keys"
BAD_CHARSET = "Invalid JSON Input: :charset does not fit the other keys"
BAD_TEXT = "Invalid JSON Input: half a surrogate pair"


# -- output -------------------------------------------------------------------


#: As surrogateescape decodes a byte that is not UTF-8.
_FOREIGN = re.compile("[\udc80-\udcff]")

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
    charsets = {} if is_utf8(text) else _made_latin_1(values)
    shown = _by_name(values)
    if order != [name for name, several in values.items() for _ in several]:
        shown[ORDER] = order
    if charsets:
        shown[CHARSET] = _by_name(charsets)
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _key_and_value(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if name and name != UNPARSED and colon and value.startswith(" ") and not _is_foreign(name):
        return name, value[1:]
    return UNPARSED, line


def _is_foreign(text: str) -> bool:
    """Return whether *text* stands for bytes that are not UTF-8."""
    return not text.isascii() and _FOREIGN.search(text) is not None


def _made_latin_1(values: dict[str, list[str]]) -> dict[str, list[str]]:
    """Make what is foreign in *values* latin-1; return the charsets where anything is."""
    charsets = {}
    for name, several in values.items():
        foreign = [_is_foreign(value) for value in several]
        if any(foreign):
            charsets[name] = [LATIN_1 if one else UTF_8 for one in foreign]
            values[name] = [
                value.encode("utf-8", "surrogateescape").decode("latin-1") if one else value
                for value, one in zip(several, foreign)
            ]
    return charsets


def _by_name(values: dict[str, list[str]]) -> dict[str, Any]:
    """Return *values* as an object shows them: one as a string, several as an array."""
    return {
        name: several if len(several) > 1 or name == UNPARSED else several[0]
        for name, several in values.items()
    }


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
        lines = _lines(pairs)
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
    # A line is a name, a value, a place in ``:order``, and two in ``:charset``.
    most = 4 * (5 * limits.headers + 8)
    # Without these all quotation marks left are ends of strings.
    text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    if text.count(b'"') > 2 * most:
        return True
    between = b"".join(text.split(b'"')[::2])
    return sum(map(between.count, (b",", b":", b"[", b"{"))) > most


def _constant(name: str) -> str:
    raise ValueError(name)  # NaN and Infinity are not JSON


def _lines(pairs: _Object) -> list[bytes]:
    """Return the lines that the object *pairs* means."""
    entries: list[tuple[str, str]] = []  # key and value, line by line
    order: list[str] | None = None
    charsets: dict[str, list[str]] = {}
    for name, value in pairs:
        if name == CHARSET:
            charsets = _charsets(value)
            continue
        texts = _texts(value)
        if name == ORDER:
            order = texts
        elif not name or ":" in name or "\r" in name or "\n" in name or "\0" in name:
            raise _NoBlock(BAD_NAME)
        else:
            entries += [(name, text) for text in texts]
    lines = [(name, _line(name, text, charsets)) for name, text in entries]
    if any(charsets.values()):
        raise _NoBlock(BAD_CHARSET)
    return [line for _, line in lines] if order is None else _ordered(lines, order)


def _line(name: str, text: str, charsets: dict[str, list[str]]) -> bytes:
    """Return the line that one value means; take its charset, if there are any of *name*."""
    charset = UTF_8
    if name in charsets:
        if not charsets[name]:
            raise _NoBlock(BAD_CHARSET)
        charset = charsets[name].pop(0)
    if charset == UTF_8:
        value = text.encode("utf-8", "surrogateescape")
    else:
        try:
            value = text.encode("latin-1")
        except UnicodeEncodeError:
            raise _NoBlock(BAD_CHARSET) from None
    return value if name == UNPARSED else name.encode("utf-8", "surrogateescape") + b": " + value


def _charsets(value: Any) -> dict[str, list[str]]:
    """Return the charsets that *value* names, by key, one for each value of that key."""
    if not isinstance(value, _Object):
        raise _NoBlock(BAD_CHARSET)
    charsets: dict[str, list[str]] = {}
    for name, several in value:
        named = [text.lower() for text in _texts(several)]
        if not {UTF_8, LATIN_1}.issuperset(named):
            raise _NoBlock(BAD_CHARSET)
        charsets.setdefault(name, []).extend(named)
    return charsets


def _texts(value: Any) -> list[str]:
    """Return the texts of *value*, one or an array of them."""
    if isinstance(value, list) and not isinstance(value, _Object):
        return [_text(one) for one in value]
    return [_text(value)]


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _NoBlock(BAD_VALUE)


def _ordered(entries: list[tuple[str, bytes]], order: list[str]) -> list[bytes]:
    """Return the lines of *entries*, (key, line) pairs, in the order of the keys *order*."""
    waiting: dict[str, list[bytes]] = {}
    for name, line in reversed(entries):
        waiting.setdefault(name, []).append(line)
    if len(order) != len(entries):
        raise _NoBlock(BAD_ORDER)
    try:
        return [waiting[name].pop() for name in order]
    except (KeyError, IndexError):
        raise _NoBlock(BAD_ORDER) from None
