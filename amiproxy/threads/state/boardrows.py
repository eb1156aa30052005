# SPDX-License-Identifier: GPL-2.0-or-later
"""BoardRows: the rows of one server with the JSON that tells them, made once for all groups."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.live import causes, statedocs
from amiproxy.live import rows as live_rows
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state.group import Made
from amiproxy.threads.state.picture import PORTION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from amiproxy.state.model import ServerModel
    from amiproxy.state.table import Row, Value
    from amiproxy.state.touched import Touched
    from amiproxy.threads.state.owngroup import Names


class BoardRows:
    """What was last made of the rows of the *server*.  For the thread of its follower."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._made: dict[str, dict[str, bytes]] = {}
        self._ended: dict[str, Mapping[str, Value]] = {}  # calls
        #: Which rows name which channels; None: nobody asks.
        self.names: Names | None = None

    def clear(self) -> None:
        """Forget all."""
        self._made.clear()
        self._ended.clear()
        if self.names is not None:
            self.names.clear()

    def look(self, kind: str, touched: Touched, model: ServerModel) -> Sequence[Made]:
        """Return the rows of *kind* that were touched, as they are now."""
        before = self._made.setdefault(kind, {})
        if kind in touched.whole:
            keys: Collection[str] = {*before}
            rows = model.rows(kind, time.time())
        else:
            keys = touched.keys[kind]
            rows = model.rows_of(kind, keys, time.time())
        found = [*self.all(kind, rows)]
        there = {made.key for made in found}
        for key in keys:
            if key not in there:
                before.pop(key, None)
                if self.names is not None:
                    self.names.drop(kind, key)
                found.append(Made(key, None, self._gone(kind, key)))
        return found

    def all(self, kind: str, rows: Iterable[Row]) -> Iterator[Made]:
        """Yield *rows* with their entries; those that are as they were are the same bytes."""
        made, names = self._made.setdefault(kind, {}), self.names
        for row in paced(rows, PORTION):
            entry = live_rows.entry(self._server, row.key, row.fields)
            before = made.get(row.key)
            if before == entry:
                entry = before
            else:
                made[row.key] = entry
            if kind == "calls" and row.fields["state"] == "ended":
                self._ended[row.key] = row.fields
            if names is not None:
                names.note(kind, row)
            yield Made(row.key, row, entry)

    def _gone(self, kind: str, key: str) -> bytes:
        """Return what tells that a row is gone; of a call, why."""
        facts: dict[str, object] = {}
        ended = self._ended.pop(key, None) if kind == "calls" else None
        if ended is not None:
            cause, other = ended["cause"], ended["merged_into"]
            facts = {"cause": cause, "text": causes.text(cause), "merged_into": other}
        return statedocs.gone(self._server, key, facts)
