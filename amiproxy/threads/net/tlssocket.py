# SPDX-License-Identifier: GPL-2.0-or-later
"""TlsSocket: as PlainSocket, encrypted.

The socket does not block: OpenSSL allows one call at a time on a connection, so one
lock has to cover reading and writing, and nobody may wait under it.  The owner polls.

A call that reads may last: OpenSSL takes records without data (KeyUpdate) one after the other
for as long as they come.  So whoever sends does not wait for that lock either.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from contextlib import AbstractContextManager
from typing import Callable

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.net.plainsocket import close_quietly, drop_input, linger, unsent, wait_for

#: Makes what is entered for as long as the other side is waited for.
Outside = Callable[[], AbstractContextManager[None]]

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_END = (ssl.SSLZeroReturnError, ssl.SSLEOFError)

#: How much goes into one TLS record at the most, in bytes (RFC 8446, 5.1).  Python
#: does not tell how much of more than that has gone: all of it has, or nothing.
_RECORD = 16384

#: Refusals of OpenSSL's that its own words explain to few: what the other side has.
_TOO_WEAK = {
    "EE_KEY_TOO_SMALL": "its certificate's key is too short for this system's OpenSSL",
    "CA_KEY_TOO_SMALL": "its authority's key is too short for this system's OpenSSL",
    "DH_KEY_TOO_SMALL": "its Diffie-Hellman key is too short for this system's OpenSSL",
    "UNSUPPORTED_PROTOCOL": "the other side speaks no TLS 1.2 or later",
}

#: Seconds that OpenSSL may read without coming to any data.
_LONGEST = 1.0


class TlsSocket:
    """A connected socket that speaks TLS."""

    __slots__ = ("_in_vain", "_is_shut", "_openssl", "_reading_since", "sock", "timeout")

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        host: str | None,
    ) -> None:
        """Take over *sock*, which is of no use to anybody else then.

        Raises:
            OSError, ValueError: the connection is gone, or the host name cannot be one.

        """
        self.sock = context.wrap_socket(
            sock,
            server_side=server_side,
            do_handshake_on_connect=False,
            server_hostname=host,
        )
        self.sock.setblocking(False)
        # Serializes the calls of OpenSSL.  The owner waits for it, senders never do: what they
        # cannot send now they keep.
        self._openssl = threading.Lock()
        self._is_shut = False  # shut_read was called
        # Since when OpenSSL reads, in monotonic seconds, 0 while it does not; and for how long
        # it has read more than waited before, since there was data.
        self._reading_since = self._in_vain = 0.0
        #: How long ``recv`` and ``recv_into`` wait, in seconds, None for ever.
        self.timeout: float | None = None

    @property
    def version(self) -> str:
        """The TLS version in use."""
        return self.sock.version() or ""

    def fileno(self) -> int:
        """Return the descriptor, -1 once closed."""
        return self.sock.fileno()

    def handshake(
        self,
        deadline: Deadline,
        outside: Outside = contextlib.nullcontext,
    ) -> bool:
        """Agree on keys; return whether that was done before *deadline* and shut_read.

        It waits for the other side with *outside* entered, and computes without.

        Raises:
            OSError: the other side speaks no TLS, or does not accept us.

        """
        while True:
            wanted = select.POLLIN
            try:
                with self._openssl:
                    if self._is_shut:
                        return False
                    self.sock.do_handshake()
                return True
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            if deadline.over or self._is_shut:
                return False
            with outside():
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
                with self._openssl:
                    # OpenSSL would take our own shut_read for the other side's doing,
                    # and send it an alert.
                    self._reading_since = time.monotonic()
                    data = b"" if self._is_shut else self.sock.recv(size)
                self._in_vain = 0.0
                return data
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            except _NOT_NOW:
                pass
            except _END:
                return b""
            finally:
                since, self._reading_since = self._reading_since, 0.0
            begin = time.monotonic()
            if self._is_shut:
                return b""
            if deadline.over:
                raise BlockingIOError
            wait_for(self.fileno(), wanted, deadline.timeout())
            waited = time.monotonic() - begin
            self._in_vain = max(0.0, self._in_vain + begin - since - waited)

    def recv_into(self, buffer: memoryview) -> int:
        """As :meth:`recv`, into *buffer*; return how many bytes came.

        Reads records until the buffer is full or no more is there now.
        """
        first = self.recv(len(buffer))
        count = len(first)
        buffer[:count] = first
        while first and len(buffer) - count >= _RECORD:
            with self._openssl:
                if self._is_shut:
                    break
                try:
                    got = self.sock.recv_into(buffer[count:])
                except OSError:
                    break  # not now, or the end: the next read tells which
            if not got:
                break
            count += got
        return count

    def send_now(self, data: bytes | memoryview) -> int:
        """Send what the socket takes of *data* without waiting; return how much that was.

        That is nothing while the owner reads.  One thread at a time.

        Raises:
            OSError: the connection is broken.

        """
        if not self._openssl.acquire(blocking=False):
            return 0
        sent = 0
        try:
            while sent < len(data):
                sent += self.sock.send(data[sent : sent + _RECORD])
        except _NOT_NOW:
            pass
        finally:
            self._openssl.release()
        return sent

    def unsent(self) -> int:
        """Return how many bytes the other side has not confirmed, 0 if that is not known."""
        return unsent(self.sock)

    @property
    def reads_in_vain(self) -> bool:
        """Whether OpenSSL has been reading for long: what comes is no data."""
        since = self._reading_since
        return self._in_vain + (since and time.monotonic() - since) > _LONGEST

    def shut_read(self) -> None:
        """Wake the owner, who waits in ``recv``: it reads an end.  Closing would not."""
        self._is_shut = True
        if self._openssl.acquire(blocking=False):
            self._shut(socket.SHUT_RD)
            self._openssl.release()
        # Else the owner does not wait: it finds out after the call that it is in.

    def shut(self) -> None:
        """As ``shut_read``, at once; nothing can be sent any more, and what comes is refused.

        So OpenSSL comes to an end, however much it is sent.
        """
        self._is_shut = True
        self._shut(socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        # SSLSocket.shutdown would forget that it speaks TLS.
        try:  # noqa: SIM105 - it needs no memory
            socket.socket.shutdown(self.sock, how)
        except OSError:
            pass

    def drop_input(self) -> None:
        """Discard what has come: its owner reads no more, since nobody has decrypted that."""
        self._is_shut = True
        drop_input(self.sock)

    def linger(self, deadline: Deadline) -> None:
        """Say in TLS that no more will come; discard what comes until the other side closes."""
        self._is_shut = True
        with self._openssl, contextlib.suppress(OSError, ValueError):
            self.sock.unwrap()
        linger(self.sock, deadline)

    def close(self) -> None:
        """Close the connection, with TLS's close_notify; its answer is not waited for."""
        try:
            with self._openssl:
                self.sock.unwrap()
        except (OSError, ValueError):
            pass
        finally:
            close_quietly(self.sock)

    @staticmethod
    def reason(error: OSError) -> str:
        """Return what *error* of this socket means, for the log."""
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"certificate not accepted: {error.verify_message}"
        reason = str(getattr(error, "reason", None) or "")
        if reason == "WRONG_VERSION_NUMBER":
            return "the other side speaks no TLS"
        if reason in _TOO_WEAK:
            return _TOO_WEAK[reason]
        # OpenSSL's own names: TLSV1_ALERT_UNKNOWN_CA
        return reason.replace("_", " ").lower() or error.strerror or str(error)
