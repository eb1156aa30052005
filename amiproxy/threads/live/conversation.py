# SPDX-License-Identifier: GPL-2.0-or-later
"""Conversation: serve one client of a WebSocket or the like, in its thread, until it leaves."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerError
from amiproxy.live import frames
from amiproxy.live.partings import LOGOFF
from amiproxy.threads.live.incoming import ClosingError, Incoming
from amiproxy.threads.net.parting import flush_until

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.threads.live.framedsession import FramedSession
    from amiproxy.threads.sessions.context import ProxyContext

log = logging.getLogger("amiproxy.web")

_READ_SIZE = 16384

#: Seconds in which what waits for a client that leaves is sent, and in which it may close.
_LAST, _FAREWELL = 1.0, 1.0


class Partner(Protocol):
    """Who understands what a client says, and answers it.  In the client's thread."""

    #: After so many seconds of silence ``tick`` is called.
    silence: float

    def begin(self) -> None:
        """The connection is there: open the session."""

    def take(self, text: str) -> bool:
        """Carry out what *text*, one message, asks; return whether the client stays."""

    def tick(self) -> None:
        """Nothing was sent for a while: send something."""

    def look(self) -> float:
        """Do what is to be done now and then; return in how many seconds at the latest again."""

    def end(self) -> None:
        """The connection is over."""


class Input(Protocol):
    """What a client sends, as texts; see Incoming."""

    #: Whether the client has said that it closes.
    is_over: bool

    def feed(self, data: bytes) -> Iterable[str | bytes]:
        """Take *data*; return each text that is whole, and bytes that are to be sent."""


class Conversation:
    """One client that has become a stream.  For its thread.

    *incoming* reads what it sends; without that these are frames of a WebSocket.
    """

    def __init__(
        self,
        context: ProxyContext,
        session: FramedSession,
        partner: Partner,
        incoming: Input | None = None,
    ) -> None:
        self._context, self._session, self._partner = context, session, partner
        self._transport = session.transport
        self._turnstile = context.turnstile
        self._incoming = incoming or Incoming()
        self._has_read_last = False

    def run(self, rest: bytes) -> None:
        """Serve the client, which has sent *rest* already, until it leaves.

        Raises:
            PeerError: the connection is over.

        """
        turnstile = self._turnstile
        turnstile.take(turnstile.further)
        try:
            self._partner.begin()
            stays = not rest or self._carry_out(rest)
            while stays:
                stays = self._read()
        except PeerError:  # it may still take the last words
            self._part()
            raise
        finally:
            self._partner.end()
            turnstile.take(turnstile.further)
        self._part()
        log.log(self._context.connect_level, "%s left", self._session.peer)

    def _read(self) -> bool:
        """Read what comes; return whether the client stays."""
        self._turnstile.end()
        if self._context.stopping.is_set():
            return self._read_last()
        session = self._session
        left = session.spoke + self._partner.silence - time.monotonic()
        left = min(left, self._partner.look())
        data = self._transport.recv(_READ_SIZE, left) if left > 0 else None
        if data is None:
            if time.monotonic() >= session.spoke + self._partner.silence:
                self._partner.tick()
            return True
        if data:
            self._turnstile.take(self._turnstile.first)
            return self._carry_out(data)
        return self._context.stopping.is_set()  # else it has closed its side: it reads no more

    def _read_last(self) -> bool:
        """Carry out what came before the proxy began to stop; return whether there may be more."""
        data = None if self._has_read_last else self._transport.recv(_READ_SIZE, 0.0)
        self._has_read_last = True
        if data:
            return self._carry_out(data)
        self._context.router.await_answers(self._session)
        self._transport.check()
        self._session.say_farewell(wake=False)
        return False

    def _carry_out(self, data: bytes) -> bool:
        """Do what *data* asks; return whether the client stays."""
        incoming = self._incoming
        try:
            for each in incoming.feed(data):
                if isinstance(each, bytes):
                    self._session.send(each)
                elif not self._partner.take(each):
                    self._session.leave(LOGOFF, wake=False)
                    return False
        except ClosingError as error:
            log.info("%s: %d %s", self._session.peer, error.code, error)
            self._session.send(frames.close(error.code, str(error)))
            return False
        self._turnstile.pass_on()
        return not incoming.is_over

    def _part(self) -> None:
        """Send what is left, and close the connection from our side."""
        if self._context.stopping.is_set():
            return  # all have the same time for it (threads/client.py)
        with self._turnstile.outside():
            flush_until(self._transport, Deadline(max(self._transport.write_timeout, _LAST)))
            self._transport.linger(Deadline(_FAREWELL))
