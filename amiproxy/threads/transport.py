# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport: one non-blocking connection, plain or TLS, with a bounded backlog.

One thread owns a transport: it waits, reads, flushes the backlog and closes.
Any thread may send, under the transport's lock, and any may wake the owner.
Nothing here ever blocks but ``wait``, which is the owner's.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import ssl
import threading
import time
from collections import deque

from amiproxy.errors import PeerGone, SlowPeer

#: How much one read takes at the most, in bytes.
READ_SIZE = 262144

#: OpenSSL takes one record at a time; more in one call gains nothing.
_TLS_CHUNK = 262144

_NOT_NOW = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

READABLE = select.EPOLLIN | select.EPOLLRDHUP
_GONE = select.EPOLLHUP | select.EPOLLERR


class _AlwaysReady:
    """A descriptor that is always readable, to wake a thread out of epoll.

    One for the whole process: who wants to wake a thread puts it into that
    thread's epoll set, so that a wake-up costs no descriptor a session.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards making the pipe once
        self._pipe: tuple[int, int] | None = None

    def fileno(self) -> int:
        with self._lock:
            if self._pipe is None:
                self._pipe = os.pipe()
                os.write(self._pipe[1], b"!")
            return self._pipe[0]


_WAKE = _AlwaysReady()


class Transport:
    """One connection.  Its owner's thread makes it and closes it.

    *peer* is how logs name the other side.  *write_timeout* is how long, in
    seconds, it may take nothing while bytes wait for it; *max_backlog* how many
    bytes may wait.
    """

    def __init__(
        self, sock: socket.socket, peer: str, *, write_timeout: float, max_backlog: int
    ) -> None:
        self.peer = peer
        self.write_timeout = write_timeout
        self.max_backlog = max_backlog
        # Guards _sock's recv and send where it is TLS (one call at a time),
        # _backlog, _stalled and _dropped; sessions guard their own state with
        # it too.  Nothing done under it may block; no thread holds two of them.
        self.lock = threading.Lock()
        self._sock = sock
        self._sock.setblocking(False)
        self._tls = False
        self._backlog: deque[memoryview] = deque()
        self._waiting = 0  # bytes in _backlog
        self._stalled = 0.0  # when the backlog last moved, monotonic seconds
        self._dropped: str | None = None  # why the session must end
        self._closed = False
        self._half_closed = False  # the other side sends no more
        self._interest = READABLE
        self._epoll = select.epoll()
        self._epoll.register(sock.fileno(), self._interest)
        self._wake_fd = _WAKE.fileno()

    # -- the owner's thread -----------------------------------------------------

    def wait(self, timeout: float | None) -> bool:
        """Wait until there is something to read, somebody wakes us, or time is over.

        *timeout* is in seconds, None for ever.  Flushes the backlog meanwhile.
        Returns whether reading may bring something.

        Raises:
            PeerGone: the connection is over.
            SlowPeer: the other side took nothing for too long.

        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self._check()
            left = self._next_wait(deadline)
            try:
                events = self._epoll.poll(left)
            except InterruptedError:
                continue
            readable = woken = False
            for fd, event in events:
                if fd == self._wake_fd:
                    woken = True
                    continue
                if event & (select.EPOLLIN | select.EPOLLRDHUP | _GONE):
                    readable = True
                if self._half_closed and event & _GONE:
                    raise PeerGone(f"{self.peer} left")
            if woken:
                with contextlib.suppress(OSError):
                    self._epoll.unregister(self._wake_fd)
            self._service()
            if readable or woken:
                return readable
            if deadline is not None and time.monotonic() >= deadline:
                return False

    def recv(self, size: int = READ_SIZE) -> bytes | None:
        """Return what came, None if nothing is there now, b"" at the end.

        Raises:
            PeerGone: the connection was reset.

        """
        try:
            if self._tls:
                with self.lock:
                    return self._sock.recv(min(size, _TLS_CHUNK))
            return self._sock.recv(size)
        except _NOT_NOW:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except OSError as error:
            raise PeerGone(f"{self.peer}: {error.strerror or error}") from error

    def recv_into(self, buffer: bytearray) -> int | None:
        """As :meth:`recv`, into *buffer*; returns how many bytes, None for not now."""
        try:
            if self._tls:
                with self.lock:
                    return self._sock.recv_into(buffer)
            return self._sock.recv_into(buffer)
        except _NOT_NOW:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return 0
        except OSError as error:
            raise PeerGone(f"{self.peer}: {error.strerror or error}") from error

    def peek(self) -> bytes | None:
        """Return the first bytes without taking them; plain connections only."""
        try:
            return self._sock.recv(8, socket.MSG_PEEK)
        except _NOT_NOW:
            return None
        except OSError as error:
            raise PeerGone(f"{self.peer}: {error.strerror or error}") from error

    def pending(self) -> bool:
        """Tell whether TLS holds bytes that no poll would announce."""
        if not self._tls:
            return False
        with self.lock:
            assert isinstance(self._sock, ssl.SSLSocket)
            return self._sock.pending() > 0

    def stop_reading(self) -> None:
        """The other side sends no more: wait for its going and for writing only."""
        self._half_closed = True
        self._set_interest(self._interest & ~READABLE)

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
        plain = self._sock
        self._epoll.unregister(plain.fileno())
        try:
            self._sock = context.wrap_socket(
                plain,
                server_side=server_side,
                do_handshake_on_connect=False,
                server_hostname=server_hostname,
            )
        except (OSError, ValueError) as error:
            raise PeerGone(f"{self.peer}: TLS: {error}") from error
        self._epoll.register(self._sock.fileno(), self._interest)
        self._tls = True
        assert isinstance(self._sock, ssl.SSLSocket)
        while True:
            wanted = READABLE
            try:
                with self.lock:
                    self._sock.do_handshake()
                break
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLWantWriteError:
                wanted = select.EPOLLOUT
            except OSError as error:
                raise PeerGone(f"{self.peer}: TLS handshake: {_tls_reason(error)}") from error
            self._check()
            left = deadline - time.monotonic()
            if left <= 0:
                raise PeerGone(f"{self.peer}: no TLS handshake within {timeout:g} s")
            self._set_interest(wanted)
            self._epoll.poll(left)
        self._set_interest(READABLE)

    @property
    def tls_version(self) -> str:
        """The TLS version in use, "" for plain text."""
        sock = self._sock
        return (sock.version() or "") if isinstance(sock, ssl.SSLSocket) else ""

    def drain(self, deadline: float) -> None:
        """Try until *deadline* (monotonic seconds) to get the backlog out; never raises."""
        with contextlib.suppress(Exception):
            while time.monotonic() < deadline:
                with self.lock:
                    self._flush()
                    if not self._backlog:
                        return
                self._set_interest(select.EPOLLOUT)
                self._epoll.poll(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """Close the connection: the owner's last act."""
        with self.lock:
            if self._closed:
                return
            self._closed = True
            self._dropped = self._dropped or "closed"
            self._backlog.clear()
            self._waiting = 0
        if self._tls:
            # Say goodbye in TLS, without waiting for the answer.
            with contextlib.suppress(OSError, ValueError):
                assert isinstance(self._sock, ssl.SSLSocket)
                self._sock.unwrap()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
        if not self._tls:
            # Bytes left unread would turn the close into a reset, which may
            # take our last answer with it.
            with contextlib.suppress(OSError):
                self._sock.recv(READ_SIZE)
        self._sock.close()
        self._epoll.close()

    # -- any thread ---------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send *data* now, or keep what the socket does not take for the owner.

        Never blocks, never raises: a peer that cannot take it is dropped, and
        its owner finds out.  The caller holds ``lock``.
        """
        if self._dropped is not None:
            return
        if self._backlog:
            self._keep(memoryview(data))
            return
        try:
            sent = self._sock.send(data)
        except _NOT_NOW:
            sent = 0
        except OSError as error:
            self._drop(f"{self.peer}: {error.strerror or error}")
            return
        if sent < len(data):
            self._stalled = time.monotonic()
            self._keep(memoryview(data)[sent:])
            self._wake()

    def drop(self, reason: str) -> None:
        """Let the peer go: the owner wakes up, finds the end and leaves."""
        with self.lock:
            self._drop(reason)

    def finish(self, reason: str) -> None:
        """As :meth:`drop`, but what waits to be sent stays for ``drain``."""
        with self.lock:
            if self._dropped is None:
                self._dropped = reason
                self._wake()

    def wake(self) -> None:
        """Wake the owner out of ``wait``."""
        with self.lock:
            self._wake()

    @property
    def backlog(self) -> int:
        """How many bytes wait to be sent."""
        return self._waiting

    @property
    def dropped(self) -> bool:
        """Whether the session is to end."""
        return self._dropped is not None

    # -- under the lock, or the owner's ---------------------------------------------

    def _keep(self, data: memoryview) -> None:
        if self._waiting + len(data) > self.max_backlog:
            self._drop(
                f"{self.peer} leaves {self._waiting} bytes unread, "
                f"{self.max_backlog} may wait (clientbacklog)"
            )
            return
        self._backlog.append(data)
        self._waiting += len(data)

    def _drop(self, reason: str) -> None:
        if self._dropped is None:
            self._dropped = reason
            self._backlog.clear()
            self._waiting = 0
            self._wake()

    def _wake(self) -> None:
        if not self._closed:
            with contextlib.suppress(FileExistsError):
                self._epoll.register(self._wake_fd, select.EPOLLIN)

    def _check(self) -> None:
        if self._dropped is not None:
            raise PeerGone(self._dropped)

    def _next_wait(self, deadline: float | None) -> float | None:
        now = time.monotonic()
        ends = [] if deadline is None else [deadline - now]
        if self._backlog:
            ends.append(self._stalled + self.write_timeout - now)
        return max(0.0, min(ends)) if ends else None

    def _service(self) -> None:
        """Flush the backlog; find out whether the peer still takes anything."""
        if not self._backlog:
            self._set_interest(self._interest & ~select.EPOLLOUT)
            return
        with self.lock:
            before = self._waiting
            self._flush()
            now = time.monotonic()
            if self._waiting < before:
                self._stalled = now
            elif now - self._stalled >= self.write_timeout and self._backlog:
                raise SlowPeer(
                    f"{self.peer} took nothing for {self.write_timeout * 1000:.0f} ms, "
                    f"{self._waiting} bytes wait"
                )
            blocked = bool(self._backlog)
        interest = self._interest & ~select.EPOLLOUT
        self._set_interest(interest | select.EPOLLOUT if blocked else interest)

    def _flush(self) -> None:
        """Write what the socket takes.  The caller holds ``lock``."""
        backlog = self._backlog
        try:
            while backlog:
                part = backlog[0]
                sent = self._sock.send(part)
                self._waiting -= sent
                if sent < len(part):
                    backlog[0] = part[sent:]
                else:
                    backlog.popleft()
        except _NOT_NOW:
            pass
        except OSError as error:
            self._drop(f"{self.peer}: {error.strerror or error}")

    def _set_interest(self, interest: int) -> None:
        if interest != self._interest:
            self._interest = interest
            self._epoll.modify(self._sock.fileno(), interest)


def _tls_reason(error: OSError) -> str:
    reason = getattr(error, "reason", None)
    verify = getattr(error, "verify_message", None)
    return str(verify or reason or error.strerror or error)
