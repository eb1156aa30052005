# SPDX-License-Identifier: GPL-2.0-or-later
"""A port that several processes listen on (SO_REUSEPORT, socket(7)), and how one of them leaves.

The kernel gives each new connection to one of them.  All must set the option before they listen,
and be of one user (Linux 3.9).
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: IP_MINTTL (ip(7)) and IPV6_MINHOPCOUNT (linux/in6.h): segments with a smaller time to live are
#: dropped.  At a socket that listens Linux holds only those against it that begin a connection
#: (tcp_v4_rcv: not those that complete one).  Unlike a filter (SO_ATTACH_FILTER) it takes no
#: privilege on any system.
_LEAST_TTL = ((socket.IPPROTO_IP, 21), (socket.IPPROTO_IPV6, 73))

#: More than any segment has that was routed, or that Linux sends (ip_default_ttl: 64).
_NOBODY, _EVERYBODY = 255, 0

#: How long clients whose connection has begun may take to complete it, in seconds: the way there
#: and back of a network.
_COMPLETING = 0.1


def share(sock: socket.socket) -> None:
    """Let others listen where *sock* does, or will; raises OSError.

    There is no way back: Linux goes on sharing a port that a socket is bound to.
    """
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def begin_no_more(socks: Sequence[socket.socket]) -> None:
    """Have no connection begin at *socks*, and wait until those that have can be accepted.

    Without it, a socket that is closed resets what the kernel has connected and nobody has
    accepted.  Who begins now is not answered, tries again after a second, as any TCP does, and
    is given to another process.  What is accepted meanwhile has to be opened (``open_up``).
    """
    for sock in socks:
        _set_least_ttl(sock, _NOBODY)
    if socks:
        time.sleep(_COMPLETING)


def open_up(sock: socket.socket) -> None:
    """Have *sock*, accepted from one where none may begin, take what its client sends."""
    _set_least_ttl(sock, _EVERYBODY)


def _set_least_ttl(sock: socket.socket, value: int) -> None:
    for level, option in _LEAST_TTL:
        with contextlib.suppress(OSError):  # the other family; or there is none, and some are reset
            sock.setsockopt(level, option, value)
