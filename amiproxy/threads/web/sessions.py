# SPDX-License-Identifier: GPL-2.0-or-later
"""Sessions of programs that use Asterisk's HTTP interface: a cookie stands for a log-in.

Each has a collector, which gathers events between two requests.  A session without
requests ends after a minute, by a thread that lives as long as there are sessions.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amiproxy.threads.sessions.collector import Collector
    from amiproxy.threads.sessions.registry import SessionRegistry

#: Seconds without a request until a session is over (Asterisk's httptimeout).
LIFE = 60.0

#: Sessions of all clients and of one address: each keeps up to 10000 events.
MOST = 100
MOST_PER_ADDRESS = 20


class WebSession:
    """One log-in that lasts over several requests."""

    def __init__(self, collector: Collector, address: str) -> None:
        self.id = secrets.token_hex(16)
        self.collector = collector
        self.address = address
        # Serializes the requests of this session: held by the one that is being carried out.
        self.asking = threading.Lock()
        self.used = 0.0  # when the last request ended, monotonic seconds
        self.busy = 0  # requests under way


def _least_used(sessions: Iterable[WebSession], *, authenticated: bool) -> WebSession | None:
    """Return the idle session whose last request is longest ago, if there is one.

    Only sessions count that may act, or that may not: *authenticated*.
    """
    idle = [each for each in sessions if not each.busy and each.collector.allowed is authenticated]
    return min(idle, key=lambda each: each.used, default=None)


class WebSessions:
    """Every web session.  Any thread may call.

    *life* is in seconds; *most* sessions are kept in all, *most_per_address* of one address;
    *clock* returns monotonic seconds.
    """

    def __init__(
        self,
        registry: SessionRegistry,
        *,
        life: float = LIFE,
        most: int = MOST,
        most_per_address: int = MOST_PER_ADDRESS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._life = life
        self._clock = clock
        self._most = most
        self._most_per_address = most_per_address
        # Guards _sessions, _sweeper and _closed, and used and busy of each session.  Nothing
        # done under it blocks; no session's own lock is taken under it.
        self._lock = threading.Lock()
        # A condition on _lock; wakes the sweeper.
        self._changed = threading.Condition(self._lock)
        self._sessions: dict[str, WebSession] = {}
        self._sweeper: threading.Thread | None = None
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._sessions)

    def add(self, collector: Collector, address: str) -> WebSession | None:
        """Begin a session, or return None: there are too many.

        An address over its quota loses its oldest idle session.  Unauthenticated
        sessions, those of a challenge without a log-in, make room first, and for any
        address.
        """
        session = WebSession(collector, address)
        doomed = None
        with self._lock:
            if self._closed:
                return None
            everybody = list(self._sessions.values())
            own = [each for each in everybody if each.address == address]
            if len(own) >= self._most_per_address:
                doomed = _least_used(own, authenticated=False)
                if doomed is None and collector.allowed:
                    doomed = _least_used(own, authenticated=True)
            elif len(everybody) >= self._most:
                doomed = _least_used(everybody, authenticated=False)
            if doomed is not None:
                del self._sessions[doomed.id]
            elif len(own) >= self._most_per_address or len(everybody) >= self._most:
                return None
            session.used = self._clock()
            self._sessions[session.id] = session
            self._start_sweeper()
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
            sweeper.join()

    def _end(self, session: WebSession) -> None:
        self._registry.discard(session.collector)
        session.collector.end("web session over")

    def _is_over(self, session: WebSession, now: float) -> bool:
        return not session.busy and now - session.used >= self._life

    def _start_sweeper(self) -> None:
        """Ensure that a thread ends sessions.  The caller holds ``_lock``."""
        assert self._lock.locked()
        if self._sweeper is None:
            self._sweeper = threading.Thread(target=self._sweep, name="websessions", daemon=True)
            self._sweeper.start()

    def _sweep(self) -> None:
        """End sessions without requests, until there are none left."""
        while True:
            with self._lock:
                now = self._clock()
                doomed = [each for each in self._sessions.values() if self._is_over(each, now)]
                for session in doomed:
                    del self._sessions[session.id]
                if not self._sessions:
                    # A session added from now on starts another thread.
                    self._sweeper = None
            for session in doomed:
                self._end(session)
            with self._lock:
                if self._closed or self._sweeper is not threading.current_thread():
                    return  # close() waits for this thread
                self._changed.wait(self._pause())

    def _pause(self) -> float:
        """Return the seconds until a session may be over.  The caller holds ``_lock``."""
        assert self._lock.locked()
        now = self._clock()
        ends = [each.used + self._life - now for each in self._sessions.values() if not each.busy]
        return max(0.05, min([*ends, self._life]))
