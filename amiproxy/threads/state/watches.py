# SPDX-License-Identifier: GPL-2.0-or-later
"""Watches: all clients that watch; which servers each is told of, and how those servers are.

What there is at one server, the board of its follower tells (board.py).  A thread of its own, as
long as anybody watches, sees to it that each client has its place at each server, those that are
added later too, and tells how the servers themselves are.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from amiproxy.live.rows import SERVERS
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.serverboard import ServerBoard
from amiproxy.threads.state.watched import Seat

if TYPE_CHECKING:
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.state.board import Board
    from amiproxy.threads.state.watched import Watch

log = logging.getLogger("amiproxy.asterisk")

#: How often it looks at the servers, in seconds.
_INTERVAL = 1.0


class Watches:
    """The watches of *context*."""

    def __init__(self, context: ProxyContext) -> None:
        self._context = context
        self.busy_since = 0.0  # for the watchdog
        # Guards _watches and _thread: the thread ends only when nobody watches, and of two who
        # begin at once, one starts it.  Never held while one is told or waited for.
        self._lock = threading.Lock()
        self._watches: dict[Watch, dict[AsteriskLink, tuple[Board, Seat]]] = {}
        self._thread: WatchedThread | None = None
        self._wake = threading.Event()
        # For the thread alone.
        self._servers = ServerBoard(context)

    # -- any thread --------------------------------------------------------------------------

    def add(self, watch: Watch) -> None:
        """Tell *watch* from now on.

        Raises:
            RuntimeError: no thread can be started for that.

        """
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                thread = WatchedThread("watches", self._run, self, essential=False)
                thread.start()
                self._thread = thread
            self._watches[watch] = {}
            followers_of(self._context).changed = self.wake
        self._wake.set()

    def wake(self) -> None:
        """Look at the servers now: something has changed."""
        self._wake.set()

    # -- its own thread ----------------------------------------------------------------------

    def _run(self) -> None:
        endless("watches", self._step, end=self._fail)

    def _fail(self, reason: str) -> None:
        log.error("state: who watches is told nothing more of how servers are: %s", reason)

    def _step(self) -> bool:
        """See who watches which servers, tell how these are; return whether to go on."""
        self.busy_since = 0.0
        self._wake.wait(_INTERVAL)
        self.busy_since = time.monotonic()
        self._wake.clear()
        with self._lock:
            for watch in [each for each in self._watches if each.ended]:
                del self._watches[watch]
            watches = dict(self._watches)
            if not watches or self._context.stopping.is_set():
                self._thread = None
                self._servers = ServerBoard(self._context)  # else it keeps who was told last
                return False
        self._servers.step([*watches])
        for watch, seats in watches.items():
            self._place(watch, seats)
        return True

    def _place(self, watch: Watch, seats: dict[AsteriskLink, tuple[Board, Seat]]) -> None:
        """Give *watch* a place at each server that it is to be told of."""
        context = self._context
        links = context.router.servers
        for link in [one for one in seats if one not in links]:
            del seats[link]
        if not context.config.state:
            return
        for link in links:
            user = watch.session.user
            is_seen = watch.session.allowed and (user is None or user.reaches(link.names))
            if link.spec.proxy or not is_seen or not watch.where.reaches(link.name):
                seats.pop(link, None)
                continue
            follower = followers_of(context).follower(link)
            held = seats.get(link)
            if follower is None or watch.kinds <= {SERVERS}:
                continue
            if held is None or held[0] is not follower.board:
                seat = Seat(watch)
                seats[link] = follower.board, seat
                follower.board.join(seat)
