# SPDX-License-Identifier: GPL-2.0-or-later
"""Rounds: a thread that asks Redis what the keeper wants to know, one round after the other.

A resolver, a handshake or a Redis that is stopped may hold it up for any time: the keeper's own
thread goes on meanwhile, and gives leases up that run out.
"""

from __future__ import annotations

import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from amiproxy.bus import clock
from amiproxy.bus.fields import Malformed
from amiproxy.bus.respreader import RespReader
from amiproxy.threads.bus.client import BusError
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from amiproxy.threads.bus.client import BusClient, Line


class Watch(NamedTuple):
    """A command whose reply is looked at *every* so many seconds.

    *at*: which reply of the round it has first been; the keeper hears of it when it is another.
    """

    packed: bytes
    at: int
    every: float


class Round(NamedTuple):
    """Commands as Redis reads them, how many *replies* they have, and what is watched then."""

    packed: bytes
    replies: int
    watch: Watch | None = None


class Outcome(NamedTuple):
    """What became of a round.

    *sent*, *received*: ``clock.now()`` seconds; *replies*: None if the bus is lost, for *problem*.
    """

    sent: float
    received: float
    replies: list[Any] | None
    problem: str = ""


class Rounds:
    """Carries out rounds; *told* is called with the outcome of each, in this thread.

    Between two rounds it looks at what is watched; *changed* is called when that has changed.  To
    wake the keeper for each look would cost several times as much.
    """

    def __init__(
        self,
        client: BusClient,
        told: Callable[[Outcome], object],
        changed: Callable[[], object],
        reply_seconds: float,
    ) -> None:
        self.busy_since = 0.0  # for the watchdog
        self._client = client
        self._told, self._changed = told, changed
        self._reply_seconds = reply_seconds
        self._line: Line | None = None
        self._is_unwanted = False  # the connection
        self._watch: Watch | None = None
        self._expected = b""  # the reply that is nothing new
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

    def connect_anew(self) -> None:
        """Have the next round make a new connection."""
        self._is_unwanted = True

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
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        endless("bus-keeper-rounds", self._step)

    def _step(self) -> bool:
        self.busy_since = 0.0
        watch = self._watch
        try:
            one = self._wanted.get(timeout=watch.every if watch is not None else None)
        except Empty:
            one = _LOOK
        self.busy_since = time.monotonic()
        if one is None:
            if self._line is not None:
                self._line.close()
            return False
        if one is _LOOK:
            self._look()
        else:
            self._carry_out(one)
        return True

    def _carry_out(self, one: Round) -> None:
        outcome = Outcome(0.0, 0.0, None, "the round has failed")
        self._watch = None
        try:
            outcome = self._carried_out(one)
            if outcome.replies is not None and one.watch is not None:
                self._expected = _as_sent(outcome.replies[one.watch.at])
                self._watch = one.watch if self._expected else None
        finally:
            self._told(outcome)

    def _look(self) -> None:
        """See whether what is watched has changed."""
        watch, line = self._watch, self._line
        assert watch is not None
        assert line is not None
        try:
            line.send(watch.packed, timeout=self._reply_seconds)
            if not self._is_as_expected(line):
                self._watch = None
                self._changed()
        except (BusError, Malformed):
            # The next round finds out why.
            self._watch = None
            line.close()
            self._changed()

    def _is_as_expected(self, line: Line) -> bool:
        """Read a reply; return whether it is the one that is nothing new."""
        expected, came = self._expected, b""
        while expected.startswith(came):
            if came == expected:
                return True
            came += line.receive(timeout=self._reply_seconds)
        pieces = [came]
        RespReader(
            lambda: pieces.pop() if pieces else line.receive(timeout=self._reply_seconds)
        ).reply()
        return False

    def _carried_out(self, one: Round) -> Outcome:
        sent = clock.now()
        try:
            line = self._line
            if line is not None and self._is_unwanted:
                line.close()
            self._is_unwanted = False
            if line is None or not line.is_open:
                line = self._line = self._client.connection()
            # Leases count from here: never later than Redis carries it out.
            sent = clock.now()
            replies = line.send_packed(one.packed, one.replies, timeout=self._reply_seconds)
            return Outcome(sent, clock.now(), replies)
        except BusError as error:
            return Outcome(sent, clock.now(), None, str(error))


#: Stands for a look at what is watched.
_LOOK = Round(b"", 0)


def _as_sent(reply: Any) -> bytes:
    """Return *reply*, a list of values, as Redis has sent it; b"" if it is no such list."""
    if not isinstance(reply, list):
        return b""
    values = [
        b"$-1\r\n" if each is None else b"$%d\r\n%b\r\n" % (len(each), each) for each in reply
    ]
    return b"*%d\r\n" % len(reply) + b"".join(values)
