# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways to restart a proxy without refusing a client."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.control.client import ask
from amiproxy.threads.control.comeback import Comeback
from benchmarks.interpreters import public_python
from benchmarks.processes import PATIENCE, Failed
from benchmarks.subjects import ROOT

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


class Service(InPlace):
    """astmanproxy.service with astmanproxy.socket on this machine: ``systemctl restart``.

    What configures it is in /run, and gone in the end.
    """

    name = "systemctl restart, with astmanproxy.socket"

    def __init__(self, directory: Path, port: int) -> None:
        options = directory / "options"
        options.write_text(f'OPTIONS="-c {directory}/conf -u {directory}/users"\n')
        # Nobody else restarts it as often.  Of /tmp the service sees this alone.
        service = (
            "[Unit]\nStartLimitIntervalSec=0\n"
            f"[Service]\nEnvironmentFile={options}\nBindPaths={directory}\n"
        )
        listening = f"[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n"
        for name, lines in (("service", service), ("socket", listening)):
            self._drop_in(name).parent.mkdir(parents=True)
            self._drop_in(name).write_text(lines)
        _systemctl("daemon-reload")
        _systemctl("stop", "astmanproxy.service")
        _systemctl("restart", "astmanproxy.socket")
        super().__init__(directory, port)

    @staticmethod
    def _drop_in(name: str) -> Path:
        return Path(f"/run/systemd/system/astmanproxy.{name}.d/benchmark.conf")

    def _start(self) -> subprocess.Popen[bytes]:
        _systemctl("start", "astmanproxy.service")
        return subprocess.Popen(["true"])

    def restart(self) -> None:
        """Restart it; return when the new one serves."""
        _systemctl("restart", "astmanproxy.service")

    def stop(self) -> None:
        """End it."""
        _systemctl("stop", "astmanproxy.socket", "astmanproxy.service")
        for name in ("service", "socket"):
            shutil.rmtree(self._drop_in(name).parent)
        _systemctl("daemon-reload")


class ServiceInPlace(Service):
    """The same, and ``--control restart``."""

    name = "--control restart of astmanproxy.service"

    def restart(self) -> None:
        """Restart it; return when the new one is there."""
        InPlace.restart(self)


def _systemctl(*arguments: str) -> None:
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"systemctl {' '.join(arguments)}: {done.stderr.strip()}")
