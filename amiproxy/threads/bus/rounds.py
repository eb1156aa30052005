# SPDX-License-Identifier: GPL-2.0-or-later
"""Rounds: a thread that asks Redis what the keeper wants to know, one round after the other.

A resolver, a handshake or a Redis that is stopped may hold it up for any time: the keeper's own
thread goes on meanwhile, and gives leases up that run out.
"""

from __future__ import annotations

import time
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from amiproxy.bus import clock
from amiproxy.threads.bus.client import BusError
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from amiproxy.threads.bus.client import BusClient, Line


class Round(NamedTuple):
    """Commands as Redis reads them, and how many *replies* they have."""

    packed: bytes
    replies: int


class Outcome(NamedTuple):
    """What became of a round.

    *sent*, *received*: ``clock.now()`` seconds; *replies*: None if the bus is lost, for *problem*.
    """

    sent: float
    received: float
    replies: list[Any] | None
    problem: str = ""


class Rounds:
    """Carries out rounds; *told* is called with the outcome of each, in this thread."""

    def __init__(
        self, client: BusClient, told: Callable[[Outcome], object], reply_seconds: float
    ) -> None:
        self.busy_since = 0.0  # for the watchdog
        self._client = client
        self._told = told
        self._reply_seconds = reply_seconds
        self._line: Line | None = None
        self._wanted: SimpleQueue[Round | None] = SimpleQueue()
        # It waits for a network that may be away.
        self._thread = WatchedThread(
            "bus-keeper-rounds", self._run, self, essential=False, waits=True
        )

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def begin(self, one: Round) -> None:
        """Have *one* carried out.  The one before has been."""
        self._wanted.put(one)

    def end(self) -> None:
        """End the thread once it has nothing to do; do not wait for that."""
        self._wanted.put(None)

    def interrupt(self) -> None:
        """End the round that waits for Redis, if there is one."""
        line = self._line
        if line is not None:
            line.interrupt()

    def join(self, timeout: float | None) -> None:
        """Wait until the thread has ended, so many seconds at the most."""
        self._thread.join(timeout)

    def _run(self) -> None:
        endless("bus-keeper-rounds", self._step)

    def _step(self) -> bool:
        self.busy_since = 0.0
        one = self._wanted.get()
        self.busy_since = time.monotonic()
        if one is None:
            if self._line is not None:
                self._line.close()
            return False
        outcome = Outcome(0.0, 0.0, None, "the round has failed")
        try:
            outcome = self._carried_out(one)
        finally:
            self._told(outcome)
        return True

    def _carried_out(self, one: Round) -> Outcome:
        sent = clock.now()
        try:
            line = self._line
            if line is None or not line.is_open:
                line = self._line = self._client.connection()
            # Leases count from here: never later than Redis carries it out.
            sent = clock.now()
            replies = line.send_packed(one.packed, one.replies, timeout=self._reply_seconds)
            return Outcome(sent, clock.now(), replies)
        except BusError as error:
            return Outcome(sent, clock.now(), None, str(error))
