# SPDX-License-Identifier: GPL-2.0-or-later
"""Picture: what there was at one server at one place of its stream of events.  A value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state import encoding, rights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.routing.ring import Place
    from amiproxy.state.table import Row
    from amiproxy.threads.state.rights import Reader

#: Rows that are made, judged or written before others may have the interpreter: 1 ms of work.
PORTION = 64
#: Choices that are kept of one picture.
_MOST_KEPT = 16


class PictureRow:
    """A row, and what it is told as, made when somebody first wants that."""

    __slots__ = ("_told", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self._told: Message | None = None

    def told(self, kind: str, server: str) -> Message:
        """Return it as an event of *kind* of the *server*, without ActionID."""
        told = self._told
        if told is None:
            told = self._told = encoding.message(kind, server, self.row)
        return told


class Picture:
    """The rows of one server at *place*.

    Threads of clients share one: who looks for the same thing at the same moment makes it twice,
    and it is the same.
    """

    def __init__(
        self,
        server: str,
        place: Place,
        rows: Mapping[str, Sequence[PictureRow]],
        unknown: Mapping[str, str],
        state: tuple[str, float],
        made: float,
    ) -> None:
        """Make the picture of the *server*, as messages call it."""
        self.made = made  #: unix time
        self.state, self.since = state  #: of the model, and since when
        self._server = server
        self.place = place
        self.rows = rows  #: by kind
        self.unknown = unknown  #: kinds that are not known, and why
        self._kept: dict[object, Sequence[Message]] = {}

    def chosen(self, kinds: Sequence[str], reader: Reader) -> Sequence[Message]:
        """Return the rows of *kinds* that *reader* may see, without ActionIDs."""
        key = None if reader.key is None else (tuple(kinds), reader.key)
        found = self._kept.get(key) if key is not None else None
        if found is None:
            found = self._choose(kinds, reader)
            if key is not None and len(self._kept) < _MOST_KEPT:
                self._kept[key] = found
        return found

    def _choose(self, kinds: Sequence[str], reader: Reader) -> Sequence[Message]:
        shows = rights.judge(reader, (each.row for each in self.rows.get("calls", ())))
        found: list[Message] = []
        for kind in kinds:
            rows = self.rows.get(kind, ())
            found += [
                each.told(kind, self._server)
                for each in paced(rows, PORTION)
                if shows(kind, each.row)
            ]
        return found
