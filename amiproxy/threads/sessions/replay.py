# SPDX-License-Identifier: GPL-2.0-or-later
"""Replay: what a client has missed, sent by its own thread; then it is sent events again as usual.

Meanwhile its session is *held*: the servers' threads send it no events, which are in the rings,
but answers to itself.  The thread reads the rings and sends in portions, as fast as the client
takes them.  When there is nothing left it lets go of the session, with the session's lock: a batch
that a server's thread has for the client before that moment is in the ring, and one that it has
later is sent only if it lies behind what was read.
"""

from __future__ import annotations

import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING, Callable, Protocol

from amiproxy.formats import written
from amiproxy.routing.ring import START
from amiproxy.threads.net.room import await_room
from amiproxy.threads.sessions.catchup import CatchUp
from amiproxy.threads.sessions.elsewhere import Elsewhere
from amiproxy.threads.sessions.track import sees

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from amiproxy.message import Message
    from amiproxy.routing.ring import Place
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.streamsession import StreamSession
    from amiproxy.threads.sessions.track import Track
    from amiproxy.threads.sessions.turnstile import Turnstile

#: Bytes that are sent at a time, and how many entries of a ring are looked at for them.
PORTION = 262144
_ENTRIES = 100

#: For how long a batch may be on its way to all clients, in seconds, and how often it is asked.
LONGEST = 5.0
_LOOK = 0.001


class ReplayError(Exception):
    """What was asked cannot be done; the text is for the client."""


class Surroundings(Protocol):
    """What of the proxy a replay needs; see ProxyContext."""

    turnstile: Turnstile
    stopping: threading.Event


def track_exactly(session: StreamSession, turns: Turnstile) -> Track:
    """Return the track of *session*, which tells where it stands exactly.  In the client's thread.

    Set another one, or begin to hold it, and it stays; else call ``let_go``.

    Raises:
        ReplayError: a server's thread takes long to hand out a batch.

    """
    with session.lock:
        track = session.track
        if track is not None and track.is_exact:
            track.is_wanted = True  # else a server's thread may find that it is over
            return track
    with turns.outside():
        if track is not None:
            _await_settled(track)  # it tells where the sight of the client began
        with session.lock:
            track = session.new_track()
            track.is_wanted = True
            session.set_track(track)
        try:
            _await_settled(track)
        except ReplayError:
            with session.lock:
                session.set_track(None)
            raise
    session.settle()
    return track


def _await_settled(track: Track) -> None:
    """Wait until nothing is on its way to clients that was when *track* began."""
    until = time.monotonic() + LONGEST
    while not track.is_settled:
        if time.monotonic() > until:
            raise ReplayError("A server is busy, try again")
        time.sleep(_LOOK)


@contextlib.contextmanager
def held(session: StreamSession, around: Surroundings) -> Iterator[Held]:
    """Hold *session* while the client's thread does what is inside; then it gets events again.

    It is released in the end, whatever happens, unless it is over or the proxy stops.

    Raises:
        ReplayError: a server's thread takes long to hand out a batch.
        PeerError: the connection is over.

    """
    track = track_exactly(session, around.turnstile)
    hold = Held(session, track, around)
    try:
        yield hold
    finally:
        hold.release()


