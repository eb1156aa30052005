# SPDX-License-Identifier: GPL-2.0-or-later
"""One session of a simulated Asterisk: a thread, a socket, a queue of events.

As in Asterisk everything a session says is written by its own thread: answers
in the order of the requests, each in one piece, and events only between them.
While an action runs, nothing else comes (recording b7).
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from simulator.events import Filters
from simulator.protocol import Input

if TYPE_CHECKING:
    from simulator.protocol import Request
    from simulator.server import SimulatedAsterisk

RECV = 65536


class SessionOver(Exception):
    """The connection ended, or shall end."""


class Session:
    """One client of the simulated Asterisk."""

    def __init__(self, server: SimulatedAsterisk, sock: socket.socket, peer: str) -> None:
        self.server = server
        self.peer = peer
        self.user = ""
        self.authenticated = False
        self.mask = 0
        self.filters = Filters()
        self.challenge = ""
        self.leaving = False  # set by Logoff: close once all is said
        self._sock = sock
        self._sock.setblocking(False)
        self._input = Input()
        self._eof = False
        # Appended to by any thread, taken from by the session's own; deques are
        # safe for that.  Items: class bits (-1: always), bytes.
        self._queue: deque[tuple[int, bytes]] = deque()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._woken = False
        self._over = threading.Event()
        self._reset = False
        self._idle = True
        self._random = random.Random(0)
        self._thread = threading.Thread(target=self.run, name=f"simulator-{peer}", daemon=True)

    # For any thread -------------------------------------------------------

    def start(self) -> None:
        """Serve the client in a thread of its own."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait until the session's thread has ended."""
        self._thread.join(timeout)

    def queue(self, *items: tuple[int, bytes]) -> None:
        """Send messages when the session is between two answers.

        Each of *items* is the classes a message belongs to, and the message;
        the class -1 passes any mask and filter.
        """
        self._idle = False
        self._queue.extend(items)
        self._wake()

    def drop(self, *, reset: bool = False) -> None:
        """End the session, with a RST when *reset*."""
        self._reset = self._reset or reset
        self._over.set()
        self._wake()

    @property
    def idle(self) -> bool:
        """Whether all that was queued is with the kernel."""
        # In this order: the session's thread clears _idle before it takes anything.
        return not self._queue and self._idle

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            with contextlib.suppress(OSError):
                self._wake_out.send(b"x")

    # For the session's own thread -------------------------------------------

    def run(self) -> None:
        """Serve until the client leaves or is dropped."""
        try:
            self._greet()
            self._serve()
        except SessionOver:
            pass
        except OSError:
            pass  # the client went; nothing is owed to it
        finally:
            self._close()
            self.server.forget(self)

    def sleep(self, seconds: float) -> None:
        """Do nothing for *seconds*, unless the session ends.

        Raises:
            SessionOver: it ended.

        """
        if self._over.wait(seconds):
            raise SessionOver

    def wait_for(self, event: threading.Event, timeout: float) -> bool:
        """Wait for *event* as a busy action does; tell whether it came.

        Raises:
            SessionOver: the session ended meanwhile.

        """
        deadline = time.monotonic() + timeout
        while not event.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._over.is_set():
                raise SessionOver
            event.wait(min(left, 0.05))
        return True

    def wait_for_event(self, timeout: float) -> None:
        """Wait until an event is queued that this client wants, or for *timeout*.

        Raises:
            SessionOver: the session ended meanwhile.

        """
        deadline = time.monotonic() + timeout
        while not any(self._wants(*item) for item in tuple(self._queue)):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._wait(read=False, timeout=left)

    def write(self, data: bytes) -> None:
        """Send all of *data*, in pieces when the server is told to cut.

        Raises:
            SessionOver: the client went, or took nothing for the write time-out;
                then, as from Asterisk, a message may be cut.

        """
        most = self.server.pieces
        if not most:
            self._write(data)
            return
        at = 0
        while at < len(data):
            size = self._random.randint(1, most)
            self._write(data[at : at + size])
            at += size

    def deliver(self) -> None:
        """Write the queued events that this client wants, many at a time."""
        if self._over.is_set():
            raise SessionOver
        while self._queue:
            self._idle = False
            batch = []
            size = 0
            while self._queue and size < 1 << 20:
                category, message = self._queue.popleft()
                if self._wants(category, message):
                    batch.append(message)
                    size += len(message)
            if batch:
                self.write(batch[0] if len(batch) == 1 else b"".join(batch))

    def _greet(self) -> None:
        faults = self.server.faults
        if faults.reset_on_accept:
            self._reset = True
            raise SessionOver
        if faults.close_on_accept:
            raise SessionOver
        self._handshake()
        while faults.silent:
            if not self._read():
                self._wait()
            if self._eof:
                raise SessionOver
        self.sleep(faults.banner_delay)
        self.write(faults.garbage or self.server.dialect.banner)

    def _handshake(self) -> None:
        if self.server.tls is None:
            return
        self._sock = self.server.tls.wrap_socket(
            self._sock, server_side=True, do_handshake_on_connect=False
        )
        while True:
            try:
                self._sock.do_handshake()
            except ssl.SSLWantReadError:
                self._wait()
            except ssl.SSLWantWriteError:
                self._wait(read=False, write=True)
            else:
                return

    def _serve(self) -> None:
        while True:
            self.deliver()
            request = None if self._deaf else self._input.next()
            if request is not None:
                self._answer(request)
                if self.leaving:
                    return
            elif self._eof:
                return
            elif self._read():
                continue
            else:
                self._idle = True
                if self._queue:
                    continue
                self._wait(read=not self._deaf)

    @property
    def _deaf(self) -> bool:
        return self.server.faults.deaf and self.authenticated

    def _answer(self, request: Request) -> None:
        self.server.note(request)
        answer = self.server.respond(self, request)
        if answer:
            self.write(answer)

    def _wants(self, category: int, message: bytes) -> bool:
        if category < 0:
            return True
        return bool(category & self.mask) and self.filters.pass_(message)

    def _read(self) -> bool:
        """Read what there is; tell whether something, or the end, was there."""
        if self._deaf:
            return False
        try:
            data = self._sock.recv(RECV)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        if data:
            self._input.feed(data)
        else:
            self._eof = True
        return True

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        deadline = 0.0
        while view:
            if self._over.is_set():
                raise SessionOver
            try:
                view = view[self._sock.send(view) :]
                deadline = 0.0
            except (BlockingIOError, ssl.SSLWantWriteError):
                now = time.monotonic()
                deadline = deadline or now + self.server.write_timeout
                if now >= deadline:
                    raise SessionOver from None
                self._wait(read=False, write=True, timeout=deadline - now)
            except ssl.SSLWantReadError:
                self._wait()

    def _wait(
        self, *, read: bool = True, write: bool = False, timeout: float | None = None
    ) -> None:
        """Wait for the socket, or to be woken.

        Raises:
            SessionOver: the session shall end.

        """
        poll = select.poll()
        poll.register(self._wake_in, select.POLLIN)
        wanted = (select.POLLIN if read else 0) | (select.POLLOUT if write else 0)
        if wanted:
            poll.register(self._sock, wanted)
        poll.poll(None if timeout is None else max(1.0, timeout * 1000))
        # In this order, and cleared before the queue is looked at: no wake is lost.
        with contextlib.suppress(BlockingIOError):
            self._wake_in.recv(4096)
        self._woken = False
        if self._over.is_set():
            raise SessionOver

    def _close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            if self._reset:
                linger = struct.pack("ii", 1, 0)
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                # Unread input would turn the close into a RST that destroys
                # what the client has not read yet.
                self._sock.shutdown(socket.SHUT_WR)
                self._drain()
        self._sock.close()
        self._wake_in.close()
        self._wake_out.close()

    def _drain(self) -> None:
        with contextlib.suppress(OSError, ssl.SSLError):
            while self._sock.recv(RECV):
                pass
