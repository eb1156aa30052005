# SPDX-License-Identifier: GPL-2.0-or-later
"""SessionRegistry: the live client sessions, newest first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.threads.net.traffic import take_traffic
from amiproxy.threads.sessions.crowd import Crowd
from amiproxy.threads.sessions.listed import Crowds
from amiproxy.threads.sessions.names import LoginNames

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.message import Message
    from amiproxy.threads.net.traffic import Traffic
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.session import ClientSession


class Had(NamedTuple):
    """What clients have had: events, and bytes that they were sent and have sent."""

    events: int
    sent: int
    received: int


class SessionRegistry:
    """Every live client session, newest first.

    Each session's thread changes it when the session begins, ends or logs in.  Servers' threads
    look up in it who has asked; to whom they hand events, their crowds say.
    """

    def __init__(self) -> None:
        # Guards _by_number, _sessions, _filters, filtering, _gone, gone_actions and crowds.all;
        # held for dict operations and for building a tuple, never while sending, formatting or
        # logging, and no session's lock is taken under it.
        # Readers take a tuple, look a number up, and see whether anybody filters
        # without it: a tuple is never changed, and it is built anew by the first reader
        # after a change, so that ten thousand clients that connect at once do not cost
        # ten thousand copies.
        self._lock = threading.Lock()
        self._by_number: dict[int, ClientSession] = {}
        self._sessions: tuple[ClientSession, ...] | None = ()
        self._filters: set[int] = set()  # numbers of the sessions that see through filters
        #: Whether some client sees calls through a user's filters.
        self.filtering = False
        self._gone: dict[str, Had] = {}
        #: How many actions sessions have sent that are over.
        self.gone_actions = 0
        #: To whom the servers' threads hand what comes.
        self.crowds = Crowds()
        #: Who holds which login name.
        self.names = LoginNames()
        #: Returns the live session with a number, None if there is none.
        self.find: Callable[[int], ClientSession | None] = self._by_number.get

    def snapshot(self) -> tuple[ClientSession, ...]:
        """Return the live sessions, newest first."""
        sessions = self._sessions
        if sessions is None:
            with self._lock:
                sessions = self._sessions = tuple(reversed(list(self._by_number.values())))
        return sessions

    def gather(self, link: AsteriskLink) -> Crowd:
        """Return all sessions, those that come later too, for the thread of *link*."""
        crowds = self.crowds
        crowd = Crowd(link, crowds.index, self.find)
        with self._lock:
            crowds.all = (*crowds.all, crowd)
        crowd.changed.extend(self.snapshot())
        return crowd

    def disperse(self, crowd: Crowd) -> None:
        """Forget *crowd*: the connection to its server is over."""
        crowds = self.crowds
        with self._lock:
            crowds.all = tuple([each for each in crowds.all if each is not crowd])

    def add(self, session: ClientSession) -> None:
        """Add *session*: from now on it gets what it may see."""
        with self._lock:
            self._by_number[session.number] = session
            self._sessions = None
        session.list_in(self.crowds)

    def discard(self, session: ClientSession) -> None:
        """Remove *session*, if it is there; it holds no login name any more."""
        session.list_in(None)
        if session.login_name:
            self.names.release(session)
        # A session that is made for a request has none: the connection goes on.
        transport: Transport | None = getattr(session, "transport", None)
        traffic = None if transport is None else take_traffic(transport)
        with self._lock:
            if self._by_number.pop(session.number, None) is not None:
                form, events = session.output.name, session.event_count
                if events or traffic is not None or form not in self._gone:
                    self._add_gone(form, events, traffic)
                self.gone_actions += session.actions
            if self._filters:
                self._filters.discard(session.number)
                self.filtering = bool(self._filters)
            self._sessions = None

    @property
    def gone_events(self) -> int:
        """How many events clients were sent that have left."""
        return sum(had.events for had in self.had().values())

    def had(self) -> dict[str, Had]:
        """Return what clients have had that have left, by format."""
        with self._lock:
            return self._gone.copy()

    def note_gone(self, form: str, traffic: Traffic | None) -> None:
        """Note that a connection of the format *form*, which has no session, is over."""
        with self._lock:
            self._add_gone(form, 0, traffic)

    def _add_gone(self, form: str, events: int, traffic: Traffic | None) -> None:
        assert self._lock.locked()
        had = self._gone.get(form, Had(0, 0, 0))
        sent, received = (0, 0) if traffic is None else (traffic.sent, traffic.received)
        self._gone[form] = Had(had.events + events, had.sent + sent, had.received + received)

    def log_in(
        self, session: ClientSession, user: User | None, event_mask: int | None, *said: Message
    ) -> None:
        """Log *user* in on *session*; arguments as for ClientSession.log_in."""
        if user is not None and user.filtered:
            # First: from now on the servers' threads look up all that its filters need
            # to know of a call.
            with self._lock:
                self._filters.add(session.number)
                self.filtering = True
        if user is None:
            self.names.release(session)
        before = session.number
        session.log_in(user, event_mask, *said)
        self._follow(session, before, filtered=user is not None and user.filtered)

    def log_out(self, session: ClientSession) -> None:
        """Take away what an earlier login gave to *session*."""
        before = session.number
        self.names.release(session)
        session.log_out()
        self._follow(session, before, filtered=False)

    def _follow(self, session: ClientSession, before: int, *, filtered: bool) -> None:
        """Keep *session*, which had the number *before*, by the one it has now."""
        if session.number == before:
            return
        with self._lock:
            self._filters.discard(before)
            if self._by_number.pop(before, None) is not None:
                self._by_number[session.number] = session
                if filtered:
                    self._filters.add(session.number)
            self.filtering = bool(self._filters)
            self._sessions = None
