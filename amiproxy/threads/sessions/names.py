# SPDX-License-Identifier: GPL-2.0-or-later
"""LoginNames: which sessions hold which login name, for users who may be there a few times."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession


class LoginNames:
    """The holders of each name.  Any thread may call; a session is its own thread's.

    Web sessions hold none: they log in with each request.
    """

    def __init__(self) -> None:
        # Guards _holders, and login_name of each session; held for dict operations only: of
        # two log-ins of one name at the same moment, one comes second.
        self._lock = threading.Lock()
        self._holders: dict[str, set[ClientSession]] = {}

    def claim(self, session: ClientSession, name: str, most: int) -> bool:
        """Let *session* hold *name*, and no other; return False if *most* others do already.

        0 means any number.
        """
        with self._lock:
            holders = self._holders.get(name, set())
            if 0 < most <= len(holders) - (session in holders):
                return False
            self._release(session)
            self._holders.setdefault(name, set()).add(session)
            session.login_name = name
            return True

    def release(self, session: ClientSession) -> None:
        """Note that *session* holds no name any more."""
        with self._lock:
            self._release(session)

    def _release(self, session: ClientSession) -> None:
        assert self._lock.locked()
        name, session.login_name = session.login_name, ""
        holders = self._holders.get(name)
        if holders is not None:
            holders.discard(session)
            if not holders:
                del self._holders[name]
