# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting anew in the same process (execve(2)): the pid stays, and so do descriptors.

So a proxy that nobody supervises can be restarted without refusing a client, and a supervisor
sees the process that it knows.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

#: In the environment: the pid of a process that has started anew, and the descriptor of its
#: pid file.
_MARK = "ASTMANPROXY_AGAIN"

#: What is meant for one process, and not for those that it starts: sd_notify(3),
#: sd_listen_fds(3) and our own mark.
_OWN = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
        "LISTEN_FDNAMES", _MARK)  # fmt: skip


@dataclass(frozen=True)
class Start:
    """How this process was started: *command*, in *directory* ("": unknown), *environment*.

    *again*: by itself, so that it is a daemon already, if it is to be one; *pidfile* is the
    descriptor of its locked pid file then, -1: it has none.
    """

    command: tuple[str, ...]
    directory: str
    environment: Mapping[str, str]
    again: bool = False
    pidfile: int = -1

    @classmethod
    def of_process(cls, directory: str) -> Start:
        """Return how this very process was started; for its beginning."""
        environment = dict(os.environ)
        pid, _, fd = os.environ.pop(_MARK, "").partition(" ")
        if pid != str(os.getpid()):
            return cls(_command(), directory, environment)
        return cls(
            _command(),
            directory,
            environment,
            again=True,
            pidfile=int(fd) if fd.isdecimal() else -1,
        )

    @property
    def for_others(self) -> dict[str, str]:
        """The environment for a program that this one starts."""
        return {name: text for name, text in self.environment.items() if name not in _OWN}

    def again_with(self, more: Mapping[str, str], pidfile: int) -> None:
        """Become the program anew, with *more* in its environment.  Does not return.

        *pidfile* is the descriptor of the locked pid file, which it inherits; -1: there is none.

        Raises:
            OSError: the program is not there any more.

        """
        if self.directory:
            with contextlib.suppress(OSError):
                os.chdir(self.directory)  # where relative paths start
        environment = {**self.environment, **more, _MARK: f"{os.getpid()} {pidfile}"}
        os.execve(self.command[0], self.command, environment)  # noqa: S606 - our own command


def _command() -> tuple[str, ...]:
    """Return the command of this process, with the interpreter's own options (proc(5))."""
    words: list[str] = []
    with contextlib.suppress(OSError):
        raw = Path("/proc/self/cmdline").read_bytes()
        words = [os.fsdecode(word) for word in raw.split(b"\0")[1:-1]]
    return (sys.executable, *(words or sys.argv))
