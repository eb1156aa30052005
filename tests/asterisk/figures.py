# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run has compared, in figures: a file that docs/asterisk.md quotes."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple


class _Row(NamedTuple):
    flow: str
    events: int
    clients: int

    @property
    def compared(self) -> int:
        return self.events * self.clients


class Figures:
    """Collects rows and counts; ``write`` makes a text of them."""

    def __init__(self) -> None:
        self._rows: list[_Row] = []
        #: Other things that were compared, by what they are.
        self.counts: Counter[str] = Counter()

    def flow(self, name: str, events: int, clients: int) -> None:
        """Note that each of *clients* was sent the same *events* during the flow *name*."""
        self._rows.append(_Row(name, events, clients))

    def text(self) -> str:
        """Return all of it."""
        rows: list[tuple[object, ...]] = [("flow", "events", "clients", "compared")]
        rows += [(*one, one.compared) for one in self._rows]
        events = sum(one.events for one in self._rows)
        rows.append(("all", events, "", sum(one.compared for one in self._rows)))
        lines = ["{:32} {:>7} {:>8} {:>9}".format(*row) for row in rows]
        lines += [f"{what}: {count}" for what, count in self.counts.items()]
        return "".join(f"{line}\n" for line in lines)

    def write(self) -> None:
        """Write it where ASTERISK_FIGURES says, if anything was compared."""
        place = os.environ.get("ASTERISK_FIGURES")
        if place and (self._rows or self.counts):
            Path(place).write_text(self.text())
