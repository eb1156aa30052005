# SPDX-License-Identifier: GPL-2.0-or-later
"""Subscriber: what one client is told without asking: events from some place on, what is there."""

from __future__ import annotations

import dataclasses
import logging
import math
from typing import TYPE_CHECKING

from amiproxy.routing.viewer import Viewer
from amiproxy.threads.sessions.replay import ReplayError, held, track_exactly
from amiproxy.threads.sessions.resuming import check_since, read_since, way_from
from amiproxy.threads.state.looking import reached
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.live.documents import Id
    from amiproxy.live.requests import Subscription
    from amiproxy.routing.selection import Selection
    from amiproxy.threads.live.livesession import LiveSession
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.state.watched import Watch

log = logging.getLogger("amiproxy.web")

#: Seconds between two looks at a client that lags.
_LOOK = 0.25


class Subscriber:
    """What one client has subscribed to.  For the client's thread."""

    def __init__(self, context: ProxyContext, session: LiveSession) -> None:
        self._context, self._session = context, session
        self._watched: Watch | None = None

    def check(self, wanted: Subscription) -> None:
        """Refuse what ``subscribe`` would, as far as that can be known before.

        Raises:
            Problem: it cannot be.

        """
        self._check_servers(wanted.events)
        if wanted.since:
            router = self._context.router
            viewer = self._by_rights()
            try:
                turns = self._context.turnstile
                check_since(read_since(wanted.since), router, viewer, turns)
            except ReplayError as error:
                raise Problem("bad-request", f"since: {error}") from None

    def subscribe(self, request_id: Id, wanted: Subscription) -> None:
        """Tell the client what is *wanted*, instead of what it was told so far.

        Raises:
            Problem: that cannot be.

        """
        self._check_servers(wanted.events)
        self._end_watch()
        try:
            if wanted.since and not wanted.events.is_empty:  # else it misses none
                self._resume(request_id, wanted)
            else:
                self._select(request_id, wanted.events)
        except ReplayError as error:
            raise Problem("bad-request", f"since: {error}") from None
        if wanted.kinds:
            self._watch(wanted)

    def _watch(self, wanted: Subscription) -> None:
        """Tell the client what there is, and then what changes.

        Raises:
            Problem: there is no such thing.

        """
        from amiproxy.threads.state import watching  # noqa: PLC0415 - who asks pays for it

        session = self._session
        try:
            self._watched = watching.watch(
                self._context, session, wanted.kinds, wanted.where, session
            )
        except watching.WatchError as error:
            kind = "not-found" if str(error) == watching.NO_STATE else "bad-request"
            raise Problem(kind, f"state: {error}") from None

    def look(self) -> float:
        """Look after a client that lags; return in how many seconds to look again."""
        session, watched = self._session, self._watched
        if watched is None or not watched.lags:
            return math.inf
        if session.transport.backlog:
            return _LOOK
        watched.resync()
        return math.inf

    def end(self) -> None:
        """The connection is over."""
        self._end_watch()

    def _end_watch(self) -> None:
        watched, self._watched = self._watched, None
        if watched is not None:
            watched.end()

    def _check_servers(self, events: Selection) -> None:
        """Refuse servers that there are not, or not for this user.

        Raises:
            Problem: 404.

        """
        for name in sorted(events.servers):
            if not reached(self._session, self._context.router.named(name)):
                raise Problem("unknown-server", f"Server {name} is not known")

    def _select(self, request_id: Id, events: Selection) -> None:
        """Send *events* as they come from now on.

        Raises:
            ReplayError: a server is busy.

        """
        session = self._session
        if not events.is_empty:
            # First: what comes behind the moment at which the track begins must count.
            before, session.is_listening = session.is_listening, True
            try:
                track_exactly(session, self._context.turnstile)
            except ReplayError:
                session.is_listening = before
                raise
        with session.lock:
            if events.is_empty:
                session.set_track(None)
            elif session.track is not None:
                session.touch()
                session.track.shows_ids = True
            session.select(events)
            session.say_subscribed(request_id)

    def _resume(self, request_id: Id, wanted: Subscription) -> None:
        """Send what has come since the client was told last, and then what comes.

        Raises:
            ReplayError: it cannot be.
            PeerError: the connection is over.

        """
        session, context = self._session, self._context
        if session.has_resumed or session.shown is not None:
            raise ReplayError("it comes with the first events of a connection")
        router, viewer = context.router, self._by_rights()
        since = read_since(wanted.since)
        check_since(since, router, viewer, context.turnstile)
        with held(session, context) as hold:
            way = way_from(since, router.nonce, router.servers, viewer, hold.position())
            session.has_resumed = True
            hold.begin_at(way.places, None, way.ahead)
            with session.lock:
                assert session.track is not None
                session.track.shows_ids = True
                session.select(wanted.events)
                session.say_subscribed(request_id)
            hold.learn()
            hold.tell_gaps(way.gaps)
            hold.release()
        log.info("%s: resumed: %d bytes of events", session.peer, hold.sent)

    def _by_rights(self) -> Viewer:
        """Return what the client may see, whatever it has chosen of that."""
        session = self._session
        view = dataclasses.replace(session.viewer.view, selection=None)
        return Viewer(session.number, view, session.callfilter if view.filtered else None)
