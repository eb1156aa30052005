# SPDX-License-Identifier: GPL-2.0-or-later
"""Sending a few bytes without giving the interpreter away.

``socket.send`` lets other Python threads in while it is in the kernel.  A send
that never waits takes some microseconds; to get the interpreter back afterwards
takes longer when fifty threads want it, and a batch for a hundred clients would
wait for it a hundred times.  So short sends go through
libc directly, with the interpreter's lock held, where the platform allows it.
"""

from __future__ import annotations

import ctypes
import socket
from typing import Callable

#: Up to so many bytes a send is over sooner than other threads could be let in.
SHORT = 16384

#: For each send: never wait, and never be killed by SIGPIPE.
FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)


def _find() -> Callable[[int, bytes, int, int], int]:
    try:
        # PyDLL, unlike CDLL, keeps the interpreter's lock during the call.
        send = ctypes.PyDLL(None).send
    except (OSError, AttributeError, TypeError):
        return lambda _fd, _data, _size, _flags: -1
    send.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int)
    send.restype = ctypes.c_ssize_t
    return send


#: ``send(fd, data, size, FLAGS)`` of libc: returns how much went, -1 for any error.
#: ``socket.send`` then tells which; a second try does no harm.
libc_send = _find()
