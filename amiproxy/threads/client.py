# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of one client: tell TLS from plain text, greet, serve it until it leaves."""

from __future__ import annotations

import functools
import logging
import threading
import time
from typing import TYPE_CHECKING

from amiproxy.errors import (
    HandlerError,
    PeerError,
    PeerGone,
    PeerLeft,
    ProtocolError,
    SlowPeer,
)
from amiproxy.foreign import ForeignConversation
from amiproxy.formats import handler_error
from amiproxy.threads.commandloop import CommandLoop, Times, UnwantedError
from amiproxy.threads.net.hello import TLS_HANDSHAKE
from amiproxy.threads.net.parting import part
from amiproxy.threads.net.traffic import take_traffic, traffic
from amiproxy.threads.relayed import read_source
from amiproxy.threads.sessions.filtertime import FilterTimeError
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.threads.web import connection
from amiproxy.threads.web.entrance import let_in
from amiproxy.wire.httpguard import HeaderError
from amiproxy.wire.proxyheader import begins_header

if TYPE_CHECKING:
    import ssl

    from amiproxy.formats import Conversation, Format
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.admission import Slot
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions

log = logging.getLogger("amiproxy.client")

TIMES = Times()

_LONGEST_GREETING = 65536  # bytes

# Bytes that show what a connection begins with: TLS, or a PROXY protocol header.
_FIRST = 16


def address_problem(context: ProxyContext, spec: ListenerSpec, address: str) -> str:
    """Return why a client at *address* may not connect to the listener *spec*, "" if it may."""
    allowed = spec.acl.allows(address) and context.users.general.acl.allows(address)
    return "" if allowed else "address not permitted"


#: In a word for the metrics, why a client is dropped, by the kind of error.
_DROPS: tuple[tuple[type[PeerError], str], ...] = (
    (FilterTimeError, "filters"),
    (HandlerError, "format"),
    (ProtocolError, "protocol"),
)


def _drop_reason(error: PeerError) -> str:
    return next((word for kind, word in _DROPS if isinstance(error, kind)), "unwanted")


