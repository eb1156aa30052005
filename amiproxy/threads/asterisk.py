# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of one Asterisk: keep it connected, read it, publish what it says.

While connected this thread only ever reads, and sends without blocking: no
client, no disk and no lock held across I/O can make it wait.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from amiproxy.access.acl import is_address
from amiproxy.errors import LoginRefused, PeerError, PeerGone, ProtocolError
from amiproxy.message import END, Message
from amiproxy.routing.actionids import with_action_id
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.classes import CALL, SYSTEM, event_mask
from amiproxy.routing.ledger import Ledger, Request
from amiproxy.routing.upstream import Outgoing
from amiproxy.threads.net.dial import dial, transport_over
from amiproxy.threads.net.transport import READ_SIZE, Transport
from amiproxy.wire.batch import Batch
from amiproxy.wire.framing import Framer
from amiproxy.wire.routed import PROXY, Routed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.sessions.router import Router

log = logging.getLogger("amiproxy.asterisk")

#: Asterisk before 1.8 never sends FullyBooted: so many seconds of silence after
#: the log-in will do instead, and so many whatever it says (spec section 4).  Where
#: it is sure that none will come, BOOT_SILENCE is enough without silence.
BOOT_SILENCE = 3.0
BOOT_LIMIT = 60.0

#: How the banner of an Asterisk before 1.6 ends: it knows no FullyBooted.
_OLD_BANNER = b"/1.0"

#: How long a missing banner is waited for before we log in without it, in seconds.
BANNER_WAIT = 2.0

#: Actions that may wait for Asterisk, in bytes, before clients are held back.
CONGESTED = 65536

#: How often Originates that are held back are looked at, in seconds.
_LOOK = 1.0

#: Refusals that pass: the log-in itself is right.
_PASSING = frozenset(["asterisk is shutting down", "login already in use"])


