# SPDX-License-Identifier: GPL-2.0-or-later
"""Follower: the thread that keeps the model of one server, and makes pictures of it.

It reads the server's ring from a place of its own, so that the server's thread does nothing for
it but append, and asks for lists by way of the link, as clients ask for theirs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Callable

from amiproxy.basics.deadline import Deadline
from amiproxy.message import END, Message
from amiproxy.state.kept import Kept
from amiproxy.state.model import BUILDING, LIVE, STALE, TOO_LARGE, ServerModel
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state.asking import Asking
from amiproxy.threads.state.corrections import Corrections
from amiproxy.threads.state.lists import Lists, Pace
from amiproxy.threads.state.picture import PORTION, Picture, PictureRow
from amiproxy.threads.state.wanted import Wanted
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST, PROXY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.ring import Entry, Place, Reader
    from amiproxy.state.queues.numbers import Rules
    from amiproxy.threads.state.board import Board
    from amiproxy.wire.routed import Routed

log = logging.getLogger("amiproxy.asterisk")

#: How often it looks at the ring, in seconds; and while a list is on its way.
_INTERVAL, _QUICK = 0.05, 0.005

#: Bytes of the ring where no client wants one; it grows, up to the most, if events get lost.
LEAST_RING, _MOST_RING = 4 * 1024 * 1024, 64 * 1024 * 1024
#: How much it grows at a time: as a list is asked again twice, it is the largest then.
_GROWTH = 4

#: Seconds by which two clocks differ more than before, so that it is no rounding.
_DRIFT = 1.0

#: For how many seconds the rows of a server that is lost are shown.
SHOWN = 600.0

#: Entries of the ring, of a few events each, that are taken without a pause.
_ENTRIES = 8


class Follower:
    """Keeps the model of the server of *link*.

    ``start`` starts its thread, which goes on as long as *limit* returns how many rows the model
    may have; 0: it is not wanted any more.  *changed* is called when its state is another one.
    What it says of itself any thread may read.
    """

    def __init__(
        self,
        board: Board,
        ids: ActionIds,
        limit: Callable[[], int],
        pace: Pace,
        changed: Callable[[], None],
        rules: Callable[[], Rules],
    ) -> None:
        #: Who watches what it follows.
        self.board = board
        self.link = link = board.link
        self._limit, self._changed = limit, changed
        self._pace = pace
        self.name = f"state-{link.scope}"
        self.busy_since = 0.0  # for the watchdog
        self.corrections = Corrections(link.scope)
        #: How often events got lost before they were read.
        self.gaps = 0
        #: The state of the model, and since when it is so: unix time.
        self.state, self.since = BUILDING, time.time()
        #: Kinds that are not known, and why.
        self.unknown: dict[str, str] = {}
        #: While the model is being built: how many lists it has, and of how many.
        self.progress: tuple[int, int] | None = None
        # Set while there is nothing to wait for: it is live, or lost, or too large.
        self._settled = threading.Event()
        self._wake = threading.Event()
        # Clients' threads append, its own thread takes.
        self._wanted: deque[Wanted] = deque()
        self._ring_size = LEAST_RING
        self.kept = Kept(rules)  #: what is counted, whatever becomes of the model
        self._make_model(limit())
        self._asking = Asking(link, ids)
        self._epoch = 0
        self._reader: Reader | None = None
        self._read_ring: object = None
        #: The picture that was made last, None: it is no more how it is.
        self._last: Picture | None = None
        self._thread = WatchedThread(self.name, self._run, self, essential=False)

    # -- any thread -------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread.

        Raises:
            RuntimeError: there is none left.

        """
        self._thread.start()

    def settle(self, seconds: float) -> bool:
        """Wait until there is nothing to wait for; return False if that takes longer."""
        deadline = Deadline(seconds)
        while not deadline.over:
            if self._epoch >= self.link.epoch or not self.link.connected:
                return self._settled.wait(deadline.left())
            self._wake.set()  # there is a new connection, which it has not seen yet
            time.sleep(min(_QUICK, deadline.left()))
        return False

    def want(self, kinds: Sequence[str]) -> Wanted:
        """Ask for a picture of *kinds* that has all which clients have been sent so far."""
        wanted = Wanted(kinds)
        self._wanted.append(wanted)
        self._wake.set()
        return wanted

    # -- its own thread ---------------------------------------------------------------------

    def _run(self) -> None:
        try:
            endless(self.name, self._step, end=self._fail)
        finally:
            self.link.remember_for_state(0)
            self.link.record.model = ""
            self._settled.set()
            while self._wanted:
                self._wanted.popleft().make(None)
            self.board.close()
            self._changed()

    def _fail(self, reason: str) -> None:
        """Give up: the proxy goes on without this thread."""
        log.error("asterisk@%s: no more snapshots of it: %s", self.link.scope, reason)

    def _step(self) -> bool:
        """Read what has come, ask what is due, answer who waits; return whether to go on."""
        self.busy_since = 0.0
        self._wake.wait(_QUICK if self._asking.is_under_way else _INTERVAL)
        self.busy_since = time.monotonic()
        self._wake.clear()
        limit = self._limit()
        if not limit:
            return False
        if limit != self._row_limit:
            self._make_model(limit)
            self._epoch = 0
        wanted = [self._wanted.popleft() for _ in range(len(self._wanted))]
        try:
            self._read()
            self._look()
            self._ask()
            self._tell()
            self.board.step(self._model, self._place(), self.unknown)
        finally:
            self._answer(wanted)
        return True

    def _make_model(self, limit: int) -> None:
        self._row_limit = limit
        self._model = ServerModel(limit, self.kept)
        self._lists = Lists(self._model, self._pace)

    def _read(self) -> None:
        """Take what the ring has; not what comes meanwhile."""
        self.link.remember_for_state(self._ring_size)
        ring = self.link.ring
        reader = self._reader
        if reader is None or ring is not self._read_ring:
            place = self.link.place if reader is None else reader.place
            self._read_ring, self._reader = ring, (reader := ring.read(place))
        last, until = ring.last, time.monotonic() + _INTERVAL
        for entry in paced(iter(reader.next, None), _ENTRIES):
            if reader.skipped and self._asking.is_under_way:
                self._ask_again()
            self._take(entry)
            if entry.place >= last and time.monotonic() > until:
                return

    def _take(self, entry: Entry) -> None:
        """Take the messages of *entry*."""
        if entry.epoch < self._epoch:
            return
        if entry.epoch > self._epoch:
            self._begin(entry.epoch)
        if entry.lost:
            self._miss()
            return
        self._last = None
        batch = entry.batch()
        now = time.time() - time.monotonic() + entry.when
        if batch.kind is BatchKind.EVENTS:
            model, parts = self._model, batch.wire.split(END)
            parts.pop()
            for part in paced(parts, PORTION):
                if model.concerns(part):
                    model.apply(Message(part + END), now)
        elif batch.kind is not BatchKind.NOTICE:
            for item in paced(batch.items, PORTION):
                self._take_item(item, now)

    def _take_item(self, item: Routed, now: float) -> None:
        """Take an event, or a part of the list that was asked."""
        if item.owner == BROADCAST:
            self._model.apply(item.message, now)
        elif item.owner == PROXY and self._asking.take(item):
            self._lists.heard(now)
            if self._asking.is_too_long:
                self._asking.end()
                self._lists.too_long(now)
            elif self._asking.is_complete:
                self._take_list(now)

    def _take_list(self, now: float) -> None:
        """Take the list that is complete, where it stands among the events."""
        corrected = self._lists.answered(self._asking.end(), now)
        if corrected:
            self.corrections.note(corrected, now)

    def _ask_again(self) -> None:
        """A part of the list under way was dropped unread: ask for it once more, and keep more."""
        self._grow()
        self._asking.end()
        self._lists.cut(time.time())

    def _grow(self) -> None:
        """Have the ring keep more, if it may."""
        kept = max(self._ring_size, self.link.ring.limit)
        self._ring_size = min(_GROWTH * kept, _MOST_RING)
        self.link.remember_for_state(self._ring_size)

    def _miss(self) -> None:
        """Begin anew: events were lost before they were read."""
        if self._lists.is_idle and self._model.state == BUILDING:
            return  # it has not begun
        self.gaps += 1
        self._grow()
        log.warning(
            "asterisk@%s: state: events were missed; its lists are asked anew", self.link.scope
        )
        self._begin(self._epoch)

    def _begin(self, epoch: int) -> None:
        """Begin with nothing: the connection *epoch* is new, or something was missed."""
        self._settled.clear()
        self._last = None
        self._epoch = epoch
        self._asking.end()
        self._model.clear()
        self._lists.begin(time.time())

    def _look(self) -> None:
        """See whether the connection is there."""
        link, model = self.link, self._model
        if link.connected:
            if link.epoch > self._epoch:
                self._begin(link.epoch)
            return
        if model.state in (BUILDING, LIVE):
            model.state = STALE
            self._asking.end()
            self._lists.stop()
        elif model.state == STALE and len(model) and time.time() - self.since > SHOWN:
            model.clear()
            model.state = STALE

    def _ask(self) -> None:
        """Ask for the list that is due, if there is one."""
        now = time.time()
        if self._lists.overdue(now):
            self._asking.give_up()
        if not self.link.connected or self._model.state not in (BUILDING, LIVE):
            return
        query = self._lists.due(now)
        if query is not None and self._asking.ask(query):
            self._lists.sent(query, now)

    def _tell(self) -> None:
        """Let others read how it is."""
        self._model.tick(time.time())
        offset = self.link.pings.offset
        if offset is not None and abs(offset - self._model.offset) > _DRIFT:
            self._model.offset = float(round(offset))
        state = self._model.state
        if state != self.state:
            self.state, self.since = state, time.time()
            self._changed()
            if state == TOO_LARGE:
                log.warning(
                    "asterisk@%s: state: more than %d rows (statelimit); nothing is kept",
                    self.link.scope, self._row_limit,
                )  # fmt: skip
        record = self.link.record
        record.model, record.model_rows = state, len(self._model)
        record.stopping_since, record.reloads = self.kept.stopping_since, self.kept.reloads
        record.model_corrections, record.model_gaps = self.corrections.count, self.gaps
        self.unknown = self._lists.unknown()
        self.progress = self._lists.progress if state == BUILDING else None
        if state == BUILDING:
            self._settled.clear()
        else:
            self._settled.set()

    def _answer(self, wanted: Sequence[Wanted]) -> None:
        """Make one picture for all who have *wanted* one."""
        if not wanted:
            return
        kinds = frozenset[str]().union(*(each.kinds for each in wanted))
        picture = self._last
        now = time.time()
        if picture is None or not kinds <= picture.rows.keys() or now - picture.made > _INTERVAL:
            rows = {
                kind: [PictureRow(row) for row in paced(self._model.rows(kind, now), PORTION)]
                for kind in kinds
            }
            state = self.state, self.since
            picture = Picture(self.link.name, self._place(), rows, self.unknown, state, now)
            self._last = picture
        for each in wanted:
            each.make(picture)

    def _place(self) -> Place:
        """Return up to where the model has the events."""
        reader = self._reader
        place = (0, 0) if reader is None else reader.place
        return max(place, (self._epoch, 0))
