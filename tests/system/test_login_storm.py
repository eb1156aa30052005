# SPDX-License-Identifier: GPL-2.0-or-later
"""Many who log in at the same moment."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_agents_who_log_in_at_once_are_all_answered_and_nobody_loses_events(tmp_path: Path) -> None:
    """200 of them, by secret and by MD5, while who is there is sent events; else the row fails."""
    file, row = tmp_path / "figures.json", "login-storm-at-once"
    options = ["--quick", "--seconds", "0.02", "--json", str(file), "--only", row]

    command = [sys.executable, "-m", "benchmarks", *options]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr
    figures = json.loads(file.read_text())["rows"][row]["subjects"]["proxy"]
    assert figures["clients"] == 200
    assert figures["answered_s"] > 0
    assert figures["own_max_us"] <= figures["max_us"]
