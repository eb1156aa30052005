# SPDX-License-Identifier: GPL-2.0-or-later
"""What a regular expression is made of, once it has been read: values.

A *set* is an integer of 256 bits, one for each byte.  A *condition* is one of 16 bits, one
for each pair of what stands before an anchor and what follows it: see ``pair``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ANY = (1 << 256) - 1
#: Beside an anchor: the edge of the text, a character of a word, a line feed, or any other.
EDGE, WORD, LINE, OTHER = KINDS = range(4)
#: The condition that always holds.
ALWAYS = (1 << 16) - 1


def set_of(chars: Iterable[int]) -> int:
    """Return the set of the bytes *chars*."""
    found = 0
    for char in chars:
        found |= 1 << char
    return found


def bits(number: int) -> Iterator[int]:
    """Yield the bits that are set in *number*, the lowest first."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def pair(before: int, after: int) -> int:
    """Return the number of the bit for what stands before an anchor and what follows."""
    return 4 * before + after


DIGITS = set_of(b"0123456789")
WORDS = DIGITS | set_of(b"_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
SPACES = set_of(b" \t\n\v\f\r")
LINE_FEED = set_of(b"\n")


class Chars(NamedTuple):
    """One byte out of a set."""

    chars: int


class Anchor(NamedTuple):
    r"""A place between bytes: ``^ $ \` \' \< \> \b \B``; *name* is its last character."""

    name: str

    @property
    def condition(self) -> int:
        """Between what it matches."""
        holds = _ANCHORS[self.name]
        return sum(
            1 << pair(before, after) for before in KINDS for after in KINDS if holds(before, after)
        )


# In glibc a line feed that is part of the match is an end of the text as well, ``REG_NEWLINE``
# or not: ``a$.b`` and ``a.^b`` match "a\nb".
_ANCHORS: dict[str, Callable[[int, int], bool]] = {
    "^": lambda before, _: before in (EDGE, LINE),
    "$": lambda _, after: after in (EDGE, LINE),
    "`": lambda before, _: before == EDGE,
    "'": lambda _, after: after == EDGE,
    "<": lambda before, after: before != WORD and after == WORD,
    ">": lambda before, after: before == WORD and after != WORD,
    "b": lambda before, after: (before == WORD) != (after == WORD),
    "B": lambda before, after: (before == WORD) == (after == WORD),
}


class Row(NamedTuple):
    """One after the other; without any it is the empty text."""

    items: tuple[Node, ...]


class Choice(NamedTuple):
    """One of several."""

    items: tuple[Node, ...]


class Repeat(NamedTuple):
    """The same *low* to *high* times; None: any number."""

    item: Node
    low: int
    high: Optional[int]


Node = Union[Chars, Anchor, Row, Choice, Repeat]
EMPTY = Row(())


# Asterisk runs in the locale C.UTF-8, so a character may be several bytes: one that
# begins such a sequence, and as many of the others as it says.
_MORE = Chars(set_of(range(0x80, 0xC0)))
_THREE = Choice((Chars(set_of(range(0xE0, 0xF0))), Row((Chars(set_of(range(0xF0, 0xF5))), _MORE))))
_TWO = Choice((Chars(set_of(range(0xC2, 0xE0))), Row((_THREE, _MORE))))
#: Any character of several bytes.
WIDE = Row((_TWO, _MORE))
ASCII = (1 << 128) - 1
#: Bytes that are part of no character: here each is one.
STRAY = set_of((0xC0, 0xC1, *range(0xF5, 0x100)))
_LAST = 0x10FFFF
#: The characters that are not ASCII, as a range: to glibc they are letters.
LETTERS = (0x80, _LAST)


def character(char: str) -> Node:
    """Return the expression for *char*, one of UTF-8 or a byte that is none of it."""
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # as decoding with surrogateescape makes it
        return Chars(1 << (code - 0xDC00))
    found = literal(char.encode())
    return found.items[0] if code < 0x80 else found


def any_of(chars: int, wide: Iterable[tuple[int, int]]) -> Node:
    """Return the expression for one of the bytes *chars*, or of the ranges *wide* of characters."""
    found: list[Node] = [Chars(chars)]
    for low, high in wide:
        if (low, high) == LETTERS:
            found.append(WIDE)
            continue
        for begin, end in ((0x80, 0x7FF), (0x800, 0xFFFF), (0x10000, _LAST)):
            if low <= end and high >= begin:
                found.append(_between(_encoded(max(low, begin)), _encoded(min(high, end))))
    return found[0] if len(found) == 1 else Choice(tuple(found))


def none_of(chars: int, wide: Iterable[tuple[int, int]]) -> Node:
    """Return the expression for any other character than ``any_of``."""
    others, at = [], 0x80
    for low, high in sorted(wide):
        if low > at:
            others.append((at, low - 1))
        at = max(at, high + 1)
    if at <= _LAST:
        others.append((at, _LAST))
    return any_of((ASCII | STRAY) & ~chars, others)


def _encoded(code: int) -> bytes:
    return chr(code).encode("utf-8", "surrogatepass")


def _between(low: bytes, high: bytes) -> Node:
    """Return the expression for the sequences from *low* to *high*, which are of one length."""
    if len(low) == 1:
        return Chars(set_of(range(low[0], high[0] + 1)))
    if low[0] == high[0]:
        return Row((Chars(1 << low[0]), _between(low[1:], high[1:])))
    rest = len(low) - 1
    first, last = low[0] + 1, high[0]
    parts = [
        Row((Chars(1 << low[0]), _between(low[1:], b"\xbf" * rest))),
        Row((Chars(1 << high[0]), _between(b"\x80" * rest, high[1:]))),
    ]
    if first < last:
        parts.append(Row((Chars(set_of(range(first, last))), *[_MORE] * rest)))
    return Choice(tuple(parts))


def literal(text: bytes) -> Row:
    """Return the expression for *text* as it stands."""
    return Row(tuple(Chars(1 << char) for char in text))


def size(node: Node) -> int:
    """Return how many bytes *node* stands for when its repetitions are written out."""
    if isinstance(node, Chars):
        return 1
    if isinstance(node, Anchor):
        return 0
    if isinstance(node, Repeat):
        return size(node.item) * max(node.low, node.high or 1)
    return sum(map(size, node.items))


def has_anchor(node: Node) -> bool:
    """Return whether there is an anchor in *node*."""
    if isinstance(node, (Chars, Anchor)):
        return isinstance(node, Anchor)
    if isinstance(node, Repeat):
        return has_anchor(node.item)
    return any(map(has_anchor, node.items))


def longest_literal(node: Node) -> tuple[bytes, bool]:
    """Return the longest text that must occur wherever *node* does; True if it is all of it."""
    runs = [bytearray()]
    whole = _collect(node, runs)
    return bytes(max(runs, key=len)), whole and len(runs) == 1


def _collect(node: Node, runs: list[bytearray]) -> bool:
    """Add the texts of *node* to *runs*; return whether the last run is all of it so far."""
    if isinstance(node, Chars) and node.chars and not node.chars & (node.chars - 1):
        runs[-1].append(node.chars.bit_length() - 1)
        return True
    if isinstance(node, Row):
        whole = [_collect(item, runs) for item in node.items]
        return all(whole)
    if isinstance(node, Repeat) and node.low:
        _collect(node.item, runs)
    runs.append(bytearray())
    return False


def overlap(text: bytes) -> float:
    """Return how often the beginning of *text* overlaps itself, at the most.

    A search for ``aaaaaaab`` looks at a byte of ``aaaaaaaaaa`` seven times.
    """
    worst, border = 1.0, [0]
    for at in range(1, len(text)):
        match = border[-1]
        while match and text[at] != text[match]:
            match = border[match - 1]
        border.append(match + (text[at] == text[match]))
        worst = max(worst, (at + 1) / (at + 1 - border[-1]))
    return worst
