# SPDX-License-Identifier: GPL-2.0-or-later
"""Collector: a client session without a connection of its own.

A web request is one action: its answer is gathered here, whole and with nothing of
anyone else, and the web thread takes it.  A web session (AJAM) also gathers the
events its user may see, until a request fetches them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple, Protocol

from amiproxy.basics.bounded import Recent
from amiproxy.basics.deadline import Deadline
from amiproxy.message import Message
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions import pendinganswer
from amiproxy.threads.sessions.filtertime import FilterTimeError
from amiproxy.threads.sessions.pendinganswer import LOOK_INTERVAL, PendingAnswer
from amiproxy.threads.sessions.session import ClientSession
from amiproxy.wire.batch import BatchKind
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.formats import Format
    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.wire.batch import Batch

log = logging.getLogger("amiproxy.session")

#: Events a web session keeps until they are fetched; the oldest go first.
MAX_EVENTS = 10000
MAX_EVENT_BYTES = 4 * 1024 * 1024


class Kept(NamedTuple):
    """An event that waits to be fetched."""

    message: Message
    is_notice: bool  #: the proxy's own word about a server, which no filter hides


class EventBuffer:
    """The last events that a web session may see, at most *most*, until they are fetched."""

    def __init__(self, lock: threading.Lock, most: int = MAX_EVENTS) -> None:
        self._lock = lock
        # A condition on *lock*, the session's, which guards everything here; wakes the
        # thread that waits for an event.
        self._come = threading.Condition(lock)
        self._events: Recent[Kept] = Recent(
            most, MAX_EVENT_BYTES, lambda each: len(each.message.raw)
        )
        self._abandoned = False

    def put(self, message: Message, *, is_notice: bool = False) -> None:
        """Add an event.  The caller holds the session's lock."""
        assert self._lock.locked()
        self._events.append(Kept(message, is_notice))
        self._come.notify_all()

    def clear(self) -> None:
        """Let go of all that is kept.  The caller holds the session's lock."""
        assert self._lock.locked()
        self._events.take()

    def abandon(self) -> None:
        """Make whoever waits go on: the session is over.  The caller holds its lock."""
        assert self._lock.locked()
        self._abandoned = True
        self._come.notify_all()

    def fetch(self, seconds: float, gone: Callable[[], bool] = bool) -> list[Kept]:
        """Take the events that have come; wait up to *seconds* for the first.

        The wait ends when the client is *gone*.
        """
        deadline = Deadline(seconds)
        with self._come:
            while not self._come.wait_for(
                lambda: self._events or self._abandoned, min(deadline.left(), LOOK_INTERVAL)
            ):
                if deadline.over or gone():
                    break
            return self._events.take()


class Connection(Protocol):
    """What a request came over."""

    @property
    def end_reason(self) -> object | None:
        """Why it is over, None while it is not."""


