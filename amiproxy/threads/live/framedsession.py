# SPDX-License-Identifier: GPL-2.0-or-later
"""FramedSession: a client that a resource of HTTP has become, which is sent events as they come."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any

from amiproxy.errors import PeerGone, SlowPeer
from amiproxy.live.partings import FAULT, KICKED, RESTART, RIGHTS, SLOW, STOP, Parting
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions.streamsession import StreamSession

if TYPE_CHECKING:
    from amiproxy.errors import PeerError
    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.threads.web.visit import Visit
    from amiproxy.wire.batch import Batch

log = logging.getLogger("amiproxy.session")


class FramedSession(StreamSession):
    """A client of *visit*, which is written to in *output*.

    It gets nothing before ``open``: the answer to its request has its head to be sent first.
    """

    #: Whether it is sent anything.
    is_open = False
    #: When it was sent something last, in monotonic seconds.
    spoke = 0.0

    def __init__(self, visit: Visit, output: Format, **options: Any) -> None:
        context = visit.context
        self._context = context
        super().__init__(
            visit.transport,
            visit.address,
            mode=AutoFilter.UNIQUE,
            guarded=visit.spec.guarded,
            sources=context.router,
            output=output,
            filter_local=context.config.filter_local,
            **options,
        )

    def open(self, first: bytes = b"") -> None:
        """Send *first*, and from now on what comes."""
        with self.lock:
            self.is_open = True
            self.transport.last_words = self._last_words
            self._send(first)

    def _send(self, data: bytes) -> None:
        """Send *data*, whole frames.  The caller holds ``lock``."""
        assert self.lock.locked()
        if data:
            self.transport.send(data)
            self.spoke = time.monotonic()

    def send(self, data: bytes) -> None:
        """Send *data*, whole frames."""
        with self.lock:
            self._send(data)

    def deliver(self, batch: Batch) -> None:
        """Send what of *batch* this client may see."""
        if not self._wants(batch):
            return
        with self.lock:
            try:
                if self.transport.end_reason is None:
                    self._pass(batch)
            except Exception as error:  # noqa: BLE001 - the server's thread has other clients
                self.drop(error)

    def _wants(self, batch: Batch) -> bool:
        """Return whether it is worth while to look at *batch*."""
        del batch
        return self.is_open

    def _pass(self, batch: Batch) -> None:
        track = self.track
        if track is None:
            data = self._viewer.encode(batch, self.output)
        else:
            data = track.encode(batch, self._viewer, self.output)
            if track.is_over:
                self.set_track(None)
        if data:
            self.transport.send(data)
            self.spoke = time.monotonic()

    # -- the end --------------------------------------------------------------------------------

    def _last(self, parting: Parting) -> bytes:
        """Return the last bytes of the connection, which ends as *parting* says."""
        raise NotImplementedError

    def leave(self, parting: Parting, reason: str = "", *, wake: bool = True) -> None:
        """Say *parting*, and nothing after it; *reason* is for the log.  Any thread may call.

        *wake*: the client's thread, which does not call this itself, is to leave.
        """
        with self.lock:
            if self.transport.end_reason is None and self.is_open:
                self._send(self._last(parting))
            self.transport.end_for(PeerGone(reason or f"{self.peer}: {parting.text}"), wake=wake)

    def _last_words(self, error: PeerError) -> bytes:
        return self._last(SLOW if isinstance(error, SlowPeer) else FAULT)

    def _lose(self, error: Exception) -> None:
        assert self.lock.locked()
        with contextlib.suppress(MemoryError):
            if self.is_open:
                self._send(self._last(FAULT))
            self.transport.end_for(PeerGone(f"{self.peer}: bug in the proxy"))
            log.error("%s: bug in the proxy", self.peer, exc_info=error)
            return
        self.transport.lose(error)

    def farewell(self, message: Message, reason: str, *, wake: bool = True) -> None:
        """As ``say_farewell``, in the client's own words."""
        del message, reason
        self.say_farewell(wake=wake)

    def say_farewell(self, *, wake: bool) -> None:
        """Tell the client that the proxy stops, or restarts; the last that it is sent."""
        self.leave(RESTART if self._context.restarts else STOP, wake=wake)

    def end(self, reason: str) -> None:
        """End the session for *reason*, as the operator wants."""
        self.leave(KICKED, reason)

    def revoke(self, reason: str) -> None:
        """End the session: what let its client in does so no more."""
        self.leave(RIGHTS._replace(text=reason), reason)
