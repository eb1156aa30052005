# SPDX-License-Identifier: GPL-2.0-or-later
"""How a connection ends so that nothing that was sent is lost; for the owner's thread.

A connection that is closed while the other side still sends is reset, and a reset takes along
what is on its way, or lies unread: the other side would be left with half a message.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.net.plainsocket import is_gone, wait_for_room

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport

#: Seconds that the other side may take nothing, at least: over a slow line bytes move in steps.
_PATIENCE = 1.0

#: Seconds that it may take to close as well, when it has all.
_LINGER = 0.5

#: Between two looks at what the other side has confirmed, in seconds: the system tells nobody.
_SHORTEST, _LONGEST = 0.001, 0.02


def flush_until(transport: Transport, deadline: Deadline) -> None:
    """Send the backlog, waiting for room until *deadline*.  Never raises."""
    while transport.backlog:
        transport.flush()
        if not transport.backlog or deadline.over:
            return
        wait_for_room(transport.fileno(), deadline.timeout())


def part(transport: Transport, deadline: Deadline) -> None:
    """Send what waits until the other side has it, or *deadline*; then say that no more will come.

    Ends early where the other side takes nothing.  Never raises.
    """
    with contextlib.suppress(OSError, ValueError):
        if _is_taken(transport, deadline):
            transport.linger(Deadline(min(deadline.left(), _LINGER)))


def _is_taken(transport: Transport, deadline: Deadline) -> bool:
    """Send what waits; return whether the other side has all of it.

    What comes is discarded: the other side may wait for that before it reads on.
    """
    patience = max(transport.write_timeout, _PATIENCE)
    left, moved, pause = 0, time.monotonic(), _SHORTEST
    while not deadline.over and not is_gone(transport.fileno(), half_closed=False):
        transport.flush()
        before, left = left, transport.backlog + transport.read_no_more()
        if not left:
            return True
        if left != before:
            moved = time.monotonic()
        elif time.monotonic() - moved > patience:
            break
        if transport.backlog:
            wait_for_room(transport.fileno(), _LONGEST)
        else:
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST)
    return False
