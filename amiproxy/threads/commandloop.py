# SPDX-License-Identifier: GPL-2.0-or-later
"""CommandLoop: receive, take the next block, act; for one client that speaks in blocks."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING, NamedTuple

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerError
from amiproxy.formats import Refused
from amiproxy.threads.actions import dispatch, plain
from amiproxy.threads.actions.call import Call
from amiproxy.threads.actions.local import finish_wait
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.net.hello import refuse_tls
from amiproxy.threads.net.parting import flush_until
from amiproxy.wire.blocksource import BlockSource
from amiproxy.wire.httpguard import WrongPortError

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.threads.sessions.admission import Slot
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.streamsession import StreamSession

log = logging.getLogger("amiproxy.client")

#: How much is read at once, when all that was read before has been acted upon.
_READ_SIZE = 16384


class Times(NamedTuple):
    """Time limits of a client, in seconds."""

    #: For a TLS handshake, and for the PROXY protocol's header.
    handshake: float = 10.0
    header: float = 5.0
    #: How long a half-closed client is kept while none of its actions is answered.
    linger: float = 120.0
    #: How long a client may take to close after the proxy's half-close.
    farewell: float = 1.0
    #: Poll interval for what wakes nobody, and the longest one, where many wait.
    poll: float = 0.05
    longest_poll: float = 5.0
    #: Between two reads of a block that comes in very many pieces.
    breath: float = 0.02


#: Reads in which a block may come before the client is read less often: each read is one
#: more thread that wants the interpreter, however little has come.
_PIECES = 8

#: How often all clients together look whether their WaitEvent is over, in a second.
_LOOKS = 1000.0


class UnwantedError(PeerError):
    """A client that must not stay."""


class CommandLoop:
    """Carries out one client's blocks, one after the other, in its thread."""

    def __init__(
        self, context: ProxyContext, session: StreamSession, slot: Slot, times: Times
    ) -> None:
        self._context = context
        self._session = session
        self._slot = slot
        self._times = times
        self._transport = session.transport
        self._source = BlockSource(
            context.formats[session.input_name], context.limits, known=session.allowed
        )
        self._turnstile = context.turnstile
        self._is_first = True  # nothing has come yet
        self._is_closed = False  # the client sends no more
        self._is_last = False  # the last has been read, since the proxy stops
        self._pieces = 0  # reads since the last block
        self._behind_wait = 0  # bytes that came while WaitEvents waited

    def run(self) -> None:
        """Serve the client until it leaves or is let go.

        Raises:
            PeerError: the connection is over, or the client must not stay.

        """
        try:
            while self._step():
                pass
        except WrongPortError as error:
            log.warning("%s: %s", self._session.peer, error)
            self._session.say(replies.error(None, str(error)))
        finally:
            self._context.waiters.discard(self)
            self._turnstile.take(self._turnstile.further)
        self._part()

    def _step(self) -> bool:
        """Do what is next; return False when the session is over."""
        if self._session.waiting_for_event is not None:
            self._wait_for_event()
            return True
        block = self._source.next()
        if block is not None:
            self._pieces = 0
            stays = self._carry_out(block)
            if not self._source.is_empty:
                self._turnstile.pass_on()
            return stays
        return self._read()

    def _read(self) -> bool:
        """Read what comes; return False when the session is over."""
        self._turnstile.end()
        left = self._login_time_left() if self._slot.unauthenticated else None
        left = self._session.until_release(left)
        if self._pieces > _PIECES:
            time.sleep(self._times.breath)  # what comes meanwhile is read at once
        if self._context.stopping.is_set():
            return self._read_last()
        data = self._transport.recv(_READ_SIZE, left)
        if data is None:
            self._release_early()
        if data:
            self._pieces += 1
            self._turnstile.take(self._turnstile.first)
            if self._is_first:
                self._is_first = False
                refuse_tls(self._transport, data)
            if (
                self._source.may_pass(data)
                and not log.isEnabledFor(logging.DEBUG)
                and plain.forward(self._context, self._session, data)
            ):
                self._pieces = 0
            else:
                self._source.receive(data)
        elif data is not None and self._context.stopping.is_set():
            self._is_last = True  # the proxy's own doing (ClientSession.drain)
        elif data is not None:  # half-close: it still gets the answers under way
            self._is_closed = True
            self._await_answers()
            self._session.release()
            return False
        return True

    def _read_last(self) -> bool:
        """Read what has come before the proxy began to stop; return False when that is done.

        It is carried out, and answered if the answer comes in time.
        """
        data = None if self._is_last else self._transport.recv(_READ_SIZE, 0.0)
        self._is_last = True
        if data:
            self._source.receive(data)
            return True
        self._await_answers()
        self._session.farewell(replies.SHUTTING_DOWN, "Shutdown, closed client", wake=False)
        return False

    def _carry_out(self, block: Message | Refused) -> bool:
        """Do what one block asks; return whether the client stays."""
        session = self._session
        if isinstance(block, Refused):
            log.warning("%s: %s", session.peer, block.reason)
            self._await_answers()
            session.say(block.reply)
            return not block.close
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s", session.peer, ascii(block.action or "block")[:60])
        if block.action in LOGIN_ACTIONS and session.allowed:
            # Asterisk answers in order; and what one user has asked is not for the next.
            self._await_answers()
        outcome = dispatch.handle(Call(self._context, session, block))
        if outcome.goodbye is not None:
            self._await_answers()  # also behind a ProxyAction: Logoff
            session.say(outcome.goodbye)
        if outcome.wait is not None:
            self._context.waiters.add(self)
            with session.lock:
                session.waiting_for_event = outcome.wait
        if session.allowed is not self._source.known:
            self._source.limit(self._context.limits, known=session.allowed)
        if session.input_name != self._source.form.name:
            self._source.switch(self._context.formats[session.input_name], self._context.limits)
        return outcome.stays

    def _login_time_left(self) -> float | None:
        """Return for how many seconds an unauthenticated client may stay; None: no limit.

        Raises:
            PeerError: that time is over.

        """
        slot, context = self._slot, self._context
        if self._session.allowed:
            context.admission.mark_authenticated(slot)
            return None
        limit = context.auth_timeout
        if not limit:
            return None
        left = slot.entered + limit - time.monotonic()
        if left <= 0:
            raise UnwantedError(f"not logged in within {limit:g} s (authtimeout)")
        return left

    def _release_early(self) -> None:
        """Send what was held back, if its time is over: the client has not asked anything."""
        if self._session.until_release(None) == 0:
            self._turnstile.take(self._turnstile.further)
            self._session.release()
            self._turnstile.end()

    def _wait_for_event(self) -> None:
        """Wait until the WaitEvent is over, for at most one poll interval.

        Actions that came with it wait behind it, as in Asterisk.  Whatever comes later ends it,
        also as there (action_waitevent), be it the end of the input.
        """
        wait = self._session.waiting_for_event
        assert wait is not None
        left = 0.0 if self._context.stopping.is_set() else wait.deadline.left()
        if self._source.is_empty:
            self._behind_wait = 0
        data = None
        if left and not wait.told:
            self._turnstile.end()
            data = self._poll(left)
        if data:
            self._behind_wait += len(data)
            if self._behind_wait > self._context.config.max_block:
                raise UnwantedError(f"{self._behind_wait} bytes behind a WaitEvent (maxblock)")
            self._source.receive(data)
        if data is not None or wait.told or not left:
            self._context.waiters.discard(self)
            finish_wait(self._session)

    def _poll(self, left: float) -> bytes | None:
        """Read for at most one poll interval, or *left* seconds.

        The more clients wait the longer it is, and not the same for all: together they do not
        take time from those that work.
        """
        interval = len(self._context.waiters) / _LOOKS * random.uniform(0.5, 1.5)  # noqa: S311
        interval = max(self._times.poll, min(interval, self._times.longest_poll))
        limit = self._session.until_release(min(left, interval))
        data = self._transport.recv(_READ_SIZE, limit)
        if data is None:
            self._release_early()
        return data

    def _await_answers(self) -> None:
        """Wait until no action of this client is under way."""
        self._context.router.await_answers(self._session, self._times.linger)
        self._transport.check()

    def _part(self) -> None:
        """Send what is left, and close the connection from our side."""
        transport = self._transport
        # A client that has closed its side needs no time; so thousands may do it at once.
        # Where the proxy stops, all have the same time (client.py).
        if (transport.backlog or not self._is_closed) and not self._context.stopping.is_set():
            with self._turnstile.outside():
                flush_until(transport, Deadline(max(transport.write_timeout, 1.0)))
                transport.linger(Deadline(self._times.farewell))
        log.log(self._context.connect_level, "%s left", self._session.peer)
