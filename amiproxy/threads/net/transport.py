# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport: one connection, plain or TLS, with a bounded backlog.

One thread owns a transport: it reads, waits for nothing else, and closes.  Any
thread may send, under the transport's lock: what the socket takes goes at once,
the rest into the backlog, which the flusher sends when there is room.  Sending
never blocks; only ``recv`` and its like wait, and they are the owner's.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque

from amiproxy.errors import PeerError, PeerGone, ProtocolError, SlowPeer
from amiproxy.threads.net.flusher import FLUSHER
from amiproxy.threads.net.shortsend import send_short

#: How much one read takes at the most, in bytes.
READ_SIZE = 262144

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_END = (ssl.SSLZeroReturnError, ssl.SSLEOFError)

#: Up to so many bytes a send is over sooner than other threads could be let in.
_SHORT = 16384

#: How long a wait for room goes on before an end is looked for, in seconds.
_SLICE = 0.5

#: The first byte of a TLS record that holds a handshake (RFC 8446, 5.1).
TLS_HANDSHAKE = b"\x16"

#: How much of a long answer goes to the socket at a time, in bytes.
_PIECE = 262144

#: How much goes into one TLS record at the most, in bytes (RFC 8446, 5.1).  Python
#: does not tell how much of more than that has gone: all of it has, or nothing.
_RECORD = 16384

#: The longest wait of one system call, in seconds: time_t and poll bear no more.
_LONGEST = 1_000_000.0


