# SPDX-License-Identifier: GPL-2.0-or-later
"""PendingAnswer: the answer to the action of a web request, as far as it has come."""

from __future__ import annotations

from _thread import allocate_lock
from typing import TYPE_CHECKING, Callable

from amiproxy import replies
from amiproxy.basics.deadline import Deadline
from amiproxy.web.answers import Answer

if TYPE_CHECKING:
    import threading

    from amiproxy.message import Message

#: Bytes of one answer.  An answer that never ends must not fill the memory.
MAX_ANSWER_BYTES = 64 * 1024 * 1024

#: How often who waits looks whether the client is gone, in seconds.
LOOK_INTERVAL = 1.0


class PendingAnswer:
    """The answer to one action, as far as it has come.

    It ends with the response, for a list with its complete event, and where *until*,
    in lower case, is given with the event of that name.  *lock*, the session's, guards
    all of it.
    """

    __slots__ = ("_gate", "complete", "is_over", "lock", "messages", "request_id", "size", "until")

    def __init__(self, lock: threading.Lock, until: str = "") -> None:
        self.lock = lock
        self.until = until
        self.request_id: str | None = None  #: what the action was sent with, once it was
        self.messages: list[Message] = []
        self.size = 0  #: bytes of the messages
        self.complete = False
        #: It is complete, or the session is over: whoever waits goes on.
        self.is_over = False
        # Opens then, once: one thread waits for it, and a lock costs less than an Event.
        self._gate = allocate_lock()
        self._gate.acquire()

    def take(self, message: Message, *, final: bool) -> None:
        """Add *message*, the last one if *final*.  The caller holds the lock.

        What comes behind the last one, before who waits has woken, does not belong to it.
        """
        assert self.lock.locked()
        if self.complete:
            return
        self.messages.append(message)
        self.size += len(message.raw)
        if self.size > MAX_ANSWER_BYTES:
            given = self.messages[0].get("ActionID")
            too_long = replies.answer(given, "Response: Error", "Message: The answer is too long")
            self.messages, self.request_id, final = [too_long], None, True
        elif self.until and message.get("Response").lower() != "error":
            final = self.is_awaited(message)
        if final:
            self.complete = True
            self.end()

    def finish(self) -> None:
        """Note that nothing more will come; an event that is awaited still may.

        The caller holds the lock.
        """
        assert self.lock.locked()
        if not self.until:
            self.complete = True
            self.end()

    def end(self) -> None:
        """Have whoever waits go on with what there is.  The caller holds the lock."""
        assert self.lock.locked()
        if not self.is_over:
            self.is_over = True
            self._gate.release()

    def is_awaited(self, message: Message) -> bool:
        """Return whether *message* is the event that ends the answer."""
        return message.get("Event").lower() == self.until

    def wait(self, seconds: float, gone: Callable[[], bool] = bool) -> Answer:
        """Wait up to *seconds* until the answer is complete; return what has come.

        What comes later is for nobody.  The wait ends when the client is *gone*.
        """
        deadline = Deadline(seconds)
        while not (self.is_over or self._gate.acquire(timeout=min(deadline.left(), LOOK_INTERVAL))):
            if deadline.over or gone():
                break
        with self.lock:
            answer = Answer(tuple(self.messages), self.complete)
            self.messages, self.size, self.request_id, self.until = [], 0, None, ""
        return answer
