# SPDX-License-Identifier: GPL-2.0-or-later
"""How the cost grows, as pictures: ``python -m benchmarks --plots FILE`` writes docs/plots.

FILE is the JSON of a run with ``--growth``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.subjects import ROOT
from benchmarks.svg import Line, Plot, svg

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PLOTS = ROOT / "docs" / "plots"

_CPU = "CPU time for each event that Asterisk sends, in microseconds"
_NOW, _RELAY = "astmanproxy", "bare relay"


def plots(document: Any) -> list[Plot]:
    """Return the plots of the run *document*; what it has not measured is left out."""
    where = document["machine"]
    note = (
        f"{document['run']['when'][:10]}, {where['cores']} cores of {where['processor']},"
        f" Python {where['python']}" + ("; a quick run" if document["run"]["quick"] else "")
    )
    wanted = [
        Plot("clients", "Clients and formats", "clients", _CPU, _formats(document), note),
        Plot(
            "users",
            "Users with a channel of their own, one match an event",
            "users",
            _CPU,
            _before_and_now(document, "users"),
            note,
        ),
        Plot(
            "rules",
            "Distinct rule sets of classes and event filters",
            "rule sets, of 1 000 users together",
            _CPU,
            _before_and_now(document, "rules"),
            note,
        ),
        Plot(
            "latency",
            "Delay of an event to two clients",
            "events a second",
            "Microseconds from Asterisk to the client",
            _delays(document),
            note,
        ),
    ]
    return [plot for plot in wanted if plot.lines]


def write(document: Any, directory: Path = PLOTS) -> list[Path]:
    """Write the plots of the run *document* to *directory*; return their paths."""
    return drawn(plots(document), directory)


def drawn(found: Iterable[Plot], directory: Path) -> list[Path]:
    """Write the plots *found* to *directory*; return their paths."""
    directory.mkdir(exist_ok=True)
    paths = []
    for plot in found:
        path = directory / f"{plot.name}.svg"
        path.write_text(svg(plot), encoding="utf-8")
        paths.append(path)
    return paths


def _formats(document: Any) -> list[Line]:
    names = {"standard": "standard", "xml": "XML", "json": "JSON", "csv": "CSV"}
    lines = [
        _line(document, title, f"clients-{form}", "proxy", "cpu_us", colour)
        for colour, (form, title) in enumerate(names.items())
    ]
    relay = _line(document, _RELAY, "clients-standard", "relay", "cpu_us", 4, dashed=True)
    return _drawable([*lines, relay])


def _before_and_now(document: Any, kind: str) -> list[Line]:
    before = f"before ({document['run'].get('before', '')})"
    return _drawable(
        [
            _line(document, _NOW, kind, "proxy", "cpu_us", 0),
            _line(document, before, kind, "before", "cpu_us", 1, dashed=True),
        ]
    )


def _delays(document: Any) -> list[Line]:
    return _drawable(
        [
            _line(document, f"{title}, {name}", "rate", subject, f"{name}_us", colour, dashed=dash)
            for subject, title, dash in (("proxy", _NOW, False), ("relay", _RELAY, True))
            for colour, name in enumerate(("p50", "p99"))
        ]
    )


def _line(
    document: Any,
    title: str,
    kind: str,
    subject: str,
    figure: str,
    colour: int,
    *,
    dashed: bool = False,
) -> Line:
    """Return the *figure* of *subject* in the rows ``grow-KIND-X``, by X."""
    points = []
    for name, row in document["rows"].items():
        start, _, x = name.rpartition("-")
        value = row["subjects"].get(subject, {}).get(figure)
        if start == f"grow-{kind}" and value:
            points.append((float(x), float(value)))
    return Line(title, sorted(points), colour, dashed)


def _drawable(lines: list[Line]) -> list[Line]:
    return [line for line in lines if len(line.points) > 1]
