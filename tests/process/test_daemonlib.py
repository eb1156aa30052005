# SPDX-License-Identifier: GPL-2.0-or-later
"""python-daemon of Debian 12, where the limit of open files is high."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# As python-daemon 2.3.2 does when it is imported, but for the set.
_DAEMON = """
import resource
SEEN = resource.getrlimit(resource.RLIMIT_NOFILE)
OTHER = resource.getrlimit(resource.RLIMIT_CORE)
"""

_IMPORT = """
import resource
limits = {resource.RLIMIT_NOFILE: SOFT_AND_HARD, resource.RLIMIT_CORE: (0, 10**9)}
resource.getrlimit = real = limits.get
from amiproxy.process.daemonlib import daemon
print(daemon.SEEN, daemon.OTHER, resource.getrlimit is real)
"""


@pytest.mark.parametrize(
    ("limits", "seen"),
    [
        ("(1024, 10**9)", "(1024, 65536)"),
        ("(10**9, 10**9)", "(65536, 65536)"),
        ("(1024, -1)", "(65536, 65536)"),
        ("(256, 4096)", "(256, 4096)"),
    ],
)
def test_the_limit_of_open_files_costs_no_memory(limits: str, seen: str, tmp_path: Path) -> None:
    """Version 2 makes a set with an entry for each; all other limits are what they are."""
    (tmp_path / "daemon").mkdir()
    (tmp_path / "daemon" / "__init__.py").write_text(_DAEMON)
    (tmp_path / "daemon" / "pidfile.py").write_text("TimeoutPIDLockFile = object\n")

    printed = subprocess.run(
        [sys.executable, "-c", _IMPORT.replace("SOFT_AND_HARD", limits)],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert printed == f"{seen} (0, 1000000000) True\n"
