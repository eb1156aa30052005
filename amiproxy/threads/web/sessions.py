# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of programs that use Asterisk's HTTP interface: a cookie stands for a log-in.

Each has a collector, which gathers events between two requests.  A session without
requests ends after a minute, by a thread that lives as long as there are sessions.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.access.lockout import network_of
from amiproxy.errors import PeerGone
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.starting import StartingThread
from amiproxy.threads.sessions.pendinganswer import LOOK_INTERVAL
from amiproxy.threads.web.nonces import Nonces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amiproxy.access.user import User
    from amiproxy.threads.sessions.collector import Collector
    from amiproxy.threads.sessions.registry import SessionRegistry
    from amiproxy.threads.sessions.turnstile import Turnstile

log = logging.getLogger("amiproxy.web")

#: Seconds without a request until a session is over (Asterisk's httptimeout).
LIFE = 60.0

#: Sessions of all clients, and of one user; those without one are counted by address.
#: Each keeps up to 10000 events.
MOST = 100
MOST_PER_OWNER = 20


class WebSession:
    """One log-in that lasts over several requests."""

    def __init__(self, collector: Collector, address: str) -> None:
        self.id = secrets.token_hex(16)
        self.collector = collector
        #: Whose quota it counts for.  A session keeps the user it begins with.
        self.owner = _owner(collector.user, address)
        # Serializes the requests of this session: held by the one that is being carried out.
        self.asking = threading.Lock()
        self.used = 0.0  # when the last request ended, monotonic seconds
        self.busy = 0  # requests under way

    def serves(self, *, guarded: bool) -> bool:
        """Return whether a request may act as this session at a listener, *guarded* or not.

        What was let in without a log-in elsewhere is a stranger where there must be one.
        """
        ours = self.collector
        return ours.allowed and (ours.guarded or ours.user is not None or not guarded)

    def take_challenge(self, turnstile: Turnstile, gone: Callable[[], bool]) -> str:
        """Return the challenge that the next log-in answers: of two at once one gets it.

        Raises:
            PeerGone: the client has left, as in ``alone``.

        """
        with self.alone(turnstile, gone):
            challenge, self.collector.challenge = self.collector.challenge, ""
        return challenge

    def is_of(self, collector: Collector) -> bool:
        """Return whether *collector* has logged in as the user whose session this is."""
        ours = self.collector
        return ours.authenticated and not ours.ended and ours.user == collector.user

    @contextlib.contextmanager
    def alone(self, turnstile: Turnstile, gone: Callable[[], bool]) -> Iterator[None]:
        """Have other requests of this session wait; the caller's, until its client is *gone*.

        Raises:
            PeerGone: it is.

        """
        with turnstile.outside():
            while not self.asking.acquire(timeout=LOOK_INTERVAL):
                if gone():
                    raise PeerGone("a web client left while other requests were answered")
        try:
            yield
        finally:
            self.asking.release()


def _owner(user: User | None, address: str) -> str:
    """Return who a session of *user* is counted for; without a user it is the *address*."""
    return f"address {network_of(address)}" if user is None else f"user {user.name}"


def _least_used(sessions: Iterable[WebSession], *, authenticated: bool) -> WebSession | None:
    """Return the idle session whose last request is longest ago, if there is one.

    Only sessions count that may act, or that may not: *authenticated*.
    """
    idle = [each for each in sessions if not each.busy and each.collector.allowed is authenticated]
    return min(idle, key=lambda each: each.used, default=None)


def _greediest(sessions: Iterable[WebSession]) -> list[WebSession]:
    """Return those of *sessions* that are of the owner who has most of them."""
    owned: dict[str, list[WebSession]] = {}
    for session in sessions:
        owned.setdefault(session.owner, []).append(session)
    return max(owned.values(), key=len, default=[])


def _room_for(
    new: WebSession, everybody: list[WebSession], *, most: int, most_per_owner: int
) -> WebSession | bool:
    """Return whether there is room for *new*, or the session that makes room for it.

    An owner over the quota loses their own oldest idle session.  Where there are too many in
    all, those that have not logged in make room, of the owner who has most of them; then the
    owner who has most sessions loses one to an owner who has at least two fewer, the oldest
    idle one, or the oldest: nobody's many keep others out.
    """
    own = [each for each in everybody if each.owner == new.owner]
    is_user = new.collector.allowed
    if len(own) >= most_per_owner:
        doomed = _least_used(own, authenticated=False)
        return doomed or (is_user and _least_used(own, authenticated=True)) or False
    if len(everybody) < most:
        return True
    doomed = _least_used(
        _greediest(each for each in everybody if not each.collector.allowed), authenticated=False
    )
    many = _greediest(everybody)
    if doomed is not None or not is_user or len(many) < len(own) + 2:
        return doomed or False
    return _least_used(many, authenticated=True) or min(many, key=lambda each: each.used)


