# SPDX-License-Identifier: GPL-2.0-or-later
"""AsteriskLink: one Asterisk as all threads see it, and the actions under way there."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from amiproxy.access.acl import is_address
from amiproxy.routing.classes import CALL, event_mask
from amiproxy.routing.ledger import Ledger, own_action

if TYPE_CHECKING:
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction
    from amiproxy.settings.config import ServerSpec
    from amiproxy.threads.net.transport import Transport
    from amiproxy.wire.routed import Routed

#: Bytes of actions that may wait for Asterisk before clients are read more slowly.
CONGESTED = 65536


class AsteriskLink:
    """The way to one Asterisk.

    Clients' threads ask it things (``submit``); the server's own thread
    (threads/asterisk.py) connects it and reads what comes.
    """

    def __init__(self, spec: ServerSpec, ids: ActionIds, address: str = "") -> None:
        self.spec = spec
        self.host = spec.host.lower()
        #: Its IP address, as far as known.  A name is resolved at each connect, by the
        #: server's thread, which alone changes this and given_up.
        self.address = address or (self.host if is_address(self.host) else "")
        self.scope = f"{self.host}:{spec.port}"
        #: The classes of events that the log-in asks for, as bits.
        self.mask = event_mask(spec.events) or 0
        #: Whether an OriginateResponse, an event of class ``call``, will come.
        self.receives_call_events = bool(self.mask & CALL)
        #: Whether its thread has ended for good: refused, or tried often enough.
        self.given_up = False
        self._ids = ids
        # Guards _transport, _connected and what ledger keeps of actions, so that
        # actions go upstream in the order in which the ledger has them.  Held for one
        # non-blocking send or one look at the ledger; a transport's lock is taken
        # inside it, never the other way round.  Without it: _transport and _connected
        # are read, one reference each, where an answer a moment old will do; so are
        # open_list and held of the ledger, which the server's thread alone changes.
        self.lock = threading.Lock()
        self._transport: Transport | None = None
        self._connected = False
        #: The actions under way.  With ``lock`` the server's thread classifies messages;
        #: without it, only open_list and held are read.
        self.ledger = Ledger(ids, self.host)

    # -- any thread -------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether it is logged in and booted."""
        return self._connected

    @property
    def has_connection(self) -> bool:
        """Whether there is a connection, logged in or not."""
        return self._transport is not None

    @property
    def is_congested(self) -> bool:
        """Whether actions wait for this Asterisk to read them."""
        transport = self._transport
        return transport is not None and transport.backlog > CONGESTED

    def matches_name(self, name: str) -> bool:
        """Return whether *name*, in lower case, means this server: host, address, host:port."""
        port = self.spec.port
        hosts = {self.host, self.address} - {""}
        return name in hosts or name in {
            spelled for host in hosts for spelled in (f"{host}:{port}", f"[{host}]:{port}")
        }

    def is_same_server(self, other: AsteriskLink) -> bool:
        """Return whether *other* leads to the same port of the same host or address."""
        return self.spec.port == other.spec.port and (
            self.host == other.host or bool(self.address and self.address == other.address)
        )

    def submit(self, action: PendingAction) -> bool:
        """Send *action* upstream, whole; return whether it could go.  Never waits."""
        with self.lock:
            transport = self._transport
            if not self._connected or transport is None:
                return False
            raw = self.ledger.enter(action)
            with transport.lock:
                transport.send(raw)
            return True

    def is_waiting(self, number: int) -> bool:
        """Return whether an answer for session *number* is still to come."""
        with self.lock:
            return self.ledger.is_waiting(number)

    def ping(self) -> None:
        """Ask Asterisk for a sign of life that no client sees.

        Its answer also tells that what was asked before is answered by now, or
        never will be.
        """
        self.submit(own_action(self._ids, "Ping"))

    def set_write_timeout(self, seconds: float) -> None:
        """Give the connection there is, if any, another time limit for taking bytes."""
        with self.lock:
            if self._transport is not None:
                self._transport.write_timeout = seconds

    def log_off(self, reason: str) -> None:
        """Send a Logoff and let the connection end for *reason*.  Never waits."""
        self.submit(own_action(self._ids, "Logoff"))  # so that no client sees the Goodbye
        with self.lock:
            transport = self._transport
            self._connected = False
        if transport is not None:
            transport.finish(reason)

    # -- the server's thread ------------------------------------------------------------------

    def set_address(self, address: str) -> None:
        """Note that the server answers at the IP *address*."""
        self.address = address

    def open(self, transport: Transport) -> None:
        """There is a connection; nothing goes there yet."""
        with self.lock:
            self._transport = transport

    def go_live(self) -> None:
        """Asterisk has booted: actions may go."""
        with self.lock:
            self._connected = True

    def lose(self) -> list[PendingAction]:
        """Forget the connection; return the actions that will not be answered."""
        with self.lock:
            self._connected = False
            self._transport = None
            return self.ledger.abandon()

    def expired(self, now: float) -> list[Routed]:
        """Return answers to Originates whose OriginateResponse is late; ask until there are none.

        *now* is in monotonic seconds.
        """
        with self.lock:
            return self.ledger.expired(now)

    def is_busy(self, now: float, heard: float) -> bool:
        """Return whether Asterisk may be silent because it makes a synchronous call.

        *now* and when it was last *heard* are in monotonic seconds.
        """
        with self.lock:
            return self.ledger.patience(now, heard) > 0
