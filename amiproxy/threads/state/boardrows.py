# SPDX-License-Identifier: GPL-2.0-or-later
"""BoardRows: the rows of one server with the JSON that tells them, made once for all groups."""

from __future__ import annotations

import time
from itertools import islice
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

#: Rows that are there at once.
_AT_ONCE = 256


class BoardRows:
    """What was last made of the rows of the *server*.  For the thread of its follower."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._made: dict[str, dict[str, bytes]] = {}
        self._ended: dict[str, Mapping[str, Value]] = {}  # calls
        #: Which rows name which channels; None: nobody asks.
        self.names: Names | None = None

    @property
    def made(self) -> Mapping[str, Collection[str]]:
        """The keys of the rows that were made, by kind."""
        return self._made

    def clear(self) -> None:
        """Forget all."""
        self._made.clear()
        self._ended.clear()
        if self.names is not None:
            self.names.clear()

    def keep(self, kinds: Collection[str]) -> None:
        """Forget the rows of all but *kinds*: nobody asks for them, so nobody drops them."""
        for kind in [each for each in self._made if each not in kinds]:
            before = self._made.pop(kind)
            if self.names is not None:
                for key in before:
                    self.names.drop(kind, key)
        if "calls" not in kinds:
            self._ended.clear()

    def look(self, kind: str, touched: Touched, model: ServerModel) -> Iterator[Sequence[Made]]:
        """Yield the rows of *kind* that were touched, as they are now, some at a time.

        Thousands that are there at once would have the garbage collector look at everything.
        """
        before = self._made.setdefault(kind, {})
        if kind in touched.whole:
            gone = {*before}
            rows = model.rows(kind, time.time())
        else:
            gone = {*touched.keys[kind]}
            rows = model.rows_of(kind, touched.keys[kind], time.time())
        made = self.all(kind, rows)
        while some := [*islice(made, _AT_ONCE)]:
            gone.difference_update([each.key for each in some])
            yield some
        yield [*self._dropped(kind, gone)]

    def _dropped(self, kind: str, keys: Iterable[str]) -> Iterator[Made]:
        """Yield that the rows of *kind* that had *keys* are no more."""
        before = self._made[kind]
        for key in keys:
            before.pop(key, None)
            if self.names is not None:
                self.names.drop(kind, key)
            yield Made(key, None, self._gone(kind, key))

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
