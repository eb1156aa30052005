# SPDX-License-Identifier: GPL-2.0-or-later
"""A fake Asterisk that numbers its events and remembers what it has sent on each connection."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
import time
from typing import NamedTuple

END = b"\r\n\r\n"
_BANNER = b"Asterisk Call Manager/11.0.0\r\n"
_ACTION_ID = re.compile(rb"^actionid: *([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_RESET = struct.pack("ii", 1, 0)
CLASSES = ("call", "agent", "user", "system")
#: What an event may say in a header of the proxy's own, which clients with ids are not shown.
FORGED = b"\r\nProxyEventID: 00000000.1-1"
#: Every so many-th event is longer, is forged, begins a call.
_LONG, _FORGED, _CALL = 50, 97, 40
#: Among so many events is one for each kind of client.
EACH_KIND = _CALL


class Said(NamedTuple):
    """One event: its number among all of its Asterisk, its bytes, and what filters go by."""

    number: int
    raw: bytes  # without the blank line
    event_class: str
    kind: str
    is_phone: bool


def event(number: int, first: int) -> Said:
    """Return the event *number*: in turn of each class and kind, some of a call of SIP/100.

    *first* is the first one on this connection: no call is older.
    """
    event_class, kind = CLASSES[number % 4], "abc"[number % 3]
    name = b"UserEvent" if event_class == "user" else b"Tick"
    place, head = number % _CALL, b""
    call = b"Uniqueid: %d.1\r\n" % (number - place)
    if place == 0:
        name, head = b"Newchannel", b"Channel: SIP/100-%08x\r\n" % number + call
    elif place in (5, 11):
        head = call  # belongs to that call by its Uniqueid alone
    elif place == _CALL - 10:
        name, head = b"Hangup", b"Channel: SIP/100-%08x\r\n" % (number - place) + call
    elif place % 5 == 1:
        head = b"Channel: SIP/200-%08x\r\n" % number
    filler = b"x" * (3000 if number % _LONG == 7 else 90)
    raw = b"Event: %s\r\nPrivilege: %s,all\r\n%sN: %d\r\nKind: %s\r\nX: %d%s" % (
        name, event_class.encode(), head, number, kind.encode(), number, filler,
    )  # fmt: skip
    if number % _FORGED == 13:
        raw += FORGED
    is_phone = place in (0, _CALL - 10) or (place in (5, 11) and number - place >= first)
    return Said(number, raw, event_class, kind, is_phone)


class Connection:
    """One connection of the proxy: what was sent on it, and whether all of it has surely come."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.said: list[Said] = []
        #: Whether it has ended so that the proxy must have read all of it.
        self.is_whole = True
        self.is_logged_in = False


class NumberedAsterisk:
    """Listens on a port of its own.  Use it as a context manager."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tail = b"\r\nServer: " + name.encode()
        #: All that have logged in.
        self.connections: list[Connection] = []
        #: All events by their number, as ids' readers see them and as others do.
        self.shown: dict[int, bytes] = {}
        self.plain: dict[int, bytes] = {}
        self._lock = threading.Lock()  # Guards what is sent and what is noted of it.
        self._number = 0
        self._over = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, args=(self._listener,))]

    def __enter__(self) -> NumberedAsterisk:  # noqa: PYI034 - Self is not in 3.9
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True
        self._deafen()
        with self._lock:
            for connection in self.connections:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    @property
    def is_connected(self) -> bool:
        """Whether the proxy is logged in."""
        with self._lock:
            return bool(self.connections) and self.connections[-1].is_logged_in

    @property
    def has_said(self) -> int:
        """How many events it has sent on the connection that there is."""
        with self._lock:
            there = self.connections and self.connections[-1].is_logged_in
            return len(self.connections[-1].said) if there else 0

    def say(self, count: int) -> None:
        """Send *count* events in one piece, if somebody is connected."""
        with self._lock:
            if not self.connections or not self.connections[-1].is_logged_in:
                return
            connection = self.connections[-1]
            first = connection.said[0].number + 1
            said = [event(self._number + each, first) for each in range(1, count + 1)]
            self._note(connection, said)
            with contextlib.suppress(OSError):
                connection.sock.sendall(b"".join(each.raw + END for each in said))

    def _note(self, connection: Connection, said: list[Said]) -> None:
        for each in said:
            plain = each.raw + self.tail
            self.plain[each.number] = plain
            self.shown[each.number] = plain.replace(FORGED, b"")
        connection.said += said
        self._number = said[-1].number

    def restart(self, way: str, pause: float) -> None:
        """End the connection in a *way* (closed, half, reset); listen again after *pause* seconds.

        half: closed in the middle of a message.
        """
        with self._lock:
            connection, self._listener = self.connections[-1], self._deafen()
            connection.is_logged_in = False
            with contextlib.suppress(OSError):
                if way == "reset":
                    connection.is_whole = False
                    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    connection.sock.shutdown(socket.SHUT_RD)  # its thread closes it
                else:
                    if way == "half":
                        connection.sock.sendall(event(self._number + 1, 0).raw[:60])
                    connection.sock.shutdown(socket.SHUT_WR)
        time.sleep(pause)
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._threads.append(threading.Thread(target=self._accept, args=(self._listener,)))
        self._threads[-1].start()

    def _deafen(self) -> socket.socket:
        """End the listener."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        return self._listener

    def _accept(self, listener: socket.socket) -> None:
        """Serve connections, in this thread, until *listener* ends."""
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._serve, args=(Connection(sock),))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Connection) -> None:
        """Answer what the proxy asks until the connection ends."""
        unread = b""
        with contextlib.suppress(OSError), connection.sock as sock:
            sock.sendall(_BANNER)
            while not self._over and (data := sock.recv(65536)):
                *blocks, unread = (unread + data).split(END)
                with self._lock:
                    for block in blocks:
                        self._answer(connection, block.lower(), block)

    def _answer(self, connection: Connection, action: bytes, block: bytes) -> None:
        found = _ACTION_ID.search(block)
        echo = b"ActionID: %s\r\n" % found.group(1) if found else b""
        said = b"Message: Authentication accepted"
        if b"action: ping" in action:
            said = b"Ping: Pong\r\nTimestamp: %.6f" % time.time()
        answer = b"Response: Success\r\n" + echo + said + END
        if b"action: login" in action:
            booted = Said(
                self._number + 1,
                b"Event: FullyBooted\r\nPrivilege: system,all\r\nN: %d\r\nStatus: Fully Booted"
                % (self._number + 1), "system", "", False,
            )  # fmt: skip
            connection.is_logged_in = True
            self.connections.append(connection)
            self._note(connection, [booted])
            answer += booted.raw + END
        connection.sock.sendall(answer)
