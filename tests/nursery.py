# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies that begin in a process that has the program's modules already.

An interpreter that starts and imports the program needs a quarter of a second of the processor,
and the tests start the program hundreds of times.  The nursery imports it once for each worker;
each proxy is a fork of it, in which the program's main() begins as it always does: with its own
arguments, environment, directory, output, and exit status.  What it has of the nursery is the
command line that /proc shows, the seed of hashes, and the options of the interpreter: a test of
these starts the program itself, and so do all with ASTMANPROXY_FRESH=1.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NULL = Path(os.devnull)
#: As it was before any test changed it.
_ENVIRONMENT = dict(os.environ)
#: Coverage is measured by what begins with the interpreter.
_IS_CLOSED = bool(os.environ.get("ASTMANPROXY_FRESH") or os.environ.get("COVERAGE_FILE"))


def start(
    arguments: list[str], *, stdout: Path, stderr: Path, stdin: Path = NULL, cwd: Path = ROOT
) -> subprocess.Popen[bytes] | Child:
    """Start the program with *arguments*, in *cwd*; it appends to *stdout* and *stderr*."""
    if not _IS_CLOSED:
        return Child(arguments, (stdin, stdout, stderr), cwd)
    command = [sys.executable, str(ROOT / "astmanproxy.py"), *arguments]
    with stdin.open("rb") as given, stdout.open("ab") as out, stderr.open("ab") as err:
        return subprocess.Popen(command, stdin=given, stdout=out, stderr=err, cwd=cwd)


def run(arguments: list[str], stdin: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run the program with *arguments* to its end; return its output and exit status."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-run-") as place:
        given, out, err = (Path(place, name) for name in ("stdin", "stdout", "stderr"))
        given.write_text(stdin)
        process = start(arguments, stdin=given, stdout=out, stderr=err, cwd=Path.cwd())
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        return subprocess.CompletedProcess(arguments, status, out.read_text(), err.read_text())


class Nursery:
    """The process that is forked, as the tests see it.  Any thread may ask."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
            )
        #: Serializes what is asked, each with its answer.
        self._lock = threading.Lock()
        self._socket = ours
        self._answers = ours.makefile("r")
        atexit.register(self._close)

    def ask(self, what: dict[str, Any]) -> int | None:
        """Return what the nursery answers to *what*."""
        with self._lock:
            self._socket.sendall(json.dumps(what).encode() + b"\n")
            answer: int | None = json.loads(self._answers.readline())
            return answer

    def _close(self) -> None:
        self._answers.close()
        self._socket.close()
        self._process.wait()


@functools.cache
def _nursery() -> Nursery:
    return Nursery()


class Child:
    """A process of the nursery, with what the tests need of subprocess.Popen."""

    def __init__(self, arguments: list[str], files: tuple[Path, ...], cwd: Path) -> None:
        asked = {
            "arguments": arguments,
            "files": [str(path) for path in files],
            "directory": str(cwd),
            "environment": dict(os.environ),
        }
        pid = _nursery().ask(asked)
        assert pid is not None
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, or None."""
        if self.returncode is None:
            self.returncode = _nursery().ask({"pid": self.pid})
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status; raise subprocess.TimeoutExpired."""
        end = time.monotonic() + (timeout or 3600)
        while (status := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("a proxy", timeout or 3600)
            time.sleep(0.01)
        return status

    def send_signal(self, number: int) -> None:
        """Send the signal *number*, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Have it end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


def _ended(pid: int) -> int | None:
    """Return the exit status of the child *pid*; None: it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def _become(asked: dict[str, Any]) -> None:
    """Be what a process is that has been started as it was *asked*."""
    for fd, path in enumerate(asked["files"]):
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND if fd else os.O_RDONLY
        file = os.open(path, flags, 0o666)
        os.dup2(file, fd)
        os.close(file)
    os.chdir(asked["directory"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    time.tzset()


def _serve(fd: int) -> list[str]:
    """Answer what is asked until all is over; return in a child, with the program's arguments."""
    with socket.socket(fileno=fd) as connection, connection.makefile("r") as requests:
        for line in requests:
            asked = json.loads(line)
            if "pid" in asked:
                answer = _ended(asked["pid"])
            elif (answer := os.fork()) == 0:
                _become(asked)
                arguments: list[str] = asked["arguments"]
                return arguments
            connection.sendall(json.dumps(answer).encode() + b"\n")
    sys.exit()


if __name__ == "__main__":
    import astmanproxy

    gc.collect()
    gc.freeze()
    sys.argv = [astmanproxy.__file__, *_serve(int(sys.argv[1]))]
    sys.exit(astmanproxy.main())
