# SPDX-License-Identifier: GPL-2.0-or-later
"""What searches for a pattern, and what that costs.

* A text without special characters is looked for as bytes.
* What is more than that runs in google-re2 where it is installed.  Without it patterns of
  the administrator run in the automaton of this package, which is slower by a few
  microseconds an event; those of clients are refused.

Whatever the engine, an automaton of bounded size is made of each expression first, so
that no search can take longer than a few nanoseconds a byte: an expression that RE2 would
have to follow by other means than an automaton is refused here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.patterns import re2text
from amiproxy.patterns.automaton import Automaton, Budget
from amiproxy.patterns.errors import PatternError
from amiproxy.patterns.needed import Needed, needed
from amiproxy.patterns.tree import longest_literal, overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.patterns.tree import Node

#: For patterns of clients, and of files.
OF_CLIENTS = Budget(size=600, states=400, positions=3000, re2_only=True)
OF_FILES = Budget(size=1500, states=1000, positions=10000)

# A text whose beginning overlaps itself more often is no longer cheap to look for in bytes
# that were made for it: Python compares each of the overlaps.
_MAX_OVERLAP = 20
# Texts that are looked for together have at most that many bytes, as many states.
_MAX_TOGETHER = 1500
# So many are cheaper to look for one by one.
_FEW = 8

#: What a search costs at most in an event of 400 bytes, in microseconds: of a text, of one
#: more overlap in it, and of each engine.
LITERAL, _OVERLAP, RE2, _AUTOMATON = 0.7, 0.1, 2.5, 8.0

_MISSING = (
    "would need the Python package google-re2, which is not installed; a text without special"
    " characters is accepted, with the methods of MatchCriteria too"
)


class Search(NamedTuple):
    """What tells whether something occurs in a text, and its cost in microseconds.

    *needed* are texts that it needs, and whether they decide.
    """

    occurs_in: Callable[[bytes], bool]
    cost: float
    needed: Needed = Needed()


def describe() -> str:
    """Return in words which engine serves."""
    if re2text.AVAILABLE:
        return "patterns of event filters run in google-re2"
    return (
        "google-re2 is not installed: patterns of event filters in the users file run in the"
        " proxy's own automaton; Action: Filter takes texts without special characters only"
    )


def plain_text(node: Node) -> bytes | None:
    """Return the text that *node* is, if it is one that can be looked for as bytes."""
    text, whole = longest_literal(node)
    return text if whole and _is_plain(text) else None


def _is_plain(text: bytes) -> bool:
    """Return whether *text* is cheap to look for in any text."""
    return bool(text) and overlap(text) <= _MAX_OVERLAP


def search_for(node: Node, budget: Budget, *, lines: bool) -> Search:
    """Return what searches for *node*; *lines* as in Automaton.

    Raises:
        PatternError: it cannot be searched for in bounded time, or not on this machine.

    """
    text, whole = longest_literal(node)
    if budget.re2_only and not re2text.AVAILABLE:
        what = "a text that repeats itself so often" if whole else "special characters"
        raise PatternError(f"{what} {_MISSING}")
    found = _engine(node, budget, lines=lines)
    texts = needed(node)
    if all(map(_is_plain, texts.texts)):
        found = found._replace(needed=texts)
    if not _is_plain(text) or b"\n" in text:
        return found
    # Nearly all events lack the text, and then nothing else has to be looked at.
    occurs_in = found.occurs_in
    return found._replace(
        occurs_in=lambda data: text in data and occurs_in(data), cost=found.cost + _cost(text)
    )


def _cost(text: bytes) -> float:
    """Return what it costs at most to look for *text*."""
    return LITERAL + _OVERLAP * overlap(text)


def _engine(node: Node, budget: Budget, *, lines: bool) -> Search:
    """Return what searches for *node*, which is more than a text."""
    try:
        occurs_in = _in_re2(node, budget, lines=lines)
    except PatternError:
        if budget.re2_only:
            raise
        occurs_in = None  # without the states behind a match it may be small enough
    if occurs_in is not None:
        return Search(occurs_in, RE2)
    if budget.re2_only:
        raise PatternError(
            "^ and $ are accepted at its ends only, \\< and \\> beside a letter, a digit or _"
        )
    return Search(Automaton(node, budget, lines=lines).search, _AUTOMATON)


def _in_re2(node: Node, budget: Budget, *, lines: bool) -> Callable[[bytes], bool] | None:
    """Return the search of RE2, or None where it does not serve."""
    if not re2text.AVAILABLE:
        return None
    automaton = Automaton(node, budget, lines=lines, going_on=True)
    return None if automaton.sees_lines else re2text.searcher(node, lines=lines)


def finder_of(texts: Sequence[bytes]) -> Callable[[bytes], Sequence[int] | None] | None:
    """Return what finds all of *texts* in one pass, each a ``plain_text``, as re2text does.

    None: to look for one after the other is quicker, or there is nothing else here.  Texts alone,
    since their states do not multiply: other expressions in one automaton could take
    milliseconds for an event that was made for it.
    """
    if len(texts) <= _FEW or not re2text.AVAILABLE:
        return None
    return re2text.finder_of(texts)


def search_for_any(texts: Sequence[bytes]) -> Search:
    """Return what tells whether any of *texts*, each a ``plain_text``, occurs."""
    if len(texts) == 1:
        text = texts[0]
        return Search(lambda data: text in data, _cost(text))
    if len(texts) > _FEW and re2text.AVAILABLE and sum(map(len, texts)) <= _MAX_TOGETHER:
        occurs_in = re2text.searcher_for_any(texts)
        if occurs_in is not None:
            return Search(occurs_in, RE2)
    return Search(lambda data: any(text in data for text in texts), sum(map(_cost, texts)))
