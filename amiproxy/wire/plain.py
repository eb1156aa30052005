# SPDX-License-Identifier: GPL-2.0-or-later
"""PlainEncoder: turns plain messages into another format, quickly."""

from __future__ import annotations

import re

from amiproxy.blocks import UNPARSED

# In the text that is split, \1 stands before each name, so that no value can be
# mistaken for a name: a text that has a \1 already is not plain.
_MARK = b"\1"
_PRINTABLE = bytes(range(32, 256))
_PLAIN_NAME = re.compile(_MARK + rb"[A-Za-z_][A-Za-z0-9_.-]*")
_MAX_KNOWN = 4096
_MAX_NAME = 64


class PlainEncoder:
    """Turn plain messages into another format, quickly.

    A message is plain if each line is ``Name: value``, with a name of ASCII letters,
    digits, ``_``, ``.``, ``-`` that is not ``UnparsedText``, no other ``: `` in the
    value, valid UTF-8, and no control character.  Nearly everything that Asterisk sends
    is plain; the handler has a slower way for the rest.  No line is examined by itself.
    """

    def __init__(self, opening: bytes, *, unique: bool = False) -> None:
        """Make an encoder that writes *opening*, with the name for %b, before each value.

        With *unique* a message with a repeated header is not plain.
        """
        self._openings = _Openings(opening)
        self._unique = unique

    def encode(self, text: bytes) -> bytes | None:
        """Return openings and values of *text*, a message without its end.

        Returns None if it is not plain.  The caller has escaped in all of *text* what
        the format wants escaped in values.
        """
        if _MARK in text:
            return None
        text = _MARK + text.replace(b"\r\n", b": " + _MARK)
        if not (text.isascii() or is_utf8(text)):
            return None
        parts = text.split(b": ")
        names = parts[::2]
        # One mark a name and no other control character.  With more marks than names
        # a line that is not a header has been taken for a value.
        odd = text.translate(None, _PRINTABLE)
        if len(parts) != 2 * len(names) or odd != _MARK * len(names):
            return None
        if self._unique and len(set(names)) != len(names):
            return None
        try:
            parts[::2] = map(self._openings.__getitem__, names)
        except KeyError:
            return None
        return b"".join(parts)


class _Openings(dict[bytes, bytes]):
    """Maps a marked name to what is written before its value; made on first use.

    Bounded, because names may come from unauthenticated clients.  Two threads may add
    the same name at once: what they add is equal.
    """

    def __init__(self, opening: bytes) -> None:
        super().__init__()
        self._opening = opening

    def __missing__(self, marked: bytes) -> bytes:
        name = marked[len(_MARK) :]
        if not _PLAIN_NAME.fullmatch(marked) or name == UNPARSED.encode():
            raise KeyError(marked)
        opening = self._opening % name
        if len(self) < _MAX_KNOWN and len(name) <= _MAX_NAME:
            self[marked] = opening
        return opening


def is_utf8(data: bytes) -> bool:
    """Return whether *data* is valid UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
