# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyGap: what clients are told in the place of events that they are not sent."""

from __future__ import annotations

from amiproxy.message import Message

#: They are kept no more, or never were.
RING = "ring"
#: The connection to the server was lost: the proxy has not had them either.
SERVER_LOST = "server_lost"
#: Another process knows of them.
RESTART = "restart"
#: The client has taken so long to read those before them.
SLOW = "slow"
#: The proxies share their servers, and what the one has had has not come to the other.
BUS = "bus"


def gap(server: str, reason: str, missed: int | None = None) -> Message:
    """Return the event that says that *missed* events of *server* are missing, None: unknown."""
    return Message.of(
        "Event: ProxyGap",
        "Privilege: system,all",
        f"Server: {server}",
        f"Missed: {'unknown' if missed is None else missed}",
        f"Reason: {reason}",
        own=True,
    )
