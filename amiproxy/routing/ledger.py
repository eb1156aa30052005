# SPDX-License-Identifier: GPL-2.0-or-later
"""Ledger: which client an answer of Asterisk belongs to.

Asterisk answers one connection in order, each answer with its whole list in one
piece (asterisk.md), so the place in the queue tells who asked even where the
answer carries no ActionID (spec 12.19).  But values are never escaped and can
forge a message (recording b10), so an ActionID that is ours beats the position.

A ledger belongs to one server session.  It has no lock of its own: the
session's lock is held by whoever calls it.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.routing.actionids import with_action_id
from amiproxy.wire.routed import PROXY, UNKNOWN_CLIENT, Routed

if TYPE_CHECKING:
    from amiproxy.routing.actionids import ActionIds

#: Originates remembered until their OriginateResponse; the oldest is forgotten.
MAX_ORIGINATES = 65536


@dataclass(eq=False)  # two clients may ask the same: each is one of its own
class Request:
    """One action that went upstream and is not answered yet."""

    owner: int
    wire_id: str | None  # the ActionID it carries upstream
    originate: bool = False
    held_back: bool = False  # made asynchronous by us (spec 12.16)
    deadline: float = 0.0  # an Originate: when to stop waiting, monotonic seconds


class Ledger:
    """The actions under way on one connection to Asterisk, oldest first."""

    def __init__(self, ids: ActionIds, host: str) -> None:
        self._ids = ids
        self._host = host
        self._queue: deque[Request] = deque()
        self._open: Request | None = None  # whose list is being told
        self._originates: OrderedDict[str, deque[Request]] = OrderedDict()
        self._remembered = 0  # requests in _originates: many may have the same ActionID
        # Of those, the ones whose clients wait for an answer, by identity, oldest first.
        self._held: dict[int, Request] = {}

    @property
    def idle(self) -> bool:
        """Whether an event that carries no ActionID is surely nobody's answer."""
        return self._open is None

    def enter(self, request: Request) -> None:
        """Note *request*, which goes upstream now."""
        self._queue.append(request)

    def is_waiting(self, owner: int) -> bool:
        """Tell whether an answer for session *owner* is still to come."""
        return any(request.owner == owner for request in self._queue) or any(
            request.owner == owner for request in self._held.values()
        )

    def patience(self, now: float) -> float:
        """Return for how many seconds Asterisk may be silent though it is alive.

        While it makes a synchronous call it serves nobody on this connection; one
        that we made asynchronous is none.
        """
        calls = (request for request in self._queue if not request.held_back)
        return max((request.deadline - now for request in calls), default=0.0)

    def abandon(self) -> list[Request]:
        """Forget everything: the connection is gone.  Return what was unanswered."""
        lost = [*self._queue, *self._held.values()]
        self._queue.clear()
        self._originates.clear()
        self._held.clear()
        self._remembered = 0
        self._open = None
        return lost

    def expired(self, now: float) -> list[Routed]:
        """Answer the Originates whose OriginateResponse did not come in time.

        Our user may lack the class ``call``: nobody must wait for ever for what
        Asterisk has accepted.  *now* is in monotonic seconds.
        """
        late = [request for request in self._held.values() if request.deadline <= now]
        for request in late:
            assert request.wire_id is not None
            self._originates[request.wire_id].remove(request)
            if not self._originates[request.wire_id]:
                del self._originates[request.wire_id]
            del self._held[id(request)]
        self._remembered -= len(late)
        return [self._originate_answer(request, done=True) for request in late]

    @property
    def holds_back(self) -> bool:
        """Whether an Originate waits for its OriginateResponse."""
        return bool(self._held)

    def classify(self, message: Message) -> Routed | None:
        """Tell whom *message* is for; None where no client may see it."""
        wire_id = message.values.get("actionid")
        first = message.lines[0].partition(":")[0].lower()
        if first == "response":
            return self._answer(message, wire_id)
        if first == "event" and wire_id is not None:
            return self._event_with_id(message, wire_id)
        request = self._open
        if first != "event":
            # Text that is no message (IAXnetstats): for whom it was asked by.
            request = request or (self._queue[0] if self._queue else None)
        elif message.has("Privilege"):
            # A real event, however the list before it ended.
            request = None
        if request is None:
            return Routed(message, wire_id=wire_id)
        return self._list_item(message, request, wire_id)

    def _answer(self, message: Message, wire_id: str | None) -> Routed | None:
        self._open = None
        request = self._take(wire_id)
        if request is None:
            if wire_id is None:
                return Routed(message)
            owner = self._ids.owner(wire_id) or UNKNOWN_CLIENT
            return Routed(message, owner=owner, wire_id=wire_id, request_id=wire_id, final=True)
        if request.owner == PROXY:
            return None
        if message.get("Response").lower() == "success":  # a line without a colon has no value
            if request.originate:
                self._remember_originate(request)
                if request.held_back:
                    return None  # answered when its OriginateResponse comes
            if _starts_list(message):
                self._queue.appendleft(request)
                self._open = request
                return _for(request, message, wire_id)
        item = _for(request, message, wire_id, final=True)
        return self._unasked_id(item) if request.held_back else item

    def _take(self, wire_id: str | None) -> Request | None:
        """Take the request an answer belongs to out of the queue."""
        queue = self._queue
        if wire_id is None:
            # A list whose end never came stands first and was answered.
            return queue.popleft() if queue else None
        if queue and queue[0].wire_id == wire_id:
            return queue.popleft()
        for index, request in enumerate(queue):
            if request.wire_id == wire_id:
                # Those before it were never answered (IAXnetstats) and will not be.
                for _ in range(index + 1):
                    queue.popleft()
                return request
        return None

    def _event_with_id(self, message: Message, wire_id: str) -> Routed | None:
        name = message.get("Event").lower()
        owner = self._ids.owner(wire_id)
        if name == "userevent":
            # An event for all, although Asterisk puts the sender's ActionID in (12.20).
            if owner:
                message = self._ids.restore(message, wire_id)
            # Of those with autofilter `on`, its sender sees it: it bears his ActionID.
            return Routed(message, wire_id=wire_id)
        if name == "originateresponse":
            request = self._take_originate(wire_id)
            if request is not None:
                if request.held_back:
                    done = message.get("Response").lower() == "success"
                    return self._originate_answer(request, done=done)
                return _for(request, message, wire_id)
        request = self._open
        if request is not None and request.wire_id == wire_id:
            return self._list_item(message, request, wire_id)
        owner = owner or UNKNOWN_CLIENT
        return Routed(message, owner=owner, wire_id=wire_id, request_id=wire_id)

    def _list_item(self, message: Message, request: Request, wire_id: str | None) -> Routed:
        final = self._open is request and _ends_list(message)
        if final:
            self._open = None
            if self._queue and self._queue[0] is request:
                self._queue.popleft()
        return _for(request, message, wire_id, final=final)

    def _remember_originate(self, request: Request) -> None:
        if request.wire_id is None:
            return
        self._originates.setdefault(request.wire_id, deque()).append(request)
        self._remembered += 1
        if request.held_back:
            self._held[id(request)] = request
        if self._remembered > MAX_ORIGINATES:
            self._take_originate(next(iter(self._originates)))

    def _take_originate(self, wire_id: str) -> Request | None:
        waiting = self._originates.get(wire_id)
        if not waiting:
            return None
        request = waiting.popleft()
        self._remembered -= 1
        self._held.pop(id(request), None)
        if not waiting:
            del self._originates[wire_id]
        return request

    def _originate_answer(self, request: Request, *, done: bool) -> Routed:
        """Answer a synchronous Originate as Asterisk would have (recordings c1, c3)."""
        lines = [
            "Response: Success" if done else "Response: Error",
            f"ActionID: {request.wire_id}",
            "Message: Originate successfully queued" if done else "Message: Originate failed",
            f"Server: {self._host}",
        ]
        return self._unasked_id(_for(request, Message.of(*lines), request.wire_id, final=True))

    def _unasked_id(self, item: Routed) -> Routed:
        """Return *item* without its ActionID where the client gave none.

        In any mode a held-back Originate gets one from us.  Nobody is to see it, and
        autofilter ``on`` looks for what the client gave.
        """
        if item.wire_id is None or self._ids.client_id(item.wire_id) is not None:
            return item
        return Routed(
            with_action_id(item.message, None),
            owner=item.owner,
            request_id=item.request_id,
            final=item.final,
        )


def _for(request: Request, message: Message, wire_id: str | None, *, final: bool = False) -> Routed:
    """Return *message*, which carries *wire_id*, for the client that made *request*."""
    return Routed(
        message, owner=request.owner, wire_id=wire_id, request_id=request.wire_id, final=final
    )


def _starts_list(message: Message) -> bool:
    values = message.values
    if values.get("eventlist", "").lower() == "start":
        return True
    # Asterisk before 12 has no EventList header in many of its lists.
    text = values.get("message")
    return text is not None and text.lower().rstrip(".").endswith("will follow")


def _ends_list(message: Message) -> bool:
    if message.get("EventList").lower() == "complete":
        return True
    return message.get("Event").lower().endswith("complete")
