# SPDX-License-Identifier: GPL-2.0-or-later
"""Turn: whose turn it is to be connected to one Asterisk, for its server's thread.

As long as another proxy is connected, or none, the thread reads the bus and hands out what comes.
It is this proxy's turn when the keeper has got the lease, and the thread has read the entry that
opens the tenure: then all is handed out that the holder before had written, and that one can
write no more.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from amiproxy.bus import clock
from amiproxy.routing import notices
from amiproxy.threads.bus.client import BusError, BusRefused
from amiproxy.threads.bus.outtold import Refusals
from amiproxy.threads.bus.sharedlink import MOST_CONNECTIONS
from amiproxy.threads.bus.tail import GONE, Tail

if TYPE_CHECKING:
    from amiproxy.threads.bus.around import Around
    from amiproxy.threads.bus.keeper import Tenure
    from amiproxy.threads.bus.sharedlink import SharedLink
    from amiproxy.threads.bus.sharedpublisher import SharedPublisher
    from amiproxy.threads.net.watched import Work

log = logging.getLogger("amiproxy.bus")

#: Milliseconds that a read waits for something new.
_BLOCK = 1000
#: Seconds before Redis is tried again.
_AGAIN = 0.2
#: So many tries to connect in vain, and another proxy may try.
_TRIES = 2
#: How much longer than a lease nobody may be connected before clients are told, in seconds.
_MORE = 2.0


class Turn:
    """Reads the bus for *link* until it is this proxy's turn.

    The keeper calls ``grant`` and ``withdraw``, any thread ``wake``; the rest is the server's
    thread's.  *can_hold*: this proxy knows how to log in there.
    """

    #: Before then this proxy does not want the lease: ``clock.now()`` seconds.
    not_before = 0.0

    def __init__(
        self, link: SharedLink, publisher: SharedPublisher, around: Around, *, can_hold: bool
    ) -> None:
        self.link, self.publisher = link, publisher
        # can_hold and not_before are the keeper's to read; one assignment each.
        self.scope, self.can_hold = link.scope, can_hold
        self._knows_login = can_hold
        self._around = around
        self._tail = Tail(link, publisher, around)
        self._stopping = threading.Event()
        self._granted: Tenure | None = None  # the keeper's thread sets it
        self._granted_at = 0.0  # clock.now()
        # What this proxy was connected by last, once it is over: the thread's.  It is remembered,
        # and _granted left alone, since the keeper may have granted the next one meanwhile.
        self._over: Tenure | None = None
        self._taken: Tenure | None = None
        self._read_at = clock.now()  # when the bus could be read last
        self._refusals = Refusals(f"the stream of {self.scope}")
        self._was_up = False  # when the bus was lost
        self._is_known = False  # to the keeper

    # -- any thread -------------------------------------------------------------------------

    def grant(self, tenure: Tenure) -> None:
        """This proxy has the lease.  Never waits."""
        # In this order: the server's thread may look between the two.
        self._granted_at = clock.now()
        self._granted = tenure
        if tenure.is_solo:
            self._tail.interrupt()

    def withdraw(self, reason: str) -> None:
        """This proxy has the lease no more: the connection ends now.  Never waits."""
        self._granted = None
        self.link.cut(reason)

    def wake(self) -> None:
        """Have the thread end, which is to stop.  Never waits."""
        self._stopping.set()
        self._tail.interrupt()

    def try_again(self) -> None:
        """Want the lease again, whatever was tried in vain.  Never waits."""
        self.can_hold, self.not_before = self._knows_login, 0.0

    @property
    def epoch(self) -> int:
        """The largest epoch that events came with, from the bus or from here."""
        return self.link.epoch

    @property
    def is_ours(self) -> bool:
        """Whether this proxy may be connected now."""
        return not self.link.reading and self.link.may_ask

    # -- the server's thread ------------------------------------------------------------------

    def await_turn(self, work: Work) -> bool:
        """Read the bus until this proxy is to connect; return False if it is to stop."""
        if self.is_ours and self.link.connections < MOST_CONNECTIONS:
            return not self._stopping.is_set()
        if not self.link.reading:
            self._leave()
        if not self._is_known:
            self._is_known = True
            self._around.keeper.add(self)
        while not self._stopping.is_set():
            granted = self._next()
            if granted is not None and granted.is_solo and granted.is_valid:
                self._take(granted)
                return True
            if self._follow(work):
                return True
        return False

    def _follow(self, work: Work) -> bool:
        """Hand out what the bus brings; return whether it is this proxy's turn with that."""
        try:
            work.busy_since = 0.0
            found = self._tail.read(_BLOCK)
            work.busy_since = time.monotonic()
            self._read_at = clock.now()
            opened = self._tail.take(found)
            if self._was_up:
                self._was_up = False
                self._tail.be_back()
            self._look_for_holder(bool(found[0]))
        except BusError as error:
            self._note_cut_off(error)
            return False
        granted = self._next()
        if granted is None or not granted.is_valid:
            return False
        if opened == granted.epoch:
            self._take(granted)
            return True
        if self._tail.is_at_end and clock.now() - self._granted_at > self._around.failover:
            # The entry that opens the tenure is lost, as Redis was: another one is needed.
            self._over = granted
            self._around.keeper.release(self.scope, granted.epoch)
        return False

    def _next(self) -> Tenure | None:
        """Return what this proxy may be connected by, None if there is none."""
        granted = self._granted
        return None if granted is self._over else granted

    def _take(self, tenure: Tenure) -> None:
        """This proxy holds the server from now on."""
        self._taken = tenure
        link, publisher, tail = self.link, self.publisher, self._tail
        tail.lose(GONE)
        link.hold(tenure)
        if not tenure.is_solo:
            fenced = partial(self._fenced, tenure)
            publisher.lane = self._around.outbox.lane(self.scope, tenure.epoch, fenced)
        log.info("asterisk@%s: this proxy is to connect (epoch %d)", self.scope, tenure.epoch)
        if publisher.is_untold:
            link.go_on_at(max(tenure.epoch, link.place[0] + 1))
            self._tell_lost()

    def _tell_lost(self) -> None:
        """Tell all clients, those of other proxies too, that the server was lost."""
        record, publisher = self.link.record, self.publisher
        publisher.is_untold = False
        if self._around.tells:
            publisher.notice(notices.lost(self.link.name, record.reason, record.heard_at))

    def _fenced(self, tenure: Tenure) -> None:
        """The bus takes no entries of *tenure* any more.  In the outbox's thread."""
        if self._taken is tenure:
            self.link.cut("another proxy is connected")
        self._around.keeper.release(self.scope, tenure.epoch)

    def over(self, tries: int, pause: float) -> float:
        """The connection is over, or there was none after so many *tries*; return the pause.

        Others may try when this proxy has in vain; it wants the lease again after *pause* seconds.
        """
        if not self.is_ours:
            return 0.0
        granted = self._next()
        if tries < _TRIES or granted is None or granted.is_solo:
            return pause
        self.not_before = clock.now() + pause
        self._leave()
        return 0.0

    def pass_on(self) -> bool:
        """The server lets this proxy in no more: others may try.  Return whether to read on."""
        self.can_hold = False
        self._leave()
        return not self._stopping.is_set()

    def _leave(self) -> None:
        """Read from now on; the lease is given up behind all that was written."""
        lane, self.publisher.lane = self.publisher.lane, None
        self._over = taken = self._taken
        if lane is not None and taken is not None:
            lane.put_last(partial(self._around.keeper.release, self.scope, taken.epoch))
            self._tail.go_on_behind(lane.acknowledged)
            lane.close()
        self.link.read()

    def end(self) -> None:
        """The thread ends."""
        if not self.link.reading:
            self._leave()
        self._tail.close()
        self._around.keeper.remove(self)

    # -- a bus that is away, a server that nobody holds -------------------------------------------

    def _note_cut_off(self, error: BusError) -> None:
        """The bus cannot be read.  Clients are told when that lasts."""
        if isinstance(error, BusRefused):
            self._refusals.note(str(error))
        link = self.link
        if link.connected and clock.now() - self._read_at > self._around.failover:
            log.warning("asterisk@%s: %s; its events come no more", self.scope, error)
            self._was_up = True
            self._tail.tell_lost("the bus is lost")
        self._stopping.wait(_AGAIN)

    def _look_for_holder(self, came: bool) -> None:
        """Tell clients if there is no holder for long, and nobody has said so.

        *came*: there were entries just now, so that somebody was connected.
        """
        around = self._around
        if came or not self.publisher.is_untold:
            around.heard(self.scope)
        elif not around.is_held(self.scope, _MORE):
            self._tail.tell_lost("no proxy is connected to it")
