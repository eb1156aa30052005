# SPDX-License-Identifier: GPL-2.0-or-later
"""One session of a simulated Asterisk: a thread, a connection, a queue of events.

As in Asterisk, the session's own thread writes everything: answers in the order
of the actions, each in one piece, and events only between them.  While an action
runs, nothing else is sent (recording b7).
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Protocol

from simulator.connection import Connection, SessionOver
from simulator.events import ALWAYS, Filters
from simulator.protocol import Input

if TYPE_CHECKING:
    import socket
    import ssl

    from simulator.pbx import Pbx
    from simulator.protocol import Action

#: Bytes of events that are written at a time.
BATCH = 1 << 20


class Host(Protocol):
    """The server that accepted a session."""

    @property
    def pbx(self) -> Pbx:
        """State and settings."""

    @property
    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings; None: plain text."""

    def respond(self, session: Session, action: Action) -> bytes:
        """Return the answer to *action*; empty if there is none."""

    def logged_in(self, session: Session) -> None:
        """*session* has logged in."""

    def forget(self, session: Session) -> None:
        """The thread of *session* ends."""


class Session:
    """One client of the simulated Asterisk."""

    def __init__(self, host: Host, sock: socket.socket, peer: tuple[str, int]) -> None:
        """Serve the connection *sock* from the address *peer*."""
        self.pbx = host.pbx
        self.peer = peer
        self.local: tuple[str, int] = sock.getsockname()[:2]
        self.user = ""
        self.authenticated = False
        self.mask = 0
        self.filters = Filters()
        self.challenge = ""
        self.leaving = False  # close after the answer under way
        self._host = host
        self._connection = Connection(sock)
        self._input = Input()
        self._eof = False
        # Any thread appends, the session's own thread pops; deques are safe for
        # that.  Items: class bits or ALWAYS, and the message.
        self._queue: deque[tuple[int, bytes]] = deque()
        self._idle = True
        self._random = random.Random(0)
        self._thread = threading.Thread(
            target=self.run, name="simulator-{}:{}".format(*peer), daemon=True
        )

    # For any thread -------------------------------------------------------

    def start(self) -> None:
        """Serve the client in a thread of its own."""
        self._thread.start()

    def join(self, timeout: float) -> None:
        """Wait until the session's thread has ended, for up to *timeout* seconds."""
        self._thread.join(timeout)

    def queue(self, *items: tuple[int, bytes]) -> None:
        """Send messages when the session is between two answers.

        Each of *items* is the class bits of a message, or ``events.ALWAYS``, and the
        message.
        """
        self._idle = False
        self._queue.extend(items)
        self._connection.wake()

    def drop(self, *, reset: bool = False) -> None:
        """End the session; with *reset*, by a RST."""
        self._connection.end(reset=reset)

    @property
    def idle(self) -> bool:
        """Whether everything queued has been given to the kernel."""
        # In this order: the session's thread clears _idle before it pops anything.
        return not self._queue and self._idle

    # For the session's own thread -------------------------------------------

    def run(self) -> None:
        """Serve until the client leaves or is dropped."""
        try:
            self._greet()
            self._serve()
        except SessionOver:
            pass
        except OSError:
            pass  # the client has closed the connection
        finally:
            self._connection.close()
            self._host.forget(self)

    def log_in(self, user: str, mask: int) -> None:
        """Accept the session as *user*; it gets the events of *mask* from now on."""
        self.user = user
        self.mask = mask
        self._host.logged_in(self)

    def sleep(self, seconds: float) -> None:
        """Do nothing for *seconds*.

        Raises:
            SessionOver: the session is to end.

        """
        self._connection.sleep(seconds)

    def wait_for(self, event: threading.Event, timeout: float) -> bool:
        """Wait for *event* for up to *timeout* seconds; return whether it is set.

        Raises:
            SessionOver: the session is to end.

        """
        deadline = time.monotonic() + timeout
        while not event.is_set():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._connection.check()
            event.wait(min(left, 0.05))
        return True

    def wait_for_event(self, timeout: float) -> None:
        """Wait until an event for this client is queued, for up to *timeout* seconds.

        Raises:
            SessionOver: the session is to end.

        """
        deadline = time.monotonic() + timeout
        while not any(self._wants(*item) for item in tuple(self._queue)):
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._connection.wait(read=False, timeout=left)

    def write(self, data: bytes) -> None:
        """Send all of *data*, cut into pieces if the settings want that.

        Raises:
            SessionOver: the session is to end, or the client has read nothing for the
                write timeout.  As in Asterisk, a message may have been cut then.

        """
        timeout = self.pbx.behaviour.write_timeout
        most = self.pbx.behaviour.pieces
        if not most:
            self._connection.write(data, timeout)
            return
        at = 0
        while at < len(data):
            size = self._random.randint(1, most)
            self._connection.write(data[at : at + size], timeout)
            at += size

    def deliver(self) -> None:
        """Write the queued events for this client, many at a time."""
        self._connection.check()
        while self._queue:
            self._idle = False
            batch = []
            size = 0
            while self._queue and size < BATCH:
                category, message = self._queue.popleft()
                if self._wants(category, message):
                    batch.append(message)
                    size += len(message)
            if batch:
                self.write(batch[0] if len(batch) == 1 else b"".join(batch))

    def _greet(self) -> None:
        faults = self.pbx.faults
        if faults.reset_on_accept:
            self.drop(reset=True)
        if faults.close_on_accept:
            self.drop()
        self._connection.check()
        if self._host.tls is not None:
            self._connection.handshake(self._host.tls)
        while faults.silent:
            if not self._read():
                self._connection.wait()
            if self._eof:
                raise SessionOver
        self.sleep(faults.banner_delay)
        self.write(faults.garbage or self.pbx.dialect.banner)

    def _serve(self) -> None:
        while True:
            self.deliver()
            action = None if self._deaf else self._input.next()
            if action is not None:
                self._answer(action)
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
                self._connection.wait(read=not self._deaf)

    @property
    def _deaf(self) -> bool:
        return self.pbx.faults.deaf and self.authenticated

    def _answer(self, action: Action) -> None:
        answer = self._host.respond(self, action)
        if answer:
            self.write(answer)

    def _wants(self, category: int, message: bytes) -> bool:
        if category == ALWAYS:
            return True
        return bool(category & self.mask) and self.filters.passes(message)

    def _read(self) -> bool:
        """Read what there is; return False if nothing, not even the end, was there."""
        data = None if self._deaf else self._connection.read()
        if data is None:
            return False
        if data:
            self._input.feed(data)
        else:
            self._eof = True
        return True