class Collector(ClientSession):
    """A session whose messages are kept: one answer at a time, and events if wanted.

    *connection* is that of its request.
    """

    is_web = True
    answers_in_order = False
    input_name = "http"
    #: The events, where they are kept.
    events: EventBuffer | None = None

    def __init__(
        self,
        peer: str,
        address: str,
        *,
        guarded: bool,
        output: Format,
        filter_local: str,
        keep_events: bool = False,
        connection: Connection | None = None,
    ) -> None:
        super().__init__(
            peer,
            address,
            mode=AutoFilter.UNIQUE,
            guarded=guarded,
            output=output,
            filter_local=filter_local,
        )
        #: None for a web session, which outlives the connection that it began on.
        self.connection = connection
        self.events = EventBuffer(self.lock) if keep_events else None
        # Who waits for nothing but an answer need not be looked at for each batch.
        self.hears = keep_events
        self._first = self._viewer  # any change of what it may see makes another one
        # Set under the lock, like _ended.
        self._pending = PendingAnswer(self.lock)
        self._ended = False

    # -- the web thread ------------------------------------------------------------------

    def begin_again(self, output: Format) -> bool:
        """Become the session of another request, answered in *output*; return whether it may.

        Not where the one before has left anything: a log-in, a mask or filters, a challenge, or
        an answer that has not come whole.  It is not registered meanwhile.
        """
        if (
            self._viewer is not self._first
            or self.challenge
            or self._ended
            or not self._pending.complete
        ):
            return False
        self.began, self.last_id, self.actions = time.monotonic(), None, 0
        if output is not self.output:
            with self.lock:
                self.output = output
        return True

    def expect(self, until_event: str = "") -> PendingAnswer:
        """Return the answer to the action that is carried out next; one at a time.

        Where *until_event* is given the answer ends with the event of that name; the session must
        be one that ``hears``.
        """
        assert self.hears or not until_event
        with self.lock:
            self._pending = PendingAnswer(self.lock, until_event.lower())
            if self._ended:
                self._pending.end()
            return self._pending

    def fetch_events(self, seconds: float, gone: Callable[[], bool] = bool) -> list[Message]:
        """Take the events that were kept; wait up to *seconds* for the first.

        Rights are those at delivery: an event that mask or filters have come to hide since it
        was kept is not among them.
        """
        assert self.events is not None
        deadline = Deadline(seconds)
        while kept := self.events.fetch(deadline.left(), gone):
            found = [each.message for each in kept if self._may_see(each)]
            if found:
                return found
        return []

    def _renew(self) -> None:
        """As any session; and what is kept of servers that the user does not see is let go."""
        before = self._viewer.view.servers
        super()._renew()
        seen = self._viewer.view.servers
        if self.events is not None and seen and seen != before:
            self.events.clear()

    def _may_see(self, kept: Kept) -> bool:
        view = self._viewer.view
        if kept.is_notice:
            return view.hears_notices
        return not view.silent and view.sees_event(kept.message)

    # -- any thread ----------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether the session is over.

        The proxy stops, the client has logged off, or its connection has ended.
        """
        connection = self.connection
        return self._ended or (connection is not None and connection.end_reason is not None)

    def sending(self, request_id: str | None, action_id: str | None = None) -> None:
        """Wait for the answer to *request_id* from now on."""
        with self.lock:
            self._pending.request_id = request_id
            if action_id is not None:
                self.last_id = action_id  # for ListSessions

    def deliver(self, batch: Batch) -> None:
        """Take the answer to the action under way, and the events if they are kept."""
        if not self.hears and self.number not in batch.owners:
            return
        with self.lock:
            try:
                self._take(batch)
            except FilterTimeError as error:
                self._lose()
                log.warning("%s: %s", self.peer, error)
            except Exception:
                self._lose()
                with contextlib.suppress(MemoryError):
                    log.exception("%s: bug in the proxy", self.peer)

    def take_answers(self, answers: Sequence[PlainAnswer]) -> bool:
        """As any session.  What is its own is never withheld, but from a stranger."""
        with self.lock:
            pending = self._pending
            if self._viewer.view.silent:
                return False
            try:
                for answer in answers:
                    if answer.action.wire_id == pending.request_id:
                        pending.take(Message(answer.raw), final=True)
            except MemoryError:
                self._lose()
            return True

    def _take(self, batch: Batch) -> None:
        assert self.lock.locked()
        pending = self._pending
        asked = pending.request_id
        for item in self._viewer.chosen(batch):
            message = item.message
            if item.owner == BROADCAST:
                if self.events is not None:
                    self.events.put(message, is_notice=batch.kind is BatchKind.NOTICE)
                    self._as_is += 1
                # The event asked for need not carry the ActionID (Hangup), but the
                # OriginateResponse to another action is not the one.
                is_ours = asked and item.request_id in (None, asked)
                if pending.until and is_ours and pending.is_awaited(message):
                    pending.take(message, final=True)
            elif item.request_id is not None and item.request_id == asked:
                pending.take(message, final=item.final)

    def complete(self, request_id: str) -> None:
        """Note that the answer to *request_id* is complete: what was asked later is answered."""
        with self.lock:
            if self._pending.request_id == request_id:
                self._pending.finish()

    def _tell(self, message: Message) -> None:
        """Take the proxy's own answer; it is complete.  The caller holds the lock."""
        assert self.lock.locked()
        self._pending.until = ""
        self._pending.take(message, final=True)

    def answer(self, messages: Iterable[Message]) -> None:
        """Take *messages*, the whole of the proxy's own answer, or that it is too long."""
        kept: list[Message] = []
        left = pendinganswer.MAX_ANSWER_BYTES
        for each in messages:
            kept.append(each)
            left -= len(each.raw)
            if left < 0:
                break
        with self.lock:
            self._pending.until = ""
            for each in kept:
                self._pending.take(each, final=each is kept[-1])

    def drain(self, heard: float) -> None:
        """Make whoever waits for an event go on; who waits for an answer still gets it."""
        del heard
        if self.events is not None:
            with self.lock:
                self.events.abandon()

    def end(self, reason: str) -> None:
        """Make whoever waits for an answer or an event go on: the session is over."""
        del reason
        with self.lock:
            self._lose()

    def _lose(self) -> None:
        assert self.lock.locked()
        self._ended = True
        self._pending.end()
        if self.events is not None:
            self.events.abandon()
