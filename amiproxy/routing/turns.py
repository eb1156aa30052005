# SPDX-License-Identifier: GPL-2.0-or-later
"""Turns: the actions that wait to go up to one Asterisk, and whose is next.

Asterisk serves one action of a connection at a time.  So the proxy sends it few at once,
and lets those that wait take turns: accounts first, each account's sessions after each
other, each session's actions in their order.  However many connections somebody opens,
and however fast they send, another account's action waits for one turn of each.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.routing.pending import PendingAction


class Turns:
    """The actions that wait.  It has no lock of its own: every caller holds the link's.

    Nothing here grows with the number of actions or sessions, but ``clear``.
    """

    def __init__(self) -> None:
        # By account, then by session; what is first is next.
        self._accounts: dict[str, dict[int, deque[PendingAction]]] = {}
        self._account_of: dict[int, str] = {}  # of the sessions that wait
        self._bytes: dict[int, int] = {}  # how much of each session waits
        #: How many actions wait.
        self.count = 0

    def put(self, action: PendingAction, account: str) -> None:
        """Have *action* wait behind those of its session, or else of *account*."""
        # What waits already keeps its place, whoever the session has logged in as since.
        account = self._account_of.setdefault(action.owner, account)
        sessions = self._accounts.setdefault(account, {})
        sessions.setdefault(action.owner, deque()).append(action)
        self._bytes[action.owner] = self._bytes.get(action.owner, 0) + len(action.raw)
        self.count += 1

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
            del self._account_of[number], self._bytes[number]
        if sessions:
            self._accounts[account] = sessions
        self.count -= 1
        return action

    def waiting(self, owner: int) -> int:
        """Return how many actions of session *owner* wait."""
        account = self._account_of.get(owner)
        return 0 if account is None else len(self._accounts[account][owner])

    def size(self, owner: int) -> int:
        """Return how many bytes the actions of session *owner* have that wait."""
        return self._bytes.get(owner, 0)

    def withdraw(self, owner: int) -> int:
        """Forget what waits of session *owner*; return how many actions that was."""
        account = self._account_of.pop(owner, None)
        if account is None:
            return 0
        sessions = self._accounts[account]
        count = len(sessions.pop(owner))
        if not sessions:
            del self._accounts[account]
        del self._bytes[owner]
        self.count -= count
        return count

    def clear(self) -> list[PendingAction]:
        """Forget all that waits, and return it."""
        lost = [
            action
            for sessions in self._accounts.values()
            for waiting in sessions.values()
            for action in waiting
        ]
        self._accounts.clear()
        self._account_of.clear()
        self._bytes.clear()
        self.count = 0
        return lost