class AsteriskServer:
    """One Asterisk we keep a connection to.

    ``start`` makes its thread; ``submit`` is called by clients' threads; ``stop``
    may be called by any.
    """

    def __init__(self, spec: ServerSpec, config: Config, router: Router, address: str = "") -> None:
        self.spec = spec
        self.host = spec.host.lower()
        #: Its IP address, as far as known; names are resolved at each connect.
        self.address = address or (self.host if is_address(self.host) else "")
        self.config = config
        self.router = router
        self.scope = f"{self.host}:{spec.port}"
        self.given_up = False
        #: The classes of events our log-in asks for.
        self._mask = event_mask(spec.events) or 0
        #: Whether an OriginateResponse, an event, will come.
        self.tells_events = bool(self._mask & CALL)
        self._suffix = f"\r\nServer: {self.host}\r\n\r\n".encode("latin-1", "replace")
        # Guards _transport, _connected and _ledger, so that actions go upstream
        # in the order in which the ledger has them.  Held for one non-blocking
        # send or one look at the ledger; a transport's lock is taken inside it,
        # never the other way round.
        self._lock = threading.Lock()
        self._transport: Transport | None = None
        self._connected = False
        self._ledger = Ledger(router.ids, self.host)
        self._calls = CallTable()  # touched by this server's thread only
        self._holding = False  # an Originate is held back; this thread only
        self._stopping = threading.Event()
        self._buffer = bytearray(READ_SIZE)
        self._thread = threading.Thread(
            target=self.run, name=f"asterisk-{self.host}:{spec.port}", daemon=True
        )

    # -- any thread -------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether it is logged in and booted."""
        return self._connected

    @property
    def has_connection(self) -> bool:
        """Whether there is a connection, be it one that has not logged in."""
        return self._transport is not None

    @property
    def is_congested(self) -> bool:
        """Whether actions wait for this Asterisk to read them."""
        transport = self._transport
        return transport is not None and transport.backlog > CONGESTED

    def is_called(self, name: str) -> bool:
        """Tell whether *name*, in lower case, means this server."""
        port = self.spec.port
        hosts = {self.host, self.address} - {""}
        return name in hosts or name in {
            spelled for host in hosts for spelled in (f"{host}:{port}", f"[{host}]:{port}")
        }

    def same_as(self, other: AsteriskServer) -> bool:
        """Tell whether *other* is the same Asterisk (or the same line twice)."""
        return self.spec.port == other.spec.port and (
            self.host == other.host or bool(self.address and self.address == other.address)
        )

    def configure(self, config: Config) -> None:
        """Take the limits of *config*, for the connection there is, too."""
        self.config = config
        with self._lock:
            if self._transport is not None:
                self._transport.write_timeout = config.server_write_timeout

    def start(self) -> None:
        """Start the server's thread."""
        self._thread.start()

    def stop(self, reason: str) -> None:
        """Log off and let the thread end.  Never waits."""
        self._stopping.set()
        with self._lock:
            transport, connected = self._transport, self._connected
            self._connected = False
        if transport is not None:
            if connected:
                with transport.lock:
                    transport.send(b"Action: Logoff\r\n\r\n")
            transport.finish(reason)

    def join(self, timeout: float) -> None:
        """Wait up to *timeout* seconds for the thread to end."""
        if self._thread.is_alive():
            self._thread.join(timeout)

    def submit(self, outgoing: Outgoing) -> bool:
        """Send an action upstream, whole; tell whether it could go."""
        with self._lock:
            transport = self._transport
            if not self._connected or transport is None:
                return False
            self._ledger.enter(outgoing.request)
            with transport.lock:
                transport.send(outgoing.message.raw)
            if outgoing.request.held_back:
                # The thread looks for late OriginateResponses from now on.
                self._holding = True
            return True

    def is_waiting(self, number: int) -> bool:
        """Tell whether an answer for session *number* is still to come."""
        with self._lock:
            return self._ledger.is_waiting(number)

    def ping(self) -> None:
        """Ask Asterisk for a sign of life that no client sees.

        Its answer also tells that what was asked before is answered by now, or
        never will be.
        """
        request = Request(PROXY, self.router.ids.anonymous(0))
        ping = Message.of("Action: Ping", f"ActionID: {request.wire_id}")
        self.submit(Outgoing(ping, request))

    # -- the server's thread ------------------------------------------------------------------

    def run(self) -> None:
        """Keep the connection until stopped, given up or refused."""
        tries = 0
        while not self._stopping.is_set():
            tries += 1
            try:
                with self._connection() as transport:
                    framer = self._log_in(transport)
                    tries = 0
                    self._serve(transport, framer)
            except LoginRefused as error:
                log.error("asterisk@%s: %s; given up until SIGHUP or AddServer", self.scope, error)
                self.given_up = True
                return
            except PeerError as error:
                if self._stopping.is_set():
                    return
                if self.config.max_retries and tries >= self.config.max_retries:
                    log.error("asterisk@%s: %s; given up after %d tries", self.scope, error, tries)
                    self.given_up = True
                    return
                log.warning(
                    "asterisk@%s: %s; trying again in %g s",
                    self.scope,
                    error,
                    self.config.retry_interval,
                )
            except Exception:
                log.exception("asterisk@%s: bug in the proxy", self.scope)
            # Never without a pause, whatever the file says.
            self._stopping.wait(max(self.config.retry_interval, 0.1))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[Transport]:
        """Connect; whatever happens then, leave nothing behind."""
        deadline = time.monotonic() + self.config.connect_timeout
        sock, self.address = dial(self.spec, deadline)
        transport = transport_over(sock, self.spec, self.config, deadline)
        with self._lock:
            self._transport = transport
        try:
            if self._stopping.is_set():
                raise PeerGone("stopped")
            yield transport
        finally:
            with self._lock:
                self._connected = False
                self._transport = None
                lost = self._ledger.abandon()
            if self._stopping.is_set():
                transport.drain(time.monotonic() + 0.5)
            transport.close()
            self._abandon(lost)

    # -- logging in ---------------------------------------------------------------------------

    def _log_in(self, transport: Transport) -> Framer:
        """Log in and wait until Asterisk has booted; publish nothing before.

        Returns the framer, which may hold the head of the next message.

        Raises:
            LoginRefused: Asterisk does not want us.
            PeerError: the connection is over, or it took too long.

        """
        deadline = time.monotonic() + self.config.login_timeout
        framer = Framer(self.config.max_message, self._suffix)
        banner, rest = self._banner(transport, deadline)
        login = Message.of(
            "Action: Login",
            f"Username: {self.spec.user}",
            f"Secret: {self.spec.secret}",
            f"Events: {self.spec.events}",
        )
        with transport.lock:
            transport.send(login.raw)
        messages = _cut(framer.feed(rest))
        while True:
            for index, message in enumerate(messages):
                if message.has("Response") and not message.has("Event"):
                    self._check_login(message)
                    log.debug("asterisk@%s: logged in", self.scope)
                    is_old = not banner or banner.endswith(_OLD_BANNER)
                    patience = BOOT_SILENCE if is_old or not self._mask & SYSTEM else BOOT_LIMIT
                    self._wait_boot(transport, framer, messages[index + 1 :], patience)
                    return framer
            messages = _cut(framer.feed(self._read(transport, deadline, "no answer to the log-in")))

    def _banner(self, transport: Transport, deadline: float) -> tuple[bytes, bytes]:
        """Read the banner line; return it and what came after it."""
        until = min(deadline, time.monotonic() + BANNER_WAIT)
        seen = b""
        while b"\n" not in seen:
            try:
                seen += self._read(transport, until, "no banner")
            except _TooLateError:
                if seen or time.monotonic() >= deadline:
                    raise
                return b"", b""  # it may be missing
            if len(seen) > 8192:
                raise ProtocolError("no line end in the banner")
        banner, _, rest = seen.partition(b"\n")
        return banner.rstrip(b"\r"), rest

    def _check_login(self, message: Message) -> None:
        text = message.get("Message")
        if message.get("Response").lower() == "success":
            return
        if text.lower() in _PASSING:
            raise PeerGone(f"not logged in: {text}")
        raise LoginRefused(f"log-in of {self.spec.user} refused: {text}")

    def _wait_boot(
        self, transport: Transport, framer: Framer, messages: list[Message], patience: float
    ) -> None:
        """Wait for FullyBooted, or what counts as it, and go live with it.

        Silence counts, and that *patience* seconds have gone.
        """
        limit = time.monotonic() + patience
        while self._mask:
            for index, message in enumerate(messages):
                if message.get("Event").lower() == "fullybooted":
                    self._go_live()
                    self._publish([each.raw for each in messages[index:]])
                    return
                self._calls.keep(message)
            until = min(limit, time.monotonic() + BOOT_SILENCE)
            try:
                messages = _cut(framer.feed(self._read(transport, until, "not booted")))
            except _TooLateError:
                messages = []
                break
        self._go_live()
        self._publish([each.raw for each in messages])

    def _go_live(self) -> None:
        with self._lock:
            self._connected = True
        log.info("asterisk@%s: connected (%s)", self.scope, self.address)

    def _read(self, transport: Transport, deadline: float, what: str) -> bytes:
        """Return the next bytes, which must come before *deadline*."""
        left = deadline - time.monotonic()
        data = transport.recv(timeout=left) if left > 0 else None
        if data is None:
            raise _TooLateError(f"{what} in time")
        if not data:
            raise PeerGone(f"closed the connection ({what})")
        return data

    # -- serving ------------------------------------------------------------------------------

    def _serve(self, transport: Transport, framer: Framer) -> None:
        """Read and publish until the connection is over."""
        heard = time.monotonic()
        pinged = False
        buffer = self._buffer
        view = memoryview(buffer)
        while True:
            keepalive = self.config.keepalive  # SIGHUP may change it
            count = transport.recv_into(view, _LOOK if self._holding else keepalive or None)
            if count:
                heard, pinged = time.monotonic(), False
                whole = framer.feed(bytes(view[:count]))
                if whole:
                    self._publish(whole, only_events=framer.only_events)
            elif count is not None:
                raise PeerGone("closed the connection")
            if self._holding:
                self._answer_late(time.monotonic())
            if count is None and keepalive:
                pinged = self._look_after(heard, pinged=pinged)

    def _look_after(self, heard: float, *, pinged: bool) -> bool:
        """Ping an Asterisk that is silent.  Returns whether it has been pinged."""
        now = time.monotonic()
        keepalive = self.config.keepalive
        if now - heard < keepalive * (2 if pinged else 1):
            return pinged
        if not pinged:
            self.ping()
            return True
        with self._lock:
            busy = self._ledger.patience(now) > 0
        if not busy:
            raise PeerGone(f"silent for {now - heard:.0f} s, a Ping was not answered")
        return True

    def _answer_late(self, now: float) -> None:
        with self._lock:
            items = self._ledger.expired(now)
            self._holding = self._ledger.holds_back
        if items:
            self.router.publish(Batch.of_items(self.scope, items))

    def _publish(self, whole: bytes | list[bytes], *, only_events: bool = False) -> None:
        """Hand messages, all that one read brought, to every client.

        *only_events* tells that *whole* is plain and each message in it an event.
        """
        if (
            only_events
            and isinstance(whole, bytes)
            and self._ledger.idle
            and not _may_answer(whole)
        ):
            batch = Batch(self.scope, whole)
            # Without calls to keep, filters are about single events only.
            batch.noted = not self.router.keeps_calls or self._note(
                [item.message for item in batch.items]
            )
            self.router.publish(batch)
            return
        messages = _cut(whole)
        if not messages:
            return
        noted = not self.router.keeps_calls or self._note(messages)
        with self._lock:
            items = list(filter(None, map(self._ledger.classify, messages)))
        if items:
            batch = Batch.of_items(self.scope, items)
            batch.noted = noted
            self.router.publish(batch)

    def _note(self, messages: list[Message]) -> bool:
        """Keep the calls in *messages*; tell whether all is looked up for filters."""
        filtering = self.router.registry.filtering
        look = self._calls.note if filtering else self._calls.keep
        for message in messages:
            look(message)
        return filtering

    def _abandon(self, lost: list[Request]) -> None:
        """Tell who asked that no answer will come; forget the calls of this Asterisk."""
        self._calls.clear()
        self._holding = False
        items = [
            Routed(
                self._sorry(request),
                owner=request.owner,
                wire_id=request.wire_id,
                request_id=request.wire_id,
                final=True,
                private=True,
            )
            for request in lost
            if request.owner != PROXY
        ]
        if items:
            self.router.publish(Batch.of_items(self.scope, items))
        self.router.forget(self.scope)

    def _sorry(self, request: Request) -> Message:
        message = Message.of(
            "Response: Error",
            f"Message: Server {self.host} is not connected",
            f"ActionID: {request.wire_id}",
            own=True,
        )
        return message if request.wire_id is not None else with_action_id(message, None)


class _TooLateError(PeerGone):
    """What was waited for has not come in time."""


def _may_answer(events: bytes) -> bool:
    """Tell whether *events* may hold one that is not for everybody as it is.

    Asterisk writes ``ActionID`` this way; in a UserEvent it may stand as the
    client wrote it.
    """
    return b"ActionID: " in events or b"Event: UserEvent" in events


def _cut(whole: bytes | list[bytes]) -> list[Message]:
    if isinstance(whole, bytes):
        parts = whole.split(END)
        parts.pop()
        return [Message(part + END) for part in parts]
    return [Message(raw) for raw in whole]
