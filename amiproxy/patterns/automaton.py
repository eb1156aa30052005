# SPDX-License-Identifier: GPL-2.0-or-later
"""Automaton: a deterministic one for an expression; a search looks at each byte once.

Each set of positions that a text may lead to is a state, and known before any text is.  How
many there are is bounded, so the time for a byte is, however the expression was made up:
about 10 ns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.patterns.errors import PatternError
from amiproxy.patterns.positions import BEGIN, END, Positions
from amiproxy.patterns.tree import (
    ANY,
    EDGE,
    KINDS,
    LINE,
    LINE_FEED,
    OTHER,
    WORD,
    WORDS,
    bits,
    pair,
    size,
)

if TYPE_CHECKING:
    from amiproxy.patterns.tree import Node

# What stands beside a position that is not at an edge.
_INSIDE = (WORD, LINE, OTHER)
_TOO_LARGE = "it has too many ways to match: fewer or shorter repetitions would do"

#: By class of bytes the state that follows, and last whether the text may end here.
_State = list[Any]


class Budget(NamedTuple):
    """How large an automaton may become, and what may search."""

    #: Bytes that the expression stands for, its repetitions written out.
    size: int
    states: int
    #: Positions in all states together: what RE2 keeps of each state grows with them.
    positions: int
    #: Whether RE2 alone may search: this package's automaton is slower.
    re2_only: bool = False


class Automaton:
    """Searches for an expression.

    With *lines* a text is lines with line feeds between them, which the expression sees as
    texts of their own.  With *going_on* it has the states behind a match as well, which it
    does not need itself.
    """

    __slots__ = ("_classes", "_found", "_start", "sees_lines")

    def __init__(self, node: Node, budget: Budget, *, lines: bool, going_on: bool = False) -> None:
        """Make the automaton of *node*.

        Raises:
            PatternError: it would become larger than *budget*.

        """
        length = size(node)
        if length > budget.size:
            raise PatternError(
                f"with its repetitions written out it has {length} bytes; it may have {budget.size}"
            )
        #: Whether the expression has occurred: no byte leads out of it.
        self._found: _State = []
        positions = Positions(node, LINE_FEED if lines else 0)
        #: Whether line feeds in a match are ends of the text, as in glibc alone.
        self.sees_lines = positions.sees_lines
        builder = _Builder(positions, None if going_on else self._found, lines=lines)
        self._classes = builder.classes
        self._start = builder.build(budget)

    def search(self, text: bytes) -> bool:
        """Return whether the expression occurs in *text*."""
        state = self._start
        try:
            for char in text.translate(self._classes):
                state = state[char]
            return bool(state[-1])
        except IndexError:
            # A state that no byte leads out of.
            return state is self._found


class _Builder:
    """Makes the states for *positions*; *found* is the one where the expression has occurred.

    Without, it goes on behind each match.
    """

    def __init__(self, positions: Positions, found: _State | None, *, lines: bool) -> None:
        self._follow = positions.follow
        self._found = found
        # No byte leads out of it to *found*: for an expression that begins with ^.
        self._hopeless: _State = []
        self._anchored = not lines and not any(
            positions.follow[pair(before, after)][0] for before in _INSIDE for after in KINDS
        )
        # By set of positions and what stands before them.
        self._states: dict[tuple[int, int], _State] = {}
        # Whether a word, a line feed or another byte beside a position makes no difference.
        self._uniform = all(
            positions.follow[pair(one, side)] == positions.follow[pair(OTHER, side)]
            and positions.follow[pair(side, one)] == positions.follow[pair(side, OTHER)]
            for one in _INSIDE
            for side in KINDS
        )
        self.classes, self._kinds = self._sorted(positions.takes, lines=lines)

    def _sorted(self, takes: list[int], *, lines: bool) -> tuple[bytes, list[tuple[int, int]]]:
        """Sort the bytes into classes that nothing here tells apart; return each one's.

        And for each class what it is beside a position, and the positions that take it.
        """
        classes = [ANY]
        for chars in {*takes, LINE_FEED} if self._uniform else {*takes, LINE_FEED, WORDS}:
            halves = [half for one in classes for half in (one & chars, one & ~chars)]
            classes = [half for half in halves if half]
        table = bytearray(256)
        kinds = []
        for number, chars in enumerate(classes):
            for char in bits(chars):
                table[char] = number
            taken = sum(1 << position for position, one in enumerate(takes) if one & chars)
            kinds.append((self._kind(chars, lines=lines), taken))
        return bytes(table), kinds

    def _kind(self, chars: int, *, lines: bool) -> int:
        """Return what the bytes *chars* are beside a position."""
        if lines and chars & LINE_FEED:
            return EDGE
        if self._uniform:
            return OTHER
        return LINE if chars & LINE_FEED else WORD if chars & WORDS else OTHER

    def build(self, budget: Budget) -> _State:
        """Make all states that a text may lead to; return the first.

        Raises:
            PatternError: they are more than *budget* allows.

        """
        kinds = {EDGE, *(kind for kind, _ in self._kinds)}
        start = (BEGIN, EDGE)
        waiting, total = [start], 0
        self._states[start] = []
        for positions, before in waiting:
            total += bin(positions).count("1")
            if len(waiting) > budget.states or total > budget.positions:
                raise PatternError(_TOO_LARGE)
            row = self._states[positions, before]
            reached = {after: self._reached(positions, before, after) for after in kinds}
            for kind, taken in self._kinds:
                key = ((reached[kind] & taken) | BEGIN, kind)
                if reached[kind] & END and self._found is not None:
                    row.append(self._found)
                elif self._anchored and key[0] == BEGIN:
                    row.append(self._hopeless)
                else:
                    if key not in self._states:
                        self._states[key] = []
                        waiting.append(key)
                    row.append(self._states[key])
            row.append(bool(reached[EDGE] & END))
        return self._states[start]

    def _reached(self, positions: int, before: int, after: int) -> int:
        """Return the positions that may follow *positions* between *before* and *after*."""
        follow, found = self._follow[pair(before, after)], 0
        # Not by bits(): making an automaton takes most of its time here.
        while positions:
            low = positions & -positions
            found |= follow[low.bit_length() - 1]
            positions ^= low
        return found
