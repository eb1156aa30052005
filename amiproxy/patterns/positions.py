# SPDX-License-Identifier: GPL-2.0-or-later
"""Positions: which byte of an expression may follow which (Glushkov's construction).

Position 0 is before the match, position 1 behind it, each other is one that takes a byte.  A
set of positions is an integer, one bit for each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy.patterns.tree import (
    ALWAYS,
    KINDS,
    LINE,
    LINE_FEED,
    OTHER,
    Anchor,
    Chars,
    Choice,
    Repeat,
    bits,
    pair,
)

if TYPE_CHECKING:
    from amiproxy.patterns.tree import Node

#: Where a match begins, and where it ends, as sets of positions.
BEGIN, END = 1, 2

# Conditions, each with the positions that are reached where it holds.
_Ways = dict[int, int]


class _Part(NamedTuple):
    """A part of the expression: how it begins and ends, and when it may be left out."""

    first: _Ways
    last: _Ways
    empty: int  # a condition; 0: it takes a byte at least


_NOTHING = _Part({}, {}, ALWAYS)


class Positions:
    """The positions of *node*, which takes none of the bytes *without*."""

    def __init__(self, node: Node, without: int) -> None:
        self._without = without
        #: By position: the bytes that it takes.
        self.takes: list[int] = [0, 0]
        #: By number of a pair and position: the positions that may follow.
        self.follow: list[list[int]] = [[0, 0] for _ in range(ALWAYS.bit_length())]
        # By position: those that may follow under any condition, until all positions are there.
        self._always = [0, 0]
        whole = self._part(node)
        self._link({ALWAYS: BEGIN}, whole.first)
        self._link(whole.last, {ALWAYS: END})
        self._link({ALWAYS: BEGIN}, {whole.empty: END})
        for number, follow in enumerate(self.follow):
            self.follow[number] = [one | always for one, always in zip(follow, self._always)]
        #: Whether line feeds in the match count as ends of the text.
        self.sees_lines = self._only_lines_inside()

    def _part(self, node: Node) -> _Part:
        """Make the positions of *node*, and link them."""
        if isinstance(node, Chars):
            positions = {ALWAYS: 1 << len(self.takes)}
            self.takes.append(node.chars & ~self._without)
            for follow in (self._always, *self.follow):
                follow.append(0)
            return _Part(positions, positions, 0)
        if isinstance(node, Anchor):
            return _Part({}, {}, node.condition)
        if isinstance(node, Repeat):
            return self._repeated(node)
        if isinstance(node, Choice):
            return self._chosen(node)
        whole = _NOTHING
        for item in node.items:
            whole = self._joined(whole, self._part(item))
        return whole

    def _chosen(self, node: Choice) -> _Part:
        """Make the positions of alternatives."""
        first: _Ways = {}
        last: _Ways = {}
        empty = 0
        for part in map(self._part, node.items):
            _add(first, part.first)
            _add(last, part.last)
            empty |= part.empty
        return _Part(first, last, empty)

    def _joined(self, one: _Part, other: _Part) -> _Part:
        """Return *one* and then *other*."""
        self._link(one.last, other.first)
        first, last = dict(one.first), dict(other.last)
        _add(first, other.first, one.empty)
        _add(last, one.last, other.empty)
        return _Part(first, last, one.empty & other.empty)

    def _repeated(self, node: Repeat) -> _Part:
        """Make the positions of a repetition: one part for each time, the last for all others."""
        whole = tail = _NOTHING
        for _ in range(node.low):
            whole = self._joined(whole, self._part(node.item))
        if node.high is None:
            part = self._part(node.item)
            self._link(part.last, part.first)
            return self._joined(whole, part._replace(empty=ALWAYS))
        # x{,3} is (x(x(x)?)?)?, made from within.
        for _ in range(node.high - node.low):
            tail = self._joined(self._part(node.item), tail)._replace(empty=ALWAYS)
        return self._joined(whole, tail)

    def _only_lines_inside(self) -> bool:
        """Make line feeds outside the match like other bytes; return whether any inside count."""
        follow = self.follow
        takers = [position for position, chars in enumerate(self.takes) if chars & LINE_FEED]
        taken = sum(1 << position for position in takers)
        for kind in KINDS:
            follow[pair(LINE, kind)][0] = follow[pair(OTHER, kind)][0]
        inside = False
        for kind in KINDS:
            line, other = pair(kind, LINE), pair(kind, OTHER)
            ends = zip(follow[line], follow[other])
            follow[line] = [one & ~END | another & END for one, another in ends]
            changed = zip(follow[line], follow[other])
            inside = inside or any((one ^ another) & taken for one, another in changed)
        return inside or any(
            follow[pair(LINE, kind)][position] != follow[pair(OTHER, kind)][position]
            for kind in KINDS
            for position in takers
        )

    def _link(self, last: _Ways, first: _Ways) -> None:
        """Note that the positions in *first* may follow those in *last*."""
        for condition, positions in first.items():
            for other, before in last.items():
                both = condition & other
                ways = (
                    [self._always] if both == ALWAYS else map(self.follow.__getitem__, bits(both))
                )
                for follow in ways:
                    for position in bits(before):
                        follow[position] |= positions


def _add(ways: _Ways, others: _Ways, condition: int = ALWAYS) -> None:
    """Add *others*, as far as *condition* holds, to *ways*."""
    for one, positions in others.items():
        both = one & condition
        if both:
            ways[both] = ways.get(both, 0) | positions
