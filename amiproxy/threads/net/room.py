# SPDX-License-Identifier: GPL-2.0-or-later
"""Waits for a client to take what it was sent, in the thread that owns the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from amiproxy.threads.net.plainsocket import wait_for_room

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport

#: How often it looks whether the connection is over, in seconds.
_LOOK = 0.5


def await_room(transport: Transport, most: int, gives_up: Callable[[], bool]) -> None:
    """Wait until at most *most* bytes wait to be sent, or until *gives_up* says so.

    Raises:
        PeerError: the connection is over, or the other side took nothing for too long.

    """
    while transport.backlog > most and not gives_up():
        transport.check()
        wait_for_room(transport.fileno(), min(transport.write_timeout, _LOOK))
        transport.flush()
    transport.check()
