# SPDX-License-Identifier: GPL-2.0-or-later
"""Automaton: a deterministic one for an expression; a search looks at each byte once.

Each set of places that a text may lead to is a state, and known before any text is.  How
many there are is bounded, so the time for a byte is, however the expression was made up:
about 10 ns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from amiproxy.patterns.errors import PatternError
from amiproxy.patterns.places import BEGIN, END, Places
from amiproxy.patterns.tree import ANY, EDGE, KINDS, LINE, OTHER, WORD, WORDS, bits, pair, size

if TYPE_CHECKING:
    from amiproxy.patterns.tree import Node

_LINE_FEED = 1 << 10

# What stands beside a place that is not at an edge.
_INSIDE = (WORD, LINE, OTHER)
_TOO_LARGE = "it has too many ways to match: fewer or shorter repetitions would do"

#: By class of bytes the state that follows, and last whether the text may end here.
_State = list[Any]


class Bounds(NamedTuple):
    """How large an automaton may become."""

    #: Bytes that the expression stands for, its repetitions written out.
    size: int
    states: int
    #: Places in all states together: what RE2 keeps of each state grows with them.
    places: int


class Automaton:
    """Searches for an expression.

    With *lines* a text is lines with line feeds between them, which the expression sees as
    texts of their own.  With *going_on* it has the states behind a match as well, which it
    does not need itself.
    """

    __slots__ = ("_classes", "_found", "_start", "sees_lines", "states")

    def __init__(self, node: Node, bounds: Bounds, *, lines: bool, going_on: bool = False) -> None:
        """Make the automaton of *node*.

        Raises:
            PatternError: it would become larger than *bounds*.

        """
        length = size(node)
        if length > bounds.size:
            raise PatternError(
                f"with its repetitions written out it has {length} bytes; it may have {bounds.size}"
            )
        #: Whether the expression has occurred: no byte leads out of it.
        self._found: _State = []
        places = Places(node, _LINE_FEED if lines else 0)
        #: Whether line feeds in a match are ends of the text, as in glibc alone.
        self.sees_lines = places.sees_lines
        builder = _Builder(places, None if going_on else self._found, lines=lines)
        self._classes = builder.classes
        self._start = builder.build(bounds)
        #: How many states there are.
        self.states = len(builder.states)

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
    """Makes the states for *places*; *found* is the one where the expression has occurred.

    Without, it goes on behind each match.
    """

    def __init__(self, places: Places, found: _State | None, *, lines: bool) -> None:
        self._follow = places.follow
        self._found = found
        # No byte leads out of it to *found*: for an expression that begins with ^.
        self._hopeless: _State = []
        self._anchored = not lines and not any(
            places.follow[pair(before, after)][0] for before in _INSIDE for after in KINDS
        )
        #: By set of places and what stands before them.
        self.states: dict[tuple[int, int], _State] = {}
        # Whether a word, a line feed or another byte beside a place makes no difference.
        self._uniform = all(
            places.follow[pair(one, side)] == places.follow[pair(OTHER, side)]
            and places.follow[pair(side, one)] == places.follow[pair(side, OTHER)]
            for one in _INSIDE
            for side in KINDS
        )
        # For each class what it is beside a place, and the places that take it.
        self._kinds: list[tuple[int, int]] = []
        self.classes = self._sorted(places.takes, lines=lines)

    def _sorted(self, takes: list[int], *, lines: bool) -> bytes:
        """Sort the bytes into classes that nothing here tells apart; return each one's."""
        classes = [ANY]
        for chars in {*takes, _LINE_FEED} if self._uniform else {*takes, _LINE_FEED, WORDS}:
            halves = [half for one in classes for half in (one & chars, one & ~chars)]
            classes = [half for half in halves if half]
        table = bytearray(256)
        for number, chars in enumerate(classes):
            for char in bits(chars):
                table[char] = number
            taken = sum(1 << place for place, one in enumerate(takes) if one & chars)
            self._kinds.append((self._kind(chars, lines=lines), taken))
        return bytes(table)

    def _kind(self, chars: int, *, lines: bool) -> int:
        """Return what the bytes *chars* are beside a place."""
        if lines and chars & _LINE_FEED:
            return EDGE
        if self._uniform:
            return OTHER
        return LINE if chars & _LINE_FEED else WORD if chars & WORDS else OTHER

    def build(self, bounds: Bounds) -> _State:
        """Make all states that a text may lead to; return the first.

        Raises:
            PatternError: they are more than *bounds* allow.

        """
        kinds = {EDGE, *(kind for kind, _ in self._kinds)}
        start = (BEGIN, EDGE)
        waiting, total = [start], 0
        self.states[start] = []
        for places, before in waiting:
            total += bin(places).count("1")
            if len(waiting) > bounds.states or total > bounds.places:
                raise PatternError(_TOO_LARGE)
            row = self.states[places, before]
            reached = {after: self._reached(places, before, after) for after in kinds}
            for kind, taken in self._kinds:
                key = ((reached[kind] & taken) | BEGIN, kind)
                if reached[kind] & END and self._found is not None:
                    row.append(self._found)
                elif self._anchored and key[0] == BEGIN:
                    row.append(self._hopeless)
                else:
                    if key not in self.states:
                        self.states[key] = []
                        waiting.append(key)
                    row.append(self.states[key])
            row.append(bool(reached[EDGE] & END))
        return self.states[start]

    def _reached(self, places: int, before: int, after: int) -> int:
        """Return the places that may follow *places* between *before* and *after*."""
        follow, found = self._follow[pair(before, after)], 0
        # Not by bits(): making an automaton takes most of its time here.
        while places:
            low = places & -places
            found |= follow[low.bit_length() - 1]
            places ^= low
        return found
