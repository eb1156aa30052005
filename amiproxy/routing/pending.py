# SPDX-License-Identifier: GPL-2.0-or-later
"""What the ledger keeps: actions under way, Originates held back, long ActionIDs.

No look-up here grows with what is kept.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.wire.routed import PROXY

if TYPE_CHECKING:
    from amiproxy.routing.actionids import ActionIds

#: Originates that are answered in one go because they are late.
AT_ONCE = 256


#: For how many seconds Asterisk may say nothing while it loads something anew.
LOADING = 60.0


class Asker(Protocol):
    """A session that asks."""

    number: int

    @property
    def mode(self) -> AutoFilter:
        """Its autofilter now; any thread may read it."""

    @property
    def is_web(self) -> bool:
        """Whether each of its actions is a request of its own."""


class Witness(Protocol):
    """Who is told how an action ended (``audit``)."""

    def over(self, server: str, answer: Message | None) -> None:
        """The *server* has given its last *answer*, None: there is none.  Never waits."""

    def end(self, result: str) -> None:
        """The action has ended with *result*, before it went to a server.  Never waits."""


@dataclass(eq=False)  # compared by identity: two clients may ask the same
class PendingAction:
    """One action on its way to Asterisk, until it is answered."""

    owner: int  # the session that asks, or PROXY
    raw: bytes  # what goes upstream; empty once it has gone
    wire_id: str = ""  # the ActionID in it
    given: str | None = None  # the ActionID its client gave
    private: bool = False  # it was asked in unique: no other client may see the answer
    held_back: bool = False  # an Originate that the proxy has made asynchronous (spec 12.16)
    name: str = ""  # what it is, as Asterisk spells it; "other" for what no table knows
    synchronous: bool = False  # Asterisk serves nothing else until it is over
    loading: bool = False  # it has Asterisk load something anew, which may last
    textual: bool = False  # the answer may have no Response: text, or nothing (spec 12.19)
    echoed: bool = False  # an event for all will carry its ActionID
    since: float = 0.0  # when it went, monotonic seconds
    ringing: float = 0.0  # an Originate: for how many seconds it may be unanswered
    asker: Asker | None = None  # the session, for its mode when the answer comes
    witness: Witness | None = None
    target: str = ""  # the server behind another proxy that it is for
    kept: bool = False  # the proxy's own: its answer stays in order among the events
    account: str = ""  # in whose name it takes turns, where its server is shared by proxies
    expires: float = math.inf  # when it must not go any more, monotonic seconds
    # The rest is the ledger's.
    key: str = ""  # what no other ActionID has
    size: int = 0  # bytes that went upstream
    marked: bool = False  # an item of its list carried the ActionID
    told: bool = False  # what its session was sent shows its end
    last: Message | None = None  # what ended it, if anything did
    refused: bool = False  # it was not answered in time: it has ended, whatever comes of it
    late: bool = False  # and something did come

    @property
    def went(self) -> bool:
        """Whether it has gone to its server, which may have carried it out."""
        return bool(self.key)

    def is_private(self) -> bool:
        """Return whether no other client may see the answer (spec 12.26).

        So it is if its session was in ``unique`` when it asked, or is when the answer comes.
        """
        asker = self.asker
        return self.private or (asker is not None and asker.mode is AutoFilter.UNIQUE)

    @property
    def occupies(self) -> float:
        """For how many seconds Asterisk may serve nothing else on its connection."""
        return self.ringing if self.synchronous else LOADING if self.loading else 0.0

    @property
    def holds(self) -> bool:
        """Whether what its session asks later has to wait for the end of its call.

        Not in a web session: who has given up one request is to get the next one's answer.
        """
        return self.held_back and (self.asker is None or not self.asker.is_web)

    @property
    def deadline(self) -> float:
        """When to stop waiting for the answer to an Originate, monotonic seconds."""
        return self.since + self.ringing


def own_action(ids: ActionIds, name: str, *headers: str) -> PendingAction:
    """Return an action of the proxy's own with *headers*, whose answer no client sees."""
    wire_id = ids.make(0, None)
    message = Message.of(f"Action: {name}", f"ActionID: {wire_id}", *headers)
    return PendingAction(PROXY, message.raw, wire_id)


class HeldBack:
    """The Originates whose clients wait for the OriginateResponse, by key.

    One over *most* makes the oldest overdue.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.by_key: OrderedDict[str, PendingAction] = OrderedDict()
        # By the second after their deadline; there are no more of these than an Originate
        # may ring.
        self._due: dict[int, dict[PendingAction, None]] = {}
        self._overdue: deque[PendingAction] = deque()
        self._next: float = math.inf  # nothing is due before this second

    def add(self, action: PendingAction) -> None:
        """Keep *action* until ``take`` or ``late`` returns it."""
        self.by_key[action.key] = action
        second = math.ceil(action.deadline)
        self._due.setdefault(second, {})[action] = None
        self._next = min(self._next, second)
        if len(self.by_key) > self._most:
            oldest = self.take(next(iter(self.by_key)))
            if oldest is not None:
                self._overdue.append(oldest)
                self._next = -math.inf

    def take(self, key: str) -> PendingAction | None:
        """Return and forget the action with *key*, None if there is none."""
        action = self.by_key.pop(key, None)
        if action is not None:
            second = math.ceil(action.deadline)
            same = self._due[second]
            del same[action]
            if not same:
                del self._due[second]
        return action

    def late(self, now: float) -> list[PendingAction]:
        """Return and forget some whose deadline is before *now*, monotonic seconds.

        Ask until there are none: the caller holds a lock, and it must not be for long.
        """
        found: list[PendingAction] = []
        while now >= self._next and len(found) < AT_ONCE:
            if self._overdue:
                found.append(self._overdue.popleft())
            elif self._next in self._due:
                action = next(reversed(self._due[int(self._next)]))
                found.append(action)
                self.take(action.key)
            if not self._overdue and self._next not in self._due:
                self._next = min(self._due, default=math.inf)
        return found

    def clear(self) -> list[PendingAction]:
        """Forget all; return them."""
        found = [*self._overdue, *self.by_key.values()]
        self.by_key.clear()
        self._due.clear()
        self._overdue.clear()
        self._next = math.inf
        return found


class LongIds:
    """ActionIDs too long to go upstream, for events that are to carry them (spec 12.24).

    Of each session the last *most_each* are kept, and *most* in all.
    """

    def __init__(self, most: int = 4096, most_each: int = 64) -> None:
        self._most = most
        self._most_each = most_each
        self._given: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._by_owner: dict[int, deque[str]] = {}  # the keys, oldest first

    def __len__(self) -> int:
        return len(self._given)

    def add(self, action: PendingAction, given: str) -> None:
        """Keep what the client of *action* gave."""
        self._given[action.key] = (action.owner, given)
        keys = self._by_owner.setdefault(action.owner, deque())
        keys.append(action.key)
        if len(keys) > self._most_each:
            del self._given[keys.popleft()]
        if len(self._given) > self._most:
            # Of all the oldest, so its session's oldest too.
            key, (owner, _) = self._given.popitem(last=False)
            keys = self._by_owner[owner]
            assert keys[0] == key
            keys.popleft()
            if not keys:
                del self._by_owner[owner]

    def get(self, key: str) -> str | None:
        """Return what the client gave to the action of *key*, None if that is not kept."""
        found = self._given.get(key)
        return None if found is None else found[1]
