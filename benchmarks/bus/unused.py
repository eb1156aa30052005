# SPDX-License-Identifier: GPL-2.0-or-later
"""What the change costs who has no bus: rows of the other benchmark, beside the version before."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.figures import rounded
from benchmarks.report import row_lines, to_base
from benchmarks.rounds import Subject, measure
from benchmarks.row import WHOLE
from benchmarks.rows import rows
from benchmarks.subjects import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Of the rows of ``python -m benchmarks``: the ways that nearly all bytes go.
ROWS = ("fanout-1-standard-off", "fanout-100-standard-off", "roundtrip-1-unique",
        "roundtrip-50-unique")  # fmt: skip
#: Both in turn, so many times; medians count.
ROUNDS = 3
#: What is told of each, proxy : before.
FIGURES = ("rate", "cpu_us", "p50_us")


def measured(before: str, seconds: float, failures: dict[str, str]) -> dict[str, Any]:
    """Measure ROWS, also of the checkout in the directory *before*; return their figures."""
    programs = {"proxy": ROOT, "before": Path(before).resolve()}
    subjects = [
        Subject(title, "proxy", [sys.executable, str(path / "astmanproxy.py")])
        for title, path in programs.items()
    ]
    found = {}
    for row in rows(replace(WHOLE, seconds=seconds), ROOT):
        if row.name in ROWS:
            results = measure(row, subjects, ROUNDS, failures)
            print("\n".join(row_lines(row.name, results)), flush=True)
            found[row.name] = {title: rounded(figures) for title, figures in results.items()}
    return found


def ratios(without: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Return by how much each row differs, proxy : before, of those that have both."""
    found = {}
    for name, results in without.items():
        both = to_base(results, "before")
        found[name] = {key: both[key] for key in FIGURES if key in both}
    return {name: each for name, each in found.items() if each}
