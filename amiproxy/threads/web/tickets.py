# SPDX-License-Identifier: GPL-2.0-or-later
"""Tickets: what stands in the URL of a browser's WebSocket or EventSource, once.

Neither of them can send headers.  A ticket is the only secret that a URL ever holds, and is
worth nothing as soon as the URL could be read anywhere.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.access.lockout import network_of

if TYPE_CHECKING:
    from amiproxy.access.stamp import Stamp
    from amiproxy.threads.sessions.context import ProxyContext

#: Seconds that a ticket is good for.
LIFE = 30

#: Tickets of all users, and of one: of whose the oldest is dropped.
MOST = 10000
MOST_PER_USER = 200

#: The field of a URL that holds one, and where.
FIELD = "ticket"
PATHS = frozenset({"/ws", "/events"})


class _Ticket(NamedTuple):
    stamp: Stamp
    network: str  # of whom it was given to
    until: float


def tickets_of(context: ProxyContext) -> Tickets:
    """Return the tickets of the proxy of *context*."""
    found = context.made.setdefault("tickets", Tickets())
    assert isinstance(found, Tickets)
    return found


class Tickets:
    """The tickets that nobody has used yet.  Any thread may call; *clock* is monotonic."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST,
        most_per_user: int = MOST_PER_USER,
    ) -> None:
        self._clock, self._most, self._most_per_user = clock, most, most_per_user
        # Guards _tickets: dict operations, a look at all of them.
        self._lock = threading.Lock()
        self._tickets: OrderedDict[str, _Ticket] = OrderedDict()  # the oldest first

    def __len__(self) -> int:
        with self._lock:
            return len(self._tickets)

    def give(self, stamp: Stamp, address: str) -> str | None:
        """Return a new ticket for whom *stamp* says, at *address*; None: there are too many."""
        now = self._clock()
        with self._lock:
            while self._tickets and next(iter(self._tickets.values())).until <= now:
                self._tickets.popitem(last=False)
            own = [key for key, each in self._tickets.items() if each.stamp.name == stamp.name]
            if len(own) >= self._most_per_user:
                del self._tickets[own[0]]
            elif len(self._tickets) >= self._most:
                return None
            ticket = secrets.token_hex(16)
            self._tickets[ticket] = _Ticket(stamp, network_of(address), now + LIFE)
        return ticket

    def take(self, ticket: str, address: str) -> Stamp | None:
        """Return whom *ticket* was given to; None: nobody, or it is over, or another's.

        It is used by that, whoever comes with it.
        """
        with self._lock:
            found = self._tickets.pop(ticket, None)
        if found is None or found.until <= self._clock() or found.network != network_of(address):
            return None
        return found.stamp
