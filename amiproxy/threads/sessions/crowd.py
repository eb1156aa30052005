# SPDX-License-Identifier: GPL-2.0-or-later
"""Crowd: to which clients one server's thread has to hand a batch.

Not to each client each batch: what a batch costs follows from what is delivered, not from who is
connected.  Clients with equal views are a group, which is passed over as a whole where a batch
has nothing for it; those whose filters go by calls are found by what events name
(callindex.py); only those of whom neither can be said are handed every batch.

A crowd belongs to one thread and needs no lock.  Any other thread that changes what a session may
see says so with the session's lock, in the same step (``ClientSession.touch``); the server's
thread looks at the session before its next batch.  So each session is in one place when a batch
comes, and is handed it at most once; if it changes just then, by its rights before that or after.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Callable

from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.viewer import Plan
from amiproxy.threads.sessions.listed import Handed
from amiproxy.wire.batch import BatchKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from amiproxy.threads.sessions.callindex import CallIndex
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.listed import ListedSession, Stance
    from amiproxy.wire.batch import Batch


_EVENTS, _NOTICE = BatchKind.EVENTS, BatchKind.NOTICE
_ANSWERS = Handed.ANSWERS


class Crowd:
    """The clients, for the thread of *link* while that is connected.

    *index* finds filters; *find* returns the session with a number.
    """

    def __init__(
        self, link: AsteriskLink, index: CallIndex, find: Callable[[int], ListedSession | None]
    ) -> None:
        self._link, self._index, self._find = link, index, find
        #: The sessions to be looked at before the next batch.  Any thread adds to it.
        self.changed: deque[ListedSession] = deque()
        self._stances: dict[ListedSession, Stance] = {}
        # Those that are handed everything; those of each plan; those of each filter.
        self._each: dict[ListedSession, None] = {}
        self._groups: dict[Plan, dict[ListedSession, None]] = {}
        self._members: dict[SessionFilter, ListedSession] = {}
        # Those that are to be looked at again behind the next event.
        self._catching_up: list[ListedSession] = []

    def sort_in(self) -> None:
        """Look at the sessions that have changed."""
        changed = self.changed
        while changed:
            session = changed.popleft()
            if session in self._stances:
                self._take_out(session, self._stances.pop(session))
            with session.lock:
                stance = session.stance(self._index, self._link) if session.is_listed else _ANSWERS
            if stance is _ANSWERS:
                continue
            self._stances[session] = stance
            if isinstance(stance, Plan):
                self._groups.setdefault(stance, {})[session] = None
            elif isinstance(stance, SessionFilter):
                self._members[stance] = session
            else:
                self._each[session] = None
                if stance is Handed.CATCHING_UP:
                    self._catching_up.append(session)

    def _take_out(self, session: ListedSession, stance: Stance) -> None:
        if isinstance(stance, Plan):
            group = self._groups[stance]
            del group[session]
            if not group:
                del self._groups[stance]
        elif isinstance(stance, SessionFilter):
            del self._members[stance]
        else:
            del self._each[session]

    def hand_out(self, batch: Batch) -> None:
        """Hand *batch* to the sessions that may get something of it.  Never waits."""
        if self.changed:
            self.sort_in()
        if self._catching_up and batch.events:
            self.changed.extend(self._catching_up)
            self._catching_up.clear()
        if batch.kind is _NOTICE:
            _deliver(batch, reversed(self._stances), ())
            return
        owners = self._hand_to_owners(batch) if batch.kind is not _EVENTS else ()
        if not batch.wire:
            return  # all of it is private
        self._hand_to_members(batch, owners)
        if self._each:
            _deliver(batch, reversed(self._each), owners)
        for plan, group in self._groups.items():
            if not plan.has_nothing(batch):
                _deliver(batch, group, owners)

    def _hand_to_owners(self, batch: Batch) -> Collection[ListedSession]:
        """Hand *batch* to the sessions that have asked for something in it; return them."""
        numbers = {*batch.owners, *[item.asker for item in batch.items]}
        found = {session for session in map(self._find, numbers) if session}
        _deliver(batch, found, ())
        return found

    def _hand_to_members(self, batch: Batch, owners: Collection[ListedSession]) -> None:
        """Hand *batch* to those whose filters have to be asked, about these messages alone."""
        members = self._members
        if not members:
            return
        chosen = self._index.select(batch.items, batch.scope)
        if chosen is None:
            _deliver(batch, members.values(), owners)
            return
        found = [members[each] for each in chosen if each in members]
        if self.changed:
            # Whose filter has left the index meanwhile may not have been found; that it was about
            # to was said before.
            changed = set(self.changed.copy())
            found = [session for session in found if session not in changed]
            _deliver(batch, changed.intersection(members.values()), owners)
        batch.chosen = chosen
        _deliver(batch, found, owners)
        batch.chosen = None


def _deliver(
    batch: Batch, sessions: Iterable[ListedSession], owners: Collection[ListedSession]
) -> None:
    """Hand *batch* to *sessions*, but to no *owners*, which have it."""
    if owners:
        sessions = [session for session in sessions if session not in owners]
    for session in sessions:
        session.deliver(batch)
