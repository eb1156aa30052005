# SPDX-License-Identifier: GPL-2.0-or-later
"""Two ways to restart a proxy without refusing a client."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.control.client import ask
from amiproxy.threads.control.comeback import Comeback
from benchmarks.interpreters import public_python
from benchmarks.processes import PATIENCE, Failed
from benchmarks.subjects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

#: Gives the program that it becomes descriptor 3, as systemd does (sd_listen_fds(3)).
_HAND_OVER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True);"
    " os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[2], sys.argv[2:])"
)


class InPlace:
    """A proxy that starts anew by itself: ``--control restart``."""

    name = "in place"

    def __init__(self, directory: Path, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self._directory = directory
        self._socket = str(directory / "control.sock")
        self.process = self._start()

    def _command(self) -> list[str]:
        python = public_python()
        if not python:
            raise Failed("user nobody may run no Python of this version")
        files = ["-c", str(self._directory / "conf"), "-u", str(self._directory / "users")]
        return [*python, str(ROOT / "astmanproxy.py"), "-f", *files]

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command(), stderr=subprocess.DEVNULL)
        deadline = Deadline(PATIENCE)
        while not deadline.over and process.poll() is None:
            try:
                socket.create_connection(self.address, 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return process
        raise Failed("the proxy does not start")

    def restart(self) -> None:
        """Restart it; return when the new one is there."""
        comeback = Comeback(self._socket)
        told = ask(self._socket, "restart", timeout=PATIENCE)
        if not told.is_good or not comeback.wait(Deadline(PATIENCE)):
            raise Failed(f"no restart: {told.text!r}")

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(PATIENCE)


class Inherited(InPlace):
    """A proxy whose supervisor keeps the socket, ends it and starts another one."""

    name = "socket kept"

    def __init__(self, directory: Path, port: int) -> None:
        self._sock = socket.create_server(("127.0.0.1", port), backlog=4096)
        super().__init__(directory, port)

    def _start(self) -> subprocess.Popen[bytes]:
        fd = self._sock.fileno()
        return subprocess.Popen(
            [sys.executable, "-c", _HAND_OVER, str(fd), *self._command()],
            stderr=subprocess.DEVNULL,
            pass_fds=[fd],
            env={**os.environ, "LISTEN_FDS": "1", "LISTEN_FDNAMES": "astmanproxy"},
        )

    def restart(self) -> None:
        """Restart it; return when the new one has begun."""
        self.stop()
        self.process = self._start()
