# SPDX-License-Identifier: GPL-2.0-or-later
"""OutQueue: what waits to be sent to the bus, bounded by bytes; Lane: one tenure's way into it.

Who puts never waits: a server's thread does so for each batch.  Where Redis takes nothing for
too long, the one who has the most waiting loses all of it, and the readers see by the places of
what comes next that something is missing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.bus.keys import key_bytes

if TYPE_CHECKING:
    from amiproxy.bus.keys import Keys

#: Bytes that an item of the queue takes besides its body.
_ITEM = 200

#: How many items are taken out while the lock is held.
_AT_A_TIME = 32


class Source:
    """Who puts: one tenure of a server, or all that is sent under IDs of Redis' own.

    *name* is for the log.  Its counters change with the queue's lock.
    """

    __slots__ = ("dropped", "is_over", "name", "overruns", "queued")

    def __init__(self, name: str) -> None:
        self.name = name
        #: Bytes that wait.
        self.queued = 0
        #: How many entries were dropped, and how often some were, since they had waited too long.
        self.dropped = self.overruns = 0
        #: Whether nothing more is taken: it was closed, or another proxy holds the server.
        self.is_over = False


class Item(NamedTuple):
    """What waits: the entry *body* for the stream *key*; without a body *then* is to be called."""

    source: Source
    key: bytes
    body: bytes
    then: Callable[[], object] | None


class OutQueue:
    """Items in the order in which they were put, of *limit* bytes together."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Guards _items, _size, _dropped, _is_idle, _is_urgent and _is_stopping, and what a Source
        # counts: held for operations of the deque; longer only where some has to be dropped.
        self._lock = threading.Lock()
        # A condition on _lock: something was put, or the queue was stopped.
        self._come = threading.Condition(self._lock)
        self._items: deque[Item] = deque()
        self._size = self._dropped = 0
        self._is_idle = False  # the thread waits for the next item
        self._is_urgent = False  # something that waits is not to wait for more
        self._is_stopping = False

    @property
    def size(self) -> int:
        """How many bytes wait."""
        return self._size

    @property
    def dropped(self) -> int:
        """How many entries were dropped, since they had waited for too long."""
        return self._dropped

    def put(
        self,
        source: Source,
        key: bytes,
        body: bytes,
        then: Callable[[], object] | None = None,
        *,
        is_urgent: bool = True,
    ) -> bool:
        """Add an item; return False if *source* is over or the queue has stopped.

        One that *is_urgent* goes at once, with all that was put before; others may be collected.
        """
        size = len(body) + _ITEM
        with self._lock:
            if source.is_over or self._is_stopping:
                return False
            if self._size + size > self._limit and not self._make_room(source, size):
                return True
            self._items.append(Item(source, key, body, then))
            source.queued += size
            self._size += size
            if is_urgent:
                self._is_urgent = True
            if self._is_idle or is_urgent:
                self._is_idle = False
                self._come.notify()
        return True

    def take(
        self, most: int, most_bytes: int, timeout: float, not_before: float = 0.0
    ) -> list[Item]:
        """Return the first items, at most *most* and one beyond *most_bytes*.

        Waits up to *timeout* seconds for one; none then, or if the queue is stopped and empty.
        What is not urgent is collected until *not_before*, in monotonic seconds.
        """
        found: list[Item] = []
        with self._lock:
            self._wait(timeout)
            self._collect(not_before)
        while most_bytes > 0 and len(found) < most:
            # Few at a time: who puts meanwhile may have to wait for the lock.
            with self._lock:
                some = self._first(min(_AT_A_TIME, most - len(found)), most_bytes)
            if not some:
                break
            found += some
            most_bytes -= sum(len(item.body) + _ITEM for item in some)
        return found

    def _first(self, most: int, most_bytes: int) -> list[Item]:
        """Take out the first items, at most *most* and one beyond *most_bytes*."""
        assert self._lock.locked()
        found: list[Item] = []
        items, size = self._items, 0
        while items and size < most_bytes and len(found) < most:
            item = items.popleft()
            found.append(item)
            taken = len(item.body) + _ITEM
            item.source.queued -= taken
            size += taken
        self._size -= size
        self._is_urgent = self._is_urgent and bool(items)
        return found

    def _collect(self, until: float) -> None:
        """Wait until then, unless something urgent comes, or the end."""
        assert self._lock.locked()
        while self._items and not (self._is_urgent or self._is_stopping):
            left = until - time.monotonic()
            if left <= 0:
                break
            self._come.wait(left)

    def _wait(self, timeout: float) -> None:
        assert self._lock.locked()
        until = time.monotonic() + timeout
        while not self._items and not self._is_stopping:
            left = until - time.monotonic()
            if left <= 0:
                break
            self._is_idle = True
            self._come.wait(left)
        self._is_idle = False

    def discard(self, source: Source) -> list[Item]:
        """Have *source* put nothing more; return what it has waiting, which goes nowhere."""
        with self._lock:
            source.is_over = True
            return self._without(source)

    def close(self, source: Source) -> None:
        """Have *source* put nothing more; what waits is sent."""
        with self._lock:
            source.is_over = True

    def stop(self) -> None:
        """Take nothing more; what waits can be taken out."""
        with self._lock:
            self._is_stopping = True
            self._come.notify()

    def _make_room(self, source: Source, size: int) -> bool:
        """Drop what those who have the most waiting have, until *size* bytes fit.

        Return whether there is room.
        """
        assert self._lock.locked()
        if size > self._limit:
            source.dropped += 1
            self._dropped += 1
            return False
        while self._size + size > self._limit:
            queued = {each.source: each.source.queued for each in self._items if each.then is None}
            if not queued:
                break
            self._drop(max(queued, key=queued.__getitem__))
        return True

    def _drop(self, victim: Source) -> None:
        """Drop the entries of *victim* that wait; who waits for them is told all the same."""
        assert self._lock.locked()
        gone = self._without(victim)
        ends = [item for item in gone if item.then is not None]
        victim.dropped += len(gone) - len(ends)
        victim.overruns += 1
        self._dropped += len(gone) - len(ends)
        self._items += ends
        victim.queued = len(ends) * _ITEM
        self._size += victim.queued

    def _without(self, source: Source) -> list[Item]:
        """Take out, and return, what *source* has waiting."""
        assert self._lock.locked()
        gone = [item for item in self._items if item.source is source]
        self._items = deque(item for item in self._items if item.source is not source)
        self._size -= source.queued
        source.queued = 0
        return gone


