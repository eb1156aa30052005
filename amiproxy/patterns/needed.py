# SPDX-License-Identifier: GPL-2.0-or-later
"""Which texts an expression needs: where none of them occurs, it does not either.

``Channel: (PJ)?SIP/10[0-4]`` is one of ten texts, and nothing else.  Texts are looked for in a
tenth of the time that an expression takes, and for many expressions at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy.patterns.tree import Chars, Choice, Repeat, Row, bits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.patterns.tree import Node

# So many texts, of so many bytes together, are looked for at the most.
_MOST, _MOST_BYTES = 16, 1024
# Shorter ones are in nearly every event.
_SHORTEST = 3


class Needed(NamedTuple):
    """Texts of which one occurs wherever an expression does; () if none are known.

    *decides*: and wherever one of them occurs, the expression does.
    """

    texts: tuple[bytes, ...] = ()
    decides: bool = False


def needed(node: Node) -> Needed:
    """Return the texts that *node* needs."""
    exact = _all(node)
    if exact and all(exact):
        return Needed(exact, decides=True)
    return Needed(_best(_parts(node)))


#: Texts, each once; None if they are too many, or not all that an expression matches.
_Texts = Optional[tuple[bytes, ...]]


def _all(node: Node) -> _Texts:
    """Return all texts that *node* matches."""
    if isinstance(node, Chars):
        few = bin(node.chars).count("1") <= _MOST
        return _few([bytes([char]) for char in bits(node.chars)]) if few else None
    if isinstance(node, Row):
        found: _Texts = (b"",)
        for item in node.items:
            found = _joined(found, _all(item))
        return found
    if isinstance(node, Choice):
        choices = [_all(item) for item in node.items]
        return None if None in choices else _few([text for each in choices for text in each or ()])
    if isinstance(node, Repeat) and node.high is not None and node.high <= _MOST:
        return _repeated(_all(node.item), node.low, node.high)
    return None


def _repeated(once: _Texts, low: int, high: int) -> _Texts:
    """Return each row of *low* to *high* of the texts *once*."""
    found: list[bytes] = []
    times: _Texts = (b"",)
    for count in range(high + 1):
        if times is None:
            return None
        if count >= low:
            found += times
        times = _joined(times, once)
    return _few(found)


def _few(texts: Iterable[bytes]) -> _Texts:
    """Return *texts*, None if they are too many."""
    found = tuple(dict.fromkeys(texts))
    return found if len(found) <= _MOST and sum(map(len, found)) <= _MOST_BYTES else None


def _joined(before: _Texts, after: _Texts) -> _Texts:
    """Return each of *before* with each of *after* behind it."""
    if before is None or after is None:
        return None
    return _few([one + other for one in before for other in after])


def _parts(node: Node) -> list[tuple[bytes, ...]]:
    """Return sets of texts: one of each set must occur."""
    if isinstance(node, Repeat):
        return _parts(node.item) if node.low else []
    if isinstance(node, Choice):
        choices = [_best(_parts(item)) for item in node.items]
        union = _few([text for each in choices for text in each])
        return [union] if union and all(choices) else []
    exact = _all(node)
    if exact is not None or not isinstance(node, Row):
        return [exact] if exact else []
    found: list[tuple[bytes, ...]] = []
    run: tuple[bytes, ...] = (b"",)
    for item in node.items:
        alone = _all(item)
        longer = _joined(run, alone)
        if longer is None:
            found.append(run)
            if alone is None:
                found += _parts(item)
        run = longer or alone or (b"",)
    return [*found, run]


def _best(parts: list[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    """Return the one of *parts* that says most; () if none says enough."""

    def worth(texts: tuple[bytes, ...]) -> tuple[int, int]:
        return min(map(len, texts)), -len(texts)

    best = max(parts, key=worth, default=(b"",))
    return best if min(map(len, best)) >= _SHORTEST else ()
