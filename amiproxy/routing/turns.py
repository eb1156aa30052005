# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns: the actions that wait to go up to one Asterisk, and whose is next.

Asterisk serves one action of a connection at a time.  So the proxy sends it few at once,
and lets those that wait take turns: accounts first, each account's sessions after each
other, each session's actions in their order.  However many connections somebody opens,
and however fast they send, another account's action waits for one turn of each.

A session whose Originate the proxy has made asynchronous has no turn until that is answered: in
Asterisk, where it was to be synchronous, its later actions would wait too (spec 12.31).
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.routing.pending import PendingAction

#: Bytes of actions that are sent before the first of them is answered.  Asterisk reads one
#: action of a connection after the other: more would only wait there instead of here, where
#: it lets others go first.  An action that is longer goes alone.
WINDOW = 2048

#: Bytes of one session's actions that may wait for their turn before it is read no further.
MOST_WAITING = 65536


class _Held(NamedTuple):
    """What waits behind an Originate of its session."""

    originate: PendingAction
    behind: deque[PendingAction]


class Turns:
    """The actions that wait.  It has no lock of its own: every caller holds the link's.

    Nothing here grows with the number of actions or sessions, but ``take_older`` and ``clear``.
    """

    def __init__(self) -> None:
        # By account, then by session; what is first is next.
        self._accounts: dict[str, dict[int, deque[PendingAction]]] = {}
        self._account_of: dict[int, str] = {}  # of the sessions that wait
        #: By session, what waits behind an Originate of it.
        self.held: dict[int, _Held] = {}
        self._bytes: dict[int, int] = {}  # how much of each session waits
        #: How many actions wait for their turn alone.
        self.count = 0
        #: Until when nobody could have a turn, in monotonic seconds.
        self.blocked_until = 0.0
        # Nothing waits that was asked, or let go by ``release``, before; and by session when
        # that was.
        self._oldest = math.inf
        self._released: dict[int, float] = {}

    @property
    def empty(self) -> bool:
        """Whether no action waits, nor any session."""
        return not self.count and not self.held

    def put(self, action: PendingAction, account: str) -> None:
        """Have *action* wait behind those of its session, or else of *account*."""
        # What waits already keeps its place, whoever the session has logged in as since.
        owner = action.owner
        account = self._account_of.setdefault(owner, account)
        self._bytes[owner] = self._bytes.get(owner, 0) + len(action.raw)
        held = self.held.get(owner)
        if held is not None:
            held.behind.append(action)
            return
        self._accounts.setdefault(account, {}).setdefault(owner, deque()).append(action)
        self._oldest = min(self._oldest, action.since)
        self.count += 1

    def hold(self, originate: PendingAction) -> None:
        """Let the session of *originate*, which goes now, have no turn until ``release``."""
        owner = originate.owner
        behind: deque[PendingAction] = deque()
        account = self._account_of.get(owner)
        if account is not None:
            behind = self._remove(account, owner)
        self.held[owner] = _Held(originate, behind)

    def release(self, owner: int, now: float) -> None:
        """Let session *owner* have its turns again: its Originate is answered.

        The time that its actions may wait begins *now*, in monotonic seconds.
        """
        held = self.held.pop(owner, None)
        if held is not None and held.behind:
            account = self._account_of[owner]
            self._accounts.setdefault(account, {})[owner] = held.behind
            self._released[owner] = now
            self._oldest = min(self._oldest, now)
            self.count += len(held.behind)

    def holder(self, owner: int) -> PendingAction | None:
        """Return the Originate behind which session *owner* waits, None if there is none."""
        held = self.held.get(owner)
        return None if held is None else held.originate

    def first(self) -> PendingAction:
        """Return the action that is next; there must be one."""
        sessions = next(iter(self._accounts.values()))
        return next(iter(sessions.values()))[0]

    def take(self) -> PendingAction:
        """Take the action that is next; its session and its account come last then."""
        account = next(iter(self._accounts))
        sessions = self._accounts.pop(account)
        number = next(iter(sessions))
        waiting = sessions.pop(number)
        action = waiting.popleft()
        if waiting:
            sessions[number] = waiting
            self._bytes[number] -= len(action.raw)
        else:
            self._forget(number)
        if sessions:
            self._accounts[account] = sessions
        self.count -= 1
        return action

    def waiting(self, owner: int) -> int:
        """Return how many actions of session *owner* wait."""
        account = self._account_of.get(owner)
        if account is None:
            return 0
        held = self.held.get(owner)
        return len(self._accounts[account][owner] if held is None else held.behind)

    def counts(self) -> dict[int, int]:
        """Return how many actions of each session wait."""
        return {owner: self.waiting(owner) for owner in self._account_of}

    def size(self, owner: int) -> int:
        """Return how many bytes the actions of session *owner* have that wait."""
        return self._bytes.get(owner, 0)

    def withdraw(self, owner: int) -> Collection[PendingAction]:
        """Forget what waits of session *owner*, and return it."""
        held = self.held.pop(owner, None)
        account = self._account_of.get(owner)
        if account is None:
            return ()
        self._forget(owner)
        return self._remove(account, owner) if held is None else held.behind

    def take_older(self, moment: float) -> list[PendingAction]:
        """Forget what has waited for its turn alone since before *moment*; return it.

        That takes a moment where there is nothing.
        """
        found: list[PendingAction] = []
        if moment <= self._oldest:
            return found
        self._oldest = math.inf
        for account, sessions in list(self._accounts.items()):
            for owner, waiting in list(sessions.items()):
                released = self._released.get(owner, 0.0)
                while waiting and max(waiting[0].since, released) < moment:
                    found.append(waiting.popleft())
                    self._bytes[owner] -= len(found[-1].raw)
                    self.count -= 1
                if waiting:
                    self._oldest = min(self._oldest, max(waiting[0].since, released))
                else:
                    self._remove(account, owner)
                    self._forget(owner)
        return found

    def clear(self) -> list[PendingAction]:
        """Forget all that waits, and return it."""
        lost = [
            action
            for sessions in self._accounts.values()
            for waiting in sessions.values()
            for action in waiting
        ]
        lost += [action for held in self.held.values() for action in held.behind]
        self.held.clear()
        self._accounts.clear()
        self._account_of.clear()
        self._bytes.clear()
        self._released.clear()
        self._oldest = math.inf
        self.count = 0
        return lost

    def _forget(self, owner: int) -> None:
        """Note that nothing of session *owner* waits."""
        del self._account_of[owner], self._bytes[owner]
        self._released.pop(owner, None)

    def _remove(self, account: str, owner: int) -> deque[PendingAction]:
        """Take what waits of session *owner* out of the turns of *account*."""
        sessions = self._accounts[account]
        waiting = sessions.pop(owner)
        if not sessions:
            del self._accounts[account]
        self.count -= len(waiting)
        return waiting
