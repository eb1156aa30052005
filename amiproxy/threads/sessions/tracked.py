# SPDX-License-Identifier: GPL-2.0-or-later
"""TrackedSession: a session that can tell up to which event its client has been sent all.

It does so for who wants ids of events, or has missed some.  From where on the others have been
shown events is noted at each log-in, as long as events are kept to be replayed: it takes until the
batches are over that are just being handed to all clients, and costs nothing after that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from amiproxy.threads.sessions.eventsources import NO_SOURCES
from amiproxy.threads.sessions.listed import Handed
from amiproxy.threads.sessions.session import ClientSession
from amiproxy.threads.sessions.track import Track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.access.user import User
    from amiproxy.message import Message
    from amiproxy.routing.ring import Place
    from amiproxy.routing.viewer import Viewer
    from amiproxy.threads.sessions.callindex import CallIndex
    from amiproxy.threads.sessions.early import EarlyBatches
    from amiproxy.threads.sessions.eventsources import EventSources
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.listed import Stance


class TrackedSession(ClientSession):
    """A session of which it is known what its client has been sent."""

    #: Up to which events it has been sent all, while somebody wants to know.
    track: Track | None = None
    #: Tells behind where events have been shown since the log-in, None: nobody has noted that.
    #: It is None itself as long as none can have been.
    shown: Callable[[], Mapping[AsteriskLink, Place] | None] | None = None
    #: Whether it has resumed since the log-in.
    has_resumed = False

    def __init__(
        self, peer: str, address: str, *, sources: EventSources = NO_SOURCES, **options: Any
    ) -> None:
        """*sources*: the servers whose events it may be sent."""
        self._sources = sources
        # What has come before the client was answered; None once it was, or has not asked
        # anything for too long.
        self._early: EarlyBatches | None = None
        super().__init__(peer, address, **options)

    def _renew(self) -> None:
        """As any session; and events may be shown from now on."""
        super()._renew()
        if self.shown is None and self._viewer.view.hears_notices:
            self._note_shown()

    def _choose_way(self) -> None:
        """Find out which batches need no look at what the client has been sent, or may see."""
        raise NotImplementedError

    def log_in(self, user: User | None, event_mask: int | None, *said: Message) -> None:
        """As any session; what it was shown before does not count."""
        self._forget_shown()
        super().log_in(user, event_mask, *said)

    def log_out(self) -> None:
        """As any session."""
        self._forget_shown()
        super().log_out()

    def touch(self) -> None:
        """As any session; where it stands now it stands until servers' threads have looked."""
        if self.track is not None:
            self.track.stay(*self.track.places)
        super().touch()

    def stance(self, index: CallIndex, link: AsteriskLink) -> Stance:
        """As any session; while it is not known what it has been sent it is handed everything."""
        track, view = self.track, self._viewer.view
        if view.silent:
            return Handed.ANSWERS
        if self._early is not None:
            return Handed.EVERYTHING
        if track is not None:
            is_steady = track.is_exact and track.shows_ids and not track.held
            # A batch of another proxy is of one of the servers behind it.
            if not is_steady or (view.narrow and link.spec.proxy):
                track.stay(link)
                return Handed.EVERYTHING
            if view.is_deaf or not view.is_of(link.names):
                track.stay(link)
            elif not track.move_with(link):
                return Handed.CATCHING_UP
        return super().stance(index, link)

    def _forget_shown(self) -> None:
        with self.lock:
            self.touch()
            self.track = self.shown = None
            self.has_resumed = False

    def see(self) -> None:
        """Note behind where events are shown, if it needs no log-in: it is registered now."""
        with self.lock:
            self.touch()
            self.track = self.shown = None
            if self._viewer.view.hears_notices:
                self.shown = _unknown
                if self._early is not None:
                    self._note_shown(self._early)
            self._choose_way()

    def _note_shown(self, early: EarlyBatches | None = None) -> None:
        """Note behind where events are shown, *early* ones too, if any are kept to be replayed."""
        assert self.lock.locked()
        self.shown = _unknown
        track = self.track
        if track is not None:
            if track.is_exact:
                self.shown = track.standing().copy
        elif any(link.ring.limit for link in self._sources.servers):
            self.track = track = self.new_track()
            self.shown = track.begun_at
            for batch in early.batches if early is not None else ():
                track.saw(batch)

    def new_track(self) -> Track:
        """Return a track that begins now.  The caller holds ``lock``."""
        assert self.lock.locked()
        return Track(self._sources)

    def set_track(self, track: Track | None) -> None:
        """Have *track* note what is sent from now on.  The caller holds ``lock``."""
        assert self.lock.locked()
        self.touch()
        self.track = track
        self._choose_way()

    def show_ids(self, answer: Callable[[str], Message], mask: int | None = None) -> None:
        """Send events with ids from now on; say *answer* first, which is told the id of now.

        They are of the classes in *mask*, None: as before.  There is a track, which is exact.
        """
        with self.lock:
            assert self.track is not None
            self.touch()
            self.track.shows_ids = True
            if mask is not None:
                self.event_mask = mask
                self._renew()
            self._tell(answer(self.track.id()))
            self._note_answer()

    def settle(self) -> None:
        """Note where the client stands exactly: its track, which is settled, tells."""
        with self.lock:
            early, track = self._early, self.track
            assert track is not None
            track.settle(self._viewer, () if early is None else early.batches)

    @property
    def viewer(self) -> Viewer:
        """What the client gets of batches."""
        return self._viewer

    @property
    def is_early(self) -> bool:
        """Whether the client has not been answered, and so been sent no events."""
        return self._early is not None

    def take_early(self) -> None:
        """Hold nothing back any more: its thread finds that in the rings.  With ``lock``."""
        assert self.lock.locked()
        self.touch()
        self._early = None
        self._choose_way()

    def forget_calls(self, scope: str) -> None:
        """Forget the calls of the server *scope*.  For the client's thread, while it is held."""
        if self.callfilter is not None:
            self.callfilter.forget(scope)

    def forget(self, scope: str) -> None:
        """As any session, but not while its thread sends it what came before that."""
        track = self.track
        # What is behind a proxy is none of the servers.
        if track is None or not track.held or all(link.scope != scope for link in track.servers):
            super().forget(scope)


def _unknown() -> None:
    """Tell that nobody has noted behind where events have been shown."""
