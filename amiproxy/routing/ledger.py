# SPDX-License-Identifier: GPL-2.0-or-later
"""Ledger: which client an answer of Asterisk belongs to.

Asterisk answers one connection in order, each answer with its whole list in one
piece (asterisk.md), so the place in the queue tells who asked even if the answer
carries no ActionID (spec 12.19).  But values are never escaped and can forge a
message (recording b10), so an ActionID that is ours beats the position.

An action that went upstream is in one of these states:

==========  ==========================  ==============================================
state       kept in                     what ends it
==========  ==========================  ==============================================
queued      ``_queue``                  a Response with its ActionID, or without one if
                                        it is the oldest; one to an action that went
                                        later: then this one is never answered
open list   ``open_list``, first of     the last event of the list; the next Response
            ``_queue``                  to anything
remembered  ``_originates``             its OriginateResponse; too many newer ones
held        ``_originates``, marked     as remembered; its deadline
            there
==========  ==========================  ==============================================

A Response that announces a list makes a queued action the open list.  A Response
that accepts an Originate makes it remembered, or held if the proxy has made it
asynchronous: then the client has had no answer yet and gets one from the
OriginateResponse.  Whatever ends a state otherwise ends the action.  A lost
connection ends all of them.

A ledger belongs to one server session.  It has no lock of its own: every caller
holds the session's lock.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.routing.actionids import with_action_id
from amiproxy.wire.routed import PROXY, UNKNOWN_CLIENT, Routed

if TYPE_CHECKING:
    from collections.abc import Collection

    from amiproxy.routing.actionids import ActionIds

#: Originates remembered until their OriginateResponse; the oldest is forgotten.
MAX_ORIGINATES = 65536


@dataclass(eq=False)  # compared by identity: two clients may ask the same
class PendingAction:
    """One action on its way to Asterisk, until it is answered."""

    owner: int  # the session that asks, or PROXY
    raw: bytes  # what goes upstream
    wire_id: str | None = None  # the ActionID in it
    originate: bool = False
    held_back: bool = False  # an Originate that the proxy has made asynchronous (spec 12.16)
    deadline: float = 0.0  # an Originate: when to stop waiting, monotonic seconds


class Ledger:
    """The actions under way on one connection to Asterisk, oldest first."""

    def __init__(self, ids: ActionIds, host: str, *, most_originates: int = MAX_ORIGINATES) -> None:
        self._ids = ids
        self._host = host
        self._queue: deque[PendingAction] = deque()
        #: Whose list is arriving.  Without one, an event that carries no ActionID is
        #: surely nobody's answer.
        self.open_list: PendingAction | None = None
        self._originates = _Originates(most_originates)
        #: Originates whose clients wait for the OriginateResponse.
        self.held: Collection[PendingAction] = self._originates.held

    def enter(self, action: PendingAction) -> None:
        """Queue *action*, which goes upstream now."""
        self._queue.append(action)

    def is_waiting(self, owner: int) -> bool:
        """Return whether an answer for session *owner* is still to come."""
        return any(action.owner == owner for action in self._queue) or any(
            action.owner == owner for action in self.held
        )

    def patience(self, now: float) -> float:
        """Return for how many seconds from *now* Asterisk may be silent though it is alive.

        While it makes a synchronous call it serves nothing else on this connection.
        Originates that were made asynchronous do not count.  *now* is in monotonic
        seconds.
        """
        calls = (action for action in self._queue if not action.held_back)
        return max((action.deadline - now for action in calls), default=0.0)

    def abandon(self) -> list[PendingAction]:
        """Forget everything: the connection is gone.  Return what was unanswered."""
        lost = [*self._queue, *self.held]
        self._queue.clear()
        self._originates.clear()
        self.open_list = None
        return lost

    def expired(self, now: float) -> list[Routed]:
        """Answer the Originates whose OriginateResponse did not come in time.

        Our user may lack the class ``call``; nobody must wait for ever for what
        Asterisk has accepted.  *now* is in monotonic seconds.
        """
        late = [action for action in self.held if action.deadline <= now]
        for action in late:
            self._originates.discard(action)
        return [self._originate_answer(action, done=True) for action in late]

    # -- what Asterisk says ---------------------------------------------------------------------

    def classify(self, message: Message) -> Routed | None:
        """Return *message* with whom it is for; None if no client may see it."""
        wire_id = message.values.get("actionid")
        first = message.lines[0].partition(":")[0].lower()
        if first == "response":
            return self._answer(message, wire_id)
        if first == "event" and wire_id is not None:
            return self._event_with_id(message, wire_id)
        action = self.open_list
        if first != "event":
            # Text that is not a message (IAXnetstats) goes to whoever asked.
            action = action or (self._queue[0] if self._queue else None)
        elif message.has("Privilege"):
            # A real event, however the list before it ended.
            action = None
        if action is None:
            return Routed(message, wire_id=wire_id)
        return self._list_item(message, action, wire_id)

    def _answer(self, message: Message, wire_id: str | None) -> Routed | None:
        """Classify a Response."""
        self.open_list = None
        action = self._take(wire_id)
        if action is None:
            return self._unexpected(message, wire_id)
        if action.owner == PROXY:
            return None
        if message.get("Response").lower() == "success":  # "" for a line without a colon
            if action.originate and action.wire_id is not None:
                self._originates.add(action)
            if action.held_back:
                return None  # answered when its OriginateResponse comes
            if _starts_list(message):
                self._queue.appendleft(action)
                self.open_list = action
        answer = Routed(
            message,
            owner=action.owner,
            wire_id=wire_id,
            request_id=action.wire_id,
            final=self.open_list is None,
        )
        return self._without_unasked_id(answer) if action.held_back else answer

    def _unexpected(self, message: Message, wire_id: str | None) -> Routed:
        """Classify a Response to nothing in the queue."""
        if wire_id is None:
            return Routed(message)
        owner = self._ids.owner(wire_id) or UNKNOWN_CLIENT
        return Routed(message, owner=owner, wire_id=wire_id, request_id=wire_id, final=True)

    def _take(self, wire_id: str | None) -> PendingAction | None:
        """Take the action that a Response belongs to out of the queue."""
        queue = self._queue
        if wire_id is None:
            # If it is a list whose end never came, it has been answered and still stands first.
            return queue.popleft() if queue else None
        if queue and queue[0].wire_id == wire_id:
            return queue.popleft()
        for index, action in enumerate(queue):
            if action.wire_id == wire_id:
                # Those before it were never answered (IAXnetstats) and will not be.
                for _ in range(index + 1):
                    queue.popleft()
                return action
        return None

    def _event_with_id(self, message: Message, wire_id: str) -> Routed:
        """Classify an event that carries an ActionID."""
        name = message.get("Event").lower()
        if name == "userevent":
            return self._user_event(message, wire_id)
        if name == "originateresponse":
            action = self._originates.take(wire_id)
            if action is not None and action.held_back:
                done = message.get("Response").lower() == "success"
                return self._originate_answer(action, done=done)
            if action is not None:
                return Routed(message, owner=action.owner, wire_id=wire_id, request_id=wire_id)
        action = self.open_list
        if action is not None and action.wire_id == wire_id:
            return self._list_item(message, action, wire_id)
        owner = self._ids.owner(wire_id) or UNKNOWN_CLIENT
        return Routed(message, owner=owner, wire_id=wire_id, request_id=wire_id)

    def _user_event(self, message: Message, wire_id: str) -> Routed:
        """An event for everybody, although Asterisk puts its sender's ActionID in (12.20).

        With autofilter ``on``, only clients that sent this ActionID last see it.
        """
        if self._ids.owner(wire_id):
            restored = with_action_id(message, self._ids.client_id(wire_id))
            restored.links = message.links  # the same channels, whatever the ActionID
            message = restored
        return Routed(message, wire_id=wire_id)

    def _list_item(self, message: Message, action: PendingAction, wire_id: str | None) -> Routed:
        final = self.open_list is action and _ends_list(message)
        if final:
            self.open_list = None
            if self._queue and self._queue[0] is action:
                self._queue.popleft()
        return Routed(
            message,
            owner=action.owner,
            wire_id=wire_id,
            request_id=action.wire_id,
            final=final,
        )

    def _originate_answer(self, action: PendingAction, *, done: bool) -> Routed:
        """Answer a synchronous Originate as Asterisk would have (recordings c1, c3)."""
        answer = Message.of(
            "Response: Success" if done else "Response: Error",
            f"ActionID: {action.wire_id}",
            "Message: Originate successfully queued" if done else "Message: Originate failed",
            f"Server: {self._host}",
        )
        return self._without_unasked_id(
            Routed(
                answer,
                owner=action.owner,
                wire_id=action.wire_id,
                request_id=action.wire_id,
                final=True,
            )
        )

    def _without_unasked_id(self, answer: Routed) -> Routed:
        """Return *answer* without its ActionID if the client gave none.

        A held-back Originate gets an ActionID from the proxy in any mode.  Nobody is to
        see it, and autofilter ``on`` compares what the client gave.
        """
        if answer.wire_id is None or self._ids.client_id(answer.wire_id) is not None:
            return answer
        return Routed(
            with_action_id(answer.message, None),
            owner=answer.owner,
            request_id=answer.request_id,
            final=answer.final,
        )


class _Originates:
    """The Originates that Asterisk has accepted, until their OriginateResponse."""

    def __init__(self, most: int) -> None:
        self._most = most
        # By ActionID, which a dialler may use for all its calls: oldest first.
        self._by_id: OrderedDict[str, deque[PendingAction]] = OrderedDict()
        self._count = 0  # of all actions in _by_id
        #: Those whose clients wait for an answer, oldest first.
        self.held: dict[PendingAction, None] = {}

    def add(self, action: PendingAction) -> None:
        """Remember *action*, which has an ActionID; one too many forgets the oldest ActionID's."""
        assert action.wire_id is not None
        self._by_id.setdefault(action.wire_id, deque()).append(action)
        self._count += 1
        if action.held_back:
            self.held[action] = None
        if self._count > self._most:
            self.take(next(iter(self._by_id)))

    def take(self, wire_id: str) -> PendingAction | None:
        """Return and forget the oldest action with *wire_id*, None if there is none."""
        waiting = self._by_id.get(wire_id)
        if waiting is None:
            return None
        action = waiting[0]
        self.discard(action)
        return action

    def discard(self, action: PendingAction) -> None:
        """Forget *action*."""
        assert action.wire_id is not None
        waiting = self._by_id[action.wire_id]
        waiting.remove(action)
        if not waiting:
            del self._by_id[action.wire_id]
        self._count -= 1
        self.held.pop(action, None)

    def clear(self) -> None:
        """Forget all of them."""
        self._by_id.clear()
        self._count = 0
        self.held.clear()


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
