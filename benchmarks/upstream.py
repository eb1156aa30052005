# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that acts as Asterisk, as fast as Python can: it sends prebuilt bytes.

It knows Login, Ping and Logoff, answers everything else with Success, and sends
batches of events on order.  Orders are lines on stdin: ``calls N`` sets what a batch is
made of, ``centre N TOGETHER`` that so many phones belong to one call each, and that batches are
pieces of what happens; ``ringing N EACH`` that so many channels begin for each of N phones;
``credit N`` sends N batches, ``channels N`` has N channels begin that stay, ``paced RATE COUNT``
sends COUNT single events at RATE a second, ``guard PID`` kills that process too when
this one ends, ``guard 0`` none.  It listens on 127.0.0.1, or on the address that it is given,
prints its port and each login on stdout, and ends at the end of stdin.  So no process is left,
however a run ends.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

from benchmarks.events import (
    END,
    PIECE,
    Event,
    call_events,
    centre_events,
    channel_events,
    ringing_events,
    single_events,
    stamped,
)
from benchmarks.processes import Child, Failed

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
#: The number of the first channel that stays.
_STAYING = 1_000_000
_ACTION = re.compile(rb"^action: *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_ACTION_ID = re.compile(rb"^actionid: *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_BOOTED = (
    b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 4321\r\n"
    b"LastReload: 4321\r\nStatus: Fully Booted\r\n\r\n"
)


class Connection:
    """One manager session."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.unread = b""
        self.unsent = b""
        self.events = False


class Server:
    """The listener, its sessions, and what it still has to send."""

    #: How much it reads at once, in bytes.
    piece = 262144

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server((address, 0), backlog=4096)
        self.listener.setblocking(False)
        self.connections: set[Connection] = set()
        self.batch = 0
        self.templates = [b""]
        self._piece = 0
        self.singles: list[bytes] = []
        self.due = 0.0
        self.interval = 0.0
        self.count = self.left = 0
        self._orders = b""
        self._guarded: set[int] = set()

    def run(self) -> None:
        """Serve until stdin ends."""
        _tell(b"port %d" % self.listener.getsockname()[1])
        os.set_blocking(0, False)
        self.selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self.selector.register(0, selectors.EVENT_READ, self._order)
        with contextlib.suppress(EOFError):
            while True:
                # epoll counts milliseconds, which is too coarse for a fixed rate.
                for key, events in self.selector.select(0 if self.left else None):
                    if isinstance(key.data, Connection):
                        self._serve(key.data, events)
                    else:
                        key.data()
                if self.left:
                    self._pace()
        for pid in self._guarded:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _order(self) -> None:
        data = os.read(0, 65536)
        if not data:
            raise EOFError
        *lines, self._orders = (self._orders + data).split(b"\n")
        for line in lines:
            name, *numbers = line.split()
            _ORDERS[name](self, *(int(number) for number in numbers))

    def calls(self, count: int) -> None:
        """Set the batch that is sent from now on."""
        events = call_events(count)
        self._set(events, len(events))

    def centre(self, count: int, together: int) -> None:
        """Set the batches that are sent from now on, in turn."""
        self._set(centre_events(count, together), PIECE)

    def ringing(self, phones: int, each: int) -> None:
        """Set the batches that are sent from now on, in turn."""
        self._set(ringing_events(phones, each), PIECE)

    def _set(self, events: list[Event], piece: int) -> None:
        raws = [event.raw for event in events]
        starts = range(0, len(raws), piece)
        self.templates = [b"".join(raws[start : start + piece]) for start in starts]
        self.singles = single_events(events)
        self._piece = 0

    def credit(self, count: int) -> None:
        """Send *count* batches."""
        for _ in range(count):
            self._publish(self.templates[self._piece])
            self._piece = (self._piece + 1) % len(self.templates)

    def paced(self, rate: int, count: int) -> None:
        """Send *count* events, *rate* a second."""
        self.interval = 1 / rate
        self.count = self.left = count
        self.due = time.monotonic()

    def channels(self, count: int) -> None:
        """Have *count* channels begin, which stay."""
        events = channel_events(_STAYING, count, range(_STAYING, _STAYING + count))
        self._publish(b"".join(event.raw for event in events))
        self.batch -= 1  # clients that count come later

    def guard(self, pid: int) -> None:
        """Kill *pid* too when this process ends; 0: none."""
        if pid:
            self._guarded.add(pid)
        else:
            self._guarded.clear()

    def _pace(self) -> None:
        wait = self.due - time.monotonic()
        if wait > 0:
            time.sleep(min(wait, 0.001))
            return
        self._publish(self.singles[(self.count - self.left) % len(self.singles)])
        self.due += self.interval
        self.left -= 1

    def _publish(self, template: bytes) -> None:
        data = stamped(template, self.batch)
        self.batch += 1
        for connection in list(self.connections):
            if connection.events:
                self._send(connection, data)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection = Connection(sock)
                self.connections.add(connection)
                self.selector.register(sock, selectors.EVENT_READ, connection)
                self._send(connection, BANNER)

    def _serve(self, connection: Connection, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._send(connection, b"")
        if not events & selectors.EVENT_READ or connection not in self.connections:
            return
        try:
            data = connection.sock.recv(self.piece)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
            return
        *blocks, connection.unread = (connection.unread + data).split(END)
        replies = b"".join(self.answer(connection, block) for block in blocks)
        if replies:
            self._send(connection, replies)

    def answer(self, connection: Connection, block: bytes) -> bytes:
        """Return the answer to *block*, an action."""
        found = _ACTION.search(block)
        action = found.group(1).lower() if found else b""
        found = _ACTION_ID.search(block)
        echo = b"ActionID: %s\r\n" % found.group(1) if found else b""
        if action == b"ping":
            return (
                b"Response: Success\r\n"
                + echo
                + b"Ping: Pong\r\nTimestamp: %.6f\r\n\r\n" % time.time()
            )
        if action == b"login":
            connection.events = b"events: off" not in block.lower()
            _tell(b"login")
            return (
                b"Response: Success\r\n"
                + echo
                + b"Message: Authentication accepted\r\n\r\n"
                + _BOOTED
            )
        if action == b"logoff":
            return b"Response: Goodbye\r\n" + echo + b"Message: Thanks for all the fish.\r\n\r\n"
        return b"Response: Success\r\n" + echo + b"Message: Done\r\n\r\n"

    def _send(self, connection: Connection, data: bytes) -> None:
        waiting = bool(connection.unsent)
        data = connection.unsent + data
        try:
            sent = connection.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        connection.unsent = data[sent:]
        if bool(connection.unsent) != waiting:
            write = selectors.EVENT_WRITE if connection.unsent else 0
            self.selector.modify(connection.sock, selectors.EVENT_READ | write, connection)

    def _close(self, connection: Connection) -> None:
        self.connections.discard(connection)
        self.selector.unregister(connection.sock)
        connection.sock.close()


_ORDERS: dict[bytes, Callable[..., None]] = {
    b"calls": Server.calls,
    b"centre": Server.centre,
    b"channels": Server.channels,
    b"credit": Server.credit,
    b"guard": Server.guard,
    b"paced": Server.paced,
    b"ringing": Server.ringing,
}


def _tell(line: bytes) -> None:
    os.write(1, line + b"\n")


class Upstream(Child):
    """Starts such a process and gives it orders."""

    def __init__(self, module: str = "benchmarks.upstream", *arguments: str) -> None:
        super().__init__(
            [sys.executable, "-m", module, *arguments],
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.PIPE,
        )
        self.port = int(self.wait_line(b"port").split()[1])
        self.address = ("127.0.0.1", self.port)

    def order(self, name: str, *numbers: int) -> None:
        """Send an order; see the module."""
        assert self.process.stdin is not None
        line = " ".join([name, *map(str, numbers)]) + "\n"
        try:
            os.write(self.process.stdin.fileno(), line.encode())
        except OSError as error:
            raise Failed(f"the upstream is gone: {error}") from error

    def wait_logins(self, count: int) -> None:
        """Wait for *count* more logins."""
        for _ in range(count):
            self.wait_line(b"login")


if __name__ == "__main__":
    Server(*sys.argv[1:]).run()
