# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows about pages that are open: what it costs to tell them what there is, as it changes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.delivery import Delivery, pace, prepare
from benchmarks.ends import Ends
from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    from benchmarks.figures import Figures
    from benchmarks.subjects import Running

#: What an open console watches.
_KINDS = "servers,totals,calls,queues,members,callers"
_ASK = (
    f"GET /ws?state={_KINDS} HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
_SNAPSHOT = b'"last":true'
#: A snapshot of the servers, and one of what is there.
_SNAPSHOTS = 2


class Watchers(threading.Thread):
    """*count* pages at the port *port*, which read all that they are told until it is *over*."""

    def __init__(self, port: int, count: int) -> None:
        super().__init__()
        self.over = threading.Event()
        #: Bytes that they have read, and how many of them have lost their connection.
        self.bytes = self.lost = 0
        self._selector = selectors.DefaultSelector()
        for _ in range(count):
            sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
            sock.sendall((_ASK % port).encode())
            self._wait(sock)
            sock.setblocking(False)
            self._selector.register(sock, selectors.EVENT_READ)

    @staticmethod
    def _wait(sock: socket.socket) -> None:
        """Wait until the page that *sock* is has had its snapshots.

        Raises:
            Failed: it gets none.

        """
        data = b""
        while data.count(_SNAPSHOT) < _SNAPSHOTS:
            some = sock.recv(1 << 20)
            if not some:
                raise Failed(f"a page is told nothing: {data[:200]!r}")
            data += some

    def run(self) -> None:
        """Read."""
        while not self.over.is_set():
            for key, _ in self._selector.select(0.1):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                with contextlib.suppress(BlockingIOError):
                    some = len(sock.recv(1 << 20))
                    self.bytes += some
                    if not some:
                        self.lost += 1
                        self._selector.unregister(sock)

    def close(self) -> None:
        """Leave."""
        self.over.set()
        if self.is_alive():
            self.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()


def beside_watchers(
    running: Running, port: int, watchers: int, rate: int, seconds: float
) -> Figures:
    """Send *rate* events of calls a second, first alone, then beside *watchers* open pages.

    They connect to *port*.  The figures are those of ten plain clients beside them; ``watch_share``
    is what share of a core more the proxy takes then.
    """
    with Ends() as ends:
        views = prepare(running, ends, Delivery(10))
        first = Watchers(port, 1)  # from now on there is a model
        time.sleep(1)
        first.close()
        alone = pace(running, ends, views, rate, seconds)
        pages = Watchers(port, watchers)
        pages.start()
        try:
            begun = pages.bytes
            beside = pace(running, ends, views, rate, seconds)
            told = (pages.bytes - begun) / watchers
        finally:
            pages.close()
    if pages.lost:
        raise Failed(f"{pages.lost} pages were dropped")
    return {
        **beside,
        "clients": watchers,
        "watch_share": beside["cpu_share"] - alone["cpu_share"],
        "watch_kb_per_s": told / seconds / 1000,
        "alone_p99_us": alone["p99_us"],
        "alone_max_us": alone["max_us"],
    }
