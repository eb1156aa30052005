# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of one client: tell TLS from plain text, greet, answer until it leaves."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Union

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.errors import HandlerError, PeerError, PeerGone, SlowPeer
from amiproxy.formats import Refused
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.actions.local import finish_wait
from amiproxy.threads.net.hello import TLS_HANDSHAKE, refuse_tls
from amiproxy.threads.net.ratelimitedlog import RateLimitedLog
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.threads.web import connection

if TYPE_CHECKING:
    import ssl

    from amiproxy.formats import Reader
    from amiproxy.message import Message
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.admission import Slot
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.sessions import WebSessions

log = logging.getLogger("amiproxy.client")

#: How long a TLS handshake may take, in seconds.
HANDSHAKE_TIMEOUT = 10.0

#: How long a client that has half-closed is kept for its answers, in seconds.
LINGER = 120.0

#: After so many seconds without an answer Asterisk is asked whether one will come.
PATIENCE = 1.0

#: How long a client that was let go may take to close, in seconds.
FAREWELL = 1.0

#: How often a thread looks at what nobody wakes it for, in seconds.
GLANCE = 0.05

_READ_SIZE = 65536

#: What surely holds no more than the end of one block, in any format.
_PIECE = re.compile(rb"[^\n>]*[\n>]|[^\n>]+")

#: What stands in every SetInputFormat, in lower case.
_SWITCH = b"inputformat"


class Client:
    """One client and the thread that serves it."""

    def __init__(
        self,
        context: ProxyContext,
        web_sessions: WebSessions,
        transport: Transport,
        address: str,
        slot: Slot,
    ) -> None:
        self._context = context
        self._web_sessions = web_sessions
        self._slot = slot
        self._address = address
        self._peer = transport.peer
        self._transport = transport
        slot.end = transport.finish
        self._since = time.monotonic()

    def run(self) -> None:
        """Serve the client until it leaves; the thread's body."""
        try:
            if self._context.config.accept_encrypted and self._context.tls is not None:
                self._tell_tls(self._context.tls)  # else the banner goes at once
            self._serve()
        except SlowPeer as error:
            log.warning("%s: dropped", error)
        except PeerGone as error:
            log.info("%s", error)
        except PeerError as error:
            log.warning("%s: %s", self._peer, error)
        except Exception:
            log.exception("%s: bug in the proxy", self._peer)
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._context.stopping.is_set():
            self._transport.flush_until(Deadline(1.0))
        self._transport.close()
        self._context.admission.leave(self._slot)

    def _mark_authenticated(self) -> None:
        if self._slot.unauthenticated:
            self._context.admission.mark_authenticated(self._slot)

    # -- TLS or plain text ------------------------------------------------------------------

    def _tell_tls(self, tls: ssl.SSLContext) -> None:
        """Find out by the first byte whether the client speaks TLS (spec section 5)."""
        config = self._context.config
        first = self._first_byte(config.hello_timeout)
        if first.startswith(TLS_HANDSHAKE):
            self._transport.start_tls(tls, server_side=True, timeout=HANDSHAKE_TIMEOUT)
            log.debug("%s: %s", self._peer, self._transport.tls_version)
        elif not config.accept_unencrypted:
            raise _UnwantedError(
                "Unencrypted connections are not accepted and we received an unencrypted "
                "connection request"
            )

    def _first_byte(self, timeout: float) -> bytes:
        """Return the first bytes, or b"" if none came within *timeout* seconds."""
        first = self._transport.peek(timeout)
        if first == b"":
            raise PeerGone(f"{self._peer} left")
        return first or b""

    # -- the session --------------------------------------------------------------------------

    def _serve(self) -> None:
        context = self._context
        form = context.input_format()
        if form.conversation is not None:
            conversation = form.conversation(context.limits)
            connection.serve(
                context,
                self._web_sessions,
                self._transport,
                conversation,
                self._address,
                self._mark_authenticated,
            )
            return
        session = StreamSession(
            self._transport,
            self._address,
            context.router.ids,
            mode=context.config.autofilter,
            guarded=context.guarded,
            input_name=form.name,
            output=context.output_format(),
            filter_local=context.config.filter_local,
        )
        if form.onconnect is not None:
            try:
                greeting = bytes(form.onconnect(context.config.banner or replies.BANNER))
            except BaseException as error:
                raise _unable(form.name, "cannot greet", error) from error
            with session.lock:
                self._transport.send(greeting)
        context.registry.add(session)
        try:
            if context.stopping.is_set():
                session.say(replies.SHUTTING_DOWN)  # came too late to be told with the others
                return
            _Conversation(self, context, session).run()
        finally:
            context.registry.discard(session)

    # -- for the conversation --------------------------------------------------------------------

    def check_login_time(self, session: StreamSession) -> float | None:
        """Return for how many seconds the client may stay without log-in, None for ever.

        Raises:
            PeerGone: that time is over.

        """
        if not self._slot.unauthenticated:
            return None
        if session.allowed:
            self._mark_authenticated()
            return None
        limit = self._context.config.auth_timeout
        if self._context.users.general.auth_timeout is not None:
            limit = self._context.users.general.auth_timeout
        if not limit:
            return None
        left = self._since + limit - time.monotonic()
        if left <= 0:
            raise _UnwantedError(f"not logged in within {limit:g} s (authtimeout)")
        return left


class _UnwantedError(PeerError):
    """A client that must not stay."""


