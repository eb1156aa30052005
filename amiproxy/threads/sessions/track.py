# SPDX-License-Identifier: GPL-2.0-or-later
"""Track: up to which event of each server one client has been sent what it may see.

The session's lock guards a track.  A track begins at one moment: what was handed to the client
before is told by the numbers of then, what is handed to it later is noted.  Between the two there
may be one batch of each server that is just being handed to all clients, and nobody can tell
whether this client has had it; so who wants to know where it stands waits until that is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.formats import written
from amiproxy.routing.eventids import Stamp, id_of, stamp
from amiproxy.routing.gaps import SERVER_LOST, gap
from amiproxy.routing.numbered import numbered, stamped
from amiproxy.routing.ring import START
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.formats import Format
    from amiproxy.routing.ring import Place
    from amiproxy.routing.viewer import Viewer
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.batch import Batch

#: So many servers that were dropped are remembered.
_MOST_DROPPED = 256

#: Returns the servers there are.
Servers = Callable[[], "Sequence[AsteriskLink]"]


class Noted(NamedTuple):
    """Where a server stood, and how many batches it had begun to hand out."""

    place: Place
    begun: int


def note(links: Sequence[AsteriskLink]) -> dict[AsteriskLink, Noted]:
    """Return where each server stands.

    The place first: the batch that it belongs to is begun already.
    """
    return {link: Noted(link.place, link.begun) for link in links}


def sees(viewer: Viewer, link: AsteriskLink) -> bool:
    """Return whether the client of *viewer* sees events of that server, or of one behind it."""
    view = viewer.view
    return view.is_of(link.names) or any(
        view.is_of(inner.words) for inner in link.behind.servers.values()
    )


class Track:
    """Where one client stands on each server, from now on.

    *nonce* is that of the ids.  The caller holds the session's lock, here and in all but
    ``is_settled``.
    """

    #: Whether events are sent with ids, and gaps told.
    shows_ids = False
    #: Whether the client is sent no events: its thread sends them from the rings.
    held = False
    #: Whether the client has been told of all that it has missed.
    is_whole = True
    #: Whether somebody waits until it is settled.
    is_wanted = False
    #: Whether ``places`` are where the client stands.
    is_exact = False

    def __init__(self, servers: Servers, nonce: str) -> None:
        #: The servers there are.
        self.servers = servers
        self._nonce = nonce
        self.noted = note(servers())
        #: Before the first event since then, and behind the last one.
        self.first: dict[AsteriskLink, Place] = {}
        self.last: dict[AsteriskLink, Place] = {}
        #: Up to where the client has been sent everything.
        self.places: dict[AsteriskLink, Place] = {}
        self._by_epoch: dict[int, AsteriskLink] = {}
        #: Where servers stood that were dropped, by name; the last ones.
        self._dropped: dict[str, Place] = {}
        # The last stamp, and what it was made for.
        self._stamp: tuple[tuple[int, tuple[Place, ...], bool], Stamp] = (0, (), True), Stamp("")

    @property
    def is_settled(self) -> bool:
        """Whether no batch is being handed out any more that was when it began."""
        return all(link.ended >= noted.begun for link, noted in self.noted.items())

    @property
    def is_over(self) -> bool:
        """Whether nobody needs it any more."""
        return not (self.shows_ids or self.held or self.is_wanted) and self.is_settled

    def saw(self, batch: Batch) -> None:
        """Note that *batch* is shown to the client, or will be."""
        link = self.link_of(batch)
        if link is not None and batch.events:
            self.first.setdefault(link, (batch.epoch, batch.after))

    def settle(self, viewer: Viewer, early: Sequence[Batch]) -> None:
        """Note where the client of *viewer* stands, once it is settled.

        It has not been sent what is *early*.
        """
        places = {**{link: noted.place for link, noted in self.noted.items()}, **self.last}
        for batch in reversed(early):
            link = self.link_of(batch)
            if link is not None and batch.events:
                places[link] = batch.epoch, batch.after
        self.places = {link: place for link, place in places.items() if sees(viewer, link)}
        self.is_exact = True

    def begin_again(self) -> None:
        """Note anew which batches are just being handed out."""
        self.noted = note(self.servers())

    def begun_at(self) -> dict[AsteriskLink, Place]:
        """Return behind where each server's events have come since it began; once it is settled."""
        return {link: self.first.get(link, noted.place) for link, noted in self.noted.items()}

    def id(self) -> str:
        """Return the id that says where the client stands."""
        places = [place for place in self.places.values() if place != START]
        return id_of(self._nonce, places, is_whole=self.is_whole)

    def link_of(self, batch: Batch) -> AsteriskLink | None:
        """Return the server that *batch* is of, None if it was dropped."""
        link = self._by_epoch.get(batch.epoch)
        if link is None:
            there = self.servers()
            link = next((one for one in there if one.has_had(batch.epoch)), None)
            if link is not None:
                self._by_epoch[batch.epoch] = link
                self._forget_dropped(link, there)
        return link

    def _forget_dropped(self, link: AsteriskLink, there: Sequence[AsteriskLink]) -> None:
        """Forget the servers that are not *there* any more; *link* may take the place of one."""
        dropped = self._dropped
        for one in [each for each in self.places if each not in there]:
            dropped.pop(one.scope, None)
            dropped[one.scope] = self.places.pop(one)
            if len(dropped) > _MOST_DROPPED:
                del dropped[next(iter(dropped))]
        place = dropped.pop(link.scope, START)
        if place != START:
            self.places.setdefault(link, place)

    def follows_another(self, link: AsteriskLink) -> bool:
        """Return whether *link* takes the place of a server that was dropped."""
        there = self.servers()
        return link.scope in self._dropped or any(
            one.scope == link.scope and one not in there for one in self.places
        )

    def is_followed(self, link: AsteriskLink) -> bool:
        """Return whether *link* was dropped, and the client was sent events of its successor."""
        others = [one for one in self.places if one is not link and one.scope == link.scope]
        return bool(others) and link not in self.servers()

    # -- what is sent -------------------------------------------------------------------------

    def encode(self, batch: Batch, viewer: Viewer, form: Format) -> bytes:
        """Return what of *batch* is sent now, and note that it is.

        Raises:
            HandlerError: *form* cannot write it.

        """
        view = viewer.view
        if not batch.events or view.silent or not view.is_of(batch.names):
            return viewer.encode(batch, form)
        link = None if self.held else self.link_of(batch)
        if link is None:  # its thread finds the events in the ring, or the server was dropped
            return without_events(batch, viewer, form) if self.held else viewer.encode(batch, form)
        here, place = (batch.epoch, batch.upto), self.places.get(link, START)
        if here <= place:
            return without_events(batch, viewer, form)
        if not self.shows_ids:
            self.first.setdefault(link, (batch.epoch, batch.after))
            self.last[link] = here
            if self.is_exact:
                self.places[link] = here
            return viewer.encode(batch, form)
        told = b""
        if place[0] != batch.epoch and place != START:
            told = self.gap(link, (batch.epoch, batch.after), SERVER_LOST, None, viewer, form)
        return told + self.numbered(link, batch, viewer, form)

    def numbered(self, link: AsteriskLink, batch: Batch, viewer: Viewer, form: Format) -> bytes:
        """Return what of *batch* the client sees, with ids, behind its place; that is its end now.

        Raises:
            HandlerError: *form* cannot write it.

        """
        epoch, number = self.places.get(link, START)
        others = () if len(self.places) < 2 else self._others(link)
        made_for, ids = self._stamp
        wanted = batch.epoch, others, self.is_whole
        if wanted != made_for:
            ids = stamp(self._nonce, others, batch.epoch, is_whole=self.is_whole)
            self._stamp = wanted, ids
        data = numbered(viewer, batch, form, ids, number if epoch == batch.epoch else 0)
        self.places[link] = batch.epoch, batch.upto
        return data

    def _others(self, link: AsteriskLink) -> tuple[Place, ...]:
        """Return where the client stands on servers other than *link*."""
        return tuple(
            [place for each, place in self.places.items() if each is not link and place != START]
        )

    def gap(
        self,
        link: AsteriskLink,
        place: Place,
        reason: str,
        missed: int | None,
        viewer: Viewer,
        form: Format,
    ) -> bytes:
        """Return what tells the client that it is sent nothing up to *place*, where it is now.

        Raises:
            HandlerError: *form* cannot write it.

        """
        self.places[link] = place
        view = viewer.view
        if not view.hears_notices or not sees(viewer, link):
            return b""
        is_all = view.sees_all_events and not view.filtered and not view.servers
        message = gap(link.name, reason, missed if is_all else None)
        return written(form, stamped(message, self.id()) if self.shows_ids else message)


def without_events(batch: Batch, viewer: Viewer, form: Format) -> bytes:
    """Return what the client of *viewer* gets of *batch* but for the events.

    Raises:
        HandlerError: *form* cannot write it.

    """
    if batch.kind in (BatchKind.EVENTS, BatchKind.NOTICE):
        return b""
    answers = [item for item in batch.items if item.owner != BROADCAST]
    return viewer.encode(batch.part_of(answers), form) if answers else b""