class Numbers:
    """Gives the entries of one tenure their IDs.  For the outbox' thread only."""

    __slots__ = ("_answers", "_events", "epoch")

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self._events = self._answers = 0

    def event(self) -> bytes:
        """Return the ID of the next entry of events: 1, 2, ... behind the one that opens it."""
        self._events += 1
        return b"%d-%d" % (self.epoch, self._events)

    def answer(self) -> bytes:
        """Return the ID of the next answer, to whichever proxy."""
        self._answers += 1
        return b"%d-%d" % (self.epoch, self._answers)


class Lane(Source):
    """What one tenure of a server sends; made by ``Outbox.lane``.

    Any thread may put; what two put at the same moment goes in either order.  *on_fenced* is
    called once, in the outbox' thread, if another proxy has been given the server meanwhile.
    """

    __slots__ = ("_keys", "_queue", "acknowledged", "events", "numbers", "on_fenced")

    def __init__(
        self,
        queue: OutQueue,
        keys: Keys,
        scope: str,
        numbers: Numbers,
        on_fenced: Callable[[], object],
    ) -> None:
        super().__init__(scope)
        self._queue = queue
        self._keys = keys
        #: The key of its stream of events.
        self.events = key_bytes(keys.events(scope))
        self.numbers = numbers
        self.on_fenced = on_fenced
        #: The ID of its last event entry that Redis has acknowledged, b"" for none.
        self.acknowledged = b""

    def put(self, body: bytes) -> None:
        """Send the entry *body* to the server's stream of events; it may wait for others."""
        self._queue.put(self, self.events, body, is_urgent=False)

    def answer(self, slot: int, body: bytes) -> None:
        """Send the answer *body* to the proxy *slot*, behind what was put before."""
        self._queue.put(self, key_bytes(self._keys.answers(slot, self.name)), body)

    def put_last(self, then: Callable[[], object]) -> None:
        """Call *then*, in the outbox' thread, when all that was put before is settled.

        That is: acknowledged by Redis, refused, or given up.  A lane that is over, or a queue that
        has stopped, has *then* called at once, by the caller.
        """
        if not self._queue.put(self, b"", b"", then):
            then()

    def close(self) -> None:
        """Put nothing more; what waits is sent."""
        self._queue.close(self)
