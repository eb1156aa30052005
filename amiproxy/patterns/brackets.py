# SPDX-License-Identifier: GPL-2.0-or-later
"""Bracket expressions, as ``[^a-z[:digit:]]``: text in, the set of bytes out.

As glibc reads them in the locale C, in which Asterisk runs: a backslash is a character
like any other, ranges are of bytes, collating elements and equivalence classes are
single characters.
"""

from __future__ import annotations

from amiproxy.patterns.errors import MalformedError
from amiproxy.patterns.tree import ANY, DIGITS, SPACES, WORDS, set_of

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

# Names are at most that long in glibc, in bytes.
_MAX_NAME = 31
_NEVER_CLOSED = "a [ is never closed"


class Bracket:
    """Reads one bracket expression of *text*, from *at* on, behind its ``[``."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        #: Where the rest begins.
        self.at = at

    def read(self) -> int:
        """Return the set.

        Raises:
            MalformedError: it is not a bracket expression.

        """
        inverted = self._text.startswith("^", self.at)
        self.at += inverted
        found, first = 0, True
        while first or not self._text.startswith("]", self.at):
            found |= self._item(first=first)
            first = False
        self.at += 1
        return ANY & ~found if inverted else found

    def _item(self, *, first: bool) -> int:
        """Read one character, class or range; return its set."""
        low, is_class = self._element(hyphen=first)
        if is_class:
            return low
        if not self._text.startswith("-", self.at) or self._text.startswith("-]", self.at):
            return low
        self.at += 1
        high, is_class = self._element(hyphen=True)
        begin, end = low.bit_length() - 1, high.bit_length() - 1
        if is_class or begin > end:
            raise MalformedError("a range in [...] has no such end")
        return set_of(range(begin, end + 1))

    def _element(self, *, hyphen: bool) -> tuple[int, bool]:
        """Read a character or class; return its set, and whether it cannot begin a range.

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
        return 1 << ord(char), False

    def _named(self, kind: str) -> tuple[int, bool]:
        """Read ``[:name:]``, ``[=c=]`` or ``[.c.]``."""
        begin = self.at + 2
        end = self._text.find(f"{kind}]", begin)
        if end < 0 or end - begin > _MAX_NAME:
            raise MalformedError(_NEVER_CLOSED)
        name = self._text[begin:end]
        self.at = end + 2
        if kind == ":":
            if name not in _CLASSES:
                raise MalformedError("there is no such class of characters")
            return _CLASSES[name], True
        if len(name) != 1:
            raise MalformedError("there is no such character")
        return 1 << ord(name), kind == "="
