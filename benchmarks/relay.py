# SPDX-License-Identifier: GPL-2.0-or-later
"""The bare relay: the least that any proxy in Python must do, for comparison.

One thread reads, adds the ``Server:`` header with one ``bytes.replace`` on all
it has read, and sends that to each client without blocking.  It passes on what
clients send unchanged.  No messages, no filters, no limits: not for use.
"""

from __future__ import annotations

import select
import socket
import sys

BANNER = b"Asterisk Call Manager Proxy/relay\r\n"
LOGIN = b"Action: Login\r\nUsername: bench\r\nSecret: bench\r\nEvents: on\r\n\r\n"
END = b"\r\n\r\n"


class Relay:
    """The relay's sockets and what it still has to send."""

    def __init__(self, upstream_port: int) -> None:
        """Log in at *upstream_port* and listen on a free port, printed on stdout."""
        self._upstream = socket.create_connection(("127.0.0.1", upstream_port))
        self._upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._upstream.sendall(LOGIN)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        print("port", self._listener.getsockname()[1], flush=True)
        self._poll = select.epoll()
        self._poll.register(self._upstream, select.EPOLLIN)
        self._poll.register(self._listener, select.EPOLLIN)
        self._clients: dict[int, socket.socket] = {}
        self._unsent: dict[int, bytearray] = {}  # of the few clients whose socket was full
        self._held = b""

    def run(self) -> None:
        """Relay until the upstream closes."""
        upstream, listener = self._upstream.fileno(), self._listener.fileno()
        while True:
            for fd, event in self._poll.poll():
                if fd == upstream:
                    if not self._publish():
                        return
                elif fd == listener:
                    self._accept()
                else:
                    self._serve(fd, event)

    def _publish(self) -> bool:
        data = self._upstream.recv(262144)
        if not data:
            return False
        data = self._held + data
        # A blank line that is cut in two waits for its other half.
        whole = len(data) if data.endswith(END) else len(data.rstrip(b"\r\n"))
        self._held = data[whole:]
        batch = data[:whole].replace(END, b"\r\nServer: 127.0.0.1\r\n\r\n")
        for fd, client in self._clients.items():
            self._send(fd, client, batch)
        return True

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.fileno()] = client
        self._poll.register(client, select.EPOLLIN)
        client.send(BANNER)

    def _serve(self, fd: int, event: int) -> None:
        if event & select.EPOLLIN and (data := receive(self._clients[fd])):
            self._upstream.sendall(data)
        elif event & select.EPOLLOUT:
            self._poll.modify(fd, select.EPOLLIN)
            self._send(fd, self._clients[fd], self._unsent.pop(fd))
        else:
            self._unsent.pop(fd, None)
            self._clients.pop(fd).close()

    def _send(self, fd: int, client: socket.socket, data: bytes | bytearray) -> None:
        """Send without blocking; keep what the socket does not take."""
        if self._unsent and fd in self._unsent:
            self._unsent[fd] += data
            return
        try:
            sent = client.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # epoll reports it
        if sent < len(data):
            self._unsent[fd] = bytearray(data[sent:])
            self._poll.modify(fd, select.EPOLLIN | select.EPOLLOUT)


def receive(client: socket.socket) -> bytes:
    """Return what *client* has sent; empty if it has left."""
    try:
        return client.recv(65536)
    except OSError:
        return b""


if __name__ == "__main__":
    Relay(int(sys.argv[1])).run()
