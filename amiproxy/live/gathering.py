# SPDX-License-Identifier: GPL-2.0-or-later
"""Gathering: the answers to the actions of one live client, as far as they have come.

Many may be under way.  Whoever calls holds the session's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from amiproxy.live import documents
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.live.documents import Id
    from amiproxy.message import Message

#: Bytes of all answers under way: one that never ends must not fill the memory.
MOST_BYTES = 64 * 1024 * 1024


class Answer:
    """The answer to one action; *id* is what the client called it."""

    __slots__ = ("has_own", "id", "is_too_long", "last", "parts", "request_id", "server", "size")

    def __init__(self, id_: Id) -> None:
        self.id = id_
        #: What the action was sent with, once it was.
        self.request_id: str | None = None
        self.parts: list[bytes] = []
        self.server = ""
        self.last: Message | None = None
        self.size = 0
        self.is_too_long = False
        #: Whether the proxy has answered it at once.
        self.has_own = False

    def told(self) -> tuple[str, bytes]:
        """Return the kind of document that it is, and the document."""
        last = self.last
        problem = _problem(last, is_too_long=self.is_too_long)
        if problem is not None:
            return "error", documents.error(self.id, problem)
        is_list = last is not None and ends_list(last)
        return "answer", documents.answer(self.id, self.server or None, self.parts, is_list=is_list)


class Gathering:
    """The answers that are under way; *write* writes a message as JSON."""

    def __init__(self, write: Callable[[Message], bytes]) -> None:
        self._write = write
        self._by_request: dict[str, Answer] = {}
        #: That of the action that is carried out just now.
        self.current: Answer | None = None
        self._size = 0

    def __len__(self) -> int:
        return len(self._by_request)

    def sending(self, request_id: str) -> None:
        """Note that the action of now is sent with *request_id*."""
        if self.current is not None:
            self.current.request_id = request_id
            self._by_request[request_id] = self.current

    def take(self, request_id: str | None, message: Message, *, final: bool) -> Answer | None:
        """Take a *message*; return the answer if it is whole now."""
        answer = self._by_request.get(request_id or "")
        if answer is None:
            return None
        self.add(answer, message)
        return self.end(answer) if final else None

    def add(self, answer: Answer, message: Message) -> None:
        """Add *message* to *answer*."""
        answer.last = message
        if answer.is_too_long:
            return
        part = self._write(message).rstrip(b"\n")
        if not answer.parts:
            answer.server = documents.server_of(message)
        answer.parts.append(part)
        answer.size += len(part)
        self._size += len(part)
        if self._size > MOST_BYTES:
            self._size -= answer.size
            answer.is_too_long, answer.parts, answer.size = True, [], 0

    def whole(self, request_id: str) -> Answer | None:
        """Return the answer to *request_id*, to which nothing will come; None: it is over."""
        answer = self._by_request.get(request_id)
        return None if answer is None else self.end(answer)

    def end(self, answer: Answer) -> Answer:
        """Return *answer*, which is over."""
        self._size -= answer.size
        if answer.request_id is not None:
            self._by_request.pop(answer.request_id, None)
        return answer


def ends_list(message: Message) -> bool:
    """Return whether *message* is the event behind the last item of a list."""
    values = message.values
    if "eventlist" in values:
        return values["eventlist"].lower() in ("complete", "cancelled")
    return values.get("event", "").lower().endswith("complete")


#: What the proxy says in its own words, and what kind of problem that is.
_TROUBLES = (
    ("Action Filtered", "not-permitted"),
    ("No Asterisk server connected", "server-lost"),
    (" is not connected", "server-lost"),
    (" is paused", "server-lost"),
    (" did not answer in time", "no-answer"),
    (" is not known", "unknown-server"),
    (" is not open to this user", "unknown-server"),
)


def _problem(last: Message | None, *, is_too_long: bool) -> Problem | None:
    """Return what is wrong where an action has no answer but an error of the proxy."""
    if is_too_long:
        return Problem("too-large", f"The answers under way have more than {MOST_BYTES} bytes")
    if last is None:
        told = "Asterisk did not answer it: whether it was carried out is unknown"
        return Problem("no-answer", told, carried_out="unknown")
    said = last.get("Response") or last.get("ProxyResponse")
    if not last.own or said.lower() != "error":
        return None
    text = last.get("Message")
    kind = next((kind for words, kind in _TROUBLES if words in text), "bad-request")
    more: dict[str, Any] = {}
    if last.has("CarriedOut"):
        more["carried_out"] = "unknown" if last.get("CarriedOut") == "perhaps" else "no"
    return Problem(kind, text, **more)
