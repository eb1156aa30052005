# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/install.md says for machines without internet access."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_WHEEL = "pip wheel -w wheels '.[re2]' setuptools"
_INSTALL = "pip install '.[re2]'"

pytestmark = pytest.mark.packages


def test_wheels_of_one_machine_serve_another(tmp_path: Path) -> None:
    """With them pip needs no index, and the program runs."""
    ignore = shutil.ignore_patterns(".*", "__pycache__", "tests", "dist", "build", "*.egg-info")
    source = shutil.copytree(ROOT, tmp_path / "source", ignore=ignore)
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)

    fetched = _run(f"{python} -m {_WHEEL} --quiet", source)
    if fetched.returncode:
        pytest.skip(f"the package index cannot be reached: {fetched.stderr[-200:]}")
    done = _run(f"{python} -m {_INSTALL} --quiet", source,
                PIP_NO_INDEX="1", PIP_FIND_LINKS=str(source / "wheels"))  # fmt: skip

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "--control" in _run(f"{tmp_path}/venv/bin/astmanproxy --help", tmp_path).stdout


def _run(command: str, directory: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command], cwd=directory, env={**os.environ, **more}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
