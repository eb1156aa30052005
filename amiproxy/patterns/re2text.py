# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions for google-re2, which is used where it is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from amiproxy.patterns.tree import LINE_FEED, WORDS, Anchor, Chars, Choice, Repeat, bits

try:
    import re2
except ImportError:
    re2 = None

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.patterns.tree import Node

#: Whether google-re2 is installed.
AVAILABLE = re2 is not None

_ESCAPED = [rf"\x{char:02x}" for char in range(256)]
# Bytes for the program and its automaton; engine.py sees to it that they are never needed.
_MEMORY = 8 << 20


def searcher(node: Node, *, lines: bool) -> Callable[[bytes], bool] | None:
    """Return what tells whether *node* occurs in a text; *lines* as in Automaton.

    None: RE2 has no words for it.
    """
    text = _text(node, lines=lines)
    return None if text is None else _compiled(text)


def searcher_for_any(texts: Iterable[bytes]) -> Callable[[bytes], bool] | None:
    """As ``searcher``, for any of *texts*."""
    return _compiled("|".join(["".join([_ESCAPED[char] for char in text]) for text in texts]))


def finder_of(texts: Iterable[bytes]) -> Callable[[bytes], Sequence[int] | None] | None:
    """Return what tells which of *texts* occur in bytes: their numbers from 1 on, and 0.

    In any order; without the 0 it could not find out.  None: they are too many.
    """
    found = re2.Set.SearchSet(_options())
    try:
        # It says the same where nothing occurs and where its memory does not suffice: so
        # something always occurs.
        found.Add(rb"\A")
        for text in texts:
            # As bytes: what is text it would encode anew.
            found.Add("".join([_ESCAPED[char] for char in text]).encode("ascii"))
        found.Compile()
    except re2.error:
        return None
    match: Callable[[bytes], Sequence[int] | None] = found.Match
    return match


def _options() -> Any:
    """Return how all expressions are compiled."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.never_capture = True
    options.log_errors = False
    options.max_mem = _MEMORY
    # All that is wanted is whether it occurs.  Anchored RE2 does not look for where it
    # begins, which can take another automaton, of any size; and with the longest match
    # its states are sets, as engine.py has counted them.
    options.longest_match = True
    return options


def _compiled(text: str) -> Callable[[bytes], bool] | None:
    """Return what tells whether the expression *text* occurs in bytes."""
    try:
        match = re2.compile(rf"\A(?s:.*)(?:{text})".encode("ascii"), _options()).match
    except re2.error:
        return None
    return lambda data: match(data) is not None


def _text(node: Node, *, lines: bool) -> str | None:
    """Return *node* in the syntax of RE2, or None if that is not possible."""
    if isinstance(node, Chars):
        return _class(node.chars & ~LINE_FEED if lines else node.chars)
    if isinstance(node, Anchor):
        return _anchor(node.name, lines=lines)
    if isinstance(node, Repeat):
        item = _text(node.item, lines=lines)
        high = "" if node.high is None else node.high
        return None if item is None else f"(?:{item}){{{node.low},{high}}}"
    if isinstance(node, Choice):
        found = [_text(item, lines=lines) for item in node.items]
        return None if None in found else f"(?:{'|'.join(map(str, found))})"
    return _row(node.items, lines=lines)


def _row(items: tuple[Node, ...], *, lines: bool) -> str | None:
    r"""As ``_text``; ``\<`` is ``\b`` where a word must begin, ``\>`` where one has ended."""
    parts = []
    for at, item in enumerate(items):
        part = _text(item, lines=lines)
        begins = item == Anchor("<") and at + 1 < len(items) and _is_word(items[at + 1], 0)
        if begins or (item == Anchor(">") and at and _is_word(items[at - 1], -1)):
            part = r"\b"
        if part is None:
            return None
        parts.append(part)
    return "".join(parts)


def _is_word(node: Node, at: int) -> bool:
    """Return whether *node* begins (*at* 0) or ends (-1) with a character of a word."""
    if isinstance(node, Chars):
        return not node.chars & ~WORDS
    if isinstance(node, Anchor):
        return False
    if isinstance(node, Repeat):
        return node.low > 0 and _is_word(node.item, at)
    if isinstance(node, Choice):
        return all(_is_word(item, at) for item in node.items)
    return bool(node.items) and _is_word(node.items[at], at)


def _anchor(name: str, *, lines: bool) -> str | None:
    r"""Return ``\b`` or ``\B``, an end of the text, or of a line; None for others."""
    if name in "bB":
        return f"\\{name}"
    if name in "^`":
        return "(?m:^)" if lines else r"\A"
    if name in "$'":
        return "(?m:$)" if lines else r"\z"
    return None


def _class(chars: int) -> str:
    """Return a class for the set *chars*."""
    if not chars:
        return r"[^\x00-\xff]"
    ranges: list[Any] = []
    for char in bits(chars):
        if ranges and ranges[-1][1] == char - 1:
            ranges[-1][1] = char
        else:
            ranges.append([char, char])
    return "[" + "".join(rf"\x{low:02x}-\x{high:02x}" for low, high in ranges) + "]"
