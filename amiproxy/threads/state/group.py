# SPDX-License-Identifier: GPL-2.0-or-later
"""Group: clients with equal rights that watch the same of one server: one choice, one document."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy.live import rows as live_rows
from amiproxy.live import statedocs
from amiproxy.live.rows import TOTALS
from amiproxy.live.totals import COUNTED, Totals
from amiproxy.state.tables import KINDS
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state import rights

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from amiproxy.live.statedocs import Head
    from amiproxy.live.told import Told
    from amiproxy.live.where import Where
    from amiproxy.state.table import Row
    from amiproxy.threads.state.rights import Reader
    from amiproxy.threads.state.watched import Seat

#: Seconds for which a snapshot is given to others who come.
_FRESH = 0.25
#: Parts of a snapshot that are made without a pause: 1 ms of work.
_PARTS = 8


class Made(NamedTuple):
    """A row that may have changed, as it is now, and the entries that tell it."""

    key: str
    #: None: it is no more.
    row: Optional[Row]
    #: What tells the row; of one that is no more, that it is gone.
    entry: bytes


class Shot(NamedTuple):
    """A snapshot, and what was told in it."""

    version: int
    is_stale: bool
    made: float  # monotonic
    parts: Sequence[Told]
    rows: Mapping[str, Mapping[str, bytes]]


class Group:
    """What all who share the rights of *reader* are told of a server's rows of *kinds*.

    For the thread of that server's follower.
    """

    def __init__(
        self,
        server: str,
        reader: Reader,
        kinds: Collection[str],
        where: Where,
        besides: Collection[str] = (),
    ) -> None:
        """Watch *kinds* of the *server*; those *besides* are looked at, and not told."""
        self._server = server
        self._shows = rights.judge(reader, ())
        self._sees_all = reader.calls is None and reader.view.sees_all_events and not where.wanted
        self._where = where
        #: The kinds that are told, and those that are looked at.
        self.told = tuple(kind for kind in KINDS if kind in kinds)
        self._totals = Totals() if TOTALS in kinds else None
        counted = COUNTED if self._totals is not None else ()
        self.kinds = frozenset(chain(self.told, counted, besides))
        self.seats: dict[Seat, None] = {}
        #: What was told, by kind and key.
        self.rows: dict[str, dict[str, bytes]] = {kind: {} for kind in self.told}
        if self._totals is not None:
            self.rows[TOTALS] = {}
        #: Counts the changes.
        self.version = 0
        self._shot: Shot | None = None
        self._set: dict[str, dict[str, bytes]] = {}
        self._gone: dict[str, dict[str, bytes]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether no row was told."""
        return not any(found for kind, found in self.rows.items() if kind != TOTALS)

    # -- rows --------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget what was told: it is told anew."""
        for found in self.rows.values():
            found.clear()
        if self._totals is not None:
            self._totals.clear()
        self._set, self._gone = {}, {}
        self._shot = None
        self.version += 1

    def take(self, kind: str, found: Iterable[Made]) -> None:
        """Take rows of *kind* that may have changed."""
        if kind not in self.kinds:
            return
        told = self.rows.get(kind)
        for made in found:
            row = made.row
            if row is not None and not (self._sees_all or self._sees(kind, row)):
                row = None
            if self._totals is not None:
                if row is None:
                    self._totals.drop(kind, made.key)
                else:
                    self._totals.set(kind, made.key, row.fields)
            if told is not None:
                self._note(kind, told, made, is_seen=row is not None)

    def _sees(self, kind: str, row: Row) -> bool:
        return self._shows(kind, row) and self._where.passes(row.fields)

    def _note(self, kind: str, told: dict[str, bytes], made: Made, *, is_seen: bool) -> None:
        """Note what is to be told of a row, if it is not as it was."""
        before = told.get(made.key)
        if is_seen:
            if before != made.entry:
                told[made.key] = made.entry
                self._set.setdefault(kind, {})[made.key] = made.entry
                self._gone.get(kind, {}).pop(made.key, None)
        elif before is not None:
            del told[made.key]
            entry = made.entry if made.row is None else statedocs.gone(self._server, made.key, {})
            self._gone.setdefault(kind, {})[made.key] = entry
            self._set.get(kind, {}).pop(made.key, None)

    def count(self, unknown: Collection[str]) -> None:
        """Make the totals anew."""
        if self._totals is None:
            return
        entry = live_rows.entry(self._server, "", self._totals.fields(unknown))
        told = self.rows[TOTALS]
        if told.get("") != entry:
            told[""] = entry
            self._set[TOTALS] = {"": entry}

    # -- documents -----------------------------------------------------------------------------

    def change(self, head: Head) -> Told | None:
        """Return what tells what has changed since the last call, None if nothing has."""
        changed = {kind: each.values() for kind, each in self._set.items() if each}
        gone = {kind: each.values() for kind, each in self._gone.items() if each}
        self._set, self._gone = {}, {}
        if not changed and not gone:
            return None
        self.version += 1
        return statedocs.change(head, changed, gone)

    def note_told(self) -> None:
        """Note that all rows there are will be told in a snapshot."""
        self._set, self._gone = {}, {}
        self.version += 1

    def shot(self, head: Head, *, stale: bool) -> Shot:
        """Return a snapshot of what was told; *stale*: the server is lost."""
        shot, now = self._shot, time.monotonic()
        if shot is None or shot[:2] != (self.version, stale) or now - shot.made > _FRESH:
            told = {kind: dict(found) for kind, found in self.rows.items()}
            entries = {
                kind: [*map(live_rows.staled, found.values())] if stale else [*found.values()]
                for kind, found in told.items()
            }
            parts = tuple(paced(statedocs.snapshot(head, entries), _PARTS))
            shot = self._shot = Shot(self.version, stale, now, parts, told)
        return shot

    def since(self, shot: Shot, head: Head) -> Told | None:
        """Return what tells what has changed since the snapshot *shot*, None if nothing has."""
        if shot.version == self.version:
            return None
        changed: dict[str, list[bytes]] = {}
        gone: dict[str, list[bytes]] = {}
        for kind, found in self.rows.items():
            before = shot.rows.get(kind, {})
            new = [entry for key, entry in found.items() if before.get(key) != entry]
            if new:
                changed[kind] = new
            over = [statedocs.gone(self._server, key, {}) for key in before if key not in found]
            if over:
                gone[kind] = over
        return statedocs.change(head, changed, gone) if changed or gone else None
