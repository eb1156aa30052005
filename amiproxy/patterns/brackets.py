# SPDX-License-Identifier: GPL-2.0-or-later
"""Bracket expressions, as ``[^a-z[:digit:]]``: text in, the expression out.

As glibc reads them in the locale C.UTF-8, in which Asterisk runs: a backslash is a character
like any other, ranges are of code points, collating elements and equivalence classes are
single characters.  Of what is not ASCII all counts as a letter that is neither upper nor
lower case.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.patterns.errors import MalformedError
from amiproxy.patterns.tree import DIGITS, LETTERS, SPACES, WORDS, any_of, none_of, set_of

if TYPE_CHECKING:
    from amiproxy.patterns.tree import Node

_UPPER = set_of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ALNUM = WORDS & ~set_of(b"_")
_GRAPH = set_of(range(33, 127))
_CLASSES = {
    "alnum": _ALNUM,
    "alpha": _ALNUM & ~DIGITS,
    "blank": set_of(b" \t"),
    "cntrl": set_of((*range(32), 127)),
    "digit": DIGITS,
    "graph": _GRAPH,
    "lower": _ALNUM & ~DIGITS & ~_UPPER,
    "print": _GRAPH | set_of(b" "),
    "punct": _GRAPH & ~_ALNUM,
    "space": SPACES,
    "upper": _UPPER,
    "xdigit": set_of(b"0123456789abcdefABCDEF"),
}

_WITH_LETTERS = ("alnum", "alpha", "graph", "print")

# Names are at most that long in glibc, in bytes.
_MAX_NAME = 31
# Bytes that are no characters stand above all characters.
_BYTES = 0x110000
_NEVER_CLOSED = "a [ is never closed"


class Bracket:
    """Reads one bracket expression of *text*, from *at* on, behind its ``[``."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        #: Where the rest begins.
        self.at = at
        self._chars = 0  # bytes
        self._wide: list[tuple[int, int]] = []  # ranges of characters that are no ASCII

    def read(self) -> Node:
        """Return the expression.

        Raises:
            MalformedError: it is not a bracket expression.

        """
        inverted = self._text.startswith("^", self.at)
        self.at += inverted
        first = True
        while first or not self._text.startswith("]", self.at):
            self._item(first=first)
            first = False
        self.at += 1
        return (none_of if inverted else any_of)(self._chars, self._wide)

    def _item(self, *, first: bool) -> None:
        """Read one character, class or range."""
        low, can_begin = self._element(hyphen=first)
        if low is None:
            return
        text = self._text
        if not can_begin or not text.startswith("-", self.at) or text.startswith("-]", self.at):
            self._add(low, low)
            return
        self.at += 1
        high, can_end = self._element(hyphen=True)
        if high is None or not can_end or low > high:
            raise MalformedError("a range in [...] has no such end")
        self._add(low, high)

    def _add(self, low: int, high: int) -> None:
        """Add the characters from *low* to *high*; those above the last are bytes."""
        if low >= _BYTES:
            self._chars |= set_of(range(low - _BYTES, high - _BYTES + 1))
            return
        if high >= _BYTES:
            raise MalformedError("a range in [...] ends with what is no character")
        self._chars |= set_of(range(low, min(high, 0x7F) + 1))
        if high >= 0x80:
            self._wide.append((max(low, 0x80), high))

    def _element(self, *, hyphen: bool) -> tuple[int | None, bool]:
        """Read a character or class; return the character, and whether it may be in a range.

        Where not *hyphen*, one may stand at the end only.
        """
        text = self._text
        if self.at >= len(text):
            raise MalformedError(_NEVER_CLOSED)
        kind = text[self.at + 1 : self.at + 2] if text[self.at] == "[" else ""
        if kind and kind in ".=:":
            return self._named(kind)
        char = text[self.at]
        self.at += 1
        if char == "-" and not hyphen and not text.startswith("]", self.at):
            raise MalformedError("a - in [...] stands where no range can be")
        code = ord(char)
        return code - 0xDC00 + _BYTES if 0xDC80 <= code <= 0xDCFF else code, True

    def _named(self, kind: str) -> tuple[int | None, bool]:
        """Read ``[:name:]``, which is added, ``[=c=]`` or ``[.c.]``."""
        begin = self.at + 2
        end = self._text.find(f"{kind}]", begin)
        if end < 0 or end - begin > _MAX_NAME:
            raise MalformedError(_NEVER_CLOSED)
        name = self._text[begin:end]
        self.at = end + 2
        if kind == ":":
            if name not in _CLASSES:
                raise MalformedError("there is no such class of characters")
            self._chars |= _CLASSES[name]
            if name in _WITH_LETTERS:
                self._wide.append(LETTERS)
            return None, False
        if len(name) != 1:
            raise MalformedError("there is no such character")
        return ord(name), kind == "."
