# SPDX-License-Identifier: GPL-2.0-or-later
"""RespReader: replies of Redis (RESP2), as far as the streams of the bus need them.

What reads entries of streams looks for the one shape that every entry of the bus has, and falls
back on reading any reply.  redis-py reads a reply value by value, in Python unless hiredis is
there: several times slower.  No socket here: the caller gives the function that gets more bytes.
"""

from __future__ import annotations

import re
from typing import Callable, Union

from amiproxy.bus.fields import MOST, Malformed

#: How an entry with the one field ``b`` begins, up to its value: ID, and length of the value.
_ENTRY = re.compile(
    rb"\*2\r\n\$\d{1,2}\r\n(\d{1,20}-\d{1,20})\r\n\*2\r\n\$1\r\nb\r\n\$(\d{1,9})\r\n"
)
#: Bytes of the longest line: an error.
_LINE = 64 * 1024
#: How deep arrays may be in each other: XINFO has three.
_DEPTH = 8
#: How many values an array may have.
_VALUES = 1024 * 1024
#: Bytes of all bodies of one read of streams: what is beyond is read again by the next one.
_MOST_READ = 4 * MOST
#: Bytes of the largest value that Redis can have.
_LARGEST = 512 * 1024 * 1024

_CRLF = b"\r\n"


class RespError(Exception):
    """What Redis says of a command that it refuses; it is returned, not raised."""

    @property
    def code(self) -> str:
        """The first word, as OOM or WRONGTYPE."""
        return str(self).partition(" ")[0]


#: A reply, or an element of one.
Reply = Union[bytes, int, None, RespError, "list[Reply]"]
#: Entries of one stream: ID and body each.  Of what is no entry of the bus the body is b"".
Found = list[tuple[bytes, bytes]]


class RespReader:
    """Reads replies, one after the other; *more* waits for bytes and returns them.

    Every method raises Malformed if what has come is no reply, after which nothing can be read
    any more, and whatever *more* raises.
    """

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more = more
        self._buffer = b""
        self._at = 0
        #: How many bytes the values of what is being read may still have.
        self._room = 0

    def reply(self) -> Reply:
        """Return the next reply.  Values beyond ``MOST`` bytes, and those behind them, are b""."""
        self._room = MOST
        return self._value(0)

    def entries(self, keys: dict[bytes, str]) -> list[tuple[str, Found]] | RespError:
        """Return the reply of XREAD: what *keys* calls each stream, and its entries.

        Raises:
            Malformed: it is none, or has a stream that is not in *keys*.

        """
        line = self._line()
        if line[:1] == b"-":
            return _error(line)
        count = _length(line, b"*", len(keys))
        found, left = [], _MOST_READ
        for _ in range(max(0, count)):
            if self._line() != b"*2":
                raise Malformed("the reply of XREAD is no list of streams")
            self._room = MOST
            name = keys.get(self._bulk(self._line()) or b"")
            if name is None:
                raise Malformed("the reply of XREAD has a stream that nobody asked for")
            some, left = self._stream(self._line(), left)
            found.append((name, some))
        return found

    def found(self) -> Found | RespError:
        """Return the reply of XRANGE or XREVRANGE: entries."""
        line = self._line()
        return _error(line) if line[:1] == b"-" else self._stream(line, _MOST_READ)[0]

    def _stream(self, line: bytes, left: int) -> tuple[Found, int]:
        """Return as many entries as *line* says, of *left* bytes, and what is left of these."""
        found: Found = []
        match = _ENTRY.match
        for _ in range(_length(line, b"*", _VALUES)):
            head = match(self._buffer, self._at)
            if head is None:  # it has not come as a whole, or is none of the bus
                self._room = MOST
                entry = _as_entry(self._value(0))
            else:
                self._at = head.end()
                entry = head[1], self._body(int(head[2]))
            left -= len(entry[1])
            if left >= 0:
                found.append(entry)
        return found, left

    def _fetch(self) -> None:
        """Get more bytes behind those that have not been read."""
        self._buffer = self._buffer[self._at :] + self._more()
        self._at = 0

    def _line(self) -> bytes:
        """Return the next line, without its end."""
        end = self._buffer.find(_CRLF, self._at)
        while end < 0:
            if len(self._buffer) - self._at > _LINE:
                raise Malformed("Redis sends a line without an end")
            self._fetch()
            end = self._buffer.find(_CRLF, self._at)
        line = self._buffer[self._at : end]
        self._at = end + 2
        return line

    def _body(self, size: int) -> bytes:
        """Return the next *size* bytes, without the line end behind them; b"" if too many."""
        at, end = self._at, self._at + size
        if end + 2 > len(self._buffer):
            return self._long(size)
        if self._buffer[end : end + 2] != _CRLF:
            raise Malformed("a value of Redis is longer than it says")
        self._at = end + 2
        return self._buffer[at:end]

    def _long(self, size: int) -> bytes:
        """As ``_body``, of what has not all come yet."""
        parts = [self._buffer[self._at :]]
        missing = size + 2 - len(parts[0])
        while missing > 0:
            part = self._more()
            missing -= len(part)
            if size <= MOST:
                parts.append(part)
            else:
                parts = [part]
        # Of what came last, -missing bytes are behind the value and its end.
        self._buffer = whole = b"".join(parts)
        self._at = end = len(whole) + missing
        if size > MOST:
            return b""
        if whole[end - 2 : end] != _CRLF:
            raise Malformed("a value of Redis is longer than it says")
        return whole[:size]

    def _bulk(self, line: bytes) -> bytes | None:
        """Return the value whose length is *line*; b"" if there is no room for it."""
        size = _length(line, b"$", _LARGEST)
        if size < 0:
            return None
        body = self._body(size)
        self._room -= size
        return body if self._room >= 0 else b""

    def _value(self, depth: int) -> Reply:
        line = self._line()
        kind = line[:1]
        if kind == b"$":
            return self._bulk(line)
        if kind == b"+":
            return line[1:]
        if kind == b"-":
            return _error(line)
        if kind == b":":
            return _number(line[1:])
        count = _length(line, b"*", _VALUES)
        if depth >= _DEPTH:
            raise Malformed("Redis sends lists in lists without an end")
        return None if count < 0 else [self._value(depth + 1) for _ in range(count)]


def _error(line: bytes) -> RespError:
    text = line[1:].decode("utf-8", "replace")
    return RespError("".join(each if each.isprintable() else "?" for each in text[:300]))


def _number(text: bytes) -> int:
    try:
        return int(text)
    except ValueError:
        raise Malformed("Redis sends no number where one must be") from None


def _length(line: bytes, kind: bytes, most: int) -> int:
    """Return the number in *line*, which begins with *kind*: -1 for nothing, up to *most*."""
    if line[:1] != kind:
        raise Malformed("Redis sends another kind of reply than the command has")
    size = _number(line[1:])
    if not -1 <= size <= most:
        raise Malformed("Redis sends a length that is out of bounds")
    return size


def _as_entry(value: Reply) -> tuple[bytes, bytes]:
    """Return the entry *value*, whatever its fields are: an ID at least."""
    if not (isinstance(value, list) and len(value) == 2):
        raise Malformed("the reply of XREAD has no entries")
    entry_id, fields = value
    if not isinstance(entry_id, bytes):
        raise Malformed("the reply of XREAD has an entry without an ID")
    if isinstance(fields, list) and len(fields) == 2 and fields[0] == b"b":
        body = fields[1]
        return entry_id, body if isinstance(body, bytes) else b""
    return entry_id, b""
