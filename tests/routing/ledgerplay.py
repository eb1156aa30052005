# SPDX-License-Identifier: GPL-2.0-or-later
"""A ledger on its own: sessions ask, Asterisk says, the ledger classifies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.ledger import Ledger
from amiproxy.routing.pending import PendingAction

if TYPE_CHECKING:
    from amiproxy.wire.routed import Routed


class Play:
    """A ledger, and the Asterisk that says what it is to classify."""

    def __init__(self, **options: Any) -> None:
        self.ids = ActionIds()
        self.ledger = Ledger(self.ids, "pbx", **options)
        self._over: list[PendingAction] = []

    def ask(self, owner: int, given: str | None = None, **options: Any) -> str:
        """Let session *owner* send an action; return its ActionID upstream."""
        wire_id = self.ids.make(owner, given)
        self.ledger.enter(PendingAction(owner, b"Action: X\r\n\r\n", wire_id, given, **options))
        return wire_id

    def ask_for_text(self, owner: int) -> bytes:
        """As ``ask``; return what goes upstream."""
        wire_id = self.ids.make(owner, None)
        action = PendingAction(owner, b"Action: IAXnetstats\r\n\r\n", wire_id, textual=True)
        return self.ledger.enter(action)

    @property
    def over(self) -> list[int]:
        """The owners of the actions that have ended."""
        self._over += self.ledger.take_over()
        return [action.owner for action in self._over]

    @property
    def untold(self) -> list[str]:
        """The ActionIDs upstream of the actions whose end no message has shown."""
        assert self.over is not None
        return [action.wire_id for action in self._over if not action.told]

    def hear(self, *lines: str) -> Routed | None:
        """Return what the ledger makes of a message."""
        return self.ledger.classify(Message.of(*lines))

    def heard(self, *lines: str) -> Routed:
        """As ``hear``, of a message that some client may see."""
        found = self.hear(*lines)
        assert found is not None
        return found

    def accept(self, wire_id: str) -> Routed | None:
        """Let Asterisk accept an Originate that is asynchronous there."""
        text = "Message: Originate successfully queued"
        return self.hear("Response: Success", f"ActionID: {wire_id}", text)

    def start(self, wire_id: str) -> Routed:
        """Let a list begin."""
        return self.heard("Response: Success", f"ActionID: {wire_id}", "EventList: start")
