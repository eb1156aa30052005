# SPDX-License-Identifier: GPL-2.0-or-later
"""AskedLedger: the actions that another proxy of the cluster passes on to their Asterisk.

That proxy finds out whose each answer is, and when an action is over; it says so (``finish``).
Here is only kept who has asked what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.ledger import Ledger

if TYPE_CHECKING:
    from amiproxy.message import Message
    from amiproxy.routing.pending import PendingAction


class AskedLedger(Ledger):
    """The actions on their way to an Asterisk that another proxy is connected to."""

    in_order = False

    def enter(self, action: PendingAction) -> bytes:
        """As any ledger; nothing is asked behind it: that proxy does so."""
        textual, action.textual = action.textual, False
        raw = super().enter(action)
        action.textual = textual
        return raw

    def asked(self, wire_id: str) -> PendingAction | None:
        """Return the action that has gone with the ActionID *wire_id*, None if it is over."""
        return self._find(self._ids.key(wire_id))

    def note_part(self) -> None:
        """A part of an answer has come."""
        self.moved = True

    def finish(self, action: PendingAction, last: Message | None) -> None:
        """Note that *action* is over; *last*, which its session gets, shows that."""
        if self._queue.pop(action.key, None) is not None:
            self.in_flight -= action.size
            self._end(action, last)

    def _refuse(self, action: PendingAction) -> None:
        """As any ledger; what comes of it later has no place to take."""
        super()._refuse(action)
        if self._queue.pop(action.key, None) is not None:
            self.in_flight -= action.size
