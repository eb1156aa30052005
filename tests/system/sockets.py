# SPDX-License-Identifier: GPL-2.0-or-later
"""The program with listening sockets that it inherits, as from systemd (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.support import ProxyProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Puts the descriptors of its first argument from 3 on, and becomes the rest.
_HAND_OVER = """
import os, sys
fds = [os.dup(int(fd)) for fd in sys.argv[1].split(",")]
fds = [__import__("fcntl").fcntl(fd, 0, 50) for fd in fds]
for number, fd in enumerate(fds, 3):
    os.dup2(fd, number, inheritable=True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


def listening(address: str, port: int) -> socket.socket:
    """Return a socket as a supervisor makes it."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.listen(64)
    return sock


class Inheriting(ProxyProcess):
    """A proxy that inherits *sockets* called *names*; the first one is at its port.

    *sockets* are of the caller, who closes them.
    """

    def __init__(
        self, sockets: Sequence[socket.socket], config: str = "", *, names: str = "", **more: Any
    ) -> None:
        self._sockets = sockets
        self._names = names
        super().__init__(config, fresh=True, **more)

    def write_config(self, config: str) -> None:
        """As any proxy's; what is inherited goes before the port in it."""
        self.port = self._sockets[0].getsockname()[1]
        super().write_config(config)

    def _python(self) -> tuple[str, ...]:
        """The Python that runs it."""
        return (sys.executable,)

    def _start(self, command: list[str], env: dict[str, str] | None) -> None:
        fds = [each.fileno() for each in self._sockets]
        with (self.dir / "stdout").open("wb") as out, (self.dir / "stderr").open("wb") as err:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _HAND_OVER,
                    ",".join(map(str, fds)),
                    *self._python(),
                    *command[1:],
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={
                    **(os.environ if env is None else env),
                    "LISTEN_FDS": str(len(fds)),
                    "LISTEN_FDNAMES": self._names,
                },
                pass_fds=fds,
            )
