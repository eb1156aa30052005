# SPDX-License-Identifier: GPL-2.0-or-later
"""Asking: one list at a time, asked of one server, and its answer as far as it has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.pending import own_action
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.wire.routed import PROXY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message
    from amiproxy.routing.actionids import ActionIds
    from amiproxy.state.table import Query
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.routed import Routed

#: Under this name the lists take turns with the actions of clients.
_ACCOUNT = "\0state"

#: Bytes of one answer: one that never ends must not fill the memory.
MOST = 64 * 1024 * 1024


class Asking:
    """What is asked of the server of *link*.  For the thread that keeps its model."""

    def __init__(self, link: AsteriskLink, ids: ActionIds) -> None:
        self._link = link
        self._ids = ids
        self._wire_id = ""
        self._messages: list[Message] = []
        self._size = 0
        #: Whether the whole answer has come.
        self.is_complete = False

    @property
    def is_under_way(self) -> bool:
        """Whether an answer is to come."""
        return bool(self._wire_id)

    @property
    def is_too_long(self) -> bool:
        """Whether more has come than any list may have."""
        return self._size > MOST

    def ask(self, query: Query) -> bool:
        """Ask for the list of *query*; return whether that could be sent.  Never waits."""
        action = own_action(self._ids, query.action, *query.headers)
        action.kept = True
        if self._link.submit(action, _ACCOUNT) is not Submitted.TAKEN:
            return False
        self._wire_id, self._messages, self.is_complete = action.wire_id, [], False
        return True

    def take(self, item: Routed) -> bool:
        """Take *item*, if it belongs to the answer; return whether it does."""
        if not self._wire_id or item.request_id != self._wire_id or self.is_complete:
            return False
        self._messages.append(item.message)
        self._size += len(item.message.raw)
        self.is_complete = item.final
        return True

    def end(self) -> Sequence[Message]:
        """Return the answer as far as it has come, and expect no more of it."""
        messages, self._messages, self._size = self._messages, [], 0
        self._wire_id, self.is_complete = "", False
        return messages

    def give_up(self) -> None:
        """Expect no answer any more; what has not gone upstream does not go."""
        self._link.withdraw(PROXY)
        self.end()
