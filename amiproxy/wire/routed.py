# SPDX-License-Identifier: GPL-2.0-or-later
"""Routed: a message of Asterisk, and the session it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from amiproxy.message import Message

#: Owner of what everybody may see: events.
EVERYBODY = 0
#: Owner of an answer that nobody here asked for, as far as we know.
SOMEBODY = -1
#: Owner of the proxy's own actions (keepalive): no client sees their answers.
PROXY = -2

#: The number of no session: who sees nothing but what everybody sees.
NOBODY = -3


class Routed(NamedTuple):
    """One message of Asterisk and whom it is for."""

    message: Message
    owner: int = EVERYBODY
    wire_id: str | None = None  # the ActionID in it
    asked: str | None = None  # the wire ActionID of the action it belongs to
    final: bool = False  # with it the answer is complete
    private: bool = False  # nobody but the owner sees it, in any mode
