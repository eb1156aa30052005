# SPDX-License-Identifier: GPL-2.0-or-later
"""Waiting: clients' threads that wait until Asterisk has answered.

Nobody polls: the thread that reads the Asterisk wakes whose action is over, and whoever
ends a session wakes its thread.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.basics.deadline import Deadline
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.sessions.turnstile import Turnstile

#: Seconds without an answer after which Asterisk is asked whether one will come; each time
#: it is asked the next pause is twice as long, up to the longest.
QUIET = 1.0
LONGEST_QUIET = 30.0


class _Waiter:
    """A thread that waits: woken by the end of its session, and of *step* of its actions."""

    def __init__(self, step: int) -> None:
        self.woken = threading.Event()
        self.step = self.left = step


class Waiting:
    """The threads that wait, one for a session at the most."""

    def __init__(self, turnstile: Turnstile, quiet: float = QUIET) -> None:
        self._turnstile = turnstile
        self._quiet = quiet
        # By number of session.  Its own thread puts it in and takes it out; others look it
        # up, which needs no lock.
        self._waiters: dict[int, _Waiter] = {}

    def note_end(self, number: int) -> None:
        """Note that an action of session *number* is over; wakes its thread.  Never waits."""
        waiter = self._waiters.get(number)
        if waiter is not None:
            waiter.left -= 1
            # To wake costs more than to look; one read may bring the ends of many actions.
            if waiter.left <= 0 and not waiter.woken.is_set():
                waiter.woken.set()

    def wait(
        self,
        session: ClientSession,
        is_over: Callable[[], bool],
        deadline: Deadline,
        ask: Callable[[], None],
        step: int = 1,
    ) -> bool:
        """Wait in the thread of *session* until *is_over*; return whether it is.

        The end of the session and the *deadline* end it too.  The thread looks again when
        *step* actions have ended.  *ask* is called when nothing has come for a while.
        """
        with self._turnstile.outside(), self._waiter_of(session, step) as waiter:
            pause = self._quiet
            while not is_over():
                if session.ended or deadline.over:
                    return False
                if waiter.woken.wait(min(pause, deadline.left())):
                    waiter.woken.clear()
                    waiter.left = step
                    pause = self._quiet
                else:
                    ask()
                    pause = min(2 * pause, LONGEST_QUIET)
            return True

    @contextlib.contextmanager
    def _waiter_of(self, session: ClientSession, step: int) -> Iterator[_Waiter]:
        """Give what is woken when *session* is to look again."""
        waiter = self._waiters[session.number] = _Waiter(step)
        session.call_at_end(waiter.woken.set)
        try:
            yield waiter
        finally:
            session.call_at_end(None)
            del self._waiters[session.number]
