# SPDX-License-Identifier: GPL-2.0-or-later
"""The program as a daemon, as a start script runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

from tests import nursery
from tests.support import PROGRAM, ManagerClient, free_port, wait_until
from tests.system.files import keep_private


class Daemon:
    """Starts the program as a daemon in a directory of its own; user joe has Secret1.

    Use it as a context manager: the end kills what it started, and removes the directory.
    """

    def __init__(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="astmanproxy-daemon-"))
        self.dir.chmod(0o755)
        self.pids: set[int] = set()
        self.port = free_port()
        self.config = self.dir / "amp.conf"
        self.users = self.dir / "amp.users"
        self.users.write_text("joe=Secret1\n")
        keep_private(self.users)
        # Made by the program, for proc_user.
        self.run_dir = self.dir / "astmanproxy"
        self.pidfile = self.run_dir / "amp.pid"
        self.log_dir = self.dir / "log"
        self.log_dir.mkdir()
        self.log_dir.chmod(0o777)
        self.log = self.log_dir / "amp.log"
        self.configure()

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.pids:
            with contextlib.suppress(OSError, psutil.Error):
                # The number may belong to another process by now.
                if str(self.config) in psutil.Process(pid).cmdline():
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir)

    def configure(self, more: str = "") -> None:
        """Write the configuration file, with the lines *more* at its end."""
        self.config.write_text(
            f"listenaddress = 127.0.0.1\nlistenport = {self.port}\nlogfile = {self.log}\n"
            f"pidfile = {self.pidfile}\nproc_user = nobody\n{more}"
        )
        keep_private(self.config)

    @property
    def command(self) -> list[str]:
        """The command that starts it."""
        return [sys.executable, str(PROGRAM), *self._files]

    @property
    def _files(self) -> list[str]:
        return ["-c", str(self.config), "-u", str(self.users)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the program with *arguments* until it exits or has become a daemon."""
        if arguments and arguments[0] in ("-t", "--control", "--status"):
            return nursery.run([*self._files, *arguments], "", 30)
        return self.run_command([*self.command, *arguments])

    def run_command(
        self, command: list[str], **options: object
    ) -> subprocess.CompletedProcess[str]:
        """Run *command*, which starts the program, with *options* of subprocess.run."""
        done: subprocess.CompletedProcess[str] = subprocess.run(  # type: ignore[call-overload]
            command, capture_output=True, text=True, timeout=30, check=False, **options
        )
        if pid := self.read_pid():
            self.pids.add(pid)
        return done

    def start(self) -> int:
        """Start it, and return its pid."""
        return self.started(self.run())

    def started(self, done: subprocess.CompletedProcess[str]) -> int:
        """Return the pid after *done*, a start that must have succeeded without output.

        But that no host line names an Asterisk, where that is so.
        """
        said = [line for line in done.stderr.splitlines() if "no host line names" not in line]
        assert (done.returncode, said, done.stdout) == (0, [], "")
        pid = self.read_pid()
        assert pid is not None
        return pid

    def read_pid(self) -> int | None:
        """Return the number in the pid file, or None."""
        with contextlib.suppress(OSError, ValueError):
            return int(self.pidfile.read_text())
        return None

    def client(self) -> ManagerClient:
        """Return a client that has read the banner."""
        client = ManagerClient(self.port)
        client.read_line()
        return client

    def wait_end(self, pid: int, timeout: float = 10.0) -> None:
        """Wait until the process *pid* has ended."""
        wait_until(lambda: not is_alive(pid), timeout, "the end of the daemon")

    def wait_log(self, text: str) -> None:
        """Wait until *text* stands in the log."""
        wait_until(lambda: text in self.log.read_text(), 10, f"{text!r} in the log")


def is_alive(pid: int) -> bool:
    """Return whether the process *pid* runs; a zombie does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def logs_in(client: ManagerClient, user: str, secret: str) -> bool:
    """Return whether *client* could log in."""
    answer = client.ask("Action: Login", f"Username: {user}", f"Secret: {secret}")
    if answer[0] == "Response: Success":
        client.read_until("Event: FullyBooted")
        return True
    return False
