# SPDX-License-Identifier: GPL-2.0-or-later
"""Rates: how often one client may ask for something that costs others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from amiproxy.threads.sessions.session import ClientSession

#: Clients that are remembered.  When there are more, all begin anew.
MOST = 10_000
_ROUNDING = 1e-9


class Rates:
    """Lets each client do *most* things at once, and as many a second.  Any thread may call."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        # Guards _full: when each client will have all its turns again; for dict operations only.
        self._lock = threading.Lock()
        self._full: dict[str, float] = {}

    def __len__(self) -> int:
        """Return how many clients are remembered."""
        return len(self._full)

    def take(self, client: str) -> float:
        """Take one turn of *client*; return 0.0, or in how many seconds there will be one."""
        with self._lock:
            now = self._clock()
            if len(self._full) >= MOST:
                self._full = {name: full for name, full in self._full.items() if full > now}
                if len(self._full) >= MOST:
                    self._full.clear()
            full = max(self._full.get(client, 0.0), now) + 1 / self._most
            if full - now > 1.0 + _ROUNDING:
                return full - now - 1.0
            self._full[client] = full
            return 0.0


def owner(session: ClientSession) -> str:
    """Return as whom *session* counts: its user, or where there is none its network."""
    return session.network if session.user is None else f"user {session.user.name}"
