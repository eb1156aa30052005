# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients are told of the connection to a server itself (spec section 14).

Both are events as the server's own are, of the class ``system``; whose answers and rights
they concern, amiproxy/routing/visibility.py says.
"""

from __future__ import annotations

import math

from amiproxy.errors import LoginRefused, PeerError, ProtocolError, SlowPeer
from amiproxy.message import Message

#: What is told of an error that brings no words of its own, by kind, the special ones first.
#: Its text is for the log: it may name hosts and say more than clients should know.
_TOLD: tuple[tuple[type[BaseException], str], ...] = (
    (LoginRefused, "the log-in was refused"),
    (SlowPeer, "takes no actions any more"),
    (ProtocolError, "sent what is no manager message"),
    (PeerError, "the connection failed"),
)

#: An error that nobody has thought of.
_FAULT = "a fault in the proxy"


def reason(error: BaseException) -> str:
    """Return why a connection that *error* has ended is over: fixed words, for clients."""
    if isinstance(error, PeerError) and error.told:
        return error.told
    return next((words for kind, words in _TOLD if isinstance(error, kind)), _FAULT)


def lost(server: str, why: str, heard: float) -> Message:
    """Return the event that says that *server* is lost; *heard*: when it was last, unix time."""
    return Message.of(
        "Event: ProxyServerLost",
        "Privilege: system,all",
        f"Server: {server}",
        f"Reason: {why}",
        f"LastHeard: {math.floor(heard)}",
    )


def connected(server: str, seconds: float) -> Message:
    """Return the event that says that *server* is connected, after so many *seconds*.

    What it said in that time is missing.
    """
    return Message.of(
        "Event: ProxyServerConnected",
        "Privilege: system,all",
        f"Server: {server}",
        f"Lost: {math.ceil(max(0.0, seconds))}",
        "Resumed: no",
    )
