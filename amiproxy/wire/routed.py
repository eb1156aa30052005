# SPDX-License-Identifier: GPL-2.0-or-later
"""Routed: a message of Asterisk and the session that it is for.

The owner of a message is the number of a client session, from 1 on, or one of the
names below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.message import Message

#: Every client may see it: an event.
BROADCAST = 0
#: What reads as an answer and is none to what any client of this proxy has asked.
UNKNOWN_CLIENT = -1
#: The answer to an action of the proxy's own (keepalive): no client sees it.
PROXY = -2

#: No message has this owner: a client of this number sees what all clients of its
#: view see, and no answer of its own.
NO_CLIENT = -3


class Routed:
    """One message of Asterisk and whom it is for.  A value: nothing changes it.

    Two of them are equal only if they are the same one, which is what a batch
    needs to encode each once.
    """

    __slots__ = ("action_id", "asker", "final", "message", "owner", "private", "request_id")

    def __init__(
        self,
        message: Message,
        *,
        owner: int = BROADCAST,
        action_id: str | None = None,
        request_id: str | None = None,
        asker: int = BROADCAST,
        final: bool = False,
        private: bool = False,
    ) -> None:
        """Say that *message* is for the session *owner*.

        *action_id* is the ActionID in it, which a client gave; *request_id* the one that
        the action it belongs to had on its way to Asterisk: an item of a list need not
        carry it.  *asker* is the session whose action brought about an event for all.
        With *final* the answer is complete.  What is *private* no client but the
        owner sees, in any mode.
        """
        self.message = message
        self.owner = owner
        self.action_id = action_id
        self.request_id = request_id
        self.asker = asker
        self.final = final
        self.private = private

    def __repr__(self) -> str:
        return f"<Routed {self.message!r} to {self.owner}>"
