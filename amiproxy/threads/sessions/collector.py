# SPDX-License-Identifier: GPL-2.0-or-later
"""Collector: a client session without a connection of its own.

A web request is one question: its answer is gathered here, whole and with
nothing of anyone else, and the web thread takes it.  A web session (AJAM) also
gathers the events its user may see, until somebody fetches them.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions.session import ClientSession
from amiproxy.wire.routed import BROADCAST

if TYPE_CHECKING:
    from amiproxy.formats import Format
    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.wire.batch import Batch

#: Events a web session keeps for who fetches them; the oldest go first.
MAX_EVENTS = 10000


@dataclass(frozen=True)
class Answer:
    """What came back for one question.

    *complete* is false where time ran out; *own* where the proxy itself answered
    and nothing went to Asterisk.
    """

    messages: tuple[Message, ...]
    complete: bool
    own: bool


class Collector(ClientSession):
    """A session that gathers what it is told."""

    is_web = True

    def __init__(
        self,
        peer: str,
        address: str,
        ids: ActionIds,
        *,
        guarded: bool,
        output: Format,
        filter_local: str,
        keep_events: bool = False,
    ) -> None:
        super().__init__(
            peer,
            address,
            ids,
            mode=AutoFilter.UNIQUE,
            guarded=guarded,
            input_name="http",
            output=output,
            filter_local=filter_local,
        )
        self.keep_events = keep_events
        self.ended = False
        # Wakes the thread that asks; uses the session's lock, which guards the
        # fields below as well.
        self._told = threading.Condition(self.lock)
        self._asked: str | None = None
        self._gathered: list[Message] = []
        self._final = False
        self._own = False
        self._until = ""
        self._events: deque[Message] = deque(maxlen=MAX_EVENTS)

    # -- the web thread ------------------------------------------------------------------

    def ask(
        self, perform: Callable[[], None], *, until_event: str = "", timeout: float = 30.0
    ) -> Answer:
        """Call *perform*, which hands an action to the dispatcher; wait for its answer.

        The answer ends with the response, for a list with its complete event,
        and where *until_event* is given with the event of that name.  *timeout*
        is in seconds.  One question at a time.
        """
        with self._told:
            self._asked, self._gathered = None, []
            self._final = self._own = False
            self._until = until_event.lower()
        # Not under the lock: performing takes it, and a server's.
        perform()
        deadline = time.monotonic() + timeout
        with self._told:
            while not self._final and not self.ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._told.wait(left)
            answer = Answer(tuple(self._gathered), self._final, self._own)
            self._asked, self._gathered, self._until = None, [], ""
        return answer

    def wait_events(self, timeout: float) -> list[Message]:
        """Return the events gathered so far; wait up to *timeout* seconds for the first."""
        deadline = time.monotonic() + timeout
        with self._told:
            while not self._events and not self.ended:
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._told.wait(left)
            events = list(self._events)
            self._events.clear()
        return events

    # -- any thread ----------------------------------------------------------------------

    def sending(self, wire_id: str | None) -> None:
        """Wait for the answer to *wire_id* from now on."""
        with self._told:
            self._asked = wire_id

    def deliver(self, batch: Batch) -> None:
        """Take the answer to the question under way, and the events if wanted."""
        if not (self.keep_events or self._until or self.number in batch.owners):
            return
        with self._told:
            for item, message in self.chosen(batch):
                if item.owner == BROADCAST:
                    if self.keep_events:
                        self._events.append(message)
                    if self._until and self._asked and self._is_awaited(message):
                        # The event asked for need not carry the ActionID (Hangup).
                        self._take(message, final=True)
                elif item.request_id is not None and item.request_id == self._asked:
                    self._take(message, final=item.final)
            self._told.notify_all()

    def _tell(self, message: Message) -> None:
        """Take the proxy's own answer; it is complete."""
        self._gathered.append(message)
        self._final = self._own = True
        self._told.notify_all()

    def set_output(self, form: Format, message: Message) -> None:
        """Switch to *form*; the answer is in it."""
        with self.lock:
            self.output = form
        self.say(message)

    def end(self, reason: str) -> None:
        """The proxy stops: whoever waits here goes on."""
        del reason
        with self._told:
            self.ended = True
            self._told.notify_all()

    def _take(self, message: Message, *, final: bool) -> None:
        self._gathered.append(message)
        if self._until and message.get("Response").lower() != "error":
            self._final = self._final or self._is_awaited(message)
        else:
            self._final = self._final or final

    def _is_awaited(self, message: Message) -> bool:
        return message.get("Event").lower() == self._until
