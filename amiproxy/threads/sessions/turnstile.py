# SPDX-License-Identifier: GPL-2.0-or-later
"""Turnstile: of all clients' threads that have something to do, few do it at a time.

All threads share one interpreter.  If thousands wait for it, each wakes again and again and
sends away whoever has just got it, so that a server's thread, and with it everybody's
events, comes off badly.  Here a client's thread waits for its turn instead, which costs
nobody anything, and only a few at a time want the interpreter.

A thread takes a turn when something has come for it, and ends it before it waits for
anything.  There are three queues, each in the order of arrival: what a client has sent and
waited for is carried out by up to ``PLACES`` threads at once; further blocks of the same read,
coming and leaving go one by one; TLS handshakes take half of the processors.  So whoever does
much does not hold up who asks one thing.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from _thread import LockType, allocate_lock, get_ident
from collections import deque
from typing import TYPE_CHECKING

from amiproxy.threads.sessions.interpreter import INTERPRETER

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Threads that carry out the first block of a read at the same time.
PLACES = 4

#: Half of the processors: the others go on with the rest.
HALF = max(1, (os.cpu_count() or 1) // 2)

#: Seconds after which a turn passes on although nobody ended it: an I/O handler hangs.
PATIENCE = 1.0

#: How many threads in a queue are a crowd, as when thousands have just woken up.
_CROWD = 64


class Queue:
    """Who has a turn of one kind, *places* at the most, and who waits for one."""

    def __init__(self, places: int) -> None:
        # Guards holders, waiting and moved; held for bookkeeping only.
        self.lock = threading.Lock()
        self.places = places
        #: Identities of threads, oldest first.
        self.holders: dict[int, None] = {}
        #: Threads, each with what opens when it has its turn; oldest first.
        self.waiting: deque[tuple[int, LockType]] = deque()
        #: When somebody who waited got a turn, monotonic seconds.
        self.moved = 0.0
        self._is_crowd = False

    def join(self, thread: int) -> LockType:
        """Have *thread* wait; return what opens when it may go.  The caller holds ``lock``."""
        assert self.lock.locked()
        gate = allocate_lock()
        gate.acquire()
        self.waiting.append((thread, gate))
        if len(self.waiting) >= _CROWD and not self._is_crowd:
            self._is_crowd = True
            INTERPRETER.note_crowd(self, is_there=True)
        return gate

    def let_in(self) -> None:
        """Give the free place to whoever has waited longest.  The caller holds ``lock``."""
        assert self.lock.locked()
        thread, gate = self.waiting.popleft()
        if self._is_crowd and len(self.waiting) <= _CROWD // 2:
            self._is_crowd = False
            INTERPRETER.note_crowd(self, is_there=False)
        self.holders[thread] = None
        self.moved = time.monotonic()
        gate.release()


class Turnstile:
    """Gives each client's thread its turns.

    *places* is how many have a first turn at a time, *patience* is in seconds.
    """

    def __init__(self, *, places: int = PLACES, patience: float = PATIENCE) -> None:
        self._patience = patience
        #: For the first block of a read.
        self.first = Queue(places)
        #: For further blocks of the same read, and to come or leave.
        self.further = Queue(1)
        #: For TLS handshakes, which are computed outside the interpreter.
        self.handshakes = Queue(HALF)
        # Where each thread has a turn, by identity: threading.local takes longer.  Only the
        # thread itself looks at its entry and changes it; it has none after ``end``.
        self._own: dict[int, Queue] = {}

    def take(self, queue: Queue) -> None:
        """Have the calling thread wait for a turn of *queue*, unless it has one there."""
        thread = get_ident()
        held = self._own.get(thread)
        if held is queue:
            return
        if held is not None:
            self.end()
        with queue.lock:
            if len(queue.holders) < queue.places:
                queue.holders[thread] = None
                self._own[thread] = queue
                return
            gate = queue.join(thread)
            # Not all of a crowd at once: each look takes the interpreter from those that work.
            pause = self._patience * (1 + min(10.0, len(queue.waiting) / 50))
        while not gate.acquire(timeout=pause):
            with queue.lock:
                if time.monotonic() - queue.moved > self._patience and queue.waiting:
                    del queue.holders[next(iter(queue.holders))]
                    queue.let_in()
        self._own[thread] = queue

    def pass_on(self) -> None:
        """Let others first who wait for a further turn; then the calling thread has one."""
        if self.further.waiting or self._own.get(get_ident()) is not self.further:
            self.end()
            self.take(self.further)

    def end(self) -> None:
        """End the turn of the calling thread, if it has one: it is about to wait."""
        thread = get_ident()
        queue = self._own.pop(thread, None)
        if queue is None:
            return
        with queue.lock:
            if thread in queue.holders:  # else it was taken away
                del queue.holders[thread]
                if queue.waiting:
                    queue.let_in()

    @contextlib.contextmanager
    def outside(self) -> Iterator[None]:
        """Have the calling thread without a turn while it waits, and with one after that."""
        queue = self._own.get(get_ident())
        self.end()
        try:
            yield
        finally:
            if queue is not None:
                self.take(queue)
