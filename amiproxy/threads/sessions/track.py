# SPDX-License-Identifier: GPL-2.0-or-later
"""Track: up to which event of each server one client has been sent what it may see.

The session's lock guards a track.  A track begins at one moment: what was handed to the client
before is told by the numbers of then, what is handed to it later is noted.  Between the two there
may be one batch of each server that is just being handed to all clients, and nobody can tell
whether this client has had it; so who wants to know where it stands waits until that is over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from amiproxy.formats import written
from amiproxy.routing.eventids import Stamp, id_of, stamp
from amiproxy.routing.gaps import SERVER_LOST, gap
from amiproxy.routing.numbered import numbered, stamped, without_events
from amiproxy.routing.ring import START
from amiproxy.threads.sessions.elsewhere import NOWHERE
from amiproxy.threads.sessions.stands import Stand, moved, note
from amiproxy.wire.batch import BatchKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.formats import Envelope, Format
    from amiproxy.routing.ring import Place
    from amiproxy.routing.viewer import Viewer
    from amiproxy.threads.sessions.eventsources import EventSources
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.batch import Batch

#: So many servers that were dropped are remembered, if there are none in their places.
_MOST_DROPPED = 16


def sees(viewer: Viewer, link: AsteriskLink) -> bool:
    """Return whether the client of *viewer* sees events of that server, or of one behind it."""
    view = viewer.view
    return view.is_of(link.names) or any(
        view.is_of(inner.words) for inner in link.behind.servers.values()
    )


class Track:
    """Where one client stands on each server, from now on.

    The caller holds the session's lock, here and in all but ``is_settled``.
    """

    #: Whether events have ids, and gaps are told.
    shows_ids = False
    #: Whether the client is sent no events: its thread sends them from the rings.
    held = False
    #: Whether the client has been told of all that it has missed.
    is_whole = True
    #: Whether somebody waits until it is settled.
    is_wanted = False
    #: Whether ``places`` are where the client stands.
    is_exact = False
    #: Where it stands, if others may stand there too; then ``places`` are not its own to change.
    stand: Stand | None = None
    #: What other proxies have sent it of connections that this one does not know yet.
    ahead = NOWHERE

    def __init__(self, sources: EventSources) -> None:
        self._sources = sources
        self.noted = note(sources.servers)
        #: Before the first event since then, and behind the last one.
        self.first: dict[AsteriskLink, Place] = {}
        self.last: dict[AsteriskLink, Place] = {}
        #: Up to where the client has been sent everything.
        self.places: dict[AsteriskLink, Place] = {}
        # Those whose threads hand the client only what it sees: its place moves on, though.
        self._moving: set[AsteriskLink] = set()
        #: While it is held, the servers whose events are sent from the rings.
        self.replayed: dict[AsteriskLink, None] = {}
        self._by_epoch: dict[int, AsteriskLink] = {}
        self._stamp: tuple[tuple[int, tuple[Place, ...], bool], Stamp] = (0, (), True), Stamp("")

    @property
    def servers(self) -> Sequence[AsteriskLink]:
        """The servers there are."""
        return self._sources.servers

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
        """Note where the client of *viewer* stands, who has not been sent what is *early*."""
        places = {**{link: noted.place for link, noted in self.noted.items()}, **self.last}
        for batch in reversed(early):
            link = self.link_of(batch)
            if link is not None and batch.events:
                places[link] = batch.epoch, batch.after
        self.places = {link: place for link, place in places.items() if sees(viewer, link)}
        self.is_exact = True

    def begin_again(self) -> None:
        """Note anew which batches are just being handed out."""
        self.noted = note(self.servers)

    def begun_at(self) -> dict[AsteriskLink, Place]:
        """Return behind where each server's events have come since it began; once it is settled."""
        return {link: self.first.get(link, noted.place) for link, noted in self.noted.items()}

    def standing(self) -> dict[AsteriskLink, Place]:
        """Return up to where the client has been sent everything, by now."""
        return {
            link: moved(place, link.handed) if link in self._moving else place
            for link, place in self.places.items()
        }

    def move_with(self, link: AsteriskLink) -> bool:
        """Let its place on *link* move on with what is handed out, if it stands there now."""
        self.stay(link)
        handed = link.handed
        if self.places.get(link, START) != handed or handed[0] != link.epoch:
            return False  # it has to be told first that the connection was lost
        self.part()
        self._moving.add(link)
        return True

    def stay(self, *links: AsteriskLink) -> None:
        """Let its places on *links* move on with what the client is handed alone."""
        if not self._moving.isdisjoint(links):
            self.places, self.stand = self.standing(), None
            self._moving.difference_update(links)

    def id(self) -> str:
        """Return the id that says where the client stands."""
        places = [place for place in self.standing().values() if place != START]
        return id_of(self._sources.nonce, [*places, *self.ahead.places], is_whole=self.is_whole)

    def reach(self, link: AsteriskLink, epoch: int) -> None:
        """Stand where another proxy has left the client, if it sent events of that connection."""
        if self.ahead is not NOWHERE and epoch != self.places.get(link, START)[0]:
            self.part()
            if epoch in self.ahead.numbers:
                self.places[link] = epoch, self.ahead.numbers[epoch]
            self.ahead = self.ahead.without(link)

    def link_of(self, batch: Batch) -> AsteriskLink | None:
        """Return the server that *batch* is of, None if it was dropped."""
        link = self._by_epoch.get(batch.epoch)
        if link is None:
            link = next((one for one in self.servers if one.has_had(batch.epoch)), None)
            if link is not None:
                self._by_epoch[batch.epoch] = link
                self.reach(link, batch.epoch)
                if before := self._before(link):
                    self.places.setdefault(link, max(before))
                self.forget_dropped()
        return link

    def forget_dropped(self) -> None:
        """Forget the servers that were dropped, once there is more of those in their places.

        Until then ids name them: who comes back is to be told that something is missing.
        """
        there = self.servers
        dropped = [one for one in self.places if one not in there]
        scopes = {one.scope for one in self.places if one in there} if dropped else set()
        for number, one in enumerate(reversed(dropped)):
            is_over = one.begun == one.ended  # nothing of it is on its way
            if is_over and (one.scope in scopes or number >= _MOST_DROPPED):
                del self.places[one]

    def follows_another(self, link: AsteriskLink) -> bool:
        """Return whether *link* takes the place of a server that was dropped."""
        return bool(self._before(link))

    def _before(self, link: AsteriskLink) -> list[Place]:
        """Return where the servers stand in the place of which *link* is."""
        others = (one for one in self.places if one not in self.servers)
        return [self.places[one] for one in others if one.scope == link.scope]

    def is_followed(self, link: AsteriskLink) -> bool:
        """Return whether *link* was dropped, and the client was sent events of its successor."""
        others = [one for one in self.places if one is not link and one.scope == link.scope]
        return bool(others) and link not in self.servers

    # -- what is sent -------------------------------------------------------------------------

    def encode(self, batch: Batch, viewer: Viewer, form: Format) -> bytes:
        """Return what of *batch* is sent now, and note that it is.

        Raises:
            HandlerError: *form* cannot write it.

        """
        steps, stand = batch.steps, self.stand
        if steps is not None and stand is not None and viewer.number not in batch.owners:
            step = steps.get((stand, viewer.plan, form.name))
            if step is not None:
                data: bytes
                data, events, self.stand = step
                self.places = step[2].places
                viewer.events += events
                return data
        view = viewer.view
        if not batch.events or view.silent or not view.is_of(batch.names):
            data = viewer.encode(batch, form)
            if data and batch.kind is BatchKind.NOTICE and form.envelope is not None:
                data = self._unnumbered(batch, form.envelope)
            return data
        self.part()
        alone = self.held or not self.shows_ids or self.ahead is not NOWHERE
        if alone or view.filtered or viewer.number in batch.owners:
            return self._encode(batch, viewer, form)
        before = viewer.events
        data = self._encode(batch, viewer, form)
        self._stand_with_others(stand, batch, viewer, form, data, viewer.events - before)
        return data

    def _unnumbered(self, batch: Batch, envelope: Envelope) -> bytes:
        """Return *batch*, what this proxy alone says of a server, in documents.

        It has no number: its id is the one where the client is.
        """
        came = batch.came or time.monotonic()
        return b"".join(envelope.notice(one.message, self.id(), came) for one in batch.items)

    def part(self) -> None:
        """Have places of its own again, to be changed."""
        if self.stand is not None:
            self.stand, self.places = None, dict(self.places)

    def _stand_with_others(
        self,
        before: Stand | None,
        batch: Batch,
        viewer: Viewer,
        form: Format,
        data: bytes,
        events: int,
    ) -> None:
        """Stand where others do who have been sent *batch*; who stood as it did may go along."""
        steps = batch.steps
        if steps is None:
            steps = batch.steps = {}
        places = frozenset(self.places.items())
        here = viewer.plan, form.name, self.is_whole, places, frozenset(self._moving)
        stand = self.stand = steps.setdefault(here, Stand(self.places))
        self.places = stand.places
        if before is not None:
            steps[before, viewer.plan, form.name] = data, events, stand

    def _encode(self, batch: Batch, viewer: Viewer, form: Format) -> bytes:
        """As ``encode``, of a batch with events that the client sees."""
        if self.held and self._is_replayed(batch):
            return without_events(batch, viewer, form)
        link = None if self.held else self.link_of(batch)
        if link is None:  # the server was dropped
            return viewer.encode(batch, form)
        here, place = (batch.epoch, batch.upto), self.places.get(link, START)
        ahead = self.ahead
        if here <= place or (ahead is not NOWHERE and ahead.is_doubtful(link, batch.epoch)):
            self.places[link] = max(here, place)
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

    def _is_replayed(self, batch: Batch) -> bool:
        """Return whether the client's thread finds the events of *batch* in a ring.

        So it does with those of a server that has come since, though it be dropped soon.
        """
        for link in (*self.servers, *self.replayed):
            if link.has_had(batch.epoch):
                self.replayed[link] = None
                return True
        return False

    def numbered(self, link: AsteriskLink, batch: Batch, viewer: Viewer, form: Format) -> bytes:
        """Return what of *batch* the client sees, with ids, behind its place; that is its end now.

        Raises:
            HandlerError: *form* cannot write it.

        """
        epoch, number = self.places.get(link, START)
        is_alone = len(self.places) == (link in self.places) and self.ahead is NOWHERE
        others = () if is_alone else self._others(link)
        made_for, ids = self._stamp
        wanted = batch.epoch, others, self.is_whole
        if wanted != made_for:
            ids = stamp(self._sources.nonce, others, batch.epoch, is_whole=self.is_whole)
            self._stamp = wanted, ids
        data = numbered(viewer, batch, form, ids, number if epoch == batch.epoch else 0)
        self.places[link] = batch.epoch, batch.upto
        return data

    def _others(self, link: AsteriskLink) -> tuple[Place, ...]:
        """Return where the client stands on servers other than *link*."""
        places = self.standing() if self._moving else self.places
        here = (at for each, at in places.items() if each is not link and at != START)
        return (*here, *self.ahead.places)

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
        link.record.note_gap(reason)
        is_all = view.sees_all_events and not view.filtered and not view.narrow
        told = missed if is_all else None
        if form.envelope is not None and self.shows_ids:
            return form.envelope.gap(link.name, reason, told, self.id())
        message = gap(link.name, reason, told)
        return written(form, stamped(message, self.id()) if self.shows_ids else message)
