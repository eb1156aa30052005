# SPDX-License-Identifier: GPL-2.0-or-later
"""What make does, and an installation made by it."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

#: A handler of the administrator's own.
OWN_HANDLER = "def write(message):\n    return message.raw\n"

_STAND_IN = """#!/bin/sh
case "$*" in
*"-m venv "*)
    for last; do :; done
    mkdir -p "$last/bin" "$last/lib/astmanproxy" && cp "$0" "$last/bin/python" ;;
*"-m pip "*) exit {status} ;;
*) exec "{python}" "$@" ;;
esac
"""
_COPYING = """#!/bin/sh
case "$*" in
*"-m venv "*)
    for last; do :; done
    "{python}" -m venv --without-pip "$last" || exit
    site=$("$last/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    echo "{site}" > "$site/others.pth"
    cp "${{0%/*}}/pip.py" "$site" ;;
*) exec "{python}" "$@" ;;
esac
"""
_PIP = """
import shutil, sys
from pathlib import Path
source, site = Path(sys.argv[-1]), Path(__file__).parent
if (source / "setup.py").exists():
    shutil.copy(source / "astmanproxy.py", site)
    shutil.copytree(source / "amiproxy", site / "amiproxy")
    shutil.copytree(source / "handlers", Path(sys.prefix, "lib/astmanproxy/handlers"))
"""


def run_make(
    *arguments: str, python: Path | str = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Run make with *arguments* and return what came of it.

    The test is skipped if the package index cannot be reached.
    """
    done = subprocess.run(
        ["make", "-s", f"PYTHON={python}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if re.search("No matching distribution|Failed to establish a new connection", done.stderr):
        pytest.skip("the package index cannot be reached")
    return done


def make(*arguments: str, python: Path | str = sys.executable) -> str:
    """Run make with *arguments*, which must succeed; return its output."""
    done = run_make(*arguments, python=python)
    assert done.returncode == 0, done.stderr
    return done.stdout


def stand_in_python(path: Path, status: int) -> Path:
    """Write a Python to *path* in whose environments pip does nothing; return *path*.

    Its virtual environments are made at once, and pip in them exits with *status*, so
    an installation takes no time and no network.
    """
    path.write_text(_STAND_IN.format(status=status, python=sys.executable))
    path.chmod(0o755)
    return path


def copying_python(directory: Path) -> Path:
    """Write a Python to *directory* in whose environments pip only copies; return it.

    They have the program, and see the packages that are there for the tests: an
    installation takes little time and no network, and its program runs.
    """
    path = directory / "python"
    site = sysconfig.get_path("purelib")
    path.write_text(_COPYING.format(python=sys.executable, site=site))
    path.chmod(0o755)
    (directory / "pip.py").write_text(_PIP)
    return path


def once(name: str, build: Callable[[Path], None]) -> Path:
    """Return the directory *name* that *build* has filled: once for all workers of this run.

    It is removed when the run ends.
    """
    top = Path(os.environ["ASTMANPROXY_TEST_RUN"], name)
    with top.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not top.exists():
            top.mkdir()
            try:
                build(top)
            except BaseException:
                shutil.rmtree(top, ignore_errors=True)
                raise
    return top


def files_below(top: Path, pattern: str = "**/*") -> set[str]:
    """Return the files below *top*, without byte code."""
    found = [path for path in top.glob(pattern) if path.is_file()]
    return {str(path.relative_to(top)) for path in found if "__pycache__" not in path.parts}


def said_without_tools(build: Path, directory: Path) -> str:
    """Return what the script *build* says, which must fail, where a machine has next to no program.

    *directory* is empty: what the script may find goes there, and what it would build.
    """
    for name in ("sh", "dirname", "sed"):
        (directory / name).symlink_to(shutil.which(name) or "")
    done = subprocess.run(
        [build, directory],
        env={**os.environ, "PATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


class Place:
    """The directories of an installation below *top*."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.prefix = top / "usr/local"
        self.etc = top / "etc"
        self.settings = [f"PREFIX={self.prefix}", f"SYSCONFDIR={self.etc}", f"LOGS={top}/log"]
        self.program = self.prefix / "sbin/astmanproxy"
        self.library = self.prefix / "lib/astmanproxy"
        self.handlers = self.library / "handlers"
        #: What was at the top of the repository before.
        self.source = {path.name for path in ROOT.iterdir()}

    def files(self) -> set[str]:
        """Return the installed files, without the virtual environment and byte code."""
        return {
            str(path.relative_to(self.top))
            for path in self.top.rglob("*")
            if not path.is_dir() and not {"venv", "__pycache__"} & set(path.parts)
        }

    def add_handler(self) -> Path:
        """Add a handler of the administrator's own; return its file."""
        self.handlers.mkdir(parents=True, exist_ok=True)
        own = self.handlers / "own.py"
        own.write_text(OWN_HANDLER)
        return own
