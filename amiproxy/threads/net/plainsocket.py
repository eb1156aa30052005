# SPDX-License-Identifier: GPL-2.0-or-later
"""PlainSocket: reading with time limits, and sending without waiting, in plain text.

The socket blocks: the owner waits in ``recv`` itself, which is one system call an
action, with the kernel's time limit (``SO_RCVTIMEO``).  Senders say MSG_DONTWAIT.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import select
import socket
import struct
import termios
from typing import TYPE_CHECKING, Callable

from amiproxy.threads.net.shortsend import FLAGS, SHORT, libc_send

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline

#: What a socket raises that has nothing, or no room, within its time limit.
NOT_NOW = (BlockingIOError, InterruptedError)

#: The longest wait of one system call, in seconds: time_t and poll take no more.
_LONGEST = 1_000_000.0


class PlainSocket:
    """A connected socket.

    The owner's thread reads and closes; any thread may send.  The kernel allows both
    at once, so no lock is needed for the socket itself.
    """

    __slots__ = ("_fd", "_sock", "recv", "recv_into", "timeout")

    #: The TLS version in use.
    version = ""

    #: Returns up to so many bytes, b"" at the end.  Raises one of NOT_NOW if none came
    #: in ``timeout`` seconds, another OSError if the connection is broken.
    recv: Callable[[int], bytes]
    #: As ``recv``, into a buffer; returns how many bytes came.
    recv_into: Callable[[memoryview], int]
    #: How long both wait, in seconds, None for ever; ``set_timeout`` changes it.
    timeout: float | None

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._fd = sock.fileno()  # for libc; -1 once closed
        sock.settimeout(None)
        self.timeout = None
        # The socket's own: every byte comes this way.
        self.recv = sock.recv
        self.recv_into = sock.recv_into

    def detach(self) -> socket.socket:
        """Give the socket away, for TLS to be started on it."""
        self._fd = -1
        return self._sock

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self._sock.fileno()

    def peek(self, timeout: float, size: int) -> bytes | None:
        """Return up to *size* bytes, which stay; None if none came in *timeout* seconds."""
        self.set_timeout(timeout)
        try:
            return self._sock.recv(size, socket.MSG_PEEK)
        except NOT_NOW:
            return None

    def send_now(self, data: bytes | memoryview) -> int:
        """Send what the socket takes of *data* without waiting; return how much that was.

        Raises:
            OSError: the connection is broken.

        """
        try:
            if len(data) <= SHORT and type(data) is bytes:
                sent = libc_send(self._fd, data, len(data), FLAGS)
                if sent >= 0:
                    return sent
            return self._sock.send(data, FLAGS)
        except NOT_NOW:
            return 0

    def unsent(self) -> int:
        """Return how many bytes the other side has not confirmed, 0 if that is not known."""
        return unsent(self._sock)

    def shut_read(self) -> None:
        """Wake the owner, who waits in ``recv``: it reads an end.  Closing would not."""
        try:  # noqa: SIM105 - it needs no memory
            self._sock.shutdown(socket.SHUT_RD)
        except OSError:
            pass

    def drop_input(self) -> None:
        """Discard what has come: its owner reads no more."""
        drop_input(self._sock)

    def linger(self, deadline: Deadline) -> None:
        """Say that no more will come; discard what comes until the other side closes too."""
        linger(self._sock, deadline)

    def close(self) -> None:
        """Close the connection."""
        self._fd = -1
        close_quietly(self._sock)

    @staticmethod
    def reason(error: OSError) -> str:
        """Return what *error* of this socket means, for the log."""
        return error.strerror or str(error)

    def set_timeout(self, timeout: float | None) -> None:
        """Have the kernel end a ``recv`` after *timeout* seconds."""
        self.timeout = timeout
        seconds = 0.0 if timeout is None else min(max(timeout, 0.000001), _LONGEST)
        whole = int(seconds)
        value = struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)


def wait_for(fd: int, events: int, timeout: float | None) -> None:
    """Wait up to *timeout* seconds until poll reports *events*, or an end, for *fd*."""
    poll = select.poll()
    poll.register(fd, events)
    poll.poll(None if timeout is None else min(timeout, 1000.0) * 1000)


def wait_for_room(fd: int, seconds: float | None) -> None:
    """Wait up to *seconds* until the socket *fd* takes bytes, or is over."""
    with contextlib.suppress(OSError, ValueError):
        wait_for(fd, select.POLLOUT, seconds)


def is_gone(fd: int, *, half_closed: bool) -> bool:
    """Return whether the other side has reset the connection, or *half_closed* it at least."""
    wanted = select.POLLRDHUP if half_closed else 0
    poll = select.poll()
    poll.register(fd, wanted)
    return bool(poll.poll(0))


def unsent(sock: socket.socket) -> int:
    """Return how many bytes wait in the kernel to be sent by *sock*, or to be confirmed."""
    size = array.array("i", [0])
    with contextlib.suppress(OSError):
        fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, size)  # SIOCOUTQ, tcp(7)
    return size[0]


#: Where bytes go that nobody wants.  Made now: to close must need no memory.
_SINK = bytearray(262144)


def drop_input(sock: socket.socket) -> None:
    """Read what has come on *sock*, raw bytes also of TLS, and forget it."""
    with contextlib.suppress(OSError):
        socket.socket.recv_into(sock, _SINK, 0, socket.MSG_DONTWAIT)


def linger(sock: socket.socket, deadline: Deadline) -> None:
    """Half-close *sock*; discard what comes until the other side closes, or *deadline*."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_WR)
        while not deadline.over:
            wait_for(sock.fileno(), select.POLLIN, deadline.left())
            # Raw bytes, also of TLS.
            if not socket.socket.recv_into(sock, _SINK, 0, socket.MSG_DONTWAIT):
                return


def close_quietly(sock: socket.socket) -> None:
    """Close *sock* so that what was sent last still arrives.

    Bytes left unread would turn the close into a reset, which may take the last answer
    (or TLS alert) with it; so they are read, whatever they mean.
    """
    try:
        sock.shutdown(socket.SHUT_WR)
        socket.socket.recv_into(sock, _SINK, 0, socket.MSG_DONTWAIT)
    except OSError:
        pass
    finally:
        sock.close()