class Transport:
    """One connection.  Its owner's thread makes it and closes it.

    *peer* is how logs name the other side.  *write_timeout* is how long, in
    seconds, it may take nothing while bytes wait for it; *max_backlog* how many
    bytes may wait.
    """

    __slots__ = (
        "_backlog",
        "_closed",
        "_end",
        "_rcvtimeo",
        "_sock",
        "_stalled",
        "_tls",
        "_waiting",
        "lock",
        "max_backlog",
        "peer",
        "write_timeout",
    )

    def __init__(
        self, sock: socket.socket, peer: str, *, write_timeout: float, max_backlog: int
    ) -> None:
        self.peer = peer
        self.write_timeout = write_timeout
        self.max_backlog = max_backlog
        # Guards _backlog, _waiting, _stalled and _end, and where it is TLS all
        # use of _sock (OpenSSL bears one call at a time); sessions guard their
        # own state with it too.  Nothing done under it may block; no thread
        # holds two of them.
        self.lock = threading.Lock()
        # Plain sockets block: the owner waits in recv itself, which is one
        # system call an action; whoever sends says MSG_DONTWAIT.
        self._sock = sock
        sock.settimeout(None)
        self._tls = False
        self._backlog: deque[memoryview] | None = None  # made when first needed
        self._waiting = 0  # bytes in _backlog
        self._stalled = 0.0  # when the backlog last moved, monotonic seconds
        self._end: PeerError | None = None  # why the session must end
        self._closed = False
        self._rcvtimeo: float | None = None  # what the kernel was told

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 once closed."""
        return self._sock.fileno()

    # -- the owner's thread -----------------------------------------------------------------

    def recv(self, size: int = READ_SIZE, timeout: float | None = None) -> bytes | None:
        """Wait up to *timeout* seconds, None for ever, and return what came.

        Returns b"" when the other side sends no more, None when time is over.

        Raises:
            PeerGone: the connection is over, or somebody let the session go.
            SlowPeer: the other side did not take what it was sent.

        """
        if self._tls:
            return self._recv_tls(size, timeout)
        if timeout != self._rcvtimeo:
            self._tell_timeout(timeout)
        try:
            data = self._sock.recv(size)
        except _NOT_NOW:
            data = None
        except OSError as error:
            self.check()
            raise PeerGone(f"{self.peer}: {error.strerror or error}") from error
        if self._end is not None:
            raise self._end
        return data

    def recv_into(self, buffer: memoryview, timeout: float | None = None) -> int | None:
        """As :meth:`recv`, into *buffer*; returns how many bytes came."""
        if self._tls:
            return self._recv_records(buffer, timeout)
        if timeout != self._rcvtimeo:
            self._tell_timeout(timeout)
        try:
            count = self._sock.recv_into(buffer)
        except _NOT_NOW:
            self.check()
            return None
        except OSError as error:
            self.check()
            raise PeerGone(f"{self.peer}: {error.strerror or error}") from error
        if self._end is not None:
            raise self._end
        return count

    def peek(self, timeout: float) -> bytes | None:
        """Wait up to *timeout* seconds for the first bytes and leave them; plain only."""
        self._tell_timeout(timeout)
        try:
            data = self._sock.recv(8, socket.MSG_PEEK)
        except _NOT_NOW:
            data = None
        except OSError as error:
            self.check()
            raise PeerGone(f"{self.peer}: {error.strerror or error}") from error
        self.check()
        return data

    def check(self) -> None:
        """Raise why the session must end, if it must."""
        if self._end is not None:
            raise self._end

    def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        timeout: float,
        server_hostname: str | None = None,
    ) -> None:
        """Turn the connection into TLS within *timeout* seconds.

        Raises:
            PeerGone: the handshake failed or took too long.

        """
        deadline = time.monotonic() + timeout
        try:
            sock = context.wrap_socket(
                self._sock,
                server_side=server_side,
                do_handshake_on_connect=False,
                server_hostname=server_hostname,
            )
        except (OSError, ValueError) as error:
            raise PeerGone(f"{self.peer}: TLS: {error}") from error
        sock.setblocking(False)
        self._sock = sock
        self._tls = True
        while True:
            wanted = select.POLLIN
            try:
                with self.lock:
                    sock.do_handshake()
                return
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            except OSError as error:
                self.check()
                raise PeerGone(f"{self.peer}: TLS handshake: {_tls_reason(error)}") from error
            self.check()
            left = deadline - time.monotonic()
            if left <= 0:
                raise PeerGone(f"{self.peer}: no TLS handshake within {timeout:g} s")
            _wait(sock, wanted, left)

    @property
    def tls_version(self) -> str:
        """The TLS version in use, "" for plain text."""
        sock = self._sock
        return (sock.version() or "") if isinstance(sock, ssl.SSLSocket) else ""

    def refuse_tls(self, first: bytes) -> None:
        """See to it that *first*, what came first, is no TLS on a plain connection.

        Raises:
            ProtocolError: it is.

        """
        if not self.tls_version and first.startswith(TLS_HANDSHAKE + b"\x03"):
            raise ProtocolError(
                "TLS on a connection that is to be plain text (acceptencryptedconnection = no)"
            )

    def send_all(self, data: bytes) -> None:
        """Send *data*, however long, as fast as the other side takes it.

        For answers that only the owner sends; it waits meanwhile.

        Raises:
            PeerGone: the connection is over.
            SlowPeer: the other side took nothing for too long.

        """
        rest = memoryview(data)
        most = min(2 * _PIECE, self.max_backlog)
        piece = min(_PIECE, most)
        while rest or self._backlog:
            self.check()
            if rest and self._waiting + piece <= most:
                with self.lock:
                    self.send(rest[:piece])
                rest = rest[piece:]
            else:
                with contextlib.suppress(OSError, ValueError):
                    _wait(self._sock, select.POLLOUT, min(self.write_timeout, _SLICE))
                self.flush()
        self.check()

    def drain(self, deadline: float) -> None:
        """Try until *deadline* (monotonic seconds) to get the backlog out; never raises."""
        while not self._closed and self._backlog:
            with self.lock:
                try:
                    self._flush()
                except OSError:
                    return
            left = deadline - time.monotonic()
            if not self._backlog or left <= 0:
                return
            with contextlib.suppress(OSError, ValueError):
                _wait(self._sock, select.POLLOUT, left)

    def see_off(self, seconds: float) -> None:
        """Say that no more will come, and let the other side close first.

        What it still sends is read and forgotten: bytes left unread would turn
        the close into a reset, which may take our last answer with it.
        """
        if self._tls or self.dropped:
            return
        deadline = time.monotonic() + seconds
        with contextlib.suppress(OSError, PeerError):
            self._sock.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0 and self.recv(READ_SIZE, left):
                pass

    def close(self) -> None:
        """Close the connection: the owner's last act."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
            self._end = self._end or PeerGone("closed")
            FLUSHER.forget(self)  # nobody can have it watched again
            self._backlog = None
            self._waiting = 0
            if isinstance(self._sock, ssl.SSLSocket):
                # Say goodbye in TLS, without waiting for the answer.
                with contextlib.suppress(OSError, ValueError):
                    self._sock.unwrap()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        # Bytes left unread would turn the close into a reset, which may take our
        # last answer (or TLS alert) with it.  What they mean does not count.
        with contextlib.suppress(OSError):
            socket.socket.recv(self._sock, READ_SIZE, socket.MSG_DONTWAIT)
        self._sock.close()

    # -- any thread -------------------------------------------------------------------------

    def send(self, data: bytes | memoryview) -> None:
        """Send *data* now, or keep what the socket does not take.

        Never blocks, never raises: a peer that cannot take it is dropped, and
        its owner finds out.  The caller holds ``lock``.
        """
        if self._end is not None:
            return
        if self._backlog:
            self._keep(memoryview(data))
            return
        sent = 0
        try:
            if self._tls:
                while sent < len(data):
                    sent += self._sock.send(data[sent : sent + _RECORD])
            elif len(data) <= _SHORT and type(data) is bytes:
                sent = send_short(self._sock, data)
            else:
                sent = self._sock.send(data, socket.MSG_DONTWAIT)
        except _NOT_NOW:
            pass
        except OSError as error:
            self.end(PeerGone(f"{self.peer}: {error.strerror or error}"))
            return
        if sent < len(data):
            self._stalled = time.monotonic()
            self._keep(memoryview(data)[sent:])
            if self._backlog:
                FLUSHER.watch(self)

    def drop(self, reason: str) -> None:
        """Let the peer go: the owner wakes up, finds the end and leaves."""
        with self.lock:
            self.end(PeerGone(reason))

    def finish(self, reason: str) -> None:
        """As :meth:`drop`, but what waits to be sent stays for ``drain``."""
        with self.lock:
            self.end(PeerGone(reason), keep=True)

    def end(self, error: PeerError, *, keep: bool = False) -> None:
        """End the session for *error*.  The caller holds ``lock``."""
        if self._end is not None or self._closed:
            return
        self._end = error
        if not keep:
            self._backlog = None
            self._waiting = 0
        # shutdown() wakes a thread that waits to read; close() does not.
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RD) if not self._tls else _shut_read(self._sock)

    @property
    def backlog(self) -> int:
        """How many bytes wait to be sent."""
        return self._waiting

    @property
    def dropped(self) -> bool:
        """Whether the session is to end."""
        return self._end is not None

    # -- the flusher's thread -----------------------------------------------------------------

    @property
    def stalled_until(self) -> float:
        """When the peer will have taken nothing for too long, in monotonic seconds."""
        return self._stalled + self.write_timeout

    def flush(self) -> None:
        """Send what the socket takes."""
        with self.lock:
            try:
                self._flush()
            except OSError as error:
                self.end(PeerGone(f"{self.peer}: {error.strerror or error}"))
            if not self._backlog:
                FLUSHER.forget(self)

    def check_stall(self) -> None:
        """End the session if the peer has taken nothing for too long."""
        if time.monotonic() < self.stalled_until:
            return
        self.flush()  # it may have become ready just now
        with self.lock:
            if self._backlog and time.monotonic() >= self.stalled_until:
                self.end(
                    SlowPeer(
                        f"{self.peer} took nothing for {self.write_timeout * 1000:.0f} ms, "
                        f"{self._waiting} bytes wait"
                    )
                )

    # -- under the lock, or the owner's --------------------------------------------------------

    def _keep(self, data: memoryview) -> None:
        if self._waiting + len(data) > self.max_backlog:
            self.end(
                SlowPeer(
                    f"{self.peer} leaves {self._waiting} bytes unread, at most "
                    f"{self.max_backlog} may wait (clientbacklog)"
                )
            )
            return
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.append(data)
        self._waiting += len(data)

    def _flush(self) -> None:
        """Write what the socket takes.  The caller holds ``lock``."""
        backlog = self._backlog
        if not backlog:
            return
        try:
            while backlog:
                part = backlog[0]
                if self._tls:
                    sent = self._sock.send(part[:_RECORD])
                else:
                    sent = self._sock.send(part, socket.MSG_DONTWAIT)
                self._waiting -= sent
                self._stalled = time.monotonic()
                if sent < len(part):
                    backlog[0] = part[sent:]
                else:
                    backlog.popleft()
        except _NOT_NOW:
            pass

    def _tell_timeout(self, timeout: float | None) -> None:
        """Have the kernel end a recv after *timeout* seconds."""
        self._rcvtimeo = timeout
        seconds = 0.0 if timeout is None else min(max(timeout, 0.000001), _LONGEST)
        whole = int(seconds)
        value = struct.pack("@ll", whole, int((seconds - whole) * 1_000_000))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)

    def _recv_tls(self, size: int, timeout: float | None) -> bytes | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            wanted = select.POLLIN
            try:
                with self.lock:
                    # end() has shut the socket for reading: OpenSSL would take that
                    # for the peer's doing and send it an alert.
                    self.check()
                    data = self._sock.recv(size)
                self.check()
                return data
            except ssl.SSLWantWriteError:
                wanted = select.POLLOUT
            except _NOT_NOW:
                pass
            except _END:
                self.check()
                return b""
            except OSError as error:
                self.check()
                raise PeerGone(f"{self.peer}: {_tls_reason(error)}") from error
            self.check()
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            _wait(self._sock, wanted, left)

    def _recv_records(self, buffer: memoryview, timeout: float | None) -> int | None:
        """Read TLS records until the buffer is full or no more is there now."""
        first = self._recv_tls(len(buffer), timeout)
        if not first:
            return None if first is None else 0
        count = len(first)
        buffer[:count] = first
        while len(buffer) - count >= 16384:
            with self.lock:
                if self._end is not None:
                    break
                try:
                    got = self._sock.recv_into(buffer[count:])
                except OSError:
                    break  # not now, or the end: the next read tells which
            if not got:
                break
            count += got
        return count


def _wait(sock: socket.socket, events: int, timeout: float | None) -> None:
    poll = select.poll()
    poll.register(sock, events)
    poll.poll(None if timeout is None else min(timeout, 1000.0) * 1000)


def _shut_read(sock: socket.socket) -> None:
    """Wake who polls a TLS socket, without SSLSocket.shutdown forgetting its TLS."""
    socket.socket.shutdown(sock, socket.SHUT_RD)


def _tls_reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    reason = str(getattr(error, "reason", None) or "")
    if reason == "WRONG_VERSION_NUMBER":
        return "the other side speaks no TLS"
    # OpenSSL's own names: TLSV1_ALERT_UNKNOWN_CA
    return reason.replace("_", " ").lower() or error.strerror or str(error)
