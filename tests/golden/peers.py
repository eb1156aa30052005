# SPDX-License-Identifier: GPL-2.0-or-later
"""The peers of a golden session: its clients and its Asterisks.

There are no threads: a peer returns the sockets that it waits for, and a function for
each, to call when the socket is readable.  Text is latin-1.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import ssl
from typing import Callable

#: The function to call when a socket is readable.
Readers = dict[socket.socket, Callable[[], None]]

TIMEOUT = 10.0


class Peer:
    """A peer of the proxy; ``heard`` is what it has received since that was last emptied."""

    def __init__(self) -> None:
        self.heard = b""

    def readers(self) -> Readers:
        """Return the sockets to wait for."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all sockets."""
        raise NotImplementedError


class Client(Peer):
    """A client of the proxy at *address*; *tls*: with TLS of at most that version."""

    def __init__(self, address: tuple[str, int], tls: ssl.TLSVersion | None = None) -> None:
        super().__init__()
        self.ended = False
        # The proxy reports clients' addresses; the recordings have this one.
        self._sock = socket.create_connection(address, TIMEOUT, source_address=("127.0.0.1", 0))
        self._tls: TlsRecords | None = None
        try:
            if tls is not None:
                self._tls = TlsRecords(self._sock, tls)
                # What was received together with the end of the handshake.
                self.heard, self.ended = self._tls.text(b"")
        except BaseException:
            self.close()
            raise

    def readers(self) -> Readers:
        """Return the one socket, until the connection has ended."""
        return {} if self.ended else {self._sock: self._receive}

    def close(self) -> None:
        """Close the connection, without a TLS close_notify."""
        self.ended = True
        self._sock.close()

    def send(self, text: str) -> None:
        """Send *text*."""
        data = text.encode("latin-1")
        self._sock.sendall(data if self._tls is None else self._tls.record(data))

    def send_half(self, text: str) -> None:
        """Send the first half of a TLS record that holds *text*."""
        assert self._tls is not None
        record = self._tls.record(text.encode("latin-1"))
        self._sock.sendall(record[: len(record) // 2])

    def _receive(self) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = self._sock.recv(65536)
        if not data:
            self.ended = True
        elif self._tls is None:
            self.heard += data
        else:
            text, self.ended = self._tls.text(data)
            self.heard += text


class TlsRecords:
    """The TLS of one client, separate from its socket, so that a record can be cut in two."""

    def __init__(self, sock: socket.socket, version: ssl.TLSVersion) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = version
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)
        self._shake_hands(sock)

    def _shake_hands(self, sock: socket.socket) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                sock.sendall(self._out.read())
                data = sock.recv(65536)
                if not data:
                    raise ConnectionResetError("closed in the TLS handshake") from None
                self._in.write(data)
            else:
                sock.sendall(self._out.read())
                return

    def record(self, data: bytes) -> bytes:
        """Return *data* encrypted for the wire."""
        self._tls.write(data)
        return self._out.read()

    def text(self, data: bytes) -> tuple[bytes, bool]:
        """Return the plain text of *data* from the wire, and whether it ends the connection."""
        self._in.write(data)
        found = b""
        try:
            while True:
                more = self._tls.read(65536)
                if not more:
                    return found, True
                found += more
        except ssl.SSLWantReadError:
            return found, False
        except ssl.SSLZeroReturnError:
            return found, True


class Asterisk(Peer):
    """A fake Asterisk, which always gives the same answer to the same action."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        banner: str = "Asterisk Call Manager/5.0.2",
        *,
        fullybooted: bool = True,
        start: bool = True,
    ) -> None:
        super().__init__()
        self.host = host
        self._banner = banner
        self._fullybooted = fullybooted
        self._connections: list[Connection] = []
        # The port is bound from now on, and refuses connections until start().
        self._listener = socket.socket()
        self._listener.bind((host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._listening = False
        if start:
            self.start()

    def start(self) -> None:
        """Begin to listen."""
        self._listener.listen()
        self._listening = True

    def readers(self) -> Readers:
        """Return the listening socket and all connections."""
        found: Readers = {self._listener: self._accept} if self._listening else {}
        for one in self._connections:
            found[one.sock] = functools.partial(self._receive, one)
        return found

    def close(self) -> None:
        """Close all connections and the listening socket."""
        self._listener.close()
        for one in self._connections:
            one.sock.close()

    def emit(self, text: str) -> None:
        """Send *text* to all who are logged in."""
        for one in self._connections:
            if one.logged_in:
                one.sock.sendall(text.encode("latin-1"))

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.settimeout(TIMEOUT)
        self._connections.append(Connection(sock))
        sock.sendall(self._banner.encode("latin-1") + b"\r\n")

    def _receive(self, connection: Connection) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = connection.sock.recv(65536)
        self.heard += data
        if not data:
            self._connections.remove(connection)
            connection.sock.close()
        *blocks, connection.pending = (connection.pending + data).split(b"\r\n\r\n")
        for block in blocks:
            answer = self._answer(connection, block.decode("latin-1"))
            # A client that tried TLS has left by now.
            with contextlib.suppress(OSError):
                connection.sock.sendall(answer.encode("latin-1"))

    def _answer(self, connection: Connection, block: str) -> str:
        headers: dict[str, str] = {}
        for line in block.split("\r\n"):
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), value.strip())
        action = headers.get("action", "")
        if action.lower() == "login":
            connection.logged_in = True
            return _block(*LOGGED_IN) + (_block(*FULLY_BOOTED) if self._fullybooted else "")
        first, *others = ANSWERS.get(action.lower(), ACCEPTED)
        identity = [f"ActionID: {headers['actionid']}"] if "actionid" in headers else []
        return "".join(
            _block(lines[0], *identity, *(line.format(action=action) for line in lines[1:]))
            for lines in (first, *others)
        )


class Connection:
    """One connection to a fake Asterisk."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.pending = b""
        self.logged_in = False


def _block(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines) + "\r\n"


LOGGED_IN = ("Response: Success", "Message: Authentication accepted")
FULLY_BOOTED = (
    "Event: FullyBooted",
    "Privilege: system,all",
    "Uptime: 4321",
    "LastReload: 4321",
    "Status: Fully Booted",
)

# The messages that answer an action, in lower case; the ActionID follows each first line.
ACCEPTED = (("Response: Success", "Message: {action} accepted"),)
ANSWERS = {
    "ping": (("Response: Success", "Ping: Pong", "Timestamp: 1700000000.123456"),),
    "command": (
        (
            "Response: Success",
            "Message: Command output follows",
            "Output: Name/username    Host   Status",
            "Output: 1000/1000        10.0.0.1  OK (5 ms)",
            "Output: 1 sip peers",
        ),
    ),
    "coreshowchannels": (
        ("Response: Success", "EventList: start", "Message: Channels will follow"),
        (
            "Event: CoreShowChannel",
            "Channel: SIP/1000-00000001",
            "ChannelState: 6",
            "Uniqueid: 1700000000.1",
        ),
        ("Event: CoreShowChannelsComplete", "EventList: Complete", "ListItems: 1"),
    ),
}
