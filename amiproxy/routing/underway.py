# SPDX-License-Identifier: GPL-2.0-or-later
"""UnderWay: the actions under way on one connection, and how each of them ends.

Which message belongs to which of them the ledger finds out (ledger.py, where their states are).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from amiproxy.basics.counts import Counts
from amiproxy.routing.actionids import KEY_LENGTH
from amiproxy.routing.pending import HeldBack, LongIds, own_action
from amiproxy.wire.routed import PROXY

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction

#: Originates held back at a time; the oldest is answered before one more is.
MAX_HELD = 65536


class UnderWay:
    """The actions under way on one connection.  *host*: what its messages call it, or ""."""

    #: Whether one answer comes after the other, in the order of the actions.
    in_order = True

    def __init__(self, ids: ActionIds, host: str, *, most_held: int = MAX_HELD) -> None:
        self._ids = ids
        self.host = host
        self._queue: OrderedDict[str, PendingAction] = OrderedDict()
        self.owed: Counts[int] = Counts()  #: answers, by session; only read outside
        self._over: list[PendingAction] = []  # of clients, since they were taken over
        self._long = LongIds()
        self._held = HeldBack(most_held)
        self._leaving = False  # the proxy has logged off
        self._endless: PendingAction | None = None  # nothing tells the end of its answer
        #: Whose list is arriving.  Without one, an event that carries no ActionID is
        #: surely nobody's answer.
        self.open_list: PendingAction | None = None
        #: Originates whose clients wait for the OriginateResponse.
        self.held: Collection[str] = self._held.by_key
        #: Bytes that went upstream for actions to which no Response has come.
        self.in_flight = 0
        #: How many answers came, or began to come, when it was too late.
        self.late_answers = 0
        #: How often text came that is no message, and that nobody has asked for.
        self.strays = 0
        #: Whether a part of an answer has come since ``note_time``, which says when.
        self.moved = False
        self._progress = 0.0

    def enter(self, action: PendingAction) -> bytes:
        """Queue *action*, which goes upstream now; return the bytes that are to go."""
        first = self._ping_before() if action.textual else b""
        wire_id = action.wire_id
        # As ActionIds.key says it, but every action goes through here.
        key = action.key = wire_id[: wire_id.index("-") + KEY_LENGTH]
        raw, action.raw, action.size = action.raw, b"", len(action.raw)
        self.in_flight += action.size
        self._queue[key] = action
        owner, owed = action.owner, self.owed
        if owner != PROXY:
            owed[owner] = owed.get(owner, 0) + 1  # as ``add``
        elif raw.startswith(b"Action: Logoff"):
            self._leaving = True
        given = action.given
        if action.echoed and given is not None and self._ids.given(wire_id) is None:
            self._long.add(action, given)
        return first + raw + self._ping() if action.textual else raw

    def _ping_before(self) -> bytes:
        """Return what ends the answer to the action that went last, if nothing else surely does."""
        last = next(reversed(self._queue.values()), self.open_list)
        return b"" if last is None or last.owner == PROXY else self._ping()

    def ask_behind(self) -> bytes:
        """Return what is to go up now so that the end of an answer under way gets known, or b""."""
        action, self._endless = self._endless, None
        if action is None:
            return b""
        last = next(reversed(self._queue), None)
        is_last = last is None if action is self.open_list else last == action.key
        return self._ping() if is_last else b""

    def _ping(self) -> bytes:
        return self.enter(own_action(self._ids, "Ping"))

    def take_over(self) -> list[PendingAction]:
        """Return the clients' actions that have ended since the last call."""
        over, self._over = self._over, []
        return over

    def unanswered(self, owner: int) -> int:
        """Return how many actions of session *owner* lack their final answer."""
        return self.owed.get(owner, 0)

    def awaits(self, action: PendingAction) -> bool:
        """Return whether no Response has come to *action*, which was entered."""
        return action.key in self._queue

    def patience(self, now: float, heard: float) -> float:
        """Return for how many seconds from *now* Asterisk may be silent though it is alive.

        While it makes a synchronous call, or loads something anew, it serves nothing else on this
        connection.  It serves one after the other, so only the oldest action counts, from when
        it was sent or Asterisk was last *heard*.  Both times are monotonic seconds.
        """
        oldest = next(iter(self._queue.values()), None)
        if oldest is None or not oldest.occupies:
            return 0.0
        return max(heard, oldest.since) + oldest.occupies - now

    def note_time(self, now: float) -> None:
        """Note that parts of answers have come until *now*, monotonic seconds."""
        self._progress, self.moved = now, False

    def refuse(self, now: float, timeout: float) -> None:
        """End the actions that were not answered in time at *now*, monotonic seconds.

        Asterisk answers one action after the other: the time of one is *timeout* seconds since it
        went, or since a part of any answer came; a call has its own, what loads anew has more.
        What comes of them later is dropped, but it takes its place among the answers.
        """
        calling: set[str] = set()  # servers that make a call, say, and answer nothing meanwhile
        for action in self._unanswered():
            if action.refused or action.owner == PROXY or action.target in calling:
                continue
            since = max(action.since, self._progress_for(action))
            if now - since > (action.ringing or max(timeout, action.occupies)):
                self._refuse(action)
            elif self.in_order and not action.held_back:
                break  # nor is any behind it
            elif action.occupies:
                calling.add(action.target)

    def _refuse(self, action: PendingAction) -> None:
        self._end(action)
        action.refused = True

    def _unanswered(self) -> Iterator[PendingAction]:
        """Yield the actions to which the answer, or a part of it, is to come; oldest first."""
        if self.open_list is not None:
            yield self.open_list
        yield from list(self._queue.values())

    def _progress_for(self, action: PendingAction) -> float:
        """Return when the last part of an answer came that is in order with that to *action*."""
        del action
        return self._progress

    def _note_progress(self, action: PendingAction) -> None:
        """Note that a part of the answer to *action* has come."""
        del action
        self.moved = True

    def abandon(self) -> None:
        """Forget everything: the connection is gone.  What was unanswered has ended."""
        lost = [] if self.open_list is None else [self.open_list]
        lost += [*self._queue.values(), *self._held.clear()]
        self._queue.clear()
        self.open_list, self.in_flight, self._leaving = None, 0, False
        for action in lost:
            self._end(action)

    def _find(self, key: str | None) -> PendingAction | None:
        """Return the action under way with *key*, None if there is none."""
        if key is None:
            return None
        action = self.open_list
        if action is not None and action.key == key:
            return action
        return self._queue.get(key) or self._held.by_key.get(key)

    def _end(self, action: PendingAction, last: Message | None = None) -> None:
        """Note that *action* is over; *last*, which its session gets, shows that."""
        if action.refused:
            return  # it was before
        action.last, action.told = last, last is not None
        if action.owner != PROXY:
            self.owed.remove(action.owner)
            self._over.append(action)
