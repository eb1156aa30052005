# SPDX-License-Identifier: GPL-2.0-or-later
"""Guesses: the log-ins that are being tried, one at a time for each address.

Until it has succeeded every log-in is a guess, be it by secret, MD5 key or proxy key.  Those
of one address come in turn, so that many connections do not guess faster than one; the
delay after failures is waited for by each of them, before it is tried.  Of all addresses a
few are tried at once: bcrypt takes the processor.  Each waits in its client's own thread.

Proxies of a cluster count the failures of an address together, where they can.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Callable, Protocol

from amiproxy.access.lockout import LONGEST, Lockout, network_of
from amiproxy.basics.bounded import BoundedDict
from amiproxy.basics.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Guesses of all addresses that are tried at once: half of the processors go on with the rest.
AT_ONCE = max(1, (os.cpu_count() or 1) // 2)

#: Guesses that may wait behind the one whose turn it is, where the address has failed too
#: often.  Who comes then with the right secret waits for no more than these.
MOST_WAITING = 4

#: Poll interval of whoever waits, in seconds: the client may have left, or the proxy may stop.
_POLL_INTERVAL = 0.2

#: For how many seconds an address counts as one without failures elsewhere; and for how many
#: addresses that is known.  The first failures cost nothing anyway.
_GOOD_FOR = 1.0
_MOST_GOOD = 1000


class Failures(Protocol):
    """The failed log-ins at all proxies of a cluster; each call may take a fifth of a second."""

    def failed(self, network: str) -> int:
        """Count a failure of *network*; return how many there are, 0 if that is not known."""

    def known(self, network: str) -> tuple[int, float] | None:
        """Return how often *network* has failed, and how many seconds ago; None: not known."""


class _Turn:
    """One guess of the address *network*, from when it comes until it has been tried.

    The lock of Guesses guards all of it but *woken*, which is set when it is worth a look
    whether its turn has come.
    """

    __slots__ = ("is_running", "network", "refused", "woken")

    def __init__(self, network: str) -> None:
        self.network = network
        self.is_running = False  # it is being tried
        self.refused = False  # it will not be tried: too many wait
        self.woken = threading.Event()


class Guesses:
    """Turns of log-ins and the failures of each address.  Any thread may call.

    *at_once* guesses are tried at once in all; *most_waiting* wait where an address has
    failed too often.  Nobody waits once *stopping* is set.
    """

    def __init__(
        self,
        stopping: threading.Event,
        *,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._stopping = stopping
        self._at_once = at_once
        self._most_waiting = most_waiting
        # Guards _lockout, _queues, _ready, _running, _good and each _Turn; held for their
        # bookkeeping only, never while somebody waits or a secret is checked.
        self._lock = threading.Lock()
        self._lockout = Lockout()
        # By address, the first one in the order has its turn.
        self._queues: dict[str, OrderedDict[_Turn, None]] = {}
        # Those that have their address's turn and wait until fewer are tried.
        self._ready: OrderedDict[_Turn, None] = OrderedDict()
        self._running = 0
        # Until when an address need not be asked about again, in monotonic seconds.
        self._good: BoundedDict[str, float] = BoundedDict(_MOST_GOOD)
        #: What the other proxies know; None: there are none.  The main thread sets it.
        self.elsewhere: Failures | None = None

    def delay(self, address: str) -> float:
        """Return for how many seconds the next guess of *address* has to wait now."""
        with self._lock:
            return self._lockout.wait(address, time.monotonic())

    def failed(self, address: str) -> None:
        """Count a guess of *address* that was wrong; to be called while it has its turn."""
        with self._lock:
            self._lockout.failed(address, time.monotonic())
            refused = self._refuse_beyond(network_of(address))
        for turn in refused:
            turn.woken.set()
        elsewhere, network = self.elsewhere, network_of(address)
        if elsewhere is not None:
            count = elsewhere.failed(network)
            with self._lock:
                self._good.pop(network, None)
                self._lockout.learn(network, count, 0.0, time.monotonic())

    @contextlib.contextmanager
    def turn(self, address: str, gone: Callable[[], bool]) -> Iterator[bool]:
        """Wait for the turn of one guess of *address*; give whether it is to be tried.

        It is not where too many of its address wait, nor where its client is *gone*.
        """
        turn = _Turn(network_of(address))
        try:
            self._enter(turn)
            yield self._wait(turn, gone)
        finally:
            self._leave(turn)

    def hold(self, gone: Callable[[], bool], seconds: float = LONGEST) -> None:
        """Wait for *seconds* in the client's own thread, as long as the client is there."""
        deadline = Deadline(seconds)
        while not deadline.over and not gone():
            if self._stopping.wait(min(_POLL_INTERVAL, deadline.left())):
                return

    @property
    def is_empty(self) -> bool:
        """Whether no guess waits or is being tried."""
        with self._lock:
            return not (self._queues or self._ready or self._running)

    # -- waiting, without the lock -----------------------------------------------------------

    def _wait(self, turn: _Turn, gone: Callable[[], bool]) -> bool:
        """Wait until *turn* has come; return whether it is to be tried."""
        self._sleep(turn, self._is_first, gone)
        if turn.refused:
            return False
        self._delay(turn.network, gone)
        self._sleep(turn, self._starts, gone)
        return not gone()

    def _delay(self, network: str, gone: Callable[[], bool]) -> None:
        """Wait for as long as *network* has to, since it has failed here or elsewhere."""
        elsewhere = self.elsewhere
        if elsewhere is None:
            self.hold(gone, self.delay(network))
            return
        self._learn(elsewhere, network)
        while (seconds := self.delay(network)) and not (gone() or self._stopping.is_set()):
            self.hold(gone, seconds)
            self._learn(elsewhere, network)  # it may have failed there meanwhile

    def _learn(self, elsewhere: Failures, network: str) -> None:
        """Take over what is known of *network* elsewhere."""
        now = time.monotonic()
        with self._lock:
            if self._good.get(network, 0.0) > now:
                return
        known = elsewhere.known(network)
        if known is None:
            return
        failures, ago = known
        with self._lock:
            if failures:
                self._lockout.learn(network, failures, ago, time.monotonic())
            else:
                self._good[network] = now + _GOOD_FOR

    def _sleep(
        self, turn: _Turn, has_come: Callable[[_Turn], bool], gone: Callable[[], bool]
    ) -> None:
        while not (has_come(turn) or gone() or self._stopping.is_set()):
            turn.woken.wait(_POLL_INTERVAL)
            turn.woken.clear()

    # -- bookkeeping ---------------------------------------------------------------------------

    def _enter(self, turn: _Turn) -> None:
        """Put *turn* at the end of its address's queue."""
        with self._lock:
            self._queues.setdefault(turn.network, OrderedDict())[turn] = None
            self._refuse_beyond(turn.network)

    def _is_first(self, turn: _Turn) -> bool:
        """Return whether it is the turn of *turn* at its address, or never will be."""
        with self._lock:
            return turn.refused or next(iter(self._queues[turn.network])) is turn

    def _starts(self, turn: _Turn) -> bool:
        """Let *turn*, whose address's turn it is, be tried if few enough are; return whether."""
        with self._lock:
            self._ready[turn] = None
            if self._running >= self._at_once or next(iter(self._ready)) is not turn:
                return False
            del self._ready[turn]
            turn.is_running = True
            self._running += 1
            return True

    def _leave(self, turn: _Turn) -> None:
        """Take *turn* away: it has been tried, or will not be.  Needs no memory for that."""
        with self._lock:
            if turn.is_running:
                turn.is_running = False
                self._running -= 1
            self._ready.pop(turn, None)
            queue = self._queues.get(turn.network)
            if queue is not None:
                queue.pop(turn, None)
                if not queue:
                    del self._queues[turn.network]
            # Who is not woken looks by and by.
            for waiting in (queue, self._ready):
                if waiting:
                    next(iter(waiting)).woken.set()

    # -- the caller holds the lock -------------------------------------------------------------

    def _refuse_beyond(self, network: str) -> list[_Turn]:
        """Refuse those that may not wait, if *network* has to wait at all; return them."""
        assert self._lock.locked()
        if not self._lockout.wait(network, time.monotonic()):
            return []
        queue = self._queues.get(network, OrderedDict())
        refused = []
        while len(queue) > self._most_waiting + 1:
            turn, _ = queue.popitem()
            turn.refused = True
            refused.append(turn)
        return refused
