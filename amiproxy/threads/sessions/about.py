# SPDX-License-Identifier: GPL-2.0-or-later
"""About: which Asterisk it is, asked with a CoreSettings of the proxy's own.

Its greeting tells the version of the manager interface only.  Nobody is asked before somebody
looks at the status.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.pending import own_action

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction

#: Characters of a version, or of a name.
_LONGEST = 60


class About:
    """What one Asterisk has said of itself.  Whoever calls its methods holds the link's lock."""

    def __init__(self, ids: ActionIds) -> None:
        self._ids = ids
        self._asked = ""  # the ActionID of the question, until its answer has come
        self._is_asked = False  # on this connection
        #: Its version, as ``22.1.0``; "" where it has not said: its user may lack the classes
        #: ``system`` and ``reporting``.  Any thread may read it.
        self.version = ""
        #: Its ``systemname`` of asterisk.conf, "" for none; as ``version``.
        self.system_name = ""

    def question(self) -> PendingAction | None:
        """Return the action that asks, to be sent now; None if it was asked on this connection."""
        if self._is_asked:
            return None
        self._is_asked = True
        action = own_action(self._ids, "CoreSettings")
        self._asked = action.wire_id
        return action

    def note(self, messages: Iterable[Message]) -> None:
        """Look for the answer in *messages*, if one is to come."""
        if not self._asked:
            return
        for message in messages:
            if message.values.get("actionid") == self._asked and message.has("Response"):
                self.version = message.get("AsteriskVersion").strip()[:_LONGEST]
                self.system_name = message.get("SystemName").strip()[:_LONGEST]
                self._asked = ""

    def clear(self) -> None:
        """Ask again: the connection is gone, and another Asterisk may come."""
        self._asked, self._is_asked = "", False
