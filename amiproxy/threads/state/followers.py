# SPDX-License-Identifier: GPL-2.0-or-later
"""Followers: one for each server, made when somebody first asks."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Callable

from amiproxy.routing.eventids import id_of
from amiproxy.threads.state.board import Board
from amiproxy.threads.state.follower import Follower
from amiproxy.threads.state.lists import Pace

if TYPE_CHECKING:
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink

log = logging.getLogger("amiproxy.asterisk")


class Followers:
    """The followers of the servers of *context*; *pace* is how often lists are asked."""

    def __init__(self, context: ProxyContext, pace: Pace | None = None) -> None:
        self._context = context
        self._pace = pace or Pace()
        # Guards _followers: of two clients who ask at once, one starts a thread.  Threads are
        # started under it; never while one is waited for.
        self._lock = threading.Lock()
        self._followers: dict[AsteriskLink, Follower] = {}
        #: Called when one is in another state.  Set once, by who wants to know.
        self.changed: Callable[[], None] = lambda: None

    def _changed(self) -> None:
        self.changed()

    def follower(self, link: AsteriskLink) -> Follower | None:
        """Return what follows the server of *link*, started if need be; None: it cannot be."""
        with self._lock:
            found = self._followers.get(link)
            if found is not None and found.is_alive:
                return found
            there = self._context.router.servers
            self._followers = {
                one: follower for one, follower in self._followers.items() if one in there
            }
            context = self._context
            nonce = context.router.nonce
            follower = Follower(
                Board(link, lambda place: id_of(nonce, [place])),
                context.router.ids,
                lambda: _limit(context, link),
                self._pace,
                self._changed,
                lambda: context.config,
            )
            try:
                follower.start()
            except (RuntimeError, MemoryError) as error:
                log.error("asterisk@%s: state: %s", link.scope, error)
                return None
            self._followers[link] = follower
            return follower

    def there(self) -> dict[AsteriskLink, Follower]:
        """Return the followers there are, for who looks at their figures."""
        with self._lock:
            return dict(self._followers)


def followers_of(context: ProxyContext) -> Followers:
    """Return the followers of *context*, made when somebody first asks."""
    followers = context.made.setdefault("followers", Followers(context))
    assert isinstance(followers, Followers)
    return followers


def _limit(context: ProxyContext, link: AsteriskLink) -> int:
    """Return how many rows the server of *link* may have; 0: it is not to be followed."""
    config = context.config
    is_wanted = config.state and link in context.router.servers and not context.stopping.is_set()
    return config.state_limit if is_wanted else 0
