# SPDX-License-Identifier: GPL-2.0-or-later
"""Starting anew: the same command, directory and environment, in the same process."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amiproxy.process.again import Start
from amiproxy.process.pidfile import PidFile
from amiproxy.threads.restarting import problems
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PROGRAM = """
import os, sys
from amiproxy.process.again import Start
start = Start.of_process(os.getcwd())
print(os.getpid(), sys.argv[1:], sys.flags.utf8_mode, os.getcwd(), os.environ.get("MORE"),
      start.again, start.pidfile, sorted(set(start.environment) - set(os.environ)), flush=True)
if not start.again:
    os.chdir("/")
    os.environ["LATER"] = "x"
    start.again_with({"MORE": "more"}, 7)
assert "LATER" not in os.environ
"""


def test_it_becomes_what_it_was_started_as(tmp_path: Path) -> None:
    """With the interpreter's own options; what it did to its environment is forgotten."""
    (tmp_path / "program.py").write_text(PROGRAM)

    done = subprocess.run(
        [sys.executable, "-X", "utf8", "program.py", "-c", "a b"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    first, second = done.stdout.splitlines()
    pid = first.split()[0]
    assert first == f"{pid} ['-c', 'a b'] 1 {tmp_path} None False -1 []"
    assert second == f"{pid} ['-c', 'a b'] 1 {tmp_path} more True 7 ['ASTMANPROXY_AGAIN']"


def test_the_mark_of_another_process_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that the proxy starts inherits its environment."""
    monkeypatch.setenv("ASTMANPROXY_AGAIN", "1 5")

    start = Start.of_process("")

    assert (start.again, start.pidfile) == (False, -1)
    assert "ASTMANPROXY_AGAIN" not in os.environ


def of(*command: str, environment: Mapping[str, str] = os.environ) -> Start:
    """Return a start of *command*."""
    return Start(command, "", dict(environment))


def test_what_the_check_says_is_passed_on() -> None:
    """In lines, of which the last ones count most, and none is very long."""
    program = "import sys; print('x' * 1000); print(sys.argv[1:]); sys.exit(1)"

    found = problems(of(sys.executable, "-c", program))

    assert found == ["x" * 500, "['-t']"]
    assert problems(of(sys.executable, "-c", "")) == []
    assert problems(of(sys.executable, "-c", "raise SystemExit(5)")) == [
        "the check of the files ended with status 5"
    ]
    (line,) = problems(of("/no/such/program"))
    assert line == "the program cannot be run: No such file or directory: /no/such/program"


def test_the_check_is_not_told_what_is_for_the_proxy() -> None:
    """It would say READY to the supervisor, or take sockets that it was not given."""
    ours = {"NOTIFY_SOCKET": "/x", "LISTEN_PID": "1", "LISTEN_FDS": "1", "WATCHDOG_USEC": "5"}
    program = f"import os; print(set({list(ours)}) & set(os.environ)); raise SystemExit(1)"

    found = problems(of(sys.executable, "-c", program, environment={**os.environ, **ours}))

    assert found == ["set()"]


def test_a_check_that_hangs_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file may be on a file system without its server."""
    monkeypatch.setattr("amiproxy.threads.restarting.PATIENCE", 0.2)

    (line,) = problems(of(sys.executable, "-c", "import time; time.sleep(60)"))

    assert line == "the check of the files takes more than 0.2 s: one of them hangs"


def test_a_pid_file_stays_locked_while_it_is_handed_on(tmp_path: Path) -> None:
    """A script that asks in that moment is told the truth."""
    path = tmp_path / "x.pid"
    first = PidFile(str(path))
    first.acquire()
    inode = path.stat().st_ino
    fd = first.hand_on()
    assert os.get_inheritable(fd)
    os.close(first.fileno())  # as execve does

    second = PidFile(str(path), fd)

    with pytest.raises(Exception, match="already running"):
        PidFile(str(path)).acquire()
    second.acquire()
    assert (path.stat().st_ino, second.fileno(), os.get_inheritable(fd)) == (inode, fd, False)
    second.release()
    assert not path.exists()


def test_another_file_is_not_taken_for_the_pid_file(tmp_path: Path) -> None:
    """The configuration may name another one since."""
    first = PidFile(str(tmp_path / "x.pid"))
    first.acquire()

    second = PidFile(str(tmp_path / "y.pid"), first.hand_on())

    assert not second.is_kept
    second.acquire()
    assert (tmp_path / "y.pid").read_text() == f"{os.getpid()}\n"
    second.release()
    first.release()
