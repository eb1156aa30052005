# SPDX-License-Identifier: GPL-2.0-or-later
"""TlsSocket: as PlainSocket, encrypted.

The socket does not block: OpenSSL allows one call at a time on a connection, so one
lock has to cover reading and writing, and nobody may wait under it.  The owner polls.
"""

from __future__ import annotations

import select
import socket
import ssl
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.net.plainsocket import close_quietly, unsent, wait_for

if TYPE_CHECKING:
    import threading

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_END = (ssl.SSLZeroReturnError, ssl.SSLEOFError)

#: How much goes into one TLS record at the most, in bytes (RFC 8446, 5.1).  Python
#: does not tell how much of more than that has gone: all of it has, or nothing.
_RECORD = 16384


class TlsSocket:
    """A connected socket that speaks TLS.

    *lock* is held for each call of OpenSSL: by the caller of ``send_now`` and
    ``shut_read``, here everywhere else.
    """

    __slots__ = ("_is_shut", "_lock", "_sock", "timeout")

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        lock: threading.Lock,
        *,
        server_side: bool,
        server_hostname: str | None,
    ) -> None:
        """Take over *sock*, which is of no use to anybody else then.

        Raises:
            OSError, ValueError: the connection is gone, or the host name cannot be one.

        """
        self._sock = context.wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=False,
            server_hostname=server_hostname,
        )
        self._sock.setblocking(False)
        self._lock = lock
        self._is_shut = False  # shut_read was called; guarded by _lock
        #: How long ``recv`` and ``recv_into`` wait, in seconds, None for ever.
        self.timeout: float | None = None

    @property
    def version(self) -> str:
        """The TLS version in use."""
        return self._sock.version() or ""

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self._sock.fileno()

    def handshake(self, deadline: Deadline) -> bool:
        """Agree on keys; return whether that was done before *deadline* and shut_read.

        Raises:
            OSError: the other side speaks no TLS, or does not accept us.

        """
        while True:
            wanted = select.POLLIN
            try:
                with self._lock:
                    if self._is_shut:
                        return False
                    self._sock.do_handshake()
                return True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            if deadline.over:
                return False
            wait_for(self.fileno(), wanted, deadline.left())

    def set_timeout(self, timeout: float | None) -> None:
        """Have ``recv`` end after *timeout* seconds."""
        self.timeout = timeout

    def recv(self, size: int) -> bytes:
        """Return up to *size* bytes, b"" at the end.

        Raises:
            BlockingIOError: none came in ``timeout`` seconds.
            OSError: the connection is broken.

        """
        deadline = Deadline(self.timeout)
        while True:
            wanted = select.POLLIN
            try:
                with self._lock:
                    # OpenSSL would take our own shut_read for the other side's doing,
                    # and send it an alert.
                    return b"" if self._is_shut else self._sock.recv(size)
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            except _NOT_NOW:
                pass
            except _END:
                return b""
            if deadline.over:
                raise BlockingIOError
            wait_for(self.fileno(), wanted, deadline.timeout())

    def recv_into(self, buffer: memoryview) -> int:
        """As :meth:`recv`, into *buffer*; return how many bytes came.

        Reads records until the buffer is full or no more is there now.
        """
        first = self.recv(len(buffer))
        count = len(first)
        buffer[:count] = first
        while first and len(buffer) - count >= _RECORD:
            with self._lock:
                if self._is_shut:
                    break
                try:
                    got = self._sock.recv_into(buffer[count:])
                except OSError:
                    break  # not now, or the end: the next read tells which
            if not got:
                break
            count += got
        return count

    def send_now(self, data: bytes | memoryview) -> int:
        """Send what the socket takes of *data* without waiting; return how much that was.

        Raises:
            OSError: the connection is broken.

        """
        assert self._lock.locked()
        sent = 0
        try:
            while sent < len(data):
                sent += self._sock.send(data[sent : sent + _RECORD])
        except _NOT_NOW:
            pass
        return sent

    def unsent(self) -> int:
        """Return how many bytes the other side has not confirmed, 0 if that is not known."""
        return unsent(self._sock)

    def shut_read(self) -> None:
        """Wake the owner, who waits in ``recv``: it reads an end.  Closing would not."""
        assert self._lock.locked()
        self._is_shut = True
        # SSLSocket.shutdown would forget that it speaks TLS.
        try:  # noqa: SIM105 - it needs no memory
            socket.socket.shutdown(self._sock, socket.SHUT_RD)
        except OSError:
            pass

    def half_close(self) -> bool:
        """Return False: a TLS connection is closed in both directions at once."""
        return False

    def close(self) -> None:
        """Close the connection, with TLS's close_notify; its answer is not waited for."""
        try:
            with self._lock:
                self._sock.unwrap()
        except (OSError, ValueError):
            pass
        finally:
            close_quietly(self._sock)

    @staticmethod
    def reason(error: OSError) -> str:
        """Return what *error* of this socket means, for the log."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"certificate not accepted: {error.verify_message}"
        reason = str(getattr(error, "reason", None) or "")
        if reason == "WRONG_VERSION_NUMBER":
            return "the other side speaks no TLS"
        # OpenSSL's own names: TLSV1_ALERT_UNKNOWN_CA
        return reason.replace("_", " ").lower() or error.strerror or str(error)
