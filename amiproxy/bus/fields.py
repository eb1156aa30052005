# SPDX-License-Identifier: GPL-2.0-or-later
"""Fields: numbers and texts of bytes that came from the bus, each checked as it is read.

Whoever can write to Redis can write anything there, so nothing is taken for granted: a length
is held against what there is, and what is left over at the end is an error too.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from amiproxy.errors import ProxyError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from struct import Struct

#: Bytes of the largest entry of a stream, head included.
MOST = 16 * 1024 * 1024

#: The largest slot of a proxy: 24 bits.
MOST_SLOT = 2**24 - 1

#: Bytes of the longest text: an ActionID, an account, a reason.
MOST_TEXT = 65535

#: Lone surrogates too: what a client gave in JSON may have some, and must come back as it was.
_TEXT = "utf-8", "surrogatepass"


class Malformed(ProxyError):
    """Bytes from the bus are not what a proxy of this version writes; or must not be written.

    The text says what is wrong, and holds nothing of the bytes.
    """


def text_bytes(text: str) -> bytes:
    """Return the bytes of *text*.

    Raises:
        Malformed: it is longer than ``MOST_TEXT`` bytes.

    """
    data = text.encode(*_TEXT)
    if len(data) > MOST_TEXT:
        raise Malformed(f"a text of {len(data)} bytes, the most is {MOST_TEXT}")
    return data


def read_json(data: bytes, most: int) -> Any:
    """Return the value that *data* is in JSON.

    Raises:
        Malformed: it is none, or longer than *most* bytes.

    """
    if len(data) > most:
        raise Malformed("too long")
    try:
        return json.loads(data.decode(*_TEXT))  # no guess: UTF-16 is none
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None


def bounded(data: bytes) -> bytes:
    """Return *data*, which is to be written.

    Raises:
        Malformed: it is larger than ``MOST``: no proxy would read it.

    """
    if len(data) > MOST:
        raise Malformed(f"an entry of {len(data)} bytes, the most is {MOST}")
    return data


class Fields:
    """Reads the fields of *data*, one after the other.

    Every method raises Malformed where *data* does not hold what is asked for.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        """Begin at byte *at*."""
        if len(data) > MOST:
            raise Malformed(f"an entry of {len(data)} bytes, the most is {MOST}")
        self._data = data
        self._at = at

    @property
    def left(self) -> int:
        """How many bytes have not been read."""
        return len(self._data) - self._at

    def numbers(self, form: Struct) -> Sequence[int]:
        """Return the numbers of *form*, which come next."""
        at = self._at
        end = at + form.size
        if end > len(self._data):
            raise Malformed("it ends within its numbers")
        self._at = end
        return form.unpack_from(self._data, at)

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes."""
        at = self._at
        end = at + size
        if end > len(self._data):
            raise Malformed("it ends within its bytes")
        self._at = end
        return self._data[at:end]

    def text(self, size: int) -> str:
        """Return the text of the next *size* bytes."""
        try:
            return self.take(size).decode(*_TEXT)
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None

    def optional(self, size: int, *, is_there: bool) -> str | None:
        """Return as ``text`` if it *is_there*; else None, and its size must be 0."""
        if is_there:
            return self.text(size)
        if size:
            raise Malformed("a text that is not there has a length")
        return None

    def end(self) -> None:
        """Nothing must be left."""
        if self.left:
            raise Malformed("there is more behind its end")
