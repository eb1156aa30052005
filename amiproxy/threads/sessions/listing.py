# SPDX-License-Identifier: GPL-2.0-or-later
"""Listing: what one Asterisk says of its actions, asked with a ListCommands of the proxy's own.

Nobody is asked before a user sends an action that no table knows.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from amiproxy.access.listedactions import NOTHING_LISTED, listed_actions
from amiproxy.routing.pending import own_action

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.routing.pending import PendingAction

log = logging.getLogger("amiproxy.asterisk")

#: Seconds before it is asked again: a module may have been loaded meanwhile.
AGAIN = 60.0


class Listing:
    """The list of one server, called *scope* in the log.

    Whoever calls its methods holds the lock of the link; ``actions`` is one reference to a
    value, which any thread may read.
    """

    def __init__(self, ids: ActionIds, scope: str) -> None:
        self._ids = ids
        self._scope = scope
        self._asked: PendingAction | None = None  # the last ListCommands
        #: Set while no answer is to come.
        self.settled = threading.Event()
        self.settled.set()
        #: Action, in lower case -> mask of classes, of which a user needs one.
        self.actions: Mapping[str, int] = NOTHING_LISTED

    def question(self, now: float) -> PendingAction | None:
        """Return the action that asks, to be sent now; None if it was asked of late.

        *now* is monotonic seconds.
        """
        asked = self._asked
        if asked is not None and now - asked.since < AGAIN:
            return None
        self._asked = asked = own_action(self._ids, "ListCommands")
        asked.since = now
        self.settled.clear()
        return asked

    def note(self, messages: Iterable[Message]) -> None:
        """Look for the answer in *messages*, if one is to come."""
        asked = self._asked
        if asked is None or self.settled.is_set():
            return
        for message in messages:
            if message.values.get("actionid") == asked.wire_id and message.get("Response"):
                found = listed_actions(message)
                if found is None:
                    log.warning("asterisk@%s: no list of its actions, or too long", self._scope)
                else:
                    log.debug("asterisk@%s: lists %d actions", self._scope, len(found))
                    self.actions = found
                self.settled.set()
                return

    def clear(self) -> None:
        """Forget everything: the connection is gone."""
        self._asked, self.actions = None, NOTHING_LISTED
        self.settled.set()
