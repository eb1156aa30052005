# SPDX-License-Identifier: GPL-2.0-or-later
"""A listening socket and the thread that accepts on it."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from typing import Any, Callable


class Listener:
    """Accepts connections on one address, in a thread of its own."""

    def __init__(
        self, host: str, port: int, admit: Callable[[socket.socket, tuple[Any, ...]], None]
    ) -> None:
        """Listen on *host*; call *admit* with each connection and its peer's address.

        Raises:
            OSError: the address cannot be bound.

        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._sock.bind((host, port))
            self._sock.listen(128)
        except OSError:
            self._sock.close()
            raise
        self._sock.setblocking(False)
        self.port = int(self._sock.getsockname()[1])
        self._admit = admit
        self._stop_in, self._stop_out = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="simulator-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Close the port; return when the thread has ended."""
        self._stop_out.close()
        self._thread.join()

    def _run(self) -> None:
        with self._sock, self._stop_in:
            poll = select.poll()
            poll.register(self._sock, select.POLLIN)
            poll.register(self._stop_in, select.POLLIN)
            while True:
                ready = [descriptor for descriptor, _ in poll.poll()]
                if self._stop_in.fileno() in ready:
                    return
                with contextlib.suppress(OSError):
                    self._admit(*self._sock.accept())
