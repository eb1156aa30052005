# SPDX-License-Identifier: GPL-2.0-or-later
"""The programs of demo/, started as make demo does."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Running = subprocess.Popen[str]


@contextlib.contextmanager
def started(*arguments: str, root: Path = ROOT) -> Iterator[Running]:
    """Run Python with *arguments* in *root*; it has to end when it is told to."""
    running = subprocess.Popen(
        [sys.executable, *arguments], cwd=root, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield running
    finally:
        running.terminate()
        running.communicate(timeout=20)


def source_tree(top: Path) -> Path:
    """Make *top* a source directory with a copy of demo/ in it; return it."""
    for name in ("amiproxy", "handlers", "simulator", "requirements", "tests", "astmanproxy.py"):
        (top / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "demo", top / "demo")
    return top
