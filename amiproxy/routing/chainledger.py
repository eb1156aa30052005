# SPDX-License-Identifier: GPL-2.0-or-later
"""ChainLedger: the actions under way on a connection to another proxy.

There one answer does not come after the other: the proxy answers for several Asterisks, and for
itself.  What is in order is what one Asterisk answers to actions for it, each with its whole
list in one piece.  So each server behind the proxy has its own open list, and an answer
ends what was asked before it of the same server only.

What the other proxy itself says bears no ``Server:``.  Of that clients get the errors that
answer them, with the name of the proxy; its ``ProxyResponse`` answers this proxy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable

from amiproxy.routing.actionids import KEY_LENGTH
from amiproxy.routing.ledger import Ledger
from amiproxy.routing.pending import own_action
from amiproxy.wire.routed import BROADCAST, Routed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction
    from amiproxy.routing.plainanswers import PlainAnswer

#: How what one proxy says to another, or to all its clients, begins.
_PROXYS_OWN = (b"ProxyResponse:", b"ProxyMessage:")

#: An error that says already where it has come from.
_SAYS_WHERE = re.compile(r".* \(at [^()]+\)", re.DOTALL)


#: How many actions that were not answered in time keep their place among the answers.
MOST_REFUSED = 1024


class ChainLedger(Ledger):
    """The actions under way on a connection to the proxy *name*.

    *note* is told each ``ProxyResponse``.
    """

    in_order = False

    def __init__(self, ids: ActionIds, name: str, note: Callable[[Message], object]) -> None:
        self._open: dict[str, PendingAction] = {}
        #: From which server behind the proxy the next messages are, "" for none.  Only the
        #: server's thread sets it.
        self.source = ""
        self._name = name
        self._note = note
        self._moved: set[str] = set()
        self._progress_of: dict[str, float] = {}
        self._toward = ""  # which server a Ping is for
        self._in_order = True  # what is classified comes behind what was asked before of the server
        super().__init__(ids, name)

    @property
    def open_list(self) -> PendingAction | None:
        """Whose list is arriving from ``source``."""
        return self._open.get(self.source)

    @open_list.setter
    def open_list(self, action: PendingAction | None) -> None:
        if action is None:
            self._open.pop(self.source, None)
        else:
            self._open[self.source] = action

    # -- what is not answered in time ------------------------------------------------------------

    def note_time(self, now: float) -> None:
        """As any ledger, for each server by itself."""
        super().note_time(now)
        for target in self._moved:
            self._progress_of[target] = now
        self._moved.clear()

    def _note_progress(self, action: PendingAction) -> None:
        super()._note_progress(action)
        self._moved.add(action.target)

    def _progress_for(self, action: PendingAction) -> float:
        return self._progress_of.get(action.target, 0.0)

    def _unanswered(self) -> Iterator[PendingAction]:
        yield from list(self._open.values())
        yield from list(self._queue.values())

    def _refuse(self, action: PendingAction) -> None:
        """As any ledger; it leaves its room to actions for other servers."""
        super()._refuse(action)
        if action.key in self._queue:
            self.in_flight -= action.size
            action.size = 0
        refused = [each for each in self._queue.values() if each.refused]
        for oldest in refused[:-MOST_REFUSED]:
            self._drop(oldest)

    def enter(self, action: PendingAction) -> bytes:
        """As any ledger."""
        self._toward = action.target
        return super().enter(action)

    def _ping(self) -> bytes:
        """Return a Ping for the server that the action before it is for."""
        target = self._toward
        ping = own_action(self._ids, "Ping", *([f"Server: {target}"] if target else []))
        ping.target = target
        return self.enter(ping)

    def ask_behind(self) -> bytes:
        """As any ledger; only what the same server was asked later tells anything."""
        action, self._endless = self._endless, None
        if action is None:
            return b""
        self._toward = action.target
        same = [each for each in self._queue.values() if each.target == action.target]
        is_last = not same if action.key not in self._queue else same[-1] is action
        return self._ping() if is_last else b""

    def abandon(self) -> None:
        """As any ledger."""
        for action in self._open.values():
            self._end(action)
        self._open.clear()
        super().abandon()

    def expired(self, now: float) -> list[Routed]:
        """As any ledger."""
        self.source = ""
        return super().expired(now)

    def take_plain(self, wire: bytes, now: float) -> list[PlainAnswer]:
        """Return nothing: answers come in any order, and from several servers."""
        del wire, now
        return []

    def classify(self, message: Message) -> Routed | None:
        """As any ledger; *message* is from ``source``."""
        if message.raw.startswith(_PROXYS_OWN):
            if not self.source and message.raw.startswith(_PROXYS_OWN[0]):
                self._note(message)
            return None
        # What bears no Server is from the proxy itself, or it does not say which server it is from.
        by_proxy = not self.source and message.get("Response").lower() == "error"
        self._in_order = not by_proxy
        found = super().classify(message)
        if found is None or not by_proxy or found.owner <= BROADCAST:
            return found
        return self._saying_where(found)

    def _saying_where(self, error: Routed) -> Routed:
        """Return *error*, which a proxy has made, with the name of the proxy where it arose."""
        text = error.message.get("Message")
        if _SAYS_WHERE.fullmatch(text):
            return error
        return Routed(
            error.message.setting("Message", f"{text} (at {self._name})".lstrip()),
            owner=error.owner,
            action_id=error.action_id,
            request_id=error.request_id,
            final=error.final,
            private=error.private,
        )

    def _oldest(self) -> PendingAction | None:
        """Return the oldest action without a Response that the source of a message may answer."""
        may_be = (self.source, "")
        return next((each for each in self._queue.values() if each.target in may_be), None)

    def _take(self, wire_id: str) -> PendingAction | None:
        """As any ledger."""
        key = wire_id[: wire_id.find("-") + KEY_LENGTH]
        open_list = self.open_list
        if open_list is not None and open_list.key == key:
            self.open_list = None
            return open_list
        action = self._queue.get(key)
        if action is None:
            return None
        if self._in_order:
            if open_list is not None:
                self.open_list = None
                self._end(open_list)
            for older in list(self._queue.values()):
                if older is action:
                    break
                if older.target == action.target:
                    self._drop(older)
                    self._end(older)
        self._drop(action)
        return action

    def _drop(self, action: PendingAction) -> None:
        """Take *action* out of the queue."""
        del self._queue[action.key]
        self.in_flight -= action.size

    def _originate_answer(self, action: PendingAction, *, done: bool) -> Routed:
        """As any ledger, in the name of the server behind the proxy."""
        self.host = self.source or action.target
        return super()._originate_answer(action, done=done)
