# SPDX-License-Identifier: GPL-2.0-or-later
"""A relay before the proxy, which cuts connections, and lets none through for a while."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Relay:
    """Passes on what comes to its port; use it as a context manager."""

    def __init__(self, port: int) -> None:
        """*port* is where the proxy listens."""
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        # Guards _pairs, and keeps new connections waiting.
        self._gate = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._threads = [threading.Thread(target=self._admit)]

    def __enter__(self) -> Relay:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        with self.cut():
            pass
        for thread in self._threads:
            thread.join()

    @contextlib.contextmanager
    def cut(self) -> Iterator[None]:
        """Cut all connections, without a word; new ones wait until the end of the block."""
        with self._gate:
            for pair in self._pairs:
                for one in pair:
                    # Nothing but a reset: a cable that was pulled says no goodbye either.
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RD)
                    one.close()
            self._pairs.clear()
            yield

    def _admit(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            with self._gate:
                far = socket.create_connection(("127.0.0.1", self._target))
                self._pairs.append((near, far))
            for source, sink in ((near, far), (far, near)):
                thread = threading.Thread(target=_pass_on, args=(source, sink))
                thread.start()
                self._threads.append(thread)


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what *source* says until one of them ends."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
