# SPDX-License-Identifier: GPL-2.0-or-later
"""Tail: what the bus brings of one server, handed out in order to the clients of this proxy.

Two streams are read with one command, so what is there of both was there at the same moment: the
events, and the answers to what sessions of this proxy have asked.  An answer says behind which
event it came.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING

from amiproxy.bus import states
from amiproxy.bus.asks import Answer, decode_answer
from amiproxy.bus.entries import DOWN, EVENTS, MIXED, NOTICE, TAKEN, UP, decode_entry
from amiproxy.bus.fields import Malformed
from amiproxy.bus.ids import place_of
from amiproxy.routing import notices
from amiproxy.routing.ring import START
from amiproxy.threads.bus.history import History
from amiproxy.threads.bus.streamreader import StreamReader

if TYPE_CHECKING:
    from amiproxy.bus.entries import Entry
    from amiproxy.routing.ring import Place
    from amiproxy.threads.bus.around import Around
    from amiproxy.threads.bus.sharedlink import SharedLink
    from amiproxy.threads.bus.sharedpublisher import SharedPublisher

log = logging.getLogger("amiproxy.bus")

#: Entries of one read.
COUNT = 500

#: Why a server is lost, in fixed words for clients.
GONE = "the proxy that was connected is gone"
CLOSED = "the connection is over"


class Tail:
    """Follows one server.  For its server's thread, but ``interrupt``."""

    def __init__(self, link: SharedLink, publisher: SharedPublisher, around: Around) -> None:
        self._link, self._publisher, self._around = link, publisher, around
        self._events = around.keys.events(link.scope)
        self._answers = around.keys.answers(around.slot, link.scope)
        self._reader = StreamReader(around.client)
        self._event_id, self._answer_id = b"", b"0-0"
        #: Where the holder's last event stands that was handed out.
        self._at: Place = START
        #: Whether the holder is connected, as far as the bus says.
        self._up = False
        #: Answers that belong behind events that are still to be read.
        self._ahead: deque[Answer] = deque()
        #: Whether the last read has brought all that there was.
        self.is_at_end = False
        self._opened = 0

    def interrupt(self) -> None:
        """End a read that waits.  Any thread may call."""
        self._reader.interrupt()

    def close(self) -> None:
        """Read no more."""
        self._reader.close()

    def go_on_behind(self, entry_id: bytes) -> None:
        """Read on behind *entry_id*, the last one that this proxy has written as the holder."""
        self._event_id = entry_id or self._event_id
        self._at, self._up = self._link.place, False

    # -- reading --------------------------------------------------------------------------------

    def read(self, block: int) -> tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]:
        """Return what is new of events and answers; wait for *block* milliseconds at the most.

        Raises:
            BusError: it cannot be read.

        """
        if not self._event_id:
            self._begin()
            if self._opened:
                return [], []
        asked = {self._events: self._event_id, self._answers: self._answer_id}
        found = dict(self._reader.read(asked, block, COUNT))
        events, answers = found.get(self._events, []), found.get(self._answers, [])
        if not events:
            self._link.lag = 0
        self.is_at_end = len(events) < COUNT
        return events, answers

    def _begin(self) -> None:
        """Keep what came before, and find out how the server is."""
        history = History(self._link, self._publisher, self._around)
        last = history.read(self._events)
        self._at, self._up, self._opened = history.at, history.is_up, history.opened
        self._event_id = last
        if self._up:
            self._go_up(history.tenure)
        else:
            self._link.tenure = history.tenure

    def take(self, found: tuple[list[tuple[bytes, bytes]], list[tuple[bytes, bytes]]]) -> int:
        """Hand out what was *found*; return the epoch of the tenure of this proxy that it opens.

        0: none, or another proxy has taken the server since.
        """
        events, answers = found
        opened, self._opened = self._opened, 0
        for answer_id, body in answers:
            self._answer_id = answer_id
            try:
                self._ahead.append(decode_answer(body))
            except Malformed as error:
                self._drop(error)
        for entry_id, body in events:
            self._event_id = entry_id
            try:
                entry = decode_entry(body)
                self._answer_until((entry.epoch, entry.after))
                opened = self._take(entry, place_of(entry_id)[0], opened)
            except Malformed as error:
                self._drop(error)
            else:
                self._link.lag = max(0, self._around.now() - entry.sent)
        if self.is_at_end:
            self._answer_until(None)
            self._link.current_at = time.monotonic()
            self._link.ends += 1
        self._publisher.tidy()  # nothing of this may have been for anybody
        return opened

    def _drop(self, error: Malformed) -> None:
        link = self._link
        link.dropped += 1
        if link.dropped == 1:
            log.warning("asterisk@%s: an entry of the bus is dropped: %s", link.scope, error)

    def _answer_until(self, place: Place | None) -> None:
        """Hand out the answers that came before the event behind *place*; None: all."""
        ahead = self._ahead
        while ahead and (place is None or ahead[0][:2] <= place):
            self._publisher.answer(ahead.popleft())

    def _take(self, entry: Entry, tenure: int, opened: int) -> int:
        """Hand out *entry*; return the tenure of this proxy that is *opened* with it."""
        kind = entry.kind
        if kind == TAKEN:
            self.lose(GONE)
            self._up, self._link.tenure = False, tenure
            return tenure if states.read_taken(entry.payload) == self._around.slot else 0
        if not self._reach(entry):
            return opened
        if kind == DOWN:
            self._up = False
            self.lose(CLOSED)
        elif kind != NOTICE:
            self._note_up(entry, tenure)
        if kind in (EVENTS, MIXED, NOTICE):
            self._publisher.relay(entry)
            self._at = entry.epoch, entry.after + entry.events
        return opened

    def _note_up(self, entry: Entry, tenure: int) -> None:
        """The holder is connected: else there would be no such *entry*."""
        if entry.kind == UP:
            self._note(entry.payload)
            self.lose(CLOSED)  # what was between is missing
            self._up = False
        if not self._up:
            self._up = True
            self._go_up(tenure)
        else:
            self.be_back()

    def _note(self, payload: bytes) -> None:
        """Note what the holder says of the server."""
        link = self._link
        address, link.banner = states.read_up(payload)
        link.set_address(address)

    def _reach(self, entry: Entry) -> bool:
        """Return whether *entry* comes next; tell clients what is missing before it."""
        epoch, number = self._at
        link, publisher = self._link, self._publisher
        if entry.epoch < epoch or (entry.epoch == epoch and entry.after < number):
            is_known = entry.epoch == epoch and entry.after + entry.events <= number
            link.dropped += not is_known
            return False
        if entry.epoch > epoch:
            if self._up and link.connected and entry.kind != UP:
                publisher.tell_missing(link.place[1])  # how many is not known
            # Behind what was numbered here, where this proxy was alone for a time.
            link.go_on_at(max(entry.epoch, link.place[0] + 1))
            number = 0
        if entry.after > number:
            publisher.tell_missing(link.place[1] + entry.after - number)
        self._at = entry.epoch, entry.after
        return True

    # -- how the server is ------------------------------------------------------------------------

    def lose(self, reason: str) -> None:
        """The server is lost, if it was connected, for *reason*."""
        link = self._link
        if link.connected:
            self._publisher.abandon(link.lose())
            link.record.lose(reason)

    def tell_lost(self, reason: str) -> None:
        """The server is lost for *reason*: tell the clients here, if nobody has told them."""
        self.lose(reason)
        link, publisher = self._link, self._publisher
        if publisher.is_untold and self._around.tells:
            publisher.tell(notices.lost(link.name, reason, link.record.heard_at))
        publisher.is_untold = False

    def _go_up(self, tenure: int) -> None:
        """A proxy is connected to the server."""
        link = self._link
        self.tell_lost(link.record.reason or CLOSED)  # who has lost it may have said nothing
        link.record.up()
        self._publisher.begin()
        self._publisher.is_untold = True
        link.go_up(tenure)
        log.info("asterisk@%s: connected by another proxy (%s)", link.scope, link.address)

    def be_back(self) -> None:
        """The bus is back: the server is as the bus says; clients were told that it was lost."""
        if self._up and not self._link.connected:
            missing = time.monotonic() - self._link.record.lost_at
            self._go_up(self._link.tenure)
            if self._around.tells:
                self._publisher.tell(notices.connected(self._link.name, missing))
