# SPDX-License-Identifier: GPL-2.0-or-later
"""Board: who is told what of one server's rows.

Its methods are for the thread of the follower, but ``join`` and ``is_watched``.  Who watches from
one moment on is told a snapshot of that moment; then all changes behind it.  While nobody watches
the model notes nothing, and nothing is done here.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Callable

from amiproxy.live import causes, statedocs
from amiproxy.live import rows as live_rows
from amiproxy.live.rows import SERVERS
from amiproxy.live.statedocs import Head
from amiproxy.state.model import BUILDING, LIVE
from amiproxy.state.tables import KINDS
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state.group import Group, Made, Shot
from amiproxy.threads.state.picture import PORTION
from amiproxy.threads.state.rights import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from amiproxy.routing.ring import Place
    from amiproxy.state.model import ServerModel
    from amiproxy.state.table import Row, Value
    from amiproxy.state.touched import Touched
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.state.watched import Seat

log = logging.getLogger("amiproxy.asterisk")

#: Seconds between two documents of changes, and between two looks at what time changes.
_APART, _SECOND = 0.1, 1.0
#: Seconds in a row for which snapshots are sent, before events are looked at again.
_SENDING = 0.02
#: Seconds for which the rows of before are kept while a model is built anew.
_REBUILDING = 8.0


class Board:
    """Those who watch the server of *link*.  *id_of* writes a place as an event id."""

    def __init__(self, link: AsteriskLink, id_of: Callable[[Place], str]) -> None:
        self.link = link
        self._id_of = id_of
        # Clients' threads append, the follower's takes.
        self._coming: deque[Seat] = deque()
        self._groups: dict[object, Group] = {}
        self._of: dict[Seat, Group] = {}
        #: What was last told of each row, whoever may see it.
        self._made: dict[str, dict[str, bytes]] = {}
        self._calls: dict[str, Mapping[str, Value]] = {}  # how calls ended
        self._model: ServerModel | None = None
        self._begun = 0
        self._rebuilding: float | None = None  # since when
        self._told_at = self._looked_at = 0.0
        self._place: Place = (0, 0)
        self._unknown: Collection[str] = ()

    def join(self, seat: Seat) -> None:
        """Tell *seat* from now on.  Any thread may call."""
        self._coming.append(seat)

    @property
    def is_watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._coming or self._of)

    # -- the follower's thread -----------------------------------------------------------------

    def step(self, model: ServerModel, place: Place, unknown: Collection[str]) -> None:
        """Tell what has changed; *place* is up to where *model* has the events."""
        model.note_touched(noting=self.is_watched)
        if not self.is_watched:
            self._forget()
            return
        now = time.monotonic()
        self._place, self._unknown = place, unknown
        self._see_whether_anew(model, now)
        while self._coming:
            self._seat(self._coming.popleft(), model)
        if self._rebuilding is None and now - self._told_at >= _APART:
            self._told_at = now
            self._change(model, now)
        self._attend(model)

    def close(self) -> None:
        """The server is not followed any more: its rows are gone."""
        for group in self._groups.values():
            group.clear()
            for seat in group.seats:
                self._begin(seat, group, is_stale=False)
                self._go_on(seat, group)
        self._forget()

    def _forget(self) -> None:
        self._groups.clear()
        self._of.clear()
        self._made.clear()
        self._calls.clear()
        self._model = None

    def _head(self) -> Head:
        return Head(self.link.name, self._id_of(self._place), time.time())

    # -- seats ---------------------------------------------------------------------------------

    def _seat(self, seat: Seat, model: ServerModel) -> None:
        """Put *seat* into its group, and begin to tell it."""
        watch = seat.watch
        reader = Reader.of(watch.session, self.link.scope)
        rights_key = reader.key if reader.key is not None else id(reader.calls)
        key = (rights_key, watch.kinds - {SERVERS}, watch.where)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(self.link.name, reader, watch.kinds, watch.where)
            self._fill(group, model)
        group.seats[seat] = None
        self._of[seat] = group
        self._begin(seat, group, is_stale=self._is_stale(model))

    def _leave(self, seat: Seat) -> None:
        group = self._of.pop(seat, None)
        if group is None:
            return
        group.seats.pop(seat, None)
        if not group.seats:
            self._groups = {key: each for key, each in self._groups.items() if each is not group}

    def _is_stale(self, model: ServerModel) -> bool:
        return self._rebuilding is not None or model.state not in (BUILDING, LIVE)

    def _begin(self, seat: Seat, group: Group, *, is_stale: bool) -> None:
        shot = group.shot(self._head(), stale=is_stale)
        seat.shot, seat.parts, seat.behind = shot, iter(shot.parts), None

    def _attend(self, model: ServerModel) -> None:
        """Go on with the snapshots of those that have not had theirs; let go who has ended."""
        until = time.monotonic() + _SENDING
        for seat, group in list(self._of.items()):
            watch = seat.watch
            if watch.ended:
                self._leave(seat)
                continue
            if seat.resyncs != watch.resyncs:
                seat.resyncs = watch.resyncs
                if seat.parts is None:
                    self._begin(seat, group, is_stale=self._is_stale(model))
            if seat.parts is not None and not watch.lags and time.monotonic() < until:
                self._go_on(seat, group)

    def _go_on(self, seat: Seat, group: Group) -> None:
        """Tell *seat* the rest of its snapshot, as far as it takes that."""
        assert seat.parts is not None
        part = seat.behind or next(seat.parts, None)
        while part is not None:
            if not seat.watch.tell(part):
                seat.behind = part
                return
            part = next(seat.parts, None)
        seat.parts = seat.behind = None
        shot = seat.shot
        assert isinstance(shot, Shot)
        more = group.since(shot, self._head())
        seat.shot = None
        if more is not None:
            seat.watch.tell(more)

    # -- rows ----------------------------------------------------------------------------------

    def _see_whether_anew(self, model: ServerModel, now: float) -> None:
        """See whether the model has begun anew: the rows of before are kept until it is built."""
        if self._model is None:
            self._model, self._begun = model, model.begun
        elif self._model is not model or self._begun != model.begun:
            self._model, self._begun = model, model.begun
            self._rebuilding = now
        since = self._rebuilding
        if since is not None and (model.state != BUILDING or now - since > _REBUILDING):
            self._rebuilding = None
            self._anew(model)

    def _anew(self, model: ServerModel) -> None:
        """Tell all a new snapshot."""
        self._made.clear()
        self._calls.clear()
        model.touched(time.time())
        for group in self._groups.values():
            group.clear()
            self._fill(group, model)
            for seat in group.seats:
                self._begin(seat, group, is_stale=self._is_stale(model))

    def _fill(self, group: Group, model: ServerModel) -> None:
        """Give *group* all rows there are."""
        now = time.time()
        for kind in KINDS:
            if kind in group.kinds:
                group.take(kind, self._entries(kind, model.rows(kind, now)))
        group.count(self._unknown)
        group.change(self._head())  # it is in the snapshot

    def _change(self, model: ServerModel, now: float) -> None:
        """Tell what has changed since the last time."""
        touched = model.touched(time.time())
        wanted = frozenset[str]().union(*(group.kinds for group in self._groups.values()))
        for kind in KINDS:
            if kind in wanted and (kind in touched.whole or kind in touched.keys):
                found = self._look(kind, touched, model)
                for group in self._groups.values():
                    group.take(kind, found)
        if now - self._looked_at >= _SECOND:
            self._looked_at = now
            for group in self._groups.values():
                group.count(self._unknown)
        head = self._head()
        for group in self._groups.values():
            told = group.change(head)
            if told is not None:
                for seat in group.seats:
                    if seat.parts is None:
                        seat.watch.tell(told)

    def _look(self, kind: str, touched: Touched, model: ServerModel) -> Sequence[Made]:
        """Return the rows of *kind* that were touched, as they are now."""
        now, before = time.time(), self._made.setdefault(kind, {})
        if kind in touched.whole:
            keys = {*before}
            rows = model.rows(kind, now)
        else:
            keys = touched.keys[kind]
            rows = model.rows_of(kind, keys, now)
        found = [*self._entries(kind, rows)]
        there = {made.key for made in found}
        for key in keys:
            if key not in there:
                before.pop(key, None)
                found.append(Made(key, None, self._gone(kind, key)))
        return found

    def _entries(self, kind: str, rows: Iterable[Row]) -> Iterator[Made]:
        """Yield *rows* with their entries; those that are as they were are the same bytes."""
        name, made = self.link.name, self._made.setdefault(kind, {})
        for row in paced(rows, PORTION):
            entry = live_rows.entry(name, row.key, row.fields)
            before = made.get(row.key)
            if before == entry:
                entry = before
            else:
                made[row.key] = entry
            if kind == "calls" and row.fields["state"] == "ended":
                self._calls[row.key] = row.fields
            yield Made(row.key, row, entry)

    def _gone(self, kind: str, key: str) -> bytes:
        """Return what tells that a row is gone; of a call, why."""
        facts: dict[str, object] = {}
        ended = self._calls.pop(key, None) if kind == "calls" else None
        if ended is not None:
            cause = ended["cause"]
            facts = {
                "cause": cause,
                "text": causes.text(cause),
                "merged_into": ended["merged_into"],
            }
        return statedocs.gone(self.link.name, key, facts)
