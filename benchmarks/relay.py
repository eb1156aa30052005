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
#: How the answer to that ends, which is an event.
BOOTED = b"Fully Booted" + END


# One function on purpose: its variables keep the large buffers alive, so that they are
# not returned to the system and requested again for each batch, which costs 20 %.
def relay(upstream_port: int) -> None:
    """Relay until the upstream closes; print the port listened on."""
    upstream = socket.create_connection(("127.0.0.1", upstream_port))
    upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    held = log_in(upstream)
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print("port", listener.getsockname()[1], flush=True)
    poll = select.epoll()
    poll.register(upstream, select.EPOLLIN)
    poll.register(listener, select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    unsent: dict[int, bytearray] = {}  # of the few clients whose socket was full
    while True:
        for fd, event in poll.poll():
            if fd == upstream.fileno():
                data = upstream.recv(262144)
                if not data:
                    return
                data = held + data
                # A blank line that is cut in two waits for its other half.
                whole = len(data) if data.endswith(END) else len(data.rstrip(b"\r\n"))
                held = data[whole:]
                batch = data[:whole].replace(END, b"\r\nServer: 127.0.0.1\r\n\r\n")
                for number, client in clients.items():
                    send(poll, unsent, number, client, batch)
            elif fd == listener.fileno():
                client = accept(listener)
                clients[client.fileno()] = client
                poll.register(client, select.EPOLLIN)
            elif event & select.EPOLLIN and (data := receive(clients[fd])):
                upstream.sendall(data)
            elif event & select.EPOLLOUT:
                poll.modify(fd, select.EPOLLIN)
                send(poll, unsent, fd, clients[fd], unsent.pop(fd))
            else:
                unsent.pop(fd, None)
                clients.pop(fd).close()


def log_in(upstream: socket.socket) -> bytes:
    """Log in; return what has come behind the answer, which is for no client."""
    upstream.sendall(LOGIN)
    heard = b""
    while BOOTED not in heard:
        data = upstream.recv(65536)
        if not data:
            raise EOFError(heard)
        heard += data
    return heard.partition(BOOTED)[2]


def accept(listener: socket.socket) -> socket.socket:
    """Return a new client that has its banner."""
    client, _ = listener.accept()
    client.setblocking(False)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.send(BANNER)
    return client


def receive(client: socket.socket) -> bytes:
    """Return what *client* has sent; empty if it has left."""
    try:
        return client.recv(65536)
    except OSError:
        return b""


def send(
    poll: select.epoll,
    unsent: dict[int, bytearray],
    fd: int,
    client: socket.socket,
    data: bytes | bytearray,
) -> None:
    """Send without blocking; keep what the socket does not take."""
    if unsent and fd in unsent:
        unsent[fd] += data
        return
    try:
        sent = client.send(data)
    except BlockingIOError:
        sent = 0
    except OSError:
        return  # epoll reports it
    if sent < len(data):
        unsent[fd] = bytearray(data[sent:])
        poll.modify(fd, select.EPOLLIN | select.EPOLLOUT)


if __name__ == "__main__":
    relay(int(sys.argv[1]))