class WebSessions:
    """Every web session.  Any thread may call.

    *life* is in seconds; *most* sessions are kept in all, *most_per_owner* of one user;
    *clock* returns monotonic seconds.
    """

    def __init__(
        self,
        registry: SessionRegistry,
        *,
        life: float = LIFE,
        most: int = MOST,
        most_per_owner: int = MOST_PER_OWNER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._life = life
        self._clock = clock
        self._most = most
        self._most_per_owner = most_per_owner
        # Guards _sessions, _sweeper and _closed, and used and busy of each session.  Held for
        # dict operations, a look at all sessions, and while the sweeper is started; no
        # session's own lock is taken under it.
        self._lock = threading.Lock()
        # A condition on _lock; wakes the sweeper.
        self._changed = threading.Condition(self._lock)
        self._sessions: dict[str, WebSession] = {}
        self._sweeper: threading.Thread | None = None
        self._closed = False
        #: Those of Digest, which are for all connections, too.
        self.nonces = Nonces()

    def __len__(self) -> int:
        with self._lock:
            return len(self._sessions)

    def add(self, collector: Collector, address: str) -> WebSession | None:
        """Begin a session of whoever has logged in on *collector*.

        Returns None where there are too many, or no thread that would end it;
        ``_room_for`` says which session makes room.
        """
        session = WebSession(collector, address)
        with self._lock:
            if self._closed or not self._start_sweeper():
                return None
            room = _room_for(
                session,
                list(self._sessions.values()),
                most=self._most,
                most_per_owner=self._most_per_owner,
            )
            if room is False:
                return None
            doomed = room if isinstance(room, WebSession) else None
            if doomed is not None:
                del self._sessions[doomed.id]
            session.used = self._clock()
            self._sessions[session.id] = session
        if doomed is not None:
            self._end(doomed)
        return session

    @contextlib.contextmanager
    def using(self, key: str) -> Iterator[WebSession | None]:
        """Give the session of id *key*, or None; it does not end while it is used."""
        with self._lock:
            session = self._sessions.get(key)
            if session is not None and self._is_over(session, self._clock()):
                session = None  # the sweeper has not come to it yet
            if session is not None:
                session.busy += 1
        try:
            yield session
        finally:
            if session is not None:
                with self._lock:
                    session.busy -= 1
                    session.used = self._clock()

    def remove(self, session: WebSession) -> None:
        """End *session*: its user has logged off."""
        with self._lock:
            self._sessions.pop(session.id, None)
            self._changed.notify_all()
        self._end(session)

    def close(self) -> None:
        """End every session; the proxy stops."""
        with self._lock:
            self._closed = True
            doomed = list(self._sessions.values())
            self._sessions.clear()
            self._changed.notify_all()
            sweeper = self._sweeper
        for session in doomed:
            self._end(session)
        if sweeper is not None:
            sweeper.join(1.0)

    def _end(self, session: WebSession) -> None:
        try:
            self._registry.discard(session.collector)
        finally:
            session.collector.end("web session over")

    def _is_over(self, session: WebSession, now: float) -> bool:
        unused = now - session.used >= self._life
        return not session.busy and (unused or session.collector.ended)

    def _start_sweeper(self) -> bool:
        """Ensure that a thread ends sessions, and return whether there is one.

        The caller holds ``_lock``; so the thread finds the session that is being added.
        """
        assert self._lock.locked()
        if self._sweeper is None:
            sweeper = StartingThread("websessions", self._run)
            try:
                sweeper.start()
            except (RuntimeError, MemoryError) as error:
                log.error("web sessions: %s", error)
                return False
            self._sweeper = sweeper
        return True

    def _run(self) -> None:
        endless("websessions", self._sweep)

    def _sweep(self) -> bool:
        """End sessions without requests, then wait; return False when there are none left."""
        while (session := self._next_over()) is not None:
            self._end(session)
        with self._lock:
            if not self._sessions or self._closed:
                # A session added from now on starts another thread; close() waits for this one.
                self._sweeper = None
                return False
            self._changed.wait(self._pause())
        return True

    def _next_over(self) -> WebSession | None:
        """Take out a session that is over, and return it."""
        with self._lock:
            now = self._clock()
            over = (each for each in self._sessions.values() if self._is_over(each, now))
            session = next(over, None)
            if session is not None:
                del self._sessions[session.id]
            return session

    def _pause(self) -> float:
        """Return the seconds until a session may be over.  The caller holds ``_lock``."""
        assert self._lock.locked()
        now = self._clock()
        ends = [each.used + self._life - now for each in self._sessions.values() if not each.busy]
        return max(0.05, min([*ends, self._life]))
