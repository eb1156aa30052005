# SPDX-License-Identifier: GPL-2.0-or-later
"""Sending a few bytes without giving the interpreter away.

``socket.send`` lets other Python threads in while it is in the kernel.  A send
that never waits is over in some microseconds; to get the interpreter back
afterwards takes longer than that when fifty clients want it, and a batch for a
hundred clients would queue for it a hundred times.  So short sends go through
libc directly, with the interpreter held, where the platform lets us.
"""

from __future__ import annotations

import ctypes
import socket
from typing import Callable, Optional

#: Never wait, and never be killed by SIGPIPE.
_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)


def _find() -> Optional[Callable[[int, bytes, int, int], int]]:
    try:
        # PyDLL, unlike CDLL, keeps the interpreter's lock during the call.
        send = ctypes.PyDLL(None).send
    except (OSError, AttributeError, TypeError):
        return None
    send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    send.restype = ctypes.c_ssize_t
    return send


_SEND = _find()


def send_short(sock: socket.socket, data: bytes) -> int:
    """Send *data* on the plain socket *sock* without waiting; return how much went.

    Raises:
        OSError: as ``socket.send`` does, BlockingIOError where nothing went.

    """
    if _SEND is not None:
        sent = _SEND(sock.fileno(), data, len(data), _FLAGS)
        if sent >= 0:
            return sent
    # What went wrong, in Python's words; a second try does no harm.
    return sock.send(data, _FLAGS)
