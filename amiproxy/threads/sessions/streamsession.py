# SPDX-License-Identifier: GPL-2.0-or-later
"""StreamSession: a client with a connection of its own, which is sent what it may see."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.errors import HandlerError, PeerGone
from amiproxy.formats import written
from amiproxy.routing.viewer import Viewer
from amiproxy.routing.visibility import Route
from amiproxy.threads.sessions.early import EarlyBatches
from amiproxy.threads.sessions.filtertime import FilterTimeError
from amiproxy.threads.sessions.tracked import TrackedSession
from amiproxy.wire.batch import BatchKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message
    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.threads.net.transport import Transport
    from amiproxy.wire.batch import Batch

log = logging.getLogger("amiproxy.session")


class StreamSession(TrackedSession):
    """A client with a connection of its own, which is sent what it may see."""

    def __init__(
        self,
        transport: Transport,
        address: str,
        *,
        input_name: str,
        **options: Any,
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
                if batch.kind is self._taken_as_is and self.waiting_for_event is None:
                    self.transport.send(batch.wire)  # the usual case by far
                    self._as_is += batch.events
                elif self.transport.end_reason is not None:
                    return
                elif self._early is not None:
                    self._hold_back(batch, self._early)
                else:
                    self._pass(batch)
            except Exception as error:  # noqa: BLE001 - the server's thread has other clients
                self.drop(error)

    def take_answers(self, answers: Sequence[PlainAnswer]) -> bool:
        """Send *answers* as ``deliver`` would, if that is so; return whether it is.

        So it is where they need no look at what the client may see, or has been sent.  Who has
        just logged in anew gets nothing that was asked before.
        """
        with self.lock:
            if not self._answers_as_is or self.number != answers[0].action.owner:
                return False
            try:
                self.transport.send(b"".join([answer.raw for answer in answers]))
            except Exception as error:  # noqa: BLE001 - the server's thread has other clients
                self.drop(error)
            return True

    def _renew(self) -> None:
        """As any session; and the user's write timeout holds from now on."""
        super()._renew()
        own = None if self.user is None else self.user.write_timeout
        self.transport.write_timeout = self._write_timeout if own is None else own
        self._choose_way()

    def _choose_way(self) -> None:
        """Find out which kind of batch is sent as it came, without a look at the view.

        That is events, to a client that sees them all, of all servers, and reads AMI, none of
        which are held back.
        """
        events, view = BatchKind.EVENTS, self._viewer.view
        as_is = (
            self._early is None
            and self.track is None
            and self.output.wire
            and not view.servers
            and view.route(events, owns=False) is Route.WHOLE
        )
        self._taken_as_is = events if as_is else None
        self._answers_as_is = (
            self._early is None
            and self.track is None
            and self.output.wire
            and not view.silent
            and type(self._viewer) is Viewer  # which nobody has to tell what it takes
        )

    # -- before the first block is answered (spec 12.29) --------------------------------------

    def hold_back(self) -> None:
        """Hold back what comes: the client has been greeted, and not been answered."""
        with self.lock:
            self.touch()
            self._early = EarlyBatches(self.transport.max_backlog)
            self._choose_way()

    def until_release(self, left: float | None) -> float | None:
        """Return for how many of *left* seconds, None: for ever, the client may be waited for.

        It is 0 once it is time for ``release``, if nothing has come.  Who may see nothing gets
        nothing anyway.
        """
        early = self._early
        if early is None or not self.allowed:
            return left
        held = max(0.0, early.until - time.monotonic())
        return held if left is None else min(left, held)

    def accept_key(self) -> None:
        """As for any session; the block with the key is not answered yet."""
        if self._early is not None:
            self._early.extend()
        super().accept_key()

    def release(self) -> None:
        """Send what was held back, and all that comes from now on at once."""
        with self.lock:
            self._release()

    def _note_answer(self) -> None:
        assert self.lock.locked()
        if self._early is None or not self.allowed:
            return
        if self.challenge:  # the log-in comes next
            self._early.extend()
        else:
            self._release()

    def _hold_back(self, batch: Batch, early: EarlyBatches) -> None:
        """Keep *batch*, unless it answers the client: then the answer comes first."""
        assert self.lock.locked()
        number = self.number
        if self._viewer.view.silent:
            return
        if number not in batch.owners:
            if not early.keep(batch):
                self._release()
            return
        answers = [item for item in batch.items if item.owner == number]
        others = [item for item in batch.items if item.owner != number]
        self._pass(batch.part_of(answers))
        self._release()
        if others:
            self._pass(batch.part_of(others))

    def _release(self) -> None:
        assert self.lock.locked()
        self.touch()
        early, self._early = self._early, None
        self._choose_way()
        try:
            for batch in early.batches if early is not None else ():
                self._pass(batch)
        except Exception as error:  # noqa: BLE001 - whoever it is has others to send to
            self.drop(error)

    def _pass(self, batch: Batch) -> None:
        """Send what of *batch* the client may see; tell the WaitEvent it waits in, if any."""
        track = self.track
        if track is None:
            data = self._viewer.encode(batch, self.output)
        else:
            data = track.encode(batch, self._viewer, self.output)
            if track.is_over:
                self.set_track(None)
        if data:
            self.transport.send(data)
            if self.waiting_for_event is not None and self._viewer.hears_event(batch):
                self.waiting_for_event.told = True

    # -- the end --------------------------------------------------------------------------------

    def _tell(self, message: Message) -> None:
        assert self.lock.locked()
        try:
            self.transport.send(written(self.output, message))
        except HandlerError as error:
            self._fail(error)

    def drop(self, error: Exception) -> None:
        """Drop the client for *error*, which was raised while messages were made for it."""
        if isinstance(error, HandlerError):
            self._fail(error)
        elif isinstance(error, FilterTimeError):
            self.transport.abort(error)  # its own thread logs it
        else:
            self._lose(error)

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

    def drain(self, heard: float) -> None:
        """Have the client's thread go on, if it waits for input of a client not heard for long."""
        if self.transport.heard <= heard:
            self.transport.shut_read()

    def farewell(self, message: Message, reason: str, *, wake: bool = True) -> None:
        """Send *message* behind all that is for the client, and nothing after it; end the session.

        *wake*: the client's thread, which does not call this itself, is to leave.
        """
        with self.lock:
            self._release()
            self._tell(message)
            self.transport.end_for(PeerGone(reason), wake=wake)

    def end(self, reason: str) -> None:
        """End the session: the client's thread wakes up and leaves.

        What the client was sent before still reaches it, if it reads it soon.
        """
        self.transport.finish(reason)
