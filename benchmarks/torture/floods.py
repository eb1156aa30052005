# SPDX-License-Identifier: GPL-2.0-or-later
"""What attacks are made of: many connections, and bytes sent as fast as they are taken."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import struct
import time
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How many connections log in at once: the proxy bounds those that have not.
_AT_ONCE = 25
#: How the attacker logs in.
LOGIN = ("Login", "Username: mallory", "Secret: mallory")
#: Close without TIME_WAIT.
_RESET = struct.pack("ii", 1, 0)


class Target:
    """The proxy under attack: *port* of 127.0.0.1; *spare* is a port for a server of ours."""

    def __init__(self, port: int, spare: int) -> None:
        self.port = port
        self.spare = spare

    def connect(self, number: int = 0, *, receive_buffer: int = 0) -> socket.socket:
        """Connect, from the address ``127.0.NUMBER.1``, and return the socket."""
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if number:
            sock.bind((f"127.0.{number}.1", 0))
        sock.settimeout(10)
        sock.connect(("127.0.0.1", self.port))
        return sock

    def connections(self, count: int, begin: int = 0) -> list[socket.socket]:
        """Return *count* connections, numbered from *begin*, 4000 from each address."""
        return [self.connect(1 + number // 4000) for number in range(begin, begin + count)]

    def logged_in(self, count: int, *, events: bool = False) -> list[socket.socket]:
        """Return *count* connections that are logged in as mallory."""
        login = action(*LOGIN, f"Events: {'on' if events else 'off'}")
        socks: list[socket.socket] = []
        while len(socks) < count:
            some = self.connections(min(_AT_ONCE, count - len(socks)), len(socks))
            for sock in some:
                sock.sendall(login)
            for sock in some:
                wait_for(sock, b"Message: Authentication accepted")
            socks += some
        return socks


def action(name: str, *headers: str) -> bytes:
    """Return the block ``Action: name`` with *headers*."""
    return "\r\n".join([f"Action: {name}", *headers, "", ""]).encode("latin-1")


def wait_for(sock: socket.socket, text: bytes) -> None:
    """Read until *text* has come, or the connection is over."""
    heard = b""
    while text not in heard:
        data = sock.recv(65536)
        if not data:
            return
        heard = heard[-len(text) :] + data


class Clock:
    """Tells when the attack begins, and when it is over: stdin has ended."""

    def __init__(self) -> None:
        self._begun = False

    def begin(self) -> None:
        """Tell the parent, once, that all is prepared, and wait for its word."""
        if self._begun:
            return
        self._begun = True
        print("prepared", flush=True)
        os.read(0, 1)
        os.set_blocking(0, False)

    @property
    def over(self) -> bool:
        """Whether the parent has closed our stdin."""
        try:
            return os.read(0, 1) == b""
        except BlockingIOError:
            return False


class _Flood:
    """What is sent again and again on *sock*."""

    def __init__(self, sock: socket.socket, data: bytes) -> None:
        self.sock = sock
        self._data = data
        self._at = 0
        sock.setblocking(False)

    def serve(self, events: int) -> bool:
        """Read and send; return whether the connection is still there."""
        try:
            if events & selectors.EVENT_READ and not self.sock.recv(262144):
                return False
            if events & selectors.EVENT_WRITE:
                sent = self.sock.send(self._data[self._at : self._at + 65536])
                self._at = (self._at + sent) % len(self._data)
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True


def flood(
    socks: Iterable[socket.socket],
    data: bytes,
    clock: Clock,
    *,
    again: Callable[[], socket.socket] | None = None,
) -> None:
    """Send *data* again and again on each of *socks*, and discard what comes.

    A connection that ends is replaced by *again*.
    """
    clock.begin()
    both = selectors.EVENT_READ | selectors.EVENT_WRITE
    with selectors.DefaultSelector() as selector:
        for sock in socks:
            selector.register(sock, both, _Flood(sock, data))
        while not clock.over:
            if not selector.get_map():
                time.sleep(0.01)
                continue
            for key, events in selector.select(0.05):
                if key.data.serve(events):
                    continue
                selector.unregister(key.data.sock)
                key.data.sock.close()
                if again is not None:
                    with contextlib.suppress(OSError):
                        sock = again()
                        selector.register(sock, both, _Flood(sock, data))


def discard(socks: Iterable[socket.socket], clock: Clock) -> None:
    """Read and discard what comes to *socks*."""
    clock.begin()
    with selectors.DefaultSelector() as selector:
        for sock in socks:
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_READ)
        while not clock.over:
            for key, _ in selector.select(0.05):
                with contextlib.suppress(OSError):
                    if not key.fileobj.recv(262144):  # type: ignore[union-attr]
                        selector.unregister(key.fileobj)


def wait(clock: Clock) -> None:
    """Do nothing until the attack is over."""
    clock.begin()
    while not clock.over:
        time.sleep(0.02)


def reset(sock: socket.socket) -> None:
    """Close *sock* at once."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()
