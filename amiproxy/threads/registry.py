# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is alive: every client session, newest first."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.threads.session import ClientSession


class SessionRegistry:
    """Every live client session, newest first.

    Written by the thread of each session as it begins and ends.  Read by every
    server thread, for every batch.
    """

    def __init__(self) -> None:
        # Serializes writers; held while the new tuple is built, never while
        # sending, formatting or logging.  Readers take the tuple as it stands,
        # without the lock: a writer replaces the tuple and never changes one.
        self._lock = threading.Lock()
        self._sessions: tuple[ClientSession, ...] = ()

    def snapshot(self) -> tuple[ClientSession, ...]:
        """Return the live sessions, newest first."""
        return self._sessions

    def add(self, session: ClientSession) -> None:
        """Take *session* in: from now on it gets what it may see."""
        with self._lock:
            self._sessions = (session, *self._sessions)

    def discard(self, session: ClientSession) -> None:
        """Forget *session*, if it is there."""
        with self._lock:
            self._sessions = tuple(each for each in self._sessions if each is not session)
