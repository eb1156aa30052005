# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts: which of many texts occur in an event, found for all of them together.

What filters look for nearly always begins with the name of a header, and goes on with what a
channel's name begins with: ``Channel: PJSIP/101``.  A thousand of them have one such stem.  It
is searched for once, and behind it one look into a table says which of the thousand is there.
"""

from __future__ import annotations

import re
from typing import NamedTuple

# The name of a header with its colon, and a technology with its slash.  Text without either
# has no stem.
_STEM = re.compile(rb"(?:[^:\r\n]{1,60}: ?)?(?:[A-Za-z0-9]{1,20}/)?")


class _Group(NamedTuple):
    """Texts with one stem; by their length behind it: bit by what stands there."""

    stem: bytes
    size: int  # of the stem
    tables: tuple[tuple[int, dict[bytes, int]], ...]


class _Plan(NamedTuple):
    """What is searched for: texts, each with its bit, and groups."""

    alone: tuple[tuple[bytes, int], ...] = ()
    groups: tuple[_Group, ...] = ()


class Texts:
    """Texts, each with a bit.  One thread may add to them while others look."""

    def __init__(self) -> None:
        # By stem, and by length behind it: bit by what stands there.  A text without a stem is
        # one itself, with nothing behind it.
        self._stems: dict[bytes, dict[int, dict[bytes, int]]] = {}
        self._plan = _Plan()

    def add(self, text: bytes, bit: int) -> None:
        """Look for *text*, which is not empty, from now on; *bit* stands for it."""
        match = _STEM.match(text)
        stem = match[0] if match and match[0] else text
        rest = text[len(stem) :]
        tables = self._stems.setdefault(stem, {})
        if not tables:
            tables[len(rest)] = {rest: bit}
            self._plan = self._plan._replace(alone=(*self._plan.alone, (text, bit)))
            return
        table = tables.setdefault(len(rest), {})
        table[rest] = bit
        if len(table) < 3:
            self._plan = _planned(self._stems)  # otherwise it has the table

    def found(self, data: bytes) -> int:
        """Return the bits of those that occur in *data*, together."""
        alone, groups = self._plan
        bits = 0
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


def _planned(stems: dict[bytes, dict[int, dict[bytes, int]]]) -> _Plan:
    """Return how the texts with these *stems* are searched for."""
    alone, groups = [], []
    for stem, tables in stems.items():
        if len(tables) > 1 or any(len(table) > 1 for table in tables.values()):
            groups.append(_Group(stem, len(stem), tuple(tables.items())))
        else:
            alone += [
                (stem + rest, bit) for table in tables.values() for rest, bit in table.items()
            ]
    return _Plan(tuple(alone), tuple(groups))
