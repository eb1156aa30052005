# SPDX-License-Identifier: GPL-2.0-or-later
"""Ledger: which client an answer of Asterisk belongs to.

The invariant: what Asterisk says is an answer if, and only if, it bears the unguessable
ActionID of an action that is under way on this connection, or stands without any where
that action alone can have brought it about, and then it is for the session that asked.

Every action goes upstream with such an ActionID (spec 12.25), so a Response without one,
or with any other, is nobody's: values are never escaped and can forge a message (recording
b10).  Two things come without an ActionID and are told by their place, since Asterisk
answers one connection in order, each answer with its whole list in one piece
(asterisk.md): items of a list that has begun (``PeerEntry``), and text that is no message
(IAXnetstats).

Where nothing in an answer tells its end, a Ping of the proxy's own does, which goes up behind
the action: what is asked later is answered later.  Actions that are known to be answered
without a Response have it from the start, and one before them, which ends what nothing else
does; others as soon as their answers look so, unless somebody has asked behind them anyway.

An action that went upstream is in one of these states:

==========  ==========================  ==============================================
state       kept in                     what ends it
==========  ==========================  ==============================================
queued      ``_queue``                  a Response with its ActionID; one to an action
                                        that went later: this one is not answered by any
open list   ``open_list``               the last event of the list; the next Response
                                        to an action under way
held        ``_held``                   its OriginateResponse; its deadline
==========  ==========================  ==============================================

A Response that announces a list makes a queued action the open list.  A Response that
accepts an Originate which the proxy has made asynchronous makes it held: its client has
had no answer yet and gets one from the OriginateResponse.  Whatever ends a state otherwise
ends the action.  A lost connection ends all of them.  ``take_over`` returns what has ended.

What is not answered in time is refused: it has ended for who asked, and stays in its state, so
that what comes of it after all is told from the answers to others, by its place too, and dropped.

An event that bears an ActionID and is no answer is for everybody, with the ActionID that
its sender gave (spec 12.20, 12.24).

A ledger belongs to one server session.  It has no lock of its own: every caller
holds the session's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.actionids import KEY_LENGTH
from amiproxy.routing.answers import (
    FOR_ALL,
    answer_to_originate,
    ends_list,
    given_back,
    part,
    restored,
    says_its_end,
    starts_list,
)
from amiproxy.routing.plainanswers import PlainAnswer, plain_answers
from amiproxy.routing.underway import UnderWay
from amiproxy.wire.routed import BROADCAST, PROXY, UNKNOWN_CLIENT, Routed

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.routing.pending import PendingAction


class Ledger(UnderWay):
    """The actions under way on one connection, and whose each message of Asterisk is."""

    def expired(self, now: float) -> list[Routed]:
        """Answer Originates whose OriginateResponse did not come in time; ask until none is left.

        Our user may lack the class ``call``; nobody must wait for ever for what
        Asterisk has accepted.  *now* is in monotonic seconds.
        """
        return [self._originate_answer(action, done=True) for action in self._held.late(now)]

    def take_plain(self, wire: bytes, now: float) -> list[PlainAnswer]:
        """Take the actions that *wire* answers in their order, each by one whole message.

        All of it or nothing: with an empty list it is for ``classify``, message by message, and
        nothing has changed.  With a list that has done what ``classify`` and ``note_time`` would
        have, *now*, in monotonic seconds.
        """
        if self.open_list is not None:
            return []
        queue, owed = self._queue, self.owed
        found = plain_answers(wire, queue.values())
        for action, _, _ in found:
            del queue[action.key]
            self.in_flight -= action.size
            owed.remove(action.owner)
            action.told = True
        if found:
            self._progress, self.moved = now, False
        return found

    # -- what Asterisk says ---------------------------------------------------------------------

    def classify(self, message: Message) -> Routed | None:
        """Return *message* with whom it is for; None if no client may see it."""
        wire_id = message.values.get("actionid")
        if message.raw.startswith(b"Response: "):  # nearly all answers
            return self._answer(message, wire_id)
        first = message.lines[0].partition(":")[0].lower()
        if first == "event":
            return self._event(message, wire_id)
        if first == "response" or (wire_id is not None and message.has("Response")):
            # JabberSend of old Asterisk puts the ActionID first.
            return self._answer(message, wire_id)
        return self._text(message, wire_id)

    def _answer(self, message: Message, wire_id: str | None) -> Routed | None:
        """Classify a Response."""
        action = None if wire_id is None else self._take(wire_id)
        if action is None:
            return self._unasked(message, wire_id)
        if message.values.get("response", "").lower() == "success":
            if action.held_back and not action.refused:
                self._note_progress(action)
                self._held.add(action)
                return None  # answered when its OriginateResponse comes
            if starts_list(message) and (action.owner != PROXY or action.kept):
                self.open_list = action
                if not says_its_end(message):
                    self._endless = action
                return self._part(message, action)
        return self._part(message, action, final=True)

    def _take(self, wire_id: str) -> PendingAction | None:
        """Take the action that a Response belongs to out of the queue, or from its list."""
        key = wire_id[: wire_id.find("-") + KEY_LENGTH]  # if it is ours, as what is under way is
        queue, open_list = self._queue, self.open_list
        if open_list is not None and open_list.key == key:
            self.open_list = None
            return open_list
        if key not in queue:
            return None
        if open_list is not None:
            self.open_list = None
            self._end(open_list)
        while True:
            _, action = queue.popitem(last=False)
            self.in_flight -= action.size
            if action.key == key:
                return action
            # Those before it were answered without a Response, or not at all (IAXnetstats).
            self._end(action)

    def _text(self, message: Message, wire_id: str | None) -> Routed | None:
        """Classify text that is no message: it goes to whoever asked."""
        action: PendingAction | None
        if wire_id is not None:
            action = self._find(self._ids.key(wire_id))
        elif self.open_list is not None:
            action = self.open_list
        else:
            action = self._oldest()
            if action is not None and not action.textual:
                action = None
        if action is None:
            self.strays += 1
            return self._unasked(message, wire_id)
        if action.key in self._queue:
            self._endless = action
        return self._part(message, action)

    def _oldest(self) -> PendingAction | None:
        """Return the oldest action without a Response."""
        return next(iter(self._queue.values()), None)

    def _unasked(self, message: Message, wire_id: str | None) -> Routed | None:
        """Classify what is no event, and no answer to an action under way.

        Clients that see every answer see it; what claims to be an answer to an action of
        this proxy, or of another one, is for nobody.
        """
        if wire_id is not None and self._ids.is_like_ours(wire_id):
            return None
        if self._leaving and message.get("Response").lower() == "goodbye":
            return None  # to us, and some Asterisk echoes no ActionID there
        return Routed(message, owner=UNKNOWN_CLIENT, action_id=wire_id)

    def _event(self, message: Message, wire_id: str | None) -> Routed | None:
        """Classify an event."""
        if wire_id is None:
            action = self.open_list
            if action is None or message.has("Privilege"):
                # A real event, however the list before it ended.
                return Routed(message)
            return self._list_item(message, action, marked=False)
        name = message.get("Event").lower()
        key = self._ids.key(wire_id)
        if key is None:
            # Another program's.
            of_action = wire_id if name == "originateresponse" else None
            return Routed(message, action_id=wire_id, request_id=of_action)
        action = self._find(key)
        if name == "originateresponse" and action is not None and action.held_back:
            if self._held.take(key) is None:
                self._take(wire_id)
            done = message.get("Response").lower() == "success"
            answer = self._originate_answer(action, done=done)
            return self._part(message, action) if action.refused else answer
        if name in FOR_ALL or (action is None and message.has("Privilege")):
            return self._event_for_all(message, wire_id, key, action)
        # An item of a list that is over is for nobody.
        return None if action is None else self._list_item(message, action, marked=True)

    def _event_for_all(
        self, message: Message, wire_id: str, key: str, action: PendingAction | None
    ) -> Routed:
        """An event for everybody, although it bears the ActionID of an action (12.20, 12.24).

        With autofilter ``on``, only clients that sent this ActionID last see it.
        """
        given = action.given if action is not None else self._ids.given(wire_id)
        if given is None:
            given = self._long.get(key)
        is_originate = message.get("Event").lower() == "originateresponse"
        return Routed(
            restored(message, given),
            action_id=given,
            request_id=wire_id if is_originate else None,
            asker=self._ids.owner(key) if is_originate else BROADCAST,
        )

    def _list_item(self, message: Message, action: PendingAction, *, marked: bool) -> Routed | None:
        """Return an event that belongs to *action*; *marked* says that it bears its ActionID.

        What comes without one does not end a list whose items have it.
        """
        is_last = ends_list(message) and (marked or not action.marked)
        action.marked = action.marked or marked
        final = is_last and self.open_list is action
        if final:
            self.open_list = None
        elif action.key in self._queue:
            self._endless = action  # without a Response: DataGet
        return self._part(message, action, final=final)

    def _part(
        self, message: Message, action: PendingAction, *, final: bool = False
    ) -> Routed | None:
        """Return *message* as a part of the answer to *action*, which ends if it is *final*."""
        self._note_progress(action)
        if action.refused:
            self.late_answers += not action.late
            action.late = True
            return None
        if final:
            self._end(action, message)
        return part(message, action, final=final)

    def _originate_answer(self, action: PendingAction, *, done: bool) -> Routed:
        """Answer an Originate that was held back."""
        self._end(action, answer := answer_to_originate(action.given, self.host, done=done))
        return given_back(answer, action, action.given, final=True)
