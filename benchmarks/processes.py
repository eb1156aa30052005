# SPDX-License-Identifier: GPL-2.0-or-later
"""Child processes: started, measured through /proc, and always ended."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import Any

#: Limit of any single wait, in seconds; after it the row has failed.
PATIENCE = 30.0
_PROCESS_CLOCK = 2  # CPUCLOCK_SCHED of the kernel


class Failed(Exception):
    """A row cannot be measured; the text says why."""


class Child:
    """One child process with a line-wise stdout."""

    def __init__(self, command: list[str], **popen: Any) -> None:
        self.process = subprocess.Popen(  # closed by stop()
            command, stdout=subprocess.PIPE, bufsize=0, **popen
        )
        self.pid = self.process.pid
        self._heard = b""

    def wait_line(self, start: bytes) -> bytes:
        """Return the next line of stdout, which must begin with *start*.

        Raises:
            Failed: there is another line, or none within PATIENCE.

        """
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._heard:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise Failed(f"no {start!r} from {self.process.args!r} in {PATIENCE:g} s")
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    raise Failed(f"{self.process.args!r} ended, before {start!r}")
                self._heard += data
        line, _, self._heard = self._heard.partition(b"\n")
        if not line.startswith(start):
            raise Failed(f"{self.process.args!r} said {line!r} instead of {start!r}")
        return line

    def stop(self) -> None:
        """End the process: SIGTERM first, then SIGKILL."""
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        for signum in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                self.process.send_signal(signum)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(10)

    def __enter__(self) -> Any:  # a subclass, for whom there is no Self in 3.9
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def cpu_seconds(pid: int) -> float:
    """Return the CPU time, user and system, that *pid* has used in all its threads.

    That is what /proc/PID/stat tells in ticks of 10 ms, but to the nanosecond.

    Raises:
        OSError: the process is gone.

    """
    # What clock_getcpuclockid(3) returns for a process.
    return time.clock_gettime((~pid << 3) | _PROCESS_CLOCK)


def status(pid: int) -> dict[str, int]:
    """Return ``rss`` (KB), ``threads`` and ``files`` of *pid*."""
    found = {}
    with open(f"/proc/{pid}/status", "rb") as file:
        for line in file:
            name, _, value = line.partition(b":")
            if name in (b"VmRSS", b"Threads"):
                found[name] = int(value.split()[0])
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return {"rss": found.get(b"VmRSS", 0), "threads": found.get(b"Threads", 0), "files": files}
