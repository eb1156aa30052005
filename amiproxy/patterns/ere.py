# SPDX-License-Identifier: GPL-2.0-or-later
r"""POSIX extended regular expressions, as glibc's ``regcomp`` reads them.

Asterisk compiles the patterns of event filters so (main/manager.c, ``REG_EXTENDED |
REG_NOSUB``, in the locale C.UTF-8): case counts, ``.`` and ``[^...]`` match line ends too, ``^``
and ``$`` are the ends of the whole text, wherever they stand.  glibc adds ``\w \W \s \S``,
``\< \> \b \B``, `` \` `` and ``\'``, and ``x{,4}``; any other character behind a backslash
stands for itself, so that ``\d`` is a d.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.patterns.brackets import Bracket
from amiproxy.patterns.errors import MalformedError, PatternError
from amiproxy.patterns.tree import (
    EMPTY,
    LETTERS,
    SPACES,
    WORDS,
    Anchor,
    Choice,
    Repeat,
    Row,
    any_of,
    character,
    has_anchor,
    none_of,
)

if TYPE_CHECKING:
    from amiproxy.patterns.tree import Node

# How deep parentheses and repetitions may stand in each other; glibc has no such limit.
_MAX_DEPTH = 50
_MAX_TIMES = 0x7FFF  # RE_DUP_MAX of glibc

# What is not ASCII counts as a letter, but not for the anchors beside it.
_CLASSES = {
    "w": any_of(WORDS, [LETTERS]),
    "W": none_of(WORDS, [LETTERS]),
    "s": any_of(SPACES, []),
    "S": none_of(SPACES, []),
}
_DOT = none_of(0, [])
_REPEATS = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_INTERVAL = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")


def parse(pattern: bytes) -> Node:
    """Return what *pattern* is made of.

    Raises:
        MalformedError: glibc does not compile it.
        PatternError: glibc does, but it cannot be searched for in bounded time.

    """
    return _Parser(pattern.decode("utf-8", "surrogateescape")).choice(0)


class _Parser:
    """Reads *text* from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._groups: set[int] = set()  # those that are closed
        self._opened = 0

    def choice(self, depth: int) -> Node:
        """Read alternatives up to the end of the group, or of the text."""
        found = [self._row(depth)]
        while self._peek() == "|":
            self._at += 1
            found.append(self._row(depth))
        return found[0] if len(found) == 1 else Choice(tuple(found))

    def _peek(self) -> str:
        """Return the next character, or ""."""
        return self._text[self._at : self._at + 1]

    def _row(self, depth: int) -> Node:
        """Read what stands one after the other."""
        items: list[Node] = []
        while True:
            char = self._peek()
            if char in {"", "|"} or (char == ")" and depth):
                return items[0] if len(items) == 1 else Row(tuple(items))
            items.append(self._repeated(depth))

    def _repeated(self, depth: int) -> Node:
        """Read one item, and the repetitions behind it."""
        item, deep = self._item(depth), depth
        # As in glibc, anchors cannot be repeated: what follows begins a new item.
        while not isinstance(item, Anchor) and self._peek() in {*_REPEATS, "{"}:
            low, high = self._times()
            deep += 1
            if deep > _MAX_DEPTH:
                raise PatternError(f"more than {_MAX_DEPTH} repetitions in each other")
            if isinstance(item, Repeat) and (item.low, item.high) == (low, high) == (0, None):
                continue  # a** is a*
            if (low > 1 or (high or 0) > 1) and has_anchor(item):
                # glibc takes (^|a){2} for more than it says.
                raise PatternError("{...} may not repeat what holds ^, $ or another anchor")
            item = EMPTY if high == 0 or item == EMPTY else Repeat(item, low, high)
        return item

    def _times(self) -> tuple[int, int | None]:
        """Read how often something is repeated."""
        char = self._peek()
        if char in _REPEATS:
            self._at += 1
            return _REPEATS[char]
        match = _INTERVAL.match(self._text, self._at)
        if match is None or not (match[1] or match[2]):
            raise MalformedError("{...} holds no number of repetitions")
        self._at = match.end()
        low = int(match[1] or 0)
        high = low if not match[2] else int(match[3]) if match[3] else None
        if max(low, high or 0) > _MAX_TIMES or (high is not None and low > high):
            raise MalformedError("{...} holds no such number of repetitions")
        return low, high

    def _item(self, depth: int) -> Node:
        """Read a character, a class, an anchor or a group."""
        char = self._peek()
        self._at += 1
        if char == "(":
            return self._group(depth + 1)
        if char == "[":
            bracket = Bracket(self._text, self._at)
            found = bracket.read()
            self._at = bracket.at
            return found
        if char == "\\":
            return self._escaped()
        if char in _REPEATS or char == "{":
            raise MalformedError(f"nothing stands before {char} that it could repeat")
        if char in "^$":
            return Anchor(char)
        return _DOT if char == "." else character(char)

    def _group(self, depth: int) -> Node:
        """Read a group, behind its parenthesis."""
        if depth > _MAX_DEPTH:
            raise PatternError(f"more than {_MAX_DEPTH} groups in each other")
        self._opened += 1
        number = self._opened
        found = self.choice(depth)
        if not self._peek():
            raise MalformedError("a ( is never closed")
        self._at += 1
        self._groups.add(number)
        # In a group an anchor can be repeated, alone it cannot.
        return Row((found,)) if isinstance(found, Anchor) else found

    def _escaped(self) -> Node:
        """Read what stands behind a backslash."""
        char = self._peek()
        self._at += 1
        if not char:
            raise MalformedError("nothing stands behind the last \\")
        if char in _CLASSES:
            return _CLASSES[char]
        if char in "`'<>bB":
            return Anchor(char)
        if char in "123456789":
            if int(char) not in self._groups:
                raise MalformedError(f"\\{char}: there is no such group before it")
            raise PatternError(f"\\{char}: references to groups are not supported")
        return character(char)
