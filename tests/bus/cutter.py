# SPDX-License-Identifier: GPL-2.0-or-later
"""Cutter: what stands between the outbox and Redis, and cuts a connection at an exact byte."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Cutter:
    """Passes on what comes at ``port`` to *target*, until ``cut_up`` or ``cut_down`` bytes.

    Counted from when they are set; None for never.  Each cuts once.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.cut_up: int | None = None
        self.cut_down: int | None = None
        self.cuts = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Cutter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                # One after the other: the outbox has one connection.
                with near, contextlib.suppress(OSError):
                    far = socket.create_connection(("127.0.0.1", self._target))
                    with far:
                        self._pass(near, far)

    def _pass(self, near: socket.socket, far: socket.socket) -> None:
        while True:
            for source in select.select([near, far, self._listener], [], [], 10)[0]:
                if source is self._listener:
                    return  # the next connection, or the end
                data = source.recv(65536)
                if not data:
                    return
                up = source is near
                left = self.cut_up if up else self.cut_down
                (far if up else near).sendall(data if left is None else data[:left])
                if left is not None and self._count(left - len(data), up=up):
                    # What was passed on is carried out: it came before the end.
                    far.shutdown(socket.SHUT_WR)
                    while far.recv(65536):
                        pass
                    return

    def _count(self, left: int, *, up: bool) -> bool:
        """Note that *left* bytes may pass; return whether it is time to cut."""
        is_over = left <= 0
        new = None if is_over else left
        if up:
            self.cut_up = new
        else:
            self.cut_down = new
        self.cuts += is_over
        return is_over
