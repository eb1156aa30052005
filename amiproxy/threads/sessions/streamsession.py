# SPDX-License-Identifier: GPL-2.0-or-later
"""StreamSession: a client with a connection of its own, which is sent what it may see."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.errors import HandlerError
from amiproxy.formats import written
from amiproxy.routing.visibility import Route
from amiproxy.threads.sessions.filtertime import FilterTimeError
from amiproxy.threads.sessions.session import ClientSession
from amiproxy.wire.batch import BatchKind

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.threads.net.transport import Transport
    from amiproxy.wire.batch import Batch

log = logging.getLogger("amiproxy.session")


class StreamSession(ClientSession):
    """A client with a connection of its own, which is sent what it may see."""

    def __init__(
        self, transport: Transport, address: str, *, input_name: str, **options: Any
    ) -> None:
        self.transport = transport
        self._write_timeout = transport.write_timeout  # for users without one of their own
        super().__init__(transport.peer, address, **options)
        # The transport's, so that choosing and sending are one step; no other thread
        # knows the session yet.
        self.lock = transport.lock
        self.input_name = input_name

    @property
    def ended(self) -> bool:
        """Whether the connection is over, and the client's thread is only to find out."""
        return self.transport.end_reason is not None

    def call_at_end(self, wake: Callable[[], object] | None) -> None:
        """Call *wake* when the connection is ended; None: nothing any more."""
        self.transport.wake = wake

    def deliver(self, batch: Batch) -> None:
        """Send what of *batch* this client may see."""
        with self.lock:
            try:
                if batch.kind is self._taken_as_is:
                    # The usual case by far.
                    data = batch.wire
                elif self.transport.end_reason is not None:
                    return
                else:
                    data = self._viewer.encode(batch, self.output)
                if data:
                    self.transport.send(data)
                    if self.waiting_for_event is not None and self._viewer.hears_event(batch):
                        self.waiting_for_event.told = True
            except HandlerError as error:
                self._fail(error)
            except FilterTimeError as error:
                self.transport.abort(error)  # its own thread logs it
            except Exception as error:  # noqa: BLE001 - the server's thread has other clients
                self._lose(error)

    def _renew(self) -> None:
        """As any session; and the user's write timeout holds from now on."""
        super()._renew()
        own = None if self.user is None else self.user.write_timeout
        self.transport.write_timeout = self._write_timeout if own is None else own
        # The kind of batch that is sent as it came, without a look at the view: events,
        # to a client that sees them all and reads AMI.
        events = BatchKind.EVENTS
        as_is = self.output.wire and self._viewer.view.route(events, owns=False) is Route.WHOLE
        self._taken_as_is = events if as_is else None

    def _tell(self, message: Message) -> None:
        assert self.lock.locked()
        try:
            self.transport.send(written(self.output, message))
        except HandlerError as error:
            self._fail(error)

    def _fail(self, error: HandlerError) -> None:
        """Drop the client: its format cannot be written.  The caller holds ``lock``."""
        assert self.lock.locked()
        try:
            self.transport.abort(HandlerError(f"{self.peer}: {error}"))
            log.error("%s: dropped: %s", self.peer, error)
        except MemoryError as shortage:
            self.transport.lose(shortage)

    def _lose(self, error: Exception) -> None:
        """Drop the client for *error*, though there be no memory.  The caller holds ``lock``."""
        assert self.lock.locked()
        self.transport.lose(error)
        with contextlib.suppress(MemoryError):
            log.error("%s: bug in the proxy", self.peer, exc_info=error)

    def end(self, reason: str) -> None:
        """End the session: the client's thread wakes up and leaves.

        What the client was sent before still reaches it, if it reads it soon.
        """
        self.transport.finish(reason)
