# SPDX-License-Identifier: GPL-2.0-or-later
"""Peers for the tests of the running program: bare servers, bulk readers, configuration."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple, Protocol

from tests.certificates import self_signed
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from simulator.server import SimulatedAsterisk
    from tests.support import ManagerClient, ProxyProcess

#: Servers are tried again soon.
QUICK = "retryinterval = 0.1\nretrylongest = 0.1\n"

#: For tests that are not about time limits, on a busy machine.
PATIENT = (
    "clientwritetimeout = 20000\nasteriskwritetimeout = 20000\n"
    "retryinterval = 0.1\nretrylongest = 0.1\nclientbacklog = 268435456\n"
)


#: Of a log: here, or in a cluster at another proxy.
_CONNECTED = re.compile(r": connected (?:by another proxy )?\(")


class Address(Protocol):
    """Where a server listens."""

    host: str
    port: int


def host_line(
    server: Address,
    *,
    host: str = "",
    events: str = "on",
    tls: str = "off",
    user: str = "ampuser",
    secret: str = "AmpSecret",
    options: str = "",
) -> str:
    """Return the configuration line that makes the proxy connect to *server*.

    *options* as ``name=pbx1, proxy=yes``.
    """
    more = f", {options}" if options else ""
    where = f"{host or server.host}, {server.port}"
    return f'host = {where}, {user}, "{secret}", {events}, {tls}{more}\n'


def value(message: Iterable[str], name: str) -> str | None:
    """Return the first value of header *name* in the lines *message*, or None."""
    for line in message:
        key, colon, text = line.partition(":")
        if colon and key.lower() == name.lower():
            return text.strip()
    return None


def is_response(message: Sequence[str]) -> bool:
    """Return whether *message* is an answer, not an event."""
    return message[0].startswith(("Response:", "ProxyResponse:"))


def wait_connected(proxy: ProxyProcess, count: int = 1) -> None:
    """Wait until the proxy has connected to *count* servers."""
    wait_until(lambda: len(_CONNECTED.findall(proxy.log())) >= count, what="connected in the log")


class Stage(NamedTuple):
    """A proxy and the Asterisk it is connected to."""

    program: ProxyProcess
    asterisk: SimulatedAsterisk


class BareServer:
    """A server that accepts the login of the proxy and leaves the rest to the test.

    *script* is called, in a thread of its own, with each connection after its login.
    All such connections are in ``links``, the lines of each login in ``logins``.
    """

    BANNER = b"Asterisk Call Manager/11.0.0\r\n"
    WELCOME = (
        b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
        b"Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n"
    )

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        script: Callable[[socket.socket], object] | None = None,
        banner: bytes = BANNER,
        welcome: bytes = WELCOME,
    ) -> None:
        self.host = host
        self.script = script
        self.banner = banner
        self.welcome = welcome
        self.links: list[socket.socket] = []
        self.logins: list[list[str]] = []
        self._over = False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((host, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> BareServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End all connections and threads."""
        self._over = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for sock in self._sockets:
            sock.close()

    def wait_link(self, number: int = 1, timeout: float = 15.0) -> socket.socket:
        """Return the *number*-th connection, once it is logged in."""
        wait_until(lambda: len(self.links) >= number, timeout, "a log-in")
        return self.links[number - 1]

    def _accept(self) -> None:
        while not self._over:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self.banner:
                sock.sendall(self.banner)
            self.logins.append(read_block(sock))
            if self.welcome:
                sock.sendall(self.welcome)
            self.links.append(sock)
            if self.script is not None:
                self.script(sock)


def read_block(sock: socket.socket) -> list[str]:
    """Return the lines of the next block on *sock*; nothing after it is read."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        if not more:
            raise EOFError(data)
        data += more
    return data.decode("latin-1").split("\r\n")[:-2]


def went_up(link: socket.socket, block: str) -> list[str]:
    """Return *block* as it goes up; Pings of the proxy's own stand around what is answered by text."""
    found = read_block(link)
    if "Action: IAXnetstats" in block:
        while found[0] == "Action: Ping":
            found = read_block(link)
        assert read_block(link)[0] == "Action: Ping"
    return found


class Collector:
    """Reads one connection in a thread of its own, as fast as the bytes arrive."""

    def __init__(self, client: ManagerClient, start: bytes = b"") -> None:
        self._client = client
        self._parts = [client.take() or start]
        self.count = len(self._parts[0])
        self.ended = False
        self._wake, self._woken = socket.socketpair()
        client.sock.settimeout(None)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        sock = self._client.sock
        with contextlib.suppress(OSError):
            while True:
                # select does not see what a TLS socket has decrypted already.
                decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending()
                if not decrypted and self._woken in select.select([sock, self._woken], [], [])[0]:
                    break
                data = sock.recv(1 << 20)
                if not data:
                    break
                self._parts.append(data)
                self.count += len(data)
        self.ended = True

    def __enter__(self) -> Collector:
        return self

    def __exit__(self, *_: object) -> None:
        self._wake.close()
        self._thread.join()
        self._woken.close()

    @property
    def data(self) -> bytes:
        """All bytes received so far."""
        return b"".join(self._parts)

    def wait_for(self, mark: bytes, timeout: float = 30.0) -> bytes:
        """Wait for *mark*, and return all bytes received."""
        self.wait_count(mark, 1, timeout)
        return self.data

    def wait_count(self, mark: bytes, count: int, timeout: float = 30.0) -> None:
        """Wait until *mark* was received *count* times."""
        end = time.monotonic() + timeout
        seen, tail = 0, b""
        while True:
            ended, parts = self.ended, self._parts[:]
            for part in parts[seen:]:
                count -= (tail + part).count(mark)
                tail = (tail + part)[1 - len(mark) :]
            seen = len(parts)
            if count <= 0:
                return
            assert not ended, f"closed before {mark!r}: {self.data[-300:]!r}"
            assert time.monotonic() < end, f"no {mark!r}: {self.count} bytes, {self.data[-300:]!r}"
            time.sleep(0.01)

    def wait_size(self, size: int, timeout: float = 30.0) -> bytes:
        """Wait for *size* bytes, and return all bytes received."""
        wait_until(lambda: self.count >= size or self.ended, timeout, f"{size} bytes")
        return self.data


def certificate(directory: Path, name: str = "127.0.0.1") -> Path:
    """Make a self-signed certificate for *name*; return the PEM file with its key."""
    return self_signed(name, "localhost").write(directory / "cert.pem")
