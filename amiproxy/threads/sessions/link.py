# SPDX-License-Identifier: GPL-2.0-or-later
"""AsteriskLink: one Asterisk as all threads see it, and the actions under way there."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from amiproxy.access.acl import is_address
from amiproxy.routing.behind import NOTHING_BEHIND
from amiproxy.routing.classes import CALL, event_mask
from amiproxy.routing.ledger import Ledger
from amiproxy.routing.pending import own_action
from amiproxy.routing.turns import MOST_WAITING, WINDOW, Turns
from amiproxy.threads.sessions.about import About
from amiproxy.threads.sessions.gate import Gate
from amiproxy.threads.sessions.linkrecord import LinkRecord
from amiproxy.threads.sessions.listing import Listing
from amiproxy.threads.sessions.numbering import Numbering
from amiproxy.threads.sessions.pings import Pings
from amiproxy.threads.sessions.probe import Probe
from amiproxy.threads.sessions.submitted import Submitted

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction
    from amiproxy.settings.config import ServerSpec
    from amiproxy.threads.net.transport import Transport
    from amiproxy.wire.routed import Routed


class AsteriskLink(Numbering):
    """The way to one Asterisk.

    Clients' threads ask it things (``submit``); the server's own thread
    (threads/asterisk.py) connects it and reads what comes.
    """

    banner = ""  #: how it greeted when it was connected last
    proxy_path = ""  #: another proxy: which one, and which are before it
    behind = NOTHING_BEHIND  #: another proxy: the servers there
    grace = 0.0  #: seconds that it has more than an Asterisk: its own error says more
    window = WINDOW  #: bytes of actions that are sent before the first of them is answered
    #: Whether its thread has ended for good: refused, or tried often enough.
    given_up = False
    tried = False  #: whether a try to connect has failed
    refusing: Collection[int] = ()  #: as ``delivering``, of the watchdog's thread (overdue.py)

    def __init__(self, spec: ServerSpec, ids: ActionIds, address: str = "") -> None:
        super().__init__()
        self.spec = spec
        self.host = spec.host
        #: What messages and people call it.
        self.name = spec.name or self.host
        #: What tells it from all others, in the log too.
        self.scope = spec.scope
        #: Its IP address, as far as known, and by what it may be meant, in lower case.  A name is
        #: resolved at each connect, by the server's thread, which alone changes these, banner
        #: and given_up.
        self.set_address(address or (self.host if is_address(self.host) else ""))
        #: The classes of events that the log-in asks for, as bits.
        self.mask = event_mask(spec.events) or 0
        #: Whether an OriginateResponse, an event of class ``call``, will come.
        self.receives_call_events = bool(self.mask & CALL)
        self.probe = Probe()  #: of the connection that there is, or was
        self._ids = ids
        # Guards _transport, connected, turns, gate, pings, _listing and what ledger keeps of
        # actions, so that actions go upstream in the order in which the ledger has them.  Held for
        # one non-blocking send or one look at the ledger; a transport's lock is taken
        # inside it, never the other way round.  Without it: _transport and connected
        # are read, one reference each, where an answer a moment old will do; so are
        # open_list and held of the ledger, which the server's thread alone changes.
        # delivering is set with it; that thread takes it back without.
        self.lock = threading.Lock()
        self._transport: Transport | None = None
        self.connected = False  #: whether it is logged in and booted
        #: The actions under way.  With ``lock`` the server's thread classifies messages;
        #: without it, only open_list and held are read.
        self.ledger = Ledger(ids, self.name)
        #: The sessions whose actions are over and whose answers are just being sent: an
        #: answer of the proxy's own must not overtake them.
        self.delivering: Collection[int] = ()
        self.turns = Turns()  #: the actions that wait until those that have gone are answered
        self.gate = Gate()  #: whether the operator has them wait
        self.pings = Pings(ids)
        self.record = LinkRecord()
        self._listing = Listing(ids, self.scope)
        self.about = About(ids)

    # -- any thread -------------------------------------------------------------------------

    @property
    def has_connection(self) -> bool:
        """Whether there is a connection, logged in or not."""
        return self._transport is not None

    @property
    def transport(self) -> Transport | None:
        """The connection there is, logged in or not; to look at its figures."""
        return self._transport

    @property
    def takes_actions(self) -> bool:
        """Whether actions go there, now or when a pause is over."""
        return self.connected or self.gate.holds

    def submit(self, action: PendingAction, account: str = "", most: int = 0) -> Submitted:
        """Send *action* upstream, or have it wait for the turn of *account*.  Never waits.

        It is not taken while *most* actions of its session are unanswered; 0: no limit.
        """
        with self.lock:
            ledger, turns = self.ledger, self.turns
            if not (self.connected or self.gate.holds):
                return Submitted.UNCONNECTED
            owner = action.owner
            waiting = turns.waiting(owner) if turns.count or turns.held else 0
            if 0 < most <= ledger.owed.get(owner, 0) + waiting:
                return Submitted.FULL
            if waiting and turns.size(owner) > MOST_WAITING:
                return Submitted.FULL
            if (
                self.gate.holds
                or turns.count
                or owner in turns.held
                or (ledger.in_flight and ledger.in_flight + len(action.raw) > self.window)
            ):
                turns.put(action, account)
                self.advance()
            else:
                self._send(self._enter(action))
            return Submitted.TAKEN

    def advance(self) -> None:
        """Send what waits, as far as answers have made room.  The caller holds ``lock``.

        Some actions are never answered (IAXnetstats).  So that they do not keep the others
        for ever, while any wait a Ping is under way, whose answer ends what went before it.
        """
        assert self.lock.locked()
        ledger, turns = self.ledger, self.turns
        if not self.connected or self.gate.holds:
            return
        going: list[bytes] = []
        while turns.count:
            first = turns.first()
            if ledger.in_flight and ledger.in_flight + len(first.raw) > self.window:
                break
            turns.take()
            first.since = time.monotonic()
            going.append(self._enter(first))
        if turns.count and not self.pings.is_under_way(ledger):
            going.append(self.pings.enter(ledger))
        if going:
            self._send(b"".join(going))

    def _enter(self, action: PendingAction) -> bytes:
        """Enter *action* in the ledger; return its bytes, to be sent now."""
        raw = self.ledger.enter(action)
        if action.held_back and action.holds:
            self.turns.hold(action)
        return raw

    def unanswered(self, number: int) -> int:
        """Return how many actions of session *number* are still to be answered."""
        with self.lock:
            unanswered = self.ledger.unanswered(number) + self.turns.waiting(number)
            return unanswered or number in self.delivering or number in self.refusing

    def patience(self, number: int, now: float) -> float:
        """Return for how many seconds from *now* an answer to session *number* may take.

        0 if nobody's telephone rings for it.  *now* is in monotonic seconds.
        """
        with self.lock:
            originate = self.turns.holder(number)
            left = 0.0 if originate is None else originate.deadline - now
            return max(left, self.ledger.patience(now, 0.0), 0.0)

    def has_room(self, number: int, most: int) -> bool:
        """Return whether session *number* may well ask more: half of the limits are free.

        *most* is as for ``submit``.
        """
        with self.lock:
            unanswered = self.ledger.unanswered(number) + self.turns.waiting(number)
            few = not most or unanswered <= most // 2
            return few and self.turns.size(number) <= MOST_WAITING // 2

    def withdraw(self, number: int) -> Collection[PendingAction]:
        """Forget what session *number* has asked and has not gone upstream; return it.

        The session is over.
        """
        with self.lock:
            return self.turns.withdraw(number)

    def ping(self) -> None:
        """Ask Asterisk for a sign of life that no client sees.

        Its answer also tells that what was asked before is answered by now, or
        never will be.  Without effect within a second of one that is not answered.
        """
        with self.lock:
            if self.connected and not self.pings.is_recent(self.ledger):
                self._send(self.pings.enter(self.ledger))

    @property
    def listed(self) -> Mapping[str, int]:
        """What it has said of its actions: names in lower case, and the classes of each."""
        return self._listing.actions

    def ask_listed(self, timeout: float) -> None:
        """Ask Asterisk what classes its actions need, unless that was asked of late.

        Waits for the answer for up to *timeout* seconds, in the thread of a client.
        """
        with self.lock:
            if self.connected and (question := self._listing.question(time.monotonic())):
                self._send(self._enter(question))
        self._listing.settled.wait(timeout)

    def ask_about(self) -> None:
        """Ask which Asterisk it is, unless it was asked on this connection.  Never waits."""
        with self.lock:
            if self.connected and (question := self.about.question()):
                self._send(self._enter(question))

    def set_write_timeout(self, seconds: float) -> None:
        """Give the connection there is, if any, another time limit for taking bytes."""
        with self.lock:
            if self._transport is not None:
                self._transport.write_timeout = seconds

    def log_off(self, reason: str) -> None:
        """Send a Logoff and let the connection end for *reason*.  Never waits."""
        with self.lock:
            transport = self._transport
            if self.connected:
                # In the ledger, so that no client sees the Goodbye; before all that waits.
                self._send(self.ledger.enter(own_action(self._ids, "Logoff")))
            self.connected = False
        if transport is not None:
            transport.finish(reason)

    # -- the server's thread ------------------------------------------------------------------

    def set_address(self, address: str) -> None:
        """Note that the server answers at the IP *address*."""
        self.address = address
        self.names = self.spec.names_at(address)

    def open(self, transport: Transport) -> None:
        """There is a connection; nothing goes there yet."""
        with self.lock:
            self._transport, self.probe = transport, Probe()

    def go_live(self) -> None:
        """Asterisk has booted: actions may go."""
        self.begin_epoch()
        with self.lock:
            self.connected = True
            self.gate.note_connect()
            self.advance()

    def lose(self) -> list[PendingAction]:
        """Forget the connection; return the clients' actions that will not be answered.

        Call ``delivered`` when their clients have been told.
        """
        with self.lock:
            self.connected = False
            self.record.note_traffic(self._transport)
            self._transport = None
            self.proxy_path = ""
            self.ledger.abandon()
            self._listing.clear()
            self.about.clear()
            self.pings.clear()
            return self._over(*(() if self.gate.holds else self.turns.clear()))

    def classify(self, messages: Sequence[Message]) -> tuple[list[Routed], list[PendingAction]]:
        """Return *messages* with whom they are for, and the actions that are over with them.

        Call ``delivered`` when that is published.
        """
        with self.lock:
            ledger = self.ledger
            self._listing.note(messages)
            self.about.note(messages)
            items = list(filter(None, map(ledger.classify, messages)))
            self.pings.note(ledger, messages)
            if ledger.moved:
                ledger.note_time(time.monotonic())
            over = self._over()
            if behind := ledger.ask_behind():
                self._send(behind)
            if self.turns.count:
                self.advance()  # answers have made room
            return items, over

    def expired(self, now: float) -> tuple[list[Routed], list[PendingAction]]:
        """Return answers to Originates whose OriginateResponse is late; ask until there are none.

        As ``classify``.  *now* is in monotonic seconds.
        """
        with self.lock:
            items, over = self.ledger.expired(now), self._over()
            if self.turns.count:
                self.advance()
            return items, over

    def delivered(self) -> None:
        """Note that clients were sent what the actions that are over were answered with."""
        self.delivering = ()

    def _over(self, *waited: PendingAction) -> list[PendingAction]:
        """Return the clients' actions that have ended since the last call, and those *waited*."""
        over = [*self.take_over(time.monotonic()), *waited]
        if over:
            self.delivering = {action.owner for action in over}
        return over

    def take_over(self, now: float) -> list[PendingAction]:
        """Return the clients' actions that have ended since the last call.

        What waits behind them has its turns from *now* on, in monotonic seconds.  The caller
        holds ``lock``.
        """
        over = self.ledger.take_over()
        for action in over:
            if action.held_back:
                self.turns.release(action.owner, now)
        return over

    def _send(self, raw: bytes) -> None:
        """Send *raw*, which is in the ledger, if it is connected.  The caller holds ``lock``."""
        assert self.lock.locked()
        transport = self._transport
        if transport is not None and self.connected:
            with transport.lock:
                transport.send(raw)
