# SPDX-License-Identifier: GPL-2.0-or-later
"""WebQuota: how many actions of one web user may be unanswered at once.

Each web request may be a session of its own, so they are counted by user, or where there
are no users by address.
"""

from __future__ import annotations

import threading
from _thread import LockType, allocate_lock
from typing import TYPE_CHECKING, Callable

from amiproxy.basics.counts import Counts

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline
    from amiproxy.threads.sessions.turnstile import Turnstile

#: How often who waits looks whether the client is gone, in seconds.
_LOOK_INTERVAL = 1.0


class WebQuota:
    """Counts unanswered actions by account.  Any thread may call."""

    def __init__(self, turnstile: Turnstile) -> None:
        self._turnstile = turnstile
        # Guards _counts, _accounts, _waiting and _closed; held for dict operations only.
        # Looked up without it: whether a session has actions here.
        self._lock = threading.Lock()
        self._counts: Counts[str] = Counts()  # by account
        self._accounts: dict[int, list[str]] = {}  # by session, one for each action
        # By account: what opens when one who waits has the place of an action that is over.
        self._waiting: dict[str, dict[LockType, None]] = {}
        self._closed = False

    def take(
        self,
        account: str,
        number: int,
        most: int,
        deadline: Deadline,
        gone: Callable[[], bool] = bool,
    ) -> bool:
        """Count one action of session *number*; return False if there are too many.

        While *most* actions of *account* are unanswered the calling thread waits, until
        *deadline* at the longest, or until the client is *gone*.
        """
        with self._lock:
            if self._counts.get(account, 0) < most:
                self._counts.add(account)
                self._accounts.setdefault(number, []).append(account)
                return True
            if self._closed:
                return False
            gate = allocate_lock()
            gate.acquire()
            self._waiting.setdefault(account, {})[gate] = None
        with self._turnstile.outside():
            while not gate.acquire(timeout=min(deadline.left(), _LOOK_INTERVAL)):
                if deadline.over or gone():
                    break
        with self._lock:
            if self._leave(account, gate) or self._closed:
                return False
            self._accounts.setdefault(number, []).append(account)
            return True

    @property
    def waiting(self) -> int:
        """How many accounts wait for actions to be over."""
        return len(self._waiting)

    def give_back(self, number: int) -> None:
        """Note that an action of session *number* is over, if it is one of a web request."""
        if number not in self._accounts:
            return
        with self._lock:
            accounts = self._accounts.get(number)
            if accounts is None:
                return  # another server's thread was faster
            account = accounts.pop()
            if not accounts:
                del self._accounts[number]
            waiting = self._waiting.get(account)
            if waiting:
                gate = next(iter(waiting))
                self._leave(account, gate)
                gate.release()
                return
            self._counts.remove(account)

    def close(self) -> None:
        """Let nobody wait any more: the proxy stops."""
        with self._lock:
            self._closed = True
            for waiting in self._waiting.values():
                for gate in waiting:
                    gate.release()
            self._waiting.clear()

    def _leave(self, account: str, gate: LockType) -> bool:
        """Take *gate* out of those that wait; return whether it was there."""
        assert self._lock.locked()
        waiting = self._waiting.get(account, {})
        if gate not in waiting:
            return False
        del waiting[gate]
        if not waiting:
            del self._waiting[account]
        return True