def _unable(name: str, what: str, error: BaseException) -> HandlerError:
    """Return the error of a stranger's handler: it hurts its own clients only."""
    return HandlerError(f"handler {name}: {what}: {type(error).__name__}")


class _Conversation:
    """Blocks in, answers out, one after the other."""

    def __init__(self, client: Client, context: ProxyContext, session: StreamSession) -> None:
        self._client = client
        self._context = context
        self._session = session
        self._transport = session.transport
        self._format = session.input_name
        self._reader = self._new_reader()
        self._queue: deque[Union[Message, Refused]] = deque()
        self._unread: deque[bytes] = deque()  # came, and the reader has not had it
        self._tail = b""  # the end of what the reader had last: _SWITCH may be cut
        self._may_switch = False  # the block under way may be a SetInputFormat
        self._started = False
        self._ahead = 0  # bytes that came while WaitEvents waited
        self._limited_log = RateLimitedLog(log)

    def _new_reader(self) -> Reader:
        form = self._context.formats[self._format]
        assert form.reader is not None
        try:
            return form.reader(self._context.limits)
        except BaseException as error:
            raise _unable(form.name, "cannot make a reader", error) from error

    def run(self) -> None:
        """Serve the client until it leaves or is let go."""
        while True:
            if self._session.waiting_for_event is not None:
                self._wait_for_event()
                continue
            if self._queue:
                if self._context.router.is_congested():
                    # Who asks faster than Asterisk answers is read more slowly.
                    self._pause()
                if not self._take(self._queue.popleft()):
                    self._part()
                    return
                continue
            if self._unread:
                self._read()
                continue
            data = self._transport.recv(_READ_SIZE, self._client.check_login_time(self._session))
            if data:
                self._feed(data)
            elif data is not None:
                self._linger()
                return

    def _feed(self, data: bytes) -> None:
        if not self._started:
            self._started = True
            refuse_tls(self._transport, data)
        self._unread.append(data)

    def _read(self) -> None:
        """Give the reader what came first of what it has not had.

        Of a block that may be a SetInputFormat, only so much that no byte behind it
        is among it: what follows is for the next reader.
        """
        data = self._unread.popleft()
        if self._may_switch or _SWITCH in (self._tail + data).lower():
            self._may_switch = True
            data, *rest = _PIECE.findall(data)
            self._unread.extendleft(reversed(rest))
        self._tail = (self._tail + data[1 - len(_SWITCH) :])[1 - len(_SWITCH) :]
        try:
            found = self._reader.feed(data)
            self._queue.extend(found)
        except BaseException as error:
            raise _unable(self._format, "cannot read", error) from error
        if found:
            self._may_switch = False

    def _take(self, item: Message | Refused) -> bool:
        """Do what one block asks; tell whether the client stays."""
        if isinstance(item, Refused):
            self._limited_log.warning("%s: %s", self._session.peer, item.reason)
            self._session.say(item.reply)
            return not item.close
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s", self._session.peer, ascii(item.action or "block")[:60])
        if dispatch.is_logoff(item):
            # As with Asterisk, which answers in order: first what was asked before.
            self._await_answers()
        outcome = dispatch.handle(Call(self._context, self._session, item))
        if outcome.wait is not None:
            with self._session.lock:
                self._session.waiting_for_event = outcome.wait
        if self._session.input_name != self._format:
            self._format = self._session.input_name
            self._reader = self._new_reader()
        return outcome.stays

    def _wait_for_event(self) -> None:
        """Wait for what a WaitEvent waits for, or for whatever comes before."""
        wait = self._session.waiting_for_event
        assert wait is not None
        left = wait.deadline - time.monotonic()
        if not self._queue and not self._unread:
            self._ahead = 0  # all that came before has had its turn
        # Further actions wait, as in Asterisk; an end of the input ends the wait, also
        # as there (action_waitevent): who has half-closed gets his answers.
        data = None
        if left > 0 and not wait.told:
            data = self._transport.recv(_READ_SIZE, min(left, GLANCE))
        if data:
            self._ahead += len(data)
            if self._ahead > self._context.config.max_block:
                raise _UnwantedError(f"{self._ahead} bytes behind a WaitEvent (maxblock)")
            self._feed(data)
        elif data == b"" or wait.told or left <= 0:
            finish_wait(self._session)

    def _pause(self) -> None:
        """Let some time pass in which nothing is read; an end is noticed."""
        self._transport.check()
        time.sleep(GLANCE)
        self._transport.check()

    def _linger(self) -> None:
        """The client sends no more: it still gets the answers under way."""
        self._await_answers()
        self._part()

    def _await_answers(self) -> None:
        """Wait until nothing this client asked is under way any longer."""
        number, router = self._session.number, self._context.router
        began = time.monotonic()
        probed = False
        while router.is_waiting(number) and time.monotonic() < began + LINGER:
            if not probed and time.monotonic() > began + PATIENCE:
                # Some actions are never answered (IAXnetstats); what is asked
                # behind them tells when they will not be any more.
                router.probe(number)
                probed = True
            self._pause()

    def _part(self) -> None:
        """Get the last answers out before the connection is closed."""
        self._transport.flush_until(Deadline(max(self._transport.write_timeout, 1.0)))
        if not self._context.stopping.is_set():
            self._transport.half_close_and_drain(FAREWELL)
        log.info("%s left", self._session.peer)
