# SPDX-License-Identifier: GPL-2.0-or-later
"""Board: who is told what of one server's rows.

Its methods are for the thread of the follower, but ``join`` and ``is_watched``.  Who watches from
one moment on is told a snapshot of that moment; then all changes behind it.  While nobody watches
the model notes nothing, and nothing is done here.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Callable

from amiproxy.live import statedocs
from amiproxy.live.rows import SERVERS
from amiproxy.live.statedocs import Head
from amiproxy.state.model import BUILDING, LIVE
from amiproxy.state.tables import KINDS
from amiproxy.state.touched import Touched
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state.boardrows import BoardRows
from amiproxy.threads.state.group import Group, Shot
from amiproxy.threads.state.owngroup import Names, OwnGroup
from amiproxy.threads.state.rights import Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.routing.ring import Place
    from amiproxy.state.model import ServerModel
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.state.watched import Seat

#: Seconds between two documents of changes, and between two looks at what time changes.
_APART, _SECOND = 0.1, 1.0
#: Seconds in a row for which snapshots are made, and sent, before events are looked at again.
_SENDING = 0.02
#: Parts of a snapshot that are sent without a pause.
_PARTS = 8
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
        self._rows = BoardRows(link.name)
        self._model: ServerModel | None = None
        self._begun = 0
        self._rebuilding: float | None = None  # since when
        self._told_at = self._counted_at = 0.0
        self._place: Place = (0, 0)
        self._unknown: Collection[str] = ()

    def join(self, seat: Seat) -> None:
        """Tell *seat* from now on.  Any thread may call."""
        self._coming.append(seat)

    @property
    def made(self) -> Mapping[str, Collection[str]]:
        """The keys of the rows that were made, by kind."""
        return self._rows.made

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
        # Rows of a server that is lost stay as they were.
        if now - self._told_at >= _APART and not self._is_stale(model):
            self._told_at = now
            self._change(model, now)
        until = time.monotonic() + _SENDING
        while self._coming and time.monotonic() < until:
            self._take_in(self._coming.popleft(), model)
        # They have a time of their own: others who come, again and again, keep nobody waiting.
        until = time.monotonic() + _SENDING
        for seat, group in list(self._of.items()):
            self._attend(seat, group, model, until)

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
        self._rows = BoardRows(self.link.name)
        self._model = None

    def _head(self) -> Head:
        return Head(self.link.name, self._id_of(self._place), time.time())

    # -- seats ---------------------------------------------------------------------------------

    def _take_in(self, seat: Seat, model: ServerModel) -> None:
        """Put *seat* into its group, and begin to tell it."""
        if seat.watch.ended:
            return  # its client has chosen anew meanwhile
        seat.take_rights()
        if not seat.reaches(self.link.names):
            return
        watch, reader = seat.watch, Reader.of(seat.watch.session, self.link.scope)
        own = reader.calls
        key = (reader.view if own is None else id(own), watch.kinds - {SERVERS}, watch.where)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = self._group(seat, reader)
            self._fill(group, model)
        group.seats[seat] = None
        self._of[seat] = group
        self._begin(seat, group, is_stale=self._is_stale(model))

    def _group(self, seat: Seat, reader: Reader) -> Group:
        watch, name = seat.watch, self.link.name
        if reader.calls is None:
            return Group(name, reader, watch.kinds, watch.where)
        if self._rows.names is None:
            self._rows.names = Names()
        watched = watch.kinds, watch.where
        return OwnGroup(name, reader, watched, watch.session, self.link.scope)

    def _leave(self, seat: Seat) -> None:
        group = self._of.pop(seat)
        del group.seats[seat]
        if not group.seats:
            self._groups = {key: each for key, each in self._groups.items() if each is not group}
            self._rows.keep(self._wanted())
            if not any(isinstance(each, OwnGroup) for each in self._groups.values()):
                self._rows.names = None

    def _is_stale(self, model: ServerModel) -> bool:
        return self._rebuilding is not None or model.state not in (BUILDING, LIVE)

    def _begin(self, seat: Seat, group: Group, *, is_stale: bool) -> None:
        shot = group.shot(self._head(), stale=is_stale)
        seat.shot, seat.parts, seat.behind = shot, paced(shot.parts, _PARTS), None

    def _attend(self, seat: Seat, group: Group, model: ServerModel, until: float) -> None:
        """Let *seat* go if it has ended; else go on with its snapshot, if it has not had it all."""
        watch = seat.watch
        if watch.ended:
            self._leave(seat)
            return
        if not seat.has_its_rights:
            self._change_rights(seat, group, model)
            return
        if seat.resyncs != watch.resyncs:
            seat.resyncs = watch.resyncs
            if seat.parts is None:
                self._begin(seat, group, is_stale=self._is_stale(model))
        if seat.parts is not None and not watch.lags and time.monotonic() < until:
            self._go_on(seat, group)

    def _change_rights(self, seat: Seat, group: Group, model: ServerModel) -> None:
        """The client is another user, or its rights are others: tell it anew."""
        self._leave(seat)
        seat.watch.tell(statedocs.gap(self._head(), "filter_change"))
        for part in statedocs.snapshot(self._head(), dict.fromkeys(group.rows, ())):
            seat.watch.tell(part)
        self._take_in(seat, model)

    def _go_on(self, seat: Seat, group: Group) -> None:
        """Tell *seat* the rest of its snapshot, as far as it takes that."""
        assert seat.parts is not None
        part = seat.behind or next(seat.parts, None)
        while part is not None:
            if not seat.watch.tell(part):
                seat.behind = part
                return
            part = next(seat.parts, None)
        shot, seat.parts, seat.behind, seat.shot = seat.shot, None, None, None
        assert isinstance(shot, Shot)
        more = group.since(shot, self._head())
        if more is not None:
            seat.watch.tell(more)

    # -- rows ----------------------------------------------------------------------------------

    def _see_whether_anew(self, model: ServerModel, now: float) -> None:
        """See whether the model has begun anew: the rows of before are kept until it is built."""
        if self._model is None:
            self._model, self._begun, self._rebuilding = model, model.begun, None
        elif self._model is not model or self._begun != model.begun:
            self._model, self._begun, self._rebuilding = model, model.begun, now
            if all(group.is_empty for group in self._groups.values()):
                self._rebuilding = None  # rows may come one after the other
        since = self._rebuilding
        if since is not None and (model.state != BUILDING or now - since > _REBUILDING):
            self._rebuilding = None
            self._anew(model)

    def _anew(self, model: ServerModel) -> None:
        """Tell all a new snapshot."""
        self._rows.clear()
        model.touched(time.time())
        for group in self._groups.values():
            group.clear()
            self._fill(group, model)
            for seat in group.seats:
                self._begin(seat, group, is_stale=self._is_stale(model))

    def _wanted(self) -> frozenset[str]:
        """Return the kinds that somebody looks at."""
        return frozenset[str]().union(*(group.kinds for group in self._groups.values()))

    def _fill(self, group: Group, model: ServerModel) -> None:
        """Give *group* all rows there are."""
        now = time.time()
        for kind in KINDS:
            if kind in group.kinds:
                group.take(kind, self._rows.all(kind, model.rows(kind, now)))
        self._finish(group, model)
        group.count(self._unknown)
        group.note_told()

    def _finish(self, group: Group, model: ServerModel) -> None:
        """Have *group* look at the rows that have become its client's with others."""
        names = self._rows.names
        if not isinstance(group, OwnGroup) or names is None:
            return
        again = Touched()
        for kind, key in names.of(group.changed()):
            again.add(kind, key)
        for kind in again.keys:
            if kind != "calls":
                for some in self._rows.look(kind, again, model):
                    group.take(kind, some)
        group.learn()

    def _change(self, model: ServerModel, now: float) -> None:
        """Tell what has changed since the last time."""
        touched = model.touched(time.time())
        self._add_news(touched)
        wanted = self._wanted()
        for kind in KINDS:
            if kind in wanted and (kind in touched.whole or kind in touched.keys):
                for some in self._rows.look(kind, touched, model):
                    for group in self._groups.values():
                        group.take(kind, some)
        is_due = now - self._counted_at >= _SECOND
        self._counted_at = now if is_due else self._counted_at
        for group in self._groups.values():
            self._finish(group, model)
            if is_due:
                group.count(self._unknown)
        self._tell()

    def _add_news(self, touched: Touched) -> None:
        """Add to *touched* the rows of channels that clients have come to know by events."""
        names = self._rows.names
        for group in self._groups.values() if names is not None else ():
            if isinstance(group, OwnGroup) and names is not None:
                for kind, key in names.of(group.news()):
                    touched.add(kind, key)
                group.settle()

    def _tell(self) -> None:
        """Tell each group what has changed; not those that have not had their snapshot."""
        head = self._head()
        for group in self._groups.values():
            told = group.change(head)
            if told is not None:
                for seat in group.seats:
                    if seat.knows:
                        seat.watch.tell(told)
