# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the program to its end, with files of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests import nursery
from tests.support import free_port

if TYPE_CHECKING:
    import subprocess


def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program to its end; return its output and exit status."""
    return nursery.run([*arguments], stdin, 30)


def keep_private(*paths: Path) -> None:
    """Let only the user who runs the program, nobody if that is root, read *paths*."""
    for path in paths:
        path.chmod(0o640)
        if os.geteuid() == 0:
            os.chown(path, 0, pwd.getpwnam("nobody").pw_gid)


class Files:
    """A configuration and a users file in a directory of their own, a context manager.

    The configuration begins with four lines of ours.
    """

    def __init__(self) -> None:
        # Not tmp_path: user nobody could not reach it.
        self.dir = Path(tempfile.mkdtemp(prefix="astmanproxy-cli-"))
        self.dir.chmod(0o755)
        self.config = self.dir / "amp.conf"
        self.users = self.dir / "amp.users"
        self.log = self.dir / "proxy.log"
        self.pidfile = self.dir / "astmanproxy" / "own.pid"

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.dir)

    def write(self, config: str = "", users: str | None = "") -> list[str]:
        """Write the files; return the options that name them.  *users* None: no file."""
        ours = (
            f"proc_user = nobody\nlistenaddress = 127.0.0.1\nlogfile = {self.log}\n"
            f"listenport = {free_port()}\n"
        )
        self.config.write_bytes((ours + config).encode("latin-1"))
        keep_private(self.config)
        if users is not None:
            self.users.write_text(users)
            keep_private(self.users)
        return ["-c", str(self.config), "-u", str(self.users)]
