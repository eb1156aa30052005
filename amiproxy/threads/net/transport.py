# SPDX-License-Identifier: GPL-2.0-or-later
"""Transport: one connection, plain or TLS, with a bounded backlog.

One thread owns a transport: it reads, waits for nothing else, and closes.  Any
thread may send, under the transport's lock: what the socket takes goes at once,
the rest into the backlog, which the flusher sends when there is room.  Sending
never blocks; only ``recv`` and its like wait, and only the owner calls them.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerError, PeerGone, PeerLeft, SlowPeer
from amiproxy.threads.net.backlog import Backlog, cut_short
from amiproxy.threads.net.broken import left
from amiproxy.threads.net.plainsocket import NOT_NOW, PlainSocket, wait_for_room
from amiproxy.threads.net.tlssocket import Outside, TlsSocket

if TYPE_CHECKING:
    import socket
    import ssl

    from amiproxy.threads.net.flusher import Flusher

#: How much one read takes at the most, and one send of a long answer, in bytes.
READ_SIZE = _PIECE = 262144
_END_POLL_INTERVAL = 0.5  # seconds, while the owner waits for room


class Transport:
    """One connection.  Its owner's thread makes it and closes it.

    *peer* is how logs name the other side; *flusher* sends the backlog.  The session
    ends when bytes wait and the other side takes nothing for *write_timeout* seconds, or
    when more than *max_backlog* wait and it takes them too slowly (backlog.py).
    """

    __slots__ = ("_backlog", "_closed", "_flusher", "_socket", "_spare", "_watched", "busy_since",
                 "counted", "end_reason", "heard", "last_words", "lock", "max_backlog", "peer",
                 "sock", "wake", "write_timeout")  # fmt: skip

    def __init__(
        self,
        sock: socket.socket,
        peer: str,
        *,
        flusher: Flusher,
        write_timeout: float,
        max_backlog: int,
    ) -> None:
        self.rename(peer)
        self.write_timeout, self.max_backlog = write_timeout, max_backlog
        # Guards _backlog, _watched, end_reason and _closed, sending, the change of _socket from
        # plain to TLS, and a session's state.  end_reason and _backlog are read without it, too.
        # Nothing done under it may block; no thread holds two of them.
        self.lock = threading.Lock()
        self._socket: PlainSocket | TlsSocket = PlainSocket(sock)
        self._flusher, self.sock = flusher, sock  # sock: to ask the kernel, and for nothing else
        self._backlog: Backlog | None = None  # while bytes wait
        self.end_reason: PeerError | None = None  #: why the session must end; only read outside
        # Watched: by the flusher; counted: its bytes, in a total.
        self._closed = self._watched = self.counted = False
        self.busy_since = 0.0  # for the watchdog
        self.heard = time.monotonic()  #: when a client sent something last, or connected
        self.wake: Callable[[], object] | None = None  # called at the end, outside recv
        self.last_words: Callable[[PeerError], bytes] | None = None  # behind a backlog cut short

    def rename(self, peer: str) -> None:
        """Have logs call the other side *peer*.  Nobody else knows the transport yet."""
        self.peer = peer
        self._spare = PeerGone(f"{peer}: closed")  # made while there is memory for it

    def fileno(self) -> int:
        """Return the socket's descriptor, -1 once closed."""
        return self._socket.fileno()

    # -- the owner's thread -----------------------------------------------------------------

    def recv(self, size: int = READ_SIZE, timeout: float | None = None) -> bytes | None:
        """Return what comes in *timeout* seconds, None if nothing; b"" at the end.

        Raises:
            PeerGone, SlowPeer: the connection is over, or somebody ended the session.

        """
        self.busy_since = 0.0
        try:
            if timeout != self._socket.timeout:
                self._socket.set_timeout(timeout)
            data: bytes | None = self._socket.recv(size)
            self.busy_since = self.heard = time.monotonic()
        except NOT_NOW:
            data = None
        except OSError as error:
            raise self._broken(error) from error
        if self.end_reason is not None:
            raise self.end_reason
        return data

    def recv_into(self, buffer: memoryview, timeout: float | None = None) -> int | None:
        """As :meth:`recv`, into *buffer*; returns how many came, also before a send failed."""
        try:
            if timeout != self._socket.timeout:
                self._socket.set_timeout(timeout)
            count: int | None = self._socket.recv_into(buffer)
        except NOT_NOW:
            count = None
        except OSError as error:
            raise self._broken(error) from error
        reason = self.end_reason
        if reason is not None and not (count and isinstance(reason, PeerLeft)):
            raise reason
        return count

    def peek(self, timeout: float, size: int) -> bytes | None:
        """As :meth:`recv`, for the first *size* bytes of a plain connection, which stay."""
        assert isinstance(self._socket, PlainSocket)
        try:
            data = self._socket.peek(timeout, size)
        except OSError as error:
            raise self._broken(error) from error
        self.check()
        return data

    def check(self) -> None:
        """Raise why the session must end, if it must."""
        if self.end_reason is not None:
            raise self.end_reason

    def _broken(self, error: Exception) -> PeerError:
        if isinstance(error, OSError):
            return self.end_reason or left(f"{self.peer}: {self._socket.reason(error)}", error)
        return PeerGone(f"{self.peer}: {type(error).__name__}")

    def start_tls(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        timeout: float,
        server_hostname: str | None = None,
        outside: Outside = contextlib.nullcontext,
    ) -> None:
        """Turn the connection into TLS within *timeout* seconds; be *outside* while it waits.

        Raises:
            PeerGone: the handshake failed or took too long.

        """
        deadline = Deadline(timeout)
        with self.lock:
            self.check()
            assert isinstance(self._socket, PlainSocket)
            try:
                sock = self._socket.detach()
                tls = TlsSocket(sock, context, server_side=server_side, host=server_hostname)
            except (OSError, ValueError) as error:
                raise PeerGone(f"{self.peer}: TLS: {error}") from error
            self._socket, self.sock = tls, tls.sock
        try:
            done = tls.handshake(deadline, outside)
        except OSError as error:
            self.check()
            raise PeerGone(f"{self.peer}: TLS handshake: {tls.reason(error)}") from error
        self.check()
        if not done:
            raise PeerGone(f"{self.peer}: no TLS handshake within {timeout:g} s")

    @property
    def tls_version(self) -> str:
        """The TLS version in use, "" for none."""
        return self._socket.version

    def send_all(self, data: bytes) -> None:
        """Send *data*, however long, as fast as the other side takes it; wait meanwhile.

        Raises:
            PeerError: the connection is over, or the other side took nothing for too long.

        """
        rest, most = memoryview(data), min(2 * _PIECE, self.max_backlog)
        piece = min(_PIECE, most)
        while True:
            self.check()
            if rest and (self._backlog is None or self.backlog + piece <= most):
                with self.lock:
                    self.send(rest[:piece])
                rest = rest[piece:]
            elif self._backlog is None:
                return
            else:
                wait_for_room(self.fileno(), min(self.write_timeout, _END_POLL_INTERVAL))
                self.flush()

    def linger(self, deadline: Deadline) -> None:
        """Say that no more will come; discard what comes until the other side closes too."""
        self._socket.linger(deadline)

    def close(self) -> None:
        """Close the connection: the owner's last act.  Needs no memory."""
        try:
            with self.lock:
                if self._closed:
                    return
                self._closed = True
                self.end_reason = self.end_reason or self._spare
                self._backlog = None
                if self._watched:  # and nobody can have it watched again
                    self._flusher.forget(self)
        finally:
            self._socket.close()

    # -- any thread -------------------------------------------------------------------------

    def send(self, data: bytes | memoryview) -> None:
        """Send *data* now, or keep what the socket does not take.

        Never blocks, never raises: if it cannot be sent the session ends, and its owner
        finds out.  The caller holds ``lock``.
        """
        assert self.lock.locked()
        if self.end_reason is not None:
            return
        try:
            backlog = self._backlog
            if backlog is not None:
                backlog.append(data)
                if backlog.lags:
                    self._flush()  # the flusher may have had no time for it
                    self._drop_if_slow()
                return
            sent = self._socket.send_now(data)
            if sent < len(data):
                backlog = Backlog(self.max_backlog, self._flusher.tally)
                backlog.append(memoryview(data)[sent:] if sent else data)
                backlog.look(self._socket.unsent())
                self._backlog = backlog
                self._watched = True
                self._flusher.watch(self)
        except Exception as error:  # noqa: BLE001 - whoever sends has others to send to
            self.lose(error)

    def lose(self, error: Exception) -> None:
        """End the session: something failed.  The caller holds ``lock``."""
        assert self.lock.locked()
        self._backlog = None
        reason: PeerError = self._spare
        with contextlib.suppress(MemoryError):  # there may be no memory for words
            reason = self._broken(error)
        self.abort(reason)

    def finish(self, reason: str) -> None:
        """End the session for *reason*; the backlog stays, for its owner to send (parting.py)."""
        with self.lock:
            self.end_for(PeerGone(reason))

    def shut_read(self) -> None:
        """Wake the owner, who waits in ``recv``: there will be an end after what has come."""
        with self.lock:
            self._socket.shut_read()

    def abort(self, error: PeerError) -> None:
        """End the session for *error* and drop the backlog.  The caller holds ``lock``."""
        assert self.lock.locked()
        if self.end_for(error):
            self._backlog = cut_short(self._backlog, self.last_words, error)

    def check_reading(self) -> None:
        """End the session if its other side sends TLS records that hold no data."""
        if isinstance(self._socket, TlsSocket) and self._socket.reads_in_vain:
            self._socket.shut()
            if self.lock.acquire(timeout=0.1):  # seconds: somebody may hang under it
                self.abort(SlowPeer(f"{self.peer} sends TLS records without data"))
                self.lock.release()

    def read_no_more(self) -> int:
        """Discard what has come; return how many bytes the other side has not confirmed."""
        self._socket.drop_input()
        return self._socket.unsent()

    @property
    def backlog(self) -> int:
        """How many bytes wait to be sent."""
        backlog = self._backlog
        return 0 if backlog is None else backlog.size

    # -- the flusher's thread -----------------------------------------------------------------

    @property
    def stalled_until(self) -> float:
        """When the other side will have taken nothing for too long, in monotonic seconds."""
        backlog = self._backlog
        return math.inf if backlog is None else backlog.deadline(self.write_timeout)

    def flush(self) -> bool:
        """Send what the socket takes; return whether it took anything."""
        before = self.backlog
        with self.lock:
            try:
                self._flush()
            except Exception as error:  # noqa: BLE001 - the flusher has others
                self.lose(error)
            if self._backlog is None:
                self._flusher.forget(self)
                self._watched = False
        return self.backlog != before

    def check_stall(self) -> None:
        """End the session if the other side has taken nothing for too long."""
        if time.monotonic() < self.stalled_until:
            return
        self.flush()  # it may have become ready just now
        with self.lock:
            self._drop_if_slow()

    # -- under the lock -------------------------------------------------------------------------

    def end_for(self, error: PeerError, *, wake: bool = True) -> bool:
        """Send no more than the backlog; have the owner *wake* and find *error*, if it is first."""
        assert self.lock.locked()
        if self.end_reason is not None or self._closed:
            return False
        self.end_reason = error
        if wake:
            self._socket.shut_read()
            if (call := self.wake) is not None:  # the owner may be taking it away
                call()
        return True

    def _drop_if_slow(self) -> None:
        assert self.lock.locked()
        backlog = self._backlog
        problem = "" if backlog is None else backlog.problem(self.write_timeout)
        if problem:
            self.abort(SlowPeer(f"{self.peer} {problem}"))

    def _flush(self) -> None:
        """Send a piece of the backlog, as far as the socket takes it; raises OSError."""
        assert self.lock.locked()
        backlog = self._backlog
        if backlog is not None and backlog.flush(self._socket.send_now, _PIECE):
            self._backlog = None
        elif backlog is not None:
            backlog.look(self._socket.unsent())
