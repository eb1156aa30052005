# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts: which of many texts occur in an event, found for all of them together.

What filters look for nearly always begins with the name of a header, and goes on with what a
channel's name begins with: ``Channel: PJSIP/101``.  A thousand of them have one such stem.  It
is searched for once, and behind it one look into a table says which of the thousand is there.

Texts of which no other has the stem are looked for one by one; where they are many, by google-re2
in one pass if that is installed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

from amiproxy.patterns import engine

if TYPE_CHECKING:
    from collections.abc import Sequence

# The name of a header with its colon, and a technology with its slash.  Text without either
# has no stem.
_STEM = re.compile(rb"(?:[^:\r\n]{1,60}: ?)?(?:[A-Za-z0-9]{1,20}/)?")

# To make a pass takes as long for each text as to look for it in so many events.
_MAKING = 30
# So many texts are quicker to look for one by one; a pass is made for so many at the most: it
# takes 7 ms.
_FEW, _MOST = 8, 1000


# Occurs everywhere, and has no bit.
_NONE = (b"", 0)


class _Group(NamedTuple):
    """Texts with one stem; by their length behind it: bit by what stands there."""

    stem: bytes
    size: int  # of the stem
    tables: tuple[tuple[int, dict[bytes, int]], ...]


class _Plan(NamedTuple):
    """What is searched for: groups of texts, and texts alone, each with its bit.

    *pass_over* finds those of *many* but for the first, which is none, as ``engine.finder_of``
    says.
    """

    groups: tuple[_Group, ...] = ()
    alone: tuple[tuple[bytes, int], ...] = ()
    pass_over: Optional[Callable[[bytes], Optional[Sequence[int]]]] = None
    many: tuple[tuple[bytes, int], ...] = (_NONE,)


class Texts:
    """Texts, each with a bit.  One thread may change them while others look."""

    def __init__(self) -> None:
        # By stem, and by length behind it: bit by what stands there.  A text without a stem is
        # one itself, with nothing behind it.
        self._stems: dict[bytes, dict[int, dict[bytes, int]]] = {}
        self._plan = _Plan()
        # How many events were looked at since the last pass was made; of threads that add to it
        # at once, some may add nothing.
        self._looks = 0
        # Whether no other pass would help.
        self._full = False

    def add(self, text: bytes, bit: int) -> None:
        """Look for *text*, which is not empty, from now on; *bit* stands for it."""
        match = _STEM.match(text)
        stem = match[0] if match and match[0] else text
        rest, plan = text[len(stem) :], self._plan
        tables = self._stems.setdefault(stem, {})
        if not tables:
            tables[len(rest)] = {rest: bit}
            self._plan = plan._replace(alone=(*plan.alone, (text, bit)))
            return
        tables.setdefault(len(rest), {})[rest] = bit
        if len(tables[len(rest)]) > 2:
            return  # the plan has the table
        group = _Group(stem, len(stem), tuple(tables.items()))
        others = [each for each in plan.groups if each.stem != stem]
        # The first of them was alone.
        mine = {stem + each for table in tables.values() for each in table}
        alone = [each for each in plan.alone if each[0] not in mine]
        self._plan = plan._replace(groups=(*others, group), alone=tuple(alone))

    def looked(self, events: int) -> bool:
        """Note that so many *events* are looked at; return whether to gather is worth it."""
        alone, many = len(self._plan.alone), len(self._plan.many)
        if alone <= _FEW or self._full:
            return False
        self._looks += events
        return alone * self._looks > _MAKING * (alone + many)

    def gather(self) -> None:
        """Look for all texts that are alone in one pass, from now on."""
        plan = self._plan
        texts = (*plan.many, *plan.alone)
        many, alone = texts[: _MOST + 1], texts[_MOST + 1 :]
        pass_over = engine.finder_of([text for text, _ in many[1:]])
        self._looks = 0
        self._full = bool(alone) or pass_over is None
        if pass_over is not None:
            self._plan = _Plan(plan.groups, alone, pass_over, many)

    def found(self, data: bytes) -> int:
        """Return the bits of those that occur in *data*, together."""
        groups, alone, pass_over, many = self._plan
        bits = 0
        if pass_over is not None:
            hits = pass_over(data)
            if hits:
                for hit in hits:
                    bits |= many[hit][1]
            else:
                alone = (*alone, *many)
        for text, bit in alone:
            if text in data:
                bits |= bit
        for stem, size, tables in groups:
            at = data.find(stem)
            while at >= 0:
                start = at + size
                for length, table in tables:
                    bits |= table.get(data[start : start + length], 0)
                at = data.find(stem, at + 1)
        return bits
