# SPDX-License-Identifier: GPL-2.0-or-later
"""Notified: in the place of systemd, the socket that sd_notify(3) sends to."""

from __future__ import annotations

import select
import socket
from pathlib import Path

#: How long to wait for a message, in seconds.
PATIENCE = 20.0


class Notified:
    """Listens at *path*, where any user may send to; use it as a context manager.

    *path* may begin with @: then it is no file.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = str(path)
        #: All messages so far.
        self.heard: list[dict[str, str]] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> Notified:
        is_file = self.path[0] != "@"
        self._sock.bind(self.path if is_file else "\0" + self.path[1:])
        if is_file:
            Path(self.path).chmod(0o777)
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell a program of it, with a watchdog of ten seconds."""
        return {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "10000000"}

    def next(self, timeout: float = PATIENCE) -> dict[str, str]:
        """Return the assignments of the next message."""
        assert select.select([self._sock], [], [], timeout)[0], "nothing was said"
        lines = self._sock.recv(65536).decode().split("\n")
        self.heard.append(dict(line.split("=", 1) for line in lines))
        return self.heard[-1]

    def until(self, **wanted: str) -> dict[str, str]:
        """Return the first message that has the assignments *wanted*."""
        while True:
            found = self.next()
            if wanted.items() <= found.items():
                return found

    def nothing(self) -> bool:
        """Return whether there is no message now."""
        return not select.select([self._sock], [], [], 0)[0]

    def drain(self) -> None:
        """Forget the messages that are there."""
        while not self.nothing():
            self.next()
