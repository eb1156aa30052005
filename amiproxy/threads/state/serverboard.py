# SPDX-License-Identifier: GPL-2.0-or-later
"""ServerBoard: tells how the servers themselves are: rows of ``servers``, and each change at once.

For the thread of Watches.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from amiproxy.live import rows as live_rows
from amiproxy.live import statedocs
from amiproxy.live.rows import SERVERS, WATCHED
from amiproxy.live.statedocs import Head
from amiproxy.routing.eventids import id_of
from amiproxy.routing.ring import START
from amiproxy.threads.sessions.serverfacts import look
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.serverrows import fields_of, state_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from amiproxy.live.told import Told
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.state.follower import Follower
    from amiproxy.threads.state.watched import Watch

#: Seconds between two documents of rows, and over which events are counted.
_APART, _RATE = 1.0, 5.0


class _Server(NamedTuple):
    """A server, as it was told last."""

    state: Mapping[str, Any]
    entry: bytes


class ServerBoard:
    """What was told of the servers of *context*, and who was told."""

    def __init__(self, context: ProxyContext) -> None:
        self._context = context
        self._told: dict[AsteriskLink, _Server] = {}
        self._before = self._told
        self._counts: dict[AsteriskLink, list[tuple[float, int]]] = {}
        self._told_at = 0.0
        # Which servers each knows of, and how often it had lagged when it was told all.
        self._knows: dict[Watch, tuple[int, Sequence[AsteriskLink]]] = {}
        # Documents of this moment, for all who see the same.
        self._documents: dict[object, Sequence[Told]] = {}

    def step(self, watches: Sequence[Watch]) -> None:
        """Tell all who watch what has changed."""
        now = time.monotonic()
        followers = followers_of(self._context).there()
        states = {
            link: state_of(link, followers.get(link)) for link in self._context.router.servers
        }
        before = self._before = self._told
        changed = [
            link for link, state in states.items()
            if link not in before or before[link].state != state
        ]  # fmt: skip
        if changed or len(states) != len(before) or now - self._told_at >= _APART:
            self._told_at = now
            self._told = {
                link: _Server(state, self._entry(link, followers.get(link), state, now))
                for link, state in states.items()
            }
        self._documents.clear()
        self._counts = {link: each for link, each in self._counts.items() if link in states}
        self._knows = {each: self._knows[each] for each in watches if each in self._knows}
        documents = {link: self._document(link) for link in changed if link in before}
        for watch in watches:
            self._tell(watch, documents)

    def _entry(
        self, link: AsteriskLink, follower: Follower | None, state: Mapping[str, Any], now: float
    ) -> bytes:
        look(link)
        fields = fields_of(link, follower, state, self._rate(link, now))
        return live_rows.entry(link.name, "", fields)

    def _rate(self, link: AsteriskLink, now: float) -> float | None:
        """Return how many events a second come from *link*."""
        counts = self._counts.setdefault(link, [])
        counts.append((now, link.record.events))
        while len(counts) > 2 and now - counts[0][0] > _RATE:
            del counts[0]
        since, events = counts[0]
        return round((link.record.events - events) / (now - since), 1) if now > since else None

    def _head(self, server: str, links: Iterable[AsteriskLink]) -> Head:
        places = [link.place for link in links if link.place != START]
        return Head(server, id_of(self._context.router.nonce, places), time.time())

    def _document(self, link: AsteriskLink) -> Told:
        return statedocs.server(self._head(link.name, [link]), self._told[link].state)

    def _shared(
        self,
        key: object,
        make: Callable[[Head], Sequence[Told]],
        seen: Sequence[AsteriskLink],
    ) -> Sequence[Told]:
        """Return documents about the servers *seen*, made once for all that share the *key*."""
        found = self._documents.get(key)
        if found is None:
            found = self._documents[key] = make(self._head("", seen))
        return found

    # -- who is told -----------------------------------------------------------------------------

    def _seen(self, watch: Watch) -> tuple[AsteriskLink, ...]:
        """Return the servers that *watch* is told of."""
        session, where = watch.session, watch.where
        user = session.user
        if not session.allowed:
            return ()
        return tuple(
            link
            for link in self._told
            if where.reaches(link.name) and (user is None or user.reaches(link.names))
        )

    def _tell(self, watch: Watch, documents: Mapping[AsteriskLink, Told]) -> None:
        """Tell *watch* all, if it knows nothing, or else what is new."""
        seen, resyncs = self._seen(watch), watch.resyncs
        known = self._knows.get(watch)
        is_new = known is None or known[0] != resyncs
        if is_new and SERVERS in watch.kinds and not all(map(watch.tell, self._all(seen))):
            return
        if known is not None:
            for link, document in documents.items():
                if link in seen:  # also to who begins anew: rows may have been told before this
                    watch.tell(document)
            if is_new:
                self._take_back(watch, known[1], seen)
            elif SERVERS in watch.kinds:
                told = self._changes(known[1], seen)
                if told is not None:
                    watch.tell(told)
        if not watch.lags:  # else it has not been told
            self._knows[watch] = resyncs, seen

    def _take_back(
        self, watch: Watch, before: Sequence[AsteriskLink], seen: Sequence[AsteriskLink]
    ) -> None:
        """Tell *watch*, which has lagged, that there are no rows of servers that went meanwhile."""
        kinds = [kind for kind in WATCHED if kind in watch.kinds and kind != SERVERS]
        for link in _gone(before, seen) if kinds else ():
            for told in statedocs.snapshot(self._head(link.name, ()), dict.fromkeys(kinds, ())):
                watch.tell(told)

    def _all(self, seen: Sequence[AsteriskLink]) -> Sequence[Told]:
        """Return a snapshot of those *seen*."""
        entries = {SERVERS: [self._told[link].entry for link in seen]}
        return self._shared(("all", seen), lambda head: [*statedocs.snapshot(head, entries)], seen)

    def _changes(self, before: Sequence[AsteriskLink], seen: Sequence[AsteriskLink]) -> Told | None:
        """Return what tells what is new, to who saw *before* and sees *seen*."""
        old = self._before
        changed = [
            self._told[link].entry
            for link in seen
            if link not in before or link not in old or old[link].entry != self._told[link].entry
        ]
        gone = [statedocs.gone(link.name, "", {}) for link in _gone(before, seen)]
        if not changed and not gone:
            return None
        set_, del_ = _of(changed), _of(gone)
        (told,) = self._shared(
            ("changes", before, seen), lambda head: [statedocs.change(head, set_, del_)], seen
        )
        return told


def _gone(before: Sequence[AsteriskLink], seen: Sequence[AsteriskLink]) -> Sequence[AsteriskLink]:
    """Return those *before* in the place of which there is none of that name among those *seen*."""
    names = {link.name for link in seen}
    return [link for link in before if link.name not in names]


def _of(entries: Sequence[bytes]) -> dict[str, Sequence[bytes]]:
    return {SERVERS: entries} if entries else {}
