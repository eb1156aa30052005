# SPDX-License-Identifier: GPL-2.0-or-later
"""init/checked: packages start what would run."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OPTIONS=-c /etc/other.conf -q\n", "-t -c /etc/other.conf -q"),
        ('# OPTIONS="-x"\nOPTIONS="-c *"\r\n', "-t -c *"),
        ("OPTIONS='$(touch run)'\ntouch run\n", "-t $(touch run)"),
        ("", "-t"),
    ],
    ids=["no quotes", "quotes", "commands", "none"],
)
def test_the_options_are_read_as_systemd_reads_them(
    text: str, expected: str, tmp_path: Path
) -> None:
    """A shell would run what stands behind the first blank, and the installation would fail."""
    (tmp_path / "default").write_text(text)
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "$*" > said\n')
    program.chmod(0o755)

    done = subprocess.run(
        [ROOT / "init/checked", "root", "started", "start it", "touch", "started"],
        cwd=tmp_path,
        env={**os.environ, "ASTMANPROXY": str(program), "DEFAULT": str(tmp_path / "default")},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "said").read_text() == f"{expected}\n"
    assert (tmp_path / "started").exists()
    assert not (tmp_path / "run").exists()