class Client:
    """One client and the thread that serves it; gives *slot* back in the end.

    *spec* says what holds for it: that of the listener it came in at, as it was then.
    """

    def __init__(
        self,
        context: ProxyContext,
        web_sessions: WebSessions,
        transport: Transport,
        address: str,
        slot: Slot,
        spec: ListenerSpec,
        *,
        times: Times = TIMES,
    ) -> None:
        self._context = context
        self._web_sessions = web_sessions
        self._transport = transport
        self._address = address
        self._slot = slot
        self._spec = spec
        self._times = times
        self._began = time.monotonic()
        self._session: StreamSession | None = None
        slot.end, slot.connection = transport.finish, transport

    def run(self) -> None:
        """Serve the client until it leaves; the thread's body."""
        turnstile = self._context.turnstile
        try:
            if not (self._slot.network or self._arrive()):
                return
            if self._spec.encrypted and (tls := self._context.tls) is not None:
                self._detect_tls(tls)  # else the banner goes at once
            self._serve()
        except SlowPeer as error:
            self._context.tallies.note(Tallied.DROPPED)
            log.warning("%s: dropped%s", error, self._past())
        except PeerGone as error:
            is_usual = isinstance(error, PeerLeft)
            log.log(self._context.connect_level if is_usual else logging.INFO, "%s", error)
        except PeerError as error:
            self._context.tallies.note(Tallied.DROPPED_ELSE, _drop_reason(error))
            log.warning("%s: %s", self._transport.peer, error)
        except BaseException:
            log.exception("%s: bug in the proxy", self._transport.peer)
        finally:
            try:
                turnstile.take(turnstile.further)
            finally:
                try:
                    self._leave()
                finally:
                    turnstile.end()

    def _past(self) -> str:
        """Return what to say of a client that is dropped."""
        seconds = time.monotonic() - self._began
        session = self._session
        if session is None:
            return f" after {seconds:.0f} s"
        user = "" if session.user is None else f", logged in as {session.user.name!a}"
        unanswered = self._context.router.unanswered(session.number)
        found = traffic(self._transport.sock)
        moved = f", {found.sent} bytes sent, {found.received} received" if found else ""
        return f" after {seconds:.0f} s{user}; {unanswered} actions unanswered{moved}"

    def _leave(self) -> None:
        """Give back what the client held: each step is taken, whatever the one before raises."""
        try:
            try:
                if self._context.stopping.is_set():
                    with self._context.turnstile.outside():
                        part(self._transport, self._context.leave_by)
            finally:
                try:
                    self._transport.close()
                finally:
                    self._context.admission.leave(self._slot)
        except Exception:
            log.exception("%s: bug in the proxy", self._transport.peer)

    def _mark_authenticated(self) -> None:
        if self._slot.unauthenticated:
            self._context.admission.mark_authenticated(self._slot)

    # -- a client behind a load balancer ----------------------------------------------------

    def _arrive(self) -> bool:
        """Learn where the client comes from, and let it in; return False if it may not come in."""
        context, transport = self._context, self._transport
        source = read_source(transport, self._times.header)
        peer, through = transport.peer, ""
        if source.address:
            through = f" through {self._address}"
            self._address = source.address
            peer = f"client {source.address}:{source.port}"
            transport.rename(peer)
            threading.current_thread().name = peer.replace("client ", "client-", 1)
        problem = address_problem(context, self._spec, self._address) or context.admission.arrive(
            self._slot, self._address, guarded=self._spec.guarded
        )
        context.tallies.note(Tallied.REFUSED if problem else Tallied.CONNECTION, self._spec.name)
        if problem:
            log.warning("Connection from %s refused: %s%s", self._address, problem, through)
            return False
        level = context.connect_level
        log.log(level, "Connection received from %s%s", self._address, through)
        return True

    # -- TLS or plain text ------------------------------------------------------------------

    def _detect_tls(self, tls: ssl.SSLContext) -> None:
        """Find out by the first byte whether the client speaks TLS (spec section 5)."""
        first = self._transport.peek(self._context.config.hello_timeout, _FIRST)
        if first == b"":
            raise PeerLeft(f"{self._transport.peer} left")
        first = first or b""  # who says nothing waits for the banner: plain text
        if first.startswith(TLS_HANDSHAKE):
            turnstile = self._context.turnstile
            # A thousand that compute at the same moment would have a server's thread wait.
            turnstile.take(turnstile.handshakes)
            self._transport.start_tls(
                tls,
                server_side=True,
                timeout=self._times.handshake,
                outside=turnstile.outside,
            )
            turnstile.end()
            log.debug("%s: %s", self._transport.peer, self._transport.tls_version)
        elif not self._spec.plain:
            if begins_header(first):
                raise HeaderError
            raise UnwantedError(
                "Unencrypted connections are not accepted and we received an unencrypted "
                "connection request"
            )

    # -- the session --------------------------------------------------------------------------

    def _serve(self) -> None:
        context, spec = self._context, self._spec
        form = context.input_format(spec)
        if form.conversation is None:
            self._serve_blocks(form)
            return
        conversation: Conversation
        if form.foreign:
            conversation = ForeignConversation(form, context.limits)
        else:
            conversation = form.conversation(context.limits)
        if spec.guarded:
            known = (context, self._web_sessions, spec, self._transport.peer, self._address)
            conversation.entrance = functools.partial(let_in, *known)
        try:
            connection.serve(
                context,
                self._web_sessions,
                self._transport,
                conversation,
                self._address,
                spec,
                mark_authenticated=self._mark_authenticated,
            )
        finally:
            context.registry.note_gone(form.name, take_traffic(self._transport))

    def _serve_blocks(self, form: Format) -> None:
        context = self._context
        context.turnstile.take(context.turnstile.further)
        self._session = session = StreamSession(
            self._transport,
            self._address,
            mode=self._spec.autofilter,
            guarded=self._spec.guarded,
            input_name=form.name,
            sources=context.router,
            output=context.output_format(self._spec),
            filter_local=context.config.filter_local,
        )
        session.slot = self._slot
        # What comes from now on is held back: who has been greeted misses nothing.
        session.hold_back()
        context.registry.add(session)
        session.see()
        try:
            self._greet(form)
            CommandLoop(context, session, self._slot, self._times).run()
        finally:
            context.router.forget_actions(session)
            context.registry.discard(session)

    def _greet(self, form: Format) -> None:
        if form.onconnect is None:
            return
        try:
            greeting = form.onconnect(self._context.banner())
            if type(greeting) is not bytes or len(greeting) > _LONGEST_GREETING:
                raise TypeError
        except BaseException as error:
            raise handler_error(form, "cannot greet", error) from error
        with self._transport.lock:
            self._transport.send(greeting)
