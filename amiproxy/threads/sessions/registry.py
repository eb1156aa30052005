# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is alive: every client session, newest first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from amiproxy.routing.autofilter import AutoFilter

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession


class SessionRegistry:
    """Every live client session, newest first.

    Written by the thread of each session as it begins and ends, or changes its
    autofilter.  Read by every server thread, for every batch.
    """

    def __init__(self) -> None:
        # Guards the dicts and the tuples made of them; held for dict operations
        # and for building a tuple, never while sending, formatting or logging.
        # Readers take a tuple without it: a tuple is never changed, and it is
        # built anew by the first reader after a change, so that ten thousand
        # clients who connect at once do not cost ten thousand copies.
        self._lock = threading.Lock()
        self._by_number: dict[int, ClientSession] = {}
        self._sessions: tuple[ClientSession, ...] | None = ()
        self._listeners: tuple[ClientSession, ...] | None = ()
        self._filtering: set[int] = set()

    def snapshot(self) -> tuple[ClientSession, ...]:
        """Return the live sessions, newest first."""
        sessions = self._sessions
        if sessions is None:
            with self._lock:
                sessions = self._sessions = tuple(reversed(list(self._by_number.values())))
        return sessions

    def listeners(self) -> tuple[ClientSession, ...]:
        """Return those that may see answers to others: all but the `unique` ones."""
        listeners = self._listeners
        if listeners is None:
            with self._lock:
                listeners = self._listeners = tuple(
                    each
                    for each in reversed(list(self._by_number.values()))
                    if each.mode is not AutoFilter.UNIQUE
                )
        return listeners

    def find(self, number: int) -> ClientSession | None:
        """Return the live session of that number."""
        return self._by_number.get(number)

    def add(self, session: ClientSession) -> None:
        """Take *session* in: from now on it gets what it may see."""
        with self._lock:
            self._by_number[session.number] = session
            self._sessions = self._listeners = None

    def discard(self, session: ClientSession) -> None:
        """Forget *session*, if it is there."""
        with self._lock:
            self._by_number.pop(session.number, None)
            self._filtering.discard(session.number)
            self._sessions = self._listeners = None

    def mode_changed(self) -> None:
        """Some session has another autofilter now."""
        with self._lock:
            self._listeners = None

    def will_filter(self, number: int) -> None:
        """The session of that number is about to see calls through a user's filters.

        Said before it does: servers prepare their batches for it from now on.
        """
        with self._lock:
            self._filtering.add(number)

    @property
    def filtering(self) -> bool:
        """Whether some client sees calls through a user's filters."""
        return bool(self._filtering)
