# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated Asterisk that numbers its events, and counts its connections and their actions."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

END = b"\r\n\r\n"
USER, SECRET = "ampuser", "AmpSecret"
_BANNER = b"Asterisk Call Manager/11.0.0\r\n"
_HEADER = re.compile(rb"^([a-z]+): *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_RESET = struct.pack("ii", 1, 0)
#: Bytes that a connection may leave unread; then it is closed, as Asterisk does.
_BACKLOG = 16 << 20
#: Seconds that a slow action takes.
SLOW = 0.1
#: Items of a list.
ITEMS = 5


def tick(number: int) -> bytes:
    """Return the event of that number."""
    return b"Event: Tick\r\nPrivilege: call,all\r\nN: %d\r\nX: %s" % (number, b"x" * width(number))


def width(number: int) -> int:
    """Return how long the last header of that event is."""
    return 20 + number % 7 * 30


class Connection:
    """One connection of a proxy: whose, from when to when, by time.monotonic()."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        #: The proxy: each logs in with a name of its own.
        self.owner = ""
        self.began = self.logged_in = self.ended = 0.0
        self.unsent = bytearray()
        #: Behind which event it begins, and with which it ends; 0: not yet.
        self.first = self.last = 0

    @property
    def is_live(self) -> bool:
        """Whether it has logged in and stands."""
        return bool(self.logged_in and not self.ended)


class ClusterAsterisk:
    """Listens on a port of its own at *host*.  Use it as a context manager.

    Events have numbers whether anybody is connected or not.  For tests of the judge, words in
    *lies* have it do wrong once each: ``skip`` and ``double`` an event, do an action ``twice``.
    """

    def __init__(self, name: str, host: str = "127.0.0.1") -> None:
        self.name = name
        #: All that have logged in.
        self.connections: list[Connection] = []
        #: When each action was carried out, by its token.
        self.done: dict[str, list[float]] = {}
        self.lies: list[str] = []
        self.number = 0
        self._goes = threading.Event()
        self._goes.set()
        self._lock = threading.Lock()  # Guards what is sent and what is noted.
        self._open: list[Connection] = []
        self._over = False
        self._host = host
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, args=(self._listener,))]

    def __enter__(self) -> ClusterAsterisk:  # noqa: PYI034 - Self is not in 3.9
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._goes.set()
        self._deafen()
        self._end_all("closed")
        for thread in self._threads:
            thread.join()

    @property
    def live(self) -> list[Connection]:
        """The connections that there are now."""
        with self._lock:
            return [each for each in self.connections if each.is_live]

    # -- what it does ---------------------------------------------------------------------------

    def say(self, count: int) -> None:
        """Send the next *count* events, in one piece, to all who are connected."""
        if not self._goes.is_set():
            return
        with self._lock:
            numbers = range(self.number + 1, self.number + count + 1)
            self.number += count
            data = b"".join(tick(number) + END for number in self._told(numbers))
            for connection in self._open:
                if connection.is_live:
                    self._send(connection, data)

    def _told(self, numbers: Sequence[int]) -> list[int]:
        told = list(numbers)
        for lie in [each for each in self.lies if each in ("skip", "double")]:
            self.lies.remove(lie)
            told = told[1:] if lie == "skip" else [told[0], *told]
        return told

    def freeze(self, seconds: float) -> None:
        """Do nothing for *seconds*, as a process that is stopped."""
        self._goes.clear()
        time.sleep(seconds)
        self._goes.set()

    def restart(self, way: str, pause: float) -> None:
        """End all connections in a *way* (closed, half, reset); listen again in *pause* seconds.

        half: closed in the middle of a message.
        """
        self._deafen()
        self._end_all(way)
        time.sleep(pause)
        if self._over:
            return
        self._listener = socket.create_server((self._host, self.port))
        self._threads.append(threading.Thread(target=self._accept, args=(self._listener,)))
        self._threads[-1].start()

    def _end_all(self, way: str) -> None:
        with self._lock:
            for connection in self._open:
                self._note_end(connection)
                with contextlib.suppress(OSError):
                    if way == "half":
                        connection.sock.send(tick(self.number + 1)[:30], socket.MSG_DONTWAIT)
                    if way == "reset":
                        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                        connection.sock.shutdown(socket.SHUT_RD)  # its thread closes it
                    else:
                        connection.sock.shutdown(socket.SHUT_RDWR)

    def _deafen(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _send(self, connection: Connection, data: bytes) -> None:
        """Send without waiting; what its socket does not take waits for the next time."""
        unsent = connection.unsent
        unsent += data
        try:
            sent = connection.sock.send(unsent, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            unsent.clear()
            return
        del unsent[:sent]
        if len(unsent) > _BACKLOG:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    # -- its threads ----------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        """Serve connections, in this thread, until *listener* ends."""
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(sock)
            connection.began = time.monotonic()
            with self._lock:
                self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        """Answer what the proxy asks until the connection ends."""
        unread = b""
        with contextlib.suppress(OSError):
            connection.sock.sendall(_BANNER)
            while not self._over and (data := connection.sock.recv(65536)):
                self._goes.wait()
                *blocks, unread = (unread + data).split(END)
                for block in blocks:
                    self._obey(connection, block)
        with self._lock:
            self._open.remove(connection)
            self._note_end(connection)
            connection.sock.close()

    def _note_end(self, connection: Connection) -> None:
        if not connection.ended:
            connection.ended, connection.last = time.monotonic(), self.number

    def _obey(self, connection: Connection, block: bytes) -> None:
        headers = {name.lower(): value for name, value in _HEADER.findall(block)}
        action, token = headers.get(b"action", b"").lower(), headers.get(b"key", b"").decode()
        echo = b"ActionID: %s\r\n" % headers[b"actionid"] if b"actionid" in headers else b""
        if token:
            with self._lock:
                self._note(token)
            if headers.get(b"val") == b"slow":
                time.sleep(SLOW)
        with self._lock:
            if connection.ended:
                return
            self._send(connection, self._answer(action, token, echo))
            if action == b"login":
                self._let_in(connection, headers.get(b"username", b"").decode())

    def _note(self, token: str) -> None:
        times = 2 if "twice" in self.lies else 1
        if times == 2:
            self.lies.remove("twice")
        self.done.setdefault(token, []).extend([time.monotonic()] * times)

    def _let_in(self, connection: Connection, user: str) -> None:
        connection.owner, connection.logged_in = user, time.monotonic()
        connection.first = self.number
        self.connections.append(connection)
        self._send(
            connection,
            b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted" + END,
        )

    @staticmethod
    def _answer(action: bytes, token: str, echo: bytes) -> bytes:
        success = b"Response: Success\r\n" + echo
        if action == b"login":
            return success + b"Message: Authentication accepted" + END
        if action == b"ping":
            return success + b"Ping: Pong\r\nTimestamp: %.6f" % time.time() + END
        if action == b"logoff":
            return b"Response: Goodbye\r\n" + echo + b"Message: Thanks for all the fish." + END
        if action != b"dbgettree":
            return success + b"Message: Updated database successfully" + END
        item = b"Event: DBGetTreeResponse\r\n%sKey: /trial/%s\r\nVal: %d" + END
        items = [item % (echo, token.encode(), number) for number in range(ITEMS)]
        head = success + b"EventList: start\r\nMessage: Result will follow" + END
        tail = b"Event: DBGetTreeComplete\r\n%sEventList: Complete\r\nListItems: %d" % (echo, ITEMS)
        return b"".join((head, *items, tail, END))
