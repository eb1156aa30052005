# SPDX-License-Identifier: GPL-2.0-or-later
"""SharedLink: the way to an Asterisk that one proxy of the cluster is connected to for all.

That is this proxy for as long as it *holds* the server; else the link *reads*: what is asked goes
to the holder by the bus, and what the holder says of it ends the actions.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.bus.asks import Ask
from amiproxy.errors import PeerGone
from amiproxy.routing.askedledger import AskedLedger
from amiproxy.routing.ledger import Ledger
from amiproxy.routing.turns import WINDOW
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.numbers import is_elsewhere, number_of, slot_of
from amiproxy.threads.sessions.pings import Pings
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.wire.routed import PROXY, Routed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction
    from amiproxy.settings.config import ServerSpec
    from amiproxy.threads.bus.tenure import Tenure

#: Seconds that the holder has more for an answer than an Asterisk: its own error says more.
_GRACE = 2.0

#: For so many seconds what was read counts as all: a read waits for less.
_CURRENT = 1.5

#: Connections of one tenure: there are as many numbers for them as between two tenures.
MOST_CONNECTIONS = 60_000


class _NoPings(Pings):
    """Asks nothing: the holder does."""

    def is_under_way(self, ledger: Ledger) -> bool:
        """As if one were: none is to be sent."""
        del ledger
        return True

    def delay(self) -> None:
        """Nothing is known of it: no answer to a Ping is told here."""


class SharedLink(AsteriskLink):
    """The way to one Asterisk of the cluster.

    *slot* is this proxy's, *post* sends what is asked to the holder and never waits; *deadline*
    returns until when an action that is asked now may go, in milliseconds of the bus.
    """

    is_shared = True
    #: When all was read last that the bus has of it, monotonic seconds.
    current_at = -math.inf
    #: Whether another proxy is connected, or none.  The server's thread changes it, with ``lock``.
    reading = True
    #: By what right this proxy is connected, or may be; None: by none.
    right: Tenure | None = None
    # These the server's thread alone changes; others read them as they are at the moment.
    #: The first epoch of the holder's tenure, which what is asked is for.
    tenure = 0
    #: How far behind the holder this proxy was with the last entry, in milliseconds.
    lag = 0
    #: How many entries of the bus were dropped: malformed, or of a holder that is none any more.
    dropped = 0
    #: How many connections this tenure has had.
    connections = 0

    def __init__(
        self,
        spec: ServerSpec,
        ids: ActionIds,
        address: str,
        slot: int,
        post: Callable[[Ask], object],
        deadline: Callable[[], int],
    ) -> None:
        super().__init__(spec, ids, address)
        self._slot, self._post, self._deadline = slot, post, deadline
        self._going: list[Ask] = []  # entered, and just to be sent; ``lock`` guards it
        self._stale: list[PendingAction] = []  # they had no turn in time; ``lock`` guards it
        #: Is told when this proxy has connected.
        self.on_live: Callable[[], object] = lambda: None
        #: Sends answers to the proxy of that slot.
        self.reply: Callable[[int, list[Routed]], object] = lambda _slot, _items: None
        self._take_ledger(AskedLedger(ids, self.ledger.host))

    # -- any thread -------------------------------------------------------------------------

    @property
    def is_current(self) -> bool:
        """Whether all was read a moment ago; who holds the server writes it."""
        return not self.reading or time.monotonic() - self.current_at < _CURRENT

    @property
    def may_ask(self) -> bool:
        """Whether this proxy may send the Asterisk something, if it is connected."""
        right = self.right
        return right is not None and right.is_valid

    def submit(self, action: PendingAction, account: str = "", most: int = 0) -> Submitted:
        """As any link.  Where the lease may be over nothing goes any more."""
        if not self.reading and not self.may_ask:
            return Submitted.UNCONNECTED
        action.account = account
        return super().submit(action, account, most)

    def take_stale(self) -> list[PendingAction]:
        """Return the actions that had no turn before they expired, to be refused."""
        if not self._stale:
            return []
        with self.lock:
            stale, self._stale = self._stale, []
            return stale

    def cut(self, reason: str) -> None:
        """End the connection at once, if there is one: this proxy has no right to it any more."""
        with self.lock:
            self.right = None
            transport = self._transport
            self.connected = self.connected and self.reading
        if transport is not None:
            with transport.lock:
                transport.abort(PeerGone(reason, told=reason))

    # -- what goes up ---------------------------------------------------------------------------

    def _enter(self, action: PendingAction) -> bytes:
        if not self.reading:
            if action.expires < time.monotonic():
                self._stale.append(action)
                return b""
            return super()._enter(action)
        if is_elsewhere(action.owner, self._slot):
            return b""  # of a tenure of this proxy that has just ended: its proxy has been told
        ask = self._ask(action)
        raw = super()._enter(action)
        self._going.append(ask)
        return raw

    def _ask(self, action: PendingAction) -> Ask:
        own = action.owner == PROXY
        return Ask(
            self.tenure,
            number_of(self._slot) if own else action.owner,
            action.wire_id,
            action.given,
            own or action.is_private(),
            action.held_back,
            self._deadline(),
            "" if own else action.account,  # that of lists is no text that may stand in a log
            action.raw,
        )

    def _send(self, raw: bytes) -> None:
        assert self.lock.locked()
        if not self.reading:
            # What does not go is answered with the end of the connection, which comes now.
            if raw and self.may_ask:
                super()._send(raw)
            return
        going, self._going = self._going, []
        if self.connected:
            for ask in going:
                self._post(ask)

    # -- the server's thread ------------------------------------------------------------------

    def hold(self, right: Tenure) -> None:
        """This proxy is to be connected, by *right*; nothing is under way."""
        with self.lock:
            self.reading, self.right, self.tenure, self.connections = False, right, right.epoch, 0
            self._take_ledger(Ledger(self._ids, self.ledger.host))

    def read(self) -> None:
        """Another proxy is to be connected; nothing is under way."""
        with self.lock:
            self.reading, self.right = True, None
            self._take_ledger(AskedLedger(self._ids, self.ledger.host))

    def _take_ledger(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.pings = (_NoPings if self.reading else Pings)(self._ids)
        self.window, self.grace = (16 * WINDOW, _GRACE) if self.reading else (WINDOW, 0.0)

    def begin_epoch(self) -> None:
        """As any link; the number is one of the tenure."""
        epoch = self.tenure + self.connections
        self.connections += 1
        if self.place[0] != epoch or self.connections > 1:
            self.go_on_at(max(epoch, self.place[0] + 1))

    def go_live(self) -> None:
        """As any link; the other proxies are told."""
        super().go_live()
        self.on_live()

    def go_up(self, tenure: int) -> None:
        """The holder of *tenure* is connected: it may be asked."""
        with self.lock:
            self.tenure, self.connected = tenure, True
            self.gate.note_connect()
            self.advance()

    def settle(
        self, items: Iterable[Routed], over: Iterable[str] = ()
    ) -> tuple[list[Routed], list[PendingAction]]:
        """Return *items*, which the holder has sent, with whom they are for, and what is over.

        *over* are the ActionIDs of actions that have ended with nothing that is sent.  Call
        ``delivered`` when that is published.
        """
        with self.lock:
            ledger, found = self.ledger, list[Routed]()
            if not isinstance(ledger, AskedLedger):
                return found, []
            for item in items:
                if slot_of(item.owner) != self._slot or item.owner <= 0:
                    found.append(item)
                elif (action := ledger.asked(item.request_id or "")) is None:
                    ledger.late_answers += item.final
                else:
                    found += self._part(ledger, action, item)
            for wire_id in over:
                action = ledger.asked(wire_id)
                if action is not None:
                    ledger.finish(action, None)
            if ledger.moved:
                ledger.note_time(time.monotonic())
            ended = self._over()
            if self.turns.count:
                self.advance()
            return found, ended

    def _part(self, ledger: AskedLedger, action: PendingAction, item: Routed) -> Sequence[Routed]:
        """Return *item* as a part of the answer to *action*, none if no client is to see it."""
        ledger.note_part(action, time.monotonic())
        if item.final:
            ledger.finish(action, item.message)
        if action.owner != PROXY:
            return [routed_to(item, action.owner, item.action_id, private=item.private)]
        self._listing.note([item.message])
        self.about.note([item.message])
        return [routed_to(item, PROXY, None, private=True)] if action.kept else []


def routed_to(item: Routed, owner: int, given: str | None, *, private: bool) -> Routed:
    """Return *item* as it is for the session *owner*, which gave the ActionID *given*."""
    return Routed(
        item.message,
        owner=owner,
        action_id=given,
        request_id=item.request_id,
        final=item.final,
        private=private,
    )
