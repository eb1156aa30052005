# SPDX-License-Identifier: GPL-2.0-or-later
"""What a cluster costs, as pictures: ``python -m benchmarks.bus --plots FILE`` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.bus.rows import EDGES, RATES
from benchmarks.plots import PLOTS, drawn
from benchmarks.svg import Line, Plot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_CPU = "CPU time for each event, in microseconds"
#: Titles of what takes CPU time, by figure.
_PARTS = {
    "holder_cpu_us": "holder",
    "holder_outbox_us": "outbox of the holder",
    "redis_cpu_us": "Redis",
    "edge_cpu_us": "an edge",
}


def plots(document: Any) -> list[Plot]:
    """Return the plots of the run *document*; what it has not measured is left out."""
    where, run = document["machine"], document["run"]
    note = (
        f"{run['when'][:10]}, {where['cores']} cores of {where['processor']},"
        f" Python {where['python']}" + ("; a quick run" if run["quick"] else "")
    )
    by_rate = {rate: document["rows"].get(f"pace-{rate}", {}) for rate in RATES}
    by_edges = {
        each: document["rows"].get("pace-2000" if each == 1 else f"pace-2000-edges-{each}", {})
        for each in EDGES
    }
    delays = {
        f"{place}_{name}_us": f"{place}, {name}"
        for place in ("holder", "edge")
        for name in ("p50", "p99")
    }
    rate = "events a second"
    wanted = [
        Plot("cluster-delay", "Delay of an event to a client of the holder, and of an edge", rate,
             "Microseconds from Asterisk to the client", _lines(by_rate, delays), note),
        Plot("cluster-rate", "What an event takes, by how many come", rate, _CPU,
             _lines(by_rate, _PARTS), note),
        Plot("cluster-edges", "What an event takes, by how many edges read it", "edges",
             f"{_CPU}, at 2 000 events a second", _lines(by_edges, _PARTS), note),
    ]  # fmt: skip
    return [plot for plot in wanted if plot.lines]


def write(document: Any, directory: Path = PLOTS) -> list[Path]:
    """Write the plots of the run *document* to *directory*; return their paths."""
    return drawn(plots(document), directory)


def _lines(rows: Mapping[int, Mapping[str, float]], figures: Mapping[str, str]) -> list[Line]:
    """Return a line for each of *figures*, by what the *rows* are named for."""
    found = []
    for colour, (name, title) in enumerate(figures.items()):
        points = [(float(x), row[name]) for x, row in rows.items() if row.get(name, 0.0) > 0.0]
        if len(points) > 1:
            found.append(Line(title, points, colour, dashed="outbox" in name or "p50" in name))
    return found
