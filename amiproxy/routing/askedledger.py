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


#: For how many seconds an action may wait while others are answered, beyond its own time.
OTHERS = 15.0


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

    def note_part(self, action: PendingAction, now: float) -> None:
        """A part of the answer to *action* has come at *now*, in monotonic seconds."""
        action.since = now
        self.moved = True

    def finish(self, action: PendingAction, last: Message | None) -> None:
        """Note that *action* is over; *last*, which its session gets, shows that."""
        if self._queue.pop(action.key, None) is not None:
            self.in_flight -= action.size
            self._end(action, last)

    def _progress_for(self, action: PendingAction) -> float:
        """As any ledger.  Answers to others show that the Asterisk is at work, for a time.

        This one may have been lost on its way, and there are always others.
        """
        return min(self._progress, action.since + OTHERS)

    def _refuse(self, action: PendingAction) -> None:
        """As any ledger; what comes of it later has no place to take."""
        super()._refuse(action)
        if self._queue.pop(action.key, None) is not None:
            self.in_flight -= action.size
