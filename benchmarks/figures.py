# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures of one measurement: names, units, percentiles."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.processes import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Name -> figure.  Names end in their unit: _us, _s, _kb, _ns, _mb.
Figures = dict[str, float]


class Meter:
    """Measures CPU time of a process, and time, from now on."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._cpu = cpu_seconds(pid)
        self._started = time.monotonic()

    def read(self) -> tuple[float, float]:
        """Return (CPU seconds, seconds) since the start."""
        return cpu_seconds(self.pid) - self._cpu, time.monotonic() - self._started


def latency(seconds: Sequence[float]) -> Figures:
    """Return p50, p99 and max of *seconds*, in microseconds."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return {
        "p50_us": ordered[round(last * 0.5)] * 1e6,
        "p99_us": ordered[round(last * 0.99)] * 1e6,
        "max_us": ordered[last] * 1e6,
    }


def medians(found: Sequence[Figures]) -> Figures:
    """Return the median of each figure that all of *found* have."""
    return {
        name: statistics.median(figures[name] for figures in found)
        for name in found[0]
        if all(name in figures for figures in found)
    }


def rounded(figures: Figures) -> Figures:
    """Return *figures* with five digits that count; more of them mean nothing."""
    return {name: float(f"{value:.5g}") for name, value in figures.items()}
