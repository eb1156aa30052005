# SPDX-License-Identifier: GPL-2.0-or-later
"""A client's socket, which one thread reads and writes and any thread can wake or end."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time

RECV = 65536  # bytes


class SessionOver(Exception):
    """The connection has ended, or is to end."""


class Connection:
    """A non-blocking socket, plain or TLS, and a pipe that wakes its thread."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._sock.setblocking(False)
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._woken = False
        self._over = threading.Event()
        self._reset = False

    # For any thread -------------------------------------------------------

    def wake(self) -> None:
        """Let ``wait`` return."""
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):
                self._wake_out.send(b"x")

    def end(self, *, reset: bool = False) -> None:
        """Let the thread end the connection; with *reset*, by a RST."""
        self._reset = self._reset or reset
        self._over.set()
        self.wake()

    # For the thread that owns it -------------------------------------------

    def check(self) -> None:
        """Continue unless the connection is to end.

        Raises:
            SessionOver: it is to end.

        """
        if self._over.is_set():
            raise SessionOver

    def sleep(self, seconds: float) -> None:
        """Wait for *seconds*.

        Raises:
            SessionOver: the connection is to end.

        """
        if self._over.wait(seconds):
            raise SessionOver

    def handshake(self, context: ssl.SSLContext) -> None:
        """Use TLS from now on.

        Raises:
            SessionOver: the connection is to end.
            OSError: the handshake failed.

        """
        sock = context.wrap_socket(self._sock, server_side=True, do_handshake_on_connect=False)
        self._sock = sock
        while True:
            try:
                sock.do_handshake()
            except ssl.SSLWantReadError:
                self.wait()
            except ssl.SSLWantWriteError:
                self.wait(read=False, write=True)
            else:
                return

    def read(self) -> bytes | None:
        """Return what there is to read: empty at the end, None if there is nothing."""
        try:
            return self._sock.recv(RECV)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None

    def write(self, data: bytes, timeout: float) -> None:
        """Send all of *data*.

        Raises:
            SessionOver: the connection is to end, or the client has read nothing for
                *timeout* seconds.

        """
        view = memoryview(data)
        deadline = 0.0
        while view:
            self.check()
            try:
                view = view[self._sock.send(view) :]
                deadline = 0.0
            except (BlockingIOError, ssl.SSLWantWriteError):
                now = time.monotonic()
                deadline = deadline or now + timeout
                if now >= deadline:
                    raise SessionOver from None
                self.wait(read=False, write=True, timeout=deadline - now)
            except ssl.SSLWantReadError:
                self.wait()

    def wait(self, *, read: bool = True, write: bool = False, timeout: float | None = None) -> None:
        """Wait for the socket or for ``wake``, for up to *timeout* seconds.

        Raises:
            SessionOver: the connection is to end.

        """
        poll = select.poll()
        poll.register(self._wake_in, select.POLLIN)
        wanted = (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
        if wanted:
            poll.register(self._sock, wanted)
        poll.poll(None if timeout is None else max(1.0, timeout * 1000))
        # In this order, and before the caller looks for work: no wake is lost.
        with contextlib.suppress(BlockingIOError):
            self._wake_in.recv(4096)
        self._woken = False
        self.check()

    def close(self) -> None:
        """Close the socket, by a RST if ``end`` asked for that."""
        self._over.set()
        with contextlib.suppress(OSError):
            if self._reset:
                linger = struct.pack("ii", 1, 0)
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                # With unread input, close would send a RST, which destroys what the
                # client has not read yet.
                self._sock.shutdown(socket.SHUT_WR)
                self._drain()
        self._sock.close()
        self._wake_in.close()
        self._wake_out.close()

    def _drain(self) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while self._sock.recv(RECV):
                pass
