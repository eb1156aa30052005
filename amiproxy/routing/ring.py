# SPDX-License-Identifier: GPL-2.0-or-later
"""Ring: the last events of one Asterisk, as its batches came, bounded by bytes and by age.

The server's thread alone appends and drops.  Readers in other threads follow the chain of
entries, each to the next one, so neither waits for the other and none needs a lock: the chain is
changed by assigning single references.  An entry that is dropped is cut off the chain first, so
that a slow reader keeps that one alive and nothing behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from amiproxy.message import Message
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import BROADCAST, PROXY, Routed

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What an entry takes besides the bytes of its messages.
OVERHEAD = 400
#: What a message takes of which more is kept than its bytes: whose it is, or its calls.
_MORE = 600

#: How many entries that are too old are dropped for one that is appended.
_AT_ONCE = 500

#: Where an event stands: its epoch and its number there.  (0, 0) is before everything.
Place = tuple[int, int]

START: Place = (0, 0)

#: Of a message whose bytes are not all: they, its links, and the fields of its Routed.
_Kept = tuple[bytes, object, int, Optional[str], Optional[str], int, bool, bool]


class Entry:
    """One batch in the ring, as far as it is for everybody; nothing changes what it says.

    Its events have the numbers from ``after + 1`` to ``upto`` of the connection *epoch*.  One that
    is *lost* stands for events that are kept no more, or never were; it has no batch.  If they
    were kept once, they are *dropped*.
    """

    __slots__ = ("_items", "_links", "_wire", "after", "before", "dropped", "epoch", "gone",
                 "index", "kind", "lost", "names", "next", "scope", "size", "upto",
                 "when")  # fmt: skip

    def __init__(self, batch: Batch, when: float) -> None:
        self.scope, self.names, self.kind = batch.scope, batch.names, batch.kind
        self.epoch, self.after, self.upto = batch.epoch, batch.after, batch.upto
        self.when = when  #: when it came, in monotonic seconds
        self.lost = self.dropped = False
        self.before: Place = START  #: up to where those before it went
        self.index = 0  #: how many were appended before it
        self.next: Entry | None = None
        self.gone = False  #: whether it is dropped; then it has no next one either
        self._wire, self._items = batch.wire, None if batch.kind in _AS_THEY_ARE else _kept(batch)
        #: What the messages mean for calls, where somebody may want to know.
        self._links = batch.links() if self._items is None else None
        if self._items is not None:
            self._wire = b""
            more = sum(len(item[0]) + _MORE for item in self._items)
        else:
            more = 0 if self._links is None else len(self._links) * _MORE
        #: How many bytes of memory it takes.
        self.size = OVERHEAD + len(self._wire) + more

    @property
    def place(self) -> Place:
        """Where its last event stands."""
        return self.epoch, self.upto

    @property
    def is_empty(self) -> bool:
        """Whether nothing in it is for anybody but those who asked it."""
        return self._items == ()

    @property
    def knows_calls(self) -> bool:
        """Whether it tells what its messages mean for calls."""
        if self._items:
            return self._items[0][1] is not None
        return self._links is not None or self.kind is BatchKind.NOTICE

    def empty(self) -> None:
        """Keep no messages: it is lost.  Only before anybody else has it."""
        self.lost, self._wire, self._items, self._links = True, b"", None, None
        self.size = OVERHEAD

    def batch(self) -> Batch:
        """Return a batch of it, for the thread that asks and no other."""
        if self._items is not None:
            batch = Batch.of_items(self.scope, [_routed(item) for item in self._items])
        else:
            batch = Batch(self.scope, self._wire, kind=self.kind, events=self.upto - self.after)
            for item, links in zip(batch.items, self._links) if self._links is not None else ():
                item.message.links = links
        batch.names, batch.epoch, batch.after = self.names, self.epoch, self.after
        batch.came = self.when
        return batch

    def hole(self, epoch: int, after: int, upto: int) -> Entry:
        """Return a lost one in the place of events before it: after + 1 to *upto* of *epoch*."""
        batch = Batch(self.scope, b"", kind=self.kind, events=upto - after)
        batch.names, batch.epoch, batch.after = self.names, epoch, after
        hole = Entry(batch, self.when)
        hole.empty()
        hole.before = self.before
        hole.dropped = (epoch, upto) <= self.before
        return hole


_AS_THEY_ARE = frozenset((BatchKind.EVENTS, BatchKind.NOTICE))


def _kept(batch: Batch) -> Sequence[_Kept]:
    """Return what is kept of a batch with answers in it: events, and what the proxy has asked."""
    return tuple(
        (item.message.raw, item.message.links, item.owner, item.action_id, item.request_id,
         item.asker, item.final, item.private)
        for item in batch.items
        if item.owner in (BROADCAST, PROXY)
    )  # fmt: skip


def _routed(kept: _Kept) -> Routed:
    raw, links, owner, action_id, request_id, asker, final, private = kept
    message = Message(raw)
    message.links = links
    return Routed(
        message,
        owner=owner,
        action_id=action_id,
        request_id=request_id,
        asker=asker,
        final=final,
        private=private,
    )


class Ring:
    """The last events of one Asterisk: at most *limit* bytes, none older than *seconds*.

    A limit of 0: nothing is to be appended.
    """

    def __init__(self, limit: int = 0, seconds: float = 3600.0) -> None:
        #: Any thread may set these; they hold from the next event on.
        self.limit, self.seconds = limit, seconds
        self.size = 0  #: how many bytes it takes
        #: Where the last one stands that was appended.
        self.last: Place = START
        #: The oldest entry.  There is always one, once there was any.
        self.head: Entry | None = None
        self._tail: Entry | None = None
        self._appended = 0

    # -- the server's thread ----------------------------------------------------------------

    def append(self, batch: Batch, now: float) -> None:
        """Keep *batch*, if it is not too long, and drop what is too much or too old then.

        What is for nobody but those who asked it is not kept.  *now* is in monotonic seconds.
        """
        entry, limit = Entry(batch, now), self.limit
        batch.came = now
        if entry.is_empty:
            return
        if entry.size > limit:
            entry.empty()
        entry.before, tail = self.last, self._tail
        entry.index = self._appended
        self._appended += 1
        self.size += entry.size
        if tail is None:
            self.head = entry
        else:
            tail.next = entry
        self._tail, self.last = entry, (entry.epoch, entry.upto)
        while self.size > limit and self._drop(entry):
            pass
        left, head = _AT_ONCE, self.head
        while left and head is not None and now - head.when > self.seconds and self._drop(entry):
            left, head = left - 1, self.head

    def _drop(self, last: Entry) -> bool:
        """Drop the oldest entry; return False if that is *last*."""
        head = self.head
        if head is None or head is last:
            return False
        self.head = head.next
        head.gone = True  # first: who finds no next one looks whether it is gone
        head.next = None
        self.size -= head.size
        return True

    # -- any thread -------------------------------------------------------------------------

    def read(self, place: Place) -> Reader:
        """Return what reads from behind *place*."""
        return Reader(self, place)

    def age(self, now: float) -> float:
        """Return how many seconds ago the oldest one came, 0.0 if there is none."""
        head = self.head
        return 0.0 if head is None else max(0.0, now - head.when)


class Reader:
    """Reads a ring from a place on, in order, while the server's thread goes on.

    For one thread.  What is not there any more it returns as a lost entry, in its place.
    """

    def __init__(self, ring: Ring, place: Place) -> None:
        self._ring = ring
        #: Up to where it has been read.
        self.place = place
        #: Whether there was something before the entry that was read last which was dropped unread.
        #: It may have been answers: those are not numbered, so no lost entry stands for them.
        self.skipped = False
        self._at: Entry | None = None  # the last one that was read
        self._ahead: Entry | None = None  # found already: something is lost before it

    def next(self) -> Entry | None:
        """Return the next entry, None if there is none so far.

        The first one may begin before the place from which it was to be read.
        """
        entry = self._ahead or self._find()
        if entry is None:
            return None
        hole = self._hole_before(entry)
        if hole is not None:
            self._ahead, self.place = entry, hole.place
            return hole
        self.skipped = self._at is not None and entry.index > self._at.index + 1
        self._ahead, self._at, self.place = None, entry, entry.place
        return entry

    def _find(self) -> Entry | None:
        """Return the entry behind the last one, or where that is dropped, behind the place."""
        at = self._at
        if at is not None:
            following = at.next
            if following is not None or not at.gone:
                return following
        entry = self._ring.head
        while entry is not None and self._has(entry):
            following = entry.next
            if following is None and entry.gone:
                following = self._ring.head  # it was dropped just now
            entry = following
        return entry

    def _has(self, entry: Entry) -> bool:
        """Return whether *entry* was read: one without events may stand where the last one did."""
        return entry.place < self.place or (entry.place == self.place and entry.after < entry.upto)

    def _hole_before(self, entry: Entry) -> Entry | None:
        """Return what stands for the events between the place and *entry*, None if nothing does."""
        epoch, number = self.place
        if epoch == entry.epoch:
            return entry.hole(epoch, number, entry.after) if number < entry.after else None
        ended, end = entry.before
        if ended == epoch and number < end:
            return entry.hole(epoch, number, end)
        # How many were sent on connections in between is not known.
        return entry.hole(entry.epoch, 0, entry.after) if entry.after else None