class Held:
    """A session that is sent no events but by the client's own thread, which alone uses this."""

    def __init__(self, session: StreamSession, track: Track, around: Surroundings) -> None:
        self._session, self._track, self._around = session, track, around
        self._portion_size = max(1, min(PORTION, session.transport.max_backlog // 2))
        self._is_over = False
        #: How many bytes of events it was sent.
        self.sent = 0
        with session.lock:
            session.touch()
            track.part()
            track.held = True
            track.replayed = dict.fromkeys((*track.places, *track.servers))
            #: Whether the client has been shown no events yet.
            self.is_fresh = session.is_early or session.shown is None
            session.take_early()
        self._catch_ups: dict[AsteriskLink, CatchUp] = {}

    # -- what others ask of it ------------------------------------------------------------------

    def position(self) -> dict[AsteriskLink, Place]:
        """Return up to where the client has been sent the events of each server that it sees."""
        return dict(self._track.places)

    @property
    def id(self) -> str:
        """The id of the event up to which the client has been sent all."""
        return self._track.id()

    def begin_at(
        self,
        places: Mapping[AsteriskLink, Place],
        seen: Mapping[AsteriskLink, Place] | None = None,
        ahead: Mapping[int, int] | None = None,
    ) -> None:
        """Have the client sent what came behind *places*.

        *seen*: behind where it has been shown events since the log-in, if it has; *ahead*: see Way.
        """
        now = self.position()
        with self._session.lock:
            self._track.replayed = dict.fromkeys((*places, *self._track.servers))
        self._track.places = {link: place for link, place in places.items() if place != START}
        self._track.ahead = Elsewhere.of(ahead or {}, places)
        for link in places:
            until = None if seen is None else seen.get(link, START)
            self._catch_ups[link] = self._catch_up(link, until, now.get(link, START))

    def learn(self) -> None:
        """Have the client's filters learn the calls in what it does not miss, and older ones."""
        viewer = self._session.viewer
        if viewer.follows_calls:
            viewer.recall()
            for catch_up in self._catch_ups.values():
                catch_up.learn(viewer, self._around.turnstile.pass_on)

    def tell_gaps(self, gaps: Mapping[AsteriskLink, str]) -> None:
        """Tell the client of events that are missing for a reason that no ring knows."""
        session, track = self._session, self._track
        told = b""
        left = len(gaps)
        for link, reason in gaps.items():
            left -= 1
            track.is_whole = not left
            place = track.places.get(link, START)
            viewer, form = session.viewer, session.output
            told += self._made(partial(track.gap, link, place, reason, None, viewer, form))
            if link in self._catch_ups:
                self._catch_ups[link].is_told = True
        self._send(told)

    def advance(self, to: Mapping[AsteriskLink, Place]) -> None:
        """Send what there is up to these places, and nothing of other servers.

        Raises:
            PeerError: the connection is over.

        """
        while not self._is_over and (portion := self._portion(to)) is not None:
            self._send(portion)

    def say(self, *messages: Message) -> None:
        """Send *messages*, the proxy's own, as fast as the client takes them.

        Raises:
            PeerError: the connection is over.

        """
        session = self._session
        parts: list[bytes] = []
        size = 0
        for message in messages:
            part = self._made(partial(written, session.output, message))
            parts.append(part)
            size += len(part)
            if size >= self._portion_size:
                self._send(b"".join(parts))
                parts, size = [], 0
                self._around.turnstile.pass_on()
        self._send(b"".join(parts))

    def release(self) -> None:
        """Send what is left, and let the servers' threads send the client events again.

        Raises:
            PeerError: the connection is over.

        """
        while not self._is_over:
            portion = self._portion(None)
            self._look()
            if portion is None:
                self._let_go()
            else:
                self._send(portion)
                self._around.turnstile.pass_on()

    # -- how it is done -------------------------------------------------------------------------

    def _catch_up(self, link: AsteriskLink, until: Place | None, now: Place) -> CatchUp:
        session = self._session
        return CatchUp(link, self._track, session.forget_calls, until, now)

    def _all(self) -> list[CatchUp]:
        """Return one for each server, also for those that have come since, or were dropped."""
        viewer, track = self._session.viewer, self._track
        for link in (*list(track.replayed), *track.servers):
            if link not in self._catch_ups and sees(viewer, link):
                self._catch_ups[link] = self._catch_up(link, None, START)
        return list(self._catch_ups.values())

    def _next(self, to: Mapping[AsteriskLink, Place] | None) -> CatchUp | None:
        """Return the one with the oldest entry that is to be sent, None if there is none."""
        found, oldest = None, 0.0
        for catch_up in self._all():
            entry = catch_up.next()
            if entry is None or (to is not None and entry.place > to.get(catch_up.link, START)):
                continue
            if found is None or entry.when < oldest:
                found, oldest = catch_up, entry.when
        return found

    def _portion(self, to: Mapping[AsteriskLink, Place] | None) -> bytes | None:
        """Return what is to be sent next, None if there is nothing left."""
        session = self._session
        parts: list[bytes] = []
        size = 0
        for _ in range(_ENTRIES):
            catch_up = self._next(to)
            if catch_up is None:
                return b"".join(parts) if parts else None
            part = self._made(partial(catch_up.take, session.viewer, session.output))
            parts.append(part)
            size += len(part)
            if size >= self._portion_size:
                break
        return b"".join(parts)

    def _made(self, make: Callable[[], bytes]) -> bytes:
        """Return what *make* makes; if it fails the client is dropped."""
        session = self._session
        try:
            return make()
        except Exception as error:
            with session.lock:
                session.drop(error)
            session.transport.check()
            raise

    def _look(self) -> None:
        """Find out whether there is an end to all."""
        self._session.transport.check()
        self._is_over |= self._around.stopping.is_set()

    def _send(self, data: bytes) -> None:
        """Send *data* once the client has taken most of what it was sent before."""
        session, around = self._session, self._around
        transport = session.transport
        self._look()
        if data and transport.backlog > self._portion_size and not self._is_over:
            with around.turnstile.outside():
                await_room(transport, self._portion_size, around.stopping.is_set)
            self._look()
        if data and not self._is_over:
            with session.lock:
                transport.send(data)
            self.sent += len(data)

    def _let_go(self) -> None:
        """Let the servers' threads send the client events again, if there is nothing left."""
        session, track = self._session, self._track
        with session.lock:
            if self._next(None) is not None:
                return
            try:
                for catch_up in self._all():
                    session.transport.send(catch_up.finish(session.viewer, session.output))
                    for scope in catch_up.ended:
                        session.forget_calls(scope)
            except Exception as error:  # noqa: BLE001 - as above
                session.drop(error)
            self._is_over = True
            session.touch()
            track.held = False
            track.forget_dropped()
            if not track.shows_ids:
                track.is_wanted = False
                track.begin_again()
        session.transport.check()
