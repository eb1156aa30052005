# SPDX-License-Identifier: GPL-2.0-or-later
"""A load balancer of a few lines, for ``make demo-cluster`` where there is no HAProxy.

    python demo/balancer.py LISTEN=BACKEND,BACKEND... ...

All are ports of 127.0.0.1.  Each connection goes to the backend with the fewest; one that refuses
it is passed over.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections import Counter

#: How many connections each port has.
_OPEN: Counter[int] = Counter()


def main(rules: list[str]) -> None:
    """Balance what *rules* say until the process is ended."""
    for rule in rules:
        port, _, backends = rule.partition("=")
        door = socket.create_server(("127.0.0.1", int(port)), backlog=1024)
        ports = [int(each) for each in backends.split(",")]
        threading.Thread(target=serve, args=(door, ports)).start()


def serve(door: socket.socket, backends: list[int]) -> None:
    """Accept clients at *door*."""
    while True:
        client, _ = door.accept()
        threading.Thread(target=relay, args=(client, backends), daemon=True).start()


def relay(client: socket.socket, backends: list[int]) -> None:
    """Serve *client* by one of the *backends* until either side ends."""
    for port in sorted(backends, key=lambda each: _OPEN[each]):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)) as server:
            _OPEN[port] += 1
            try:
                threading.Thread(target=copy, args=(client, server), daemon=True).start()
                copy(server, client)
            finally:
                _OPEN[port] -= 1
            break
    client.close()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until *source* ends, and end *target* then."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    main(sys.argv[1:])
