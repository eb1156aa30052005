# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.bus``: what a cluster costs, beside one proxy without a bus."""

from __future__ import annotations

import argparse
import fnmatch
import json
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amiproxy.process.process import raise_file_limit
from benchmarks import report
from benchmarks.bus import page, plots, unused
from benchmarks.bus.redis import version
from benchmarks.bus.rows import QUICK, WHOLE, Stage, stages
from benchmarks.bus.stage import cluster
from benchmarks.figures import rounded
from benchmarks.processes import Failed

if TYPE_CHECKING:
    from benchmarks.figures import Figures


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bus", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="short and small: for a quick look, not for figures")
    add("--seconds", type=float, help="how long each measurement takes")
    add(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only rows whose name is or matches NAME (pace-*); may be repeated",
    )
    add(
        "--before",
        metavar="DIR",
        help="measure what the change costs who has no bus, beside the checkout in DIR, too",
    )
    add("--json", default="bench-cluster.json", metavar="FILE", help="write the figures to FILE")
    add("--keep", action="store_true", help="keep the rows of FILE that are not measured now")
    add("--list", action="store_true", help="print the names of the rows")
    add(
        "--plots",
        metavar="FILE",
        help="write docs/plots/cluster-*.svg from FILE, of an earlier run; run nothing",
    )
    add(
        "--markdown",
        metavar="FILE",
        help="print the figures of an earlier run's FILE as Markdown; run nothing",
    )
    add("--write", action="store_true", help="with --markdown: put that into docs/cluster.md")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Measure what is asked for; return 1 if something could not be measured."""
    options = _arguments(argv)
    if options.markdown or options.plots:
        _show(options)
        return 0
    scale = QUICK if options.quick else WHOLE
    if options.seconds:
        scale = replace(scale, seconds=options.seconds)
    raise_file_limit()
    chosen = [_chosen(stage, options.only) for stage in stages(scale)]
    if options.list:
        print("\n".join(name for stage in chosen for name in stage.rows))
        return 0
    # With SIGTERM as an exception, the processes that were started are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    return _run([stage for stage in chosen if stage.rows], options, scale.seconds)


def _show(options: argparse.Namespace) -> None:
    if options.plots:
        print("\n".join(map(str, plots.write(json.loads(Path(options.plots).read_text())))))
        return
    lines = page.markdown_lines(json.loads(Path(options.markdown).read_text()))
    if options.write:
        page.write(lines)
    else:
        print("\n".join(lines))


def _chosen(stage: Stage, patterns: list[str]) -> Stage:
    """Return *stage* with those of its rows that are wanted."""
    rows = {
        name: measure
        for name, measure in stage.rows.items()
        if not patterns or any(fnmatch.fnmatchcase(name, each) for each in patterns)
    }
    return replace(stage, rows=rows)


def _run(chosen: list[Stage], options: argparse.Namespace, seconds: float) -> int:
    rows: dict[str, Figures] = {}
    failures: dict[str, str] = {}
    old = _kept(options)
    for stage in chosen:
        _measure(stage, rows, failures)
    without = old["without"]
    if options.before:
        without = unused.measured(options.before, seconds, failures)
    document = {
        "version": 1,
        "run": {
            "when": time.strftime("%Y-%m-%dT%H:%M:%S"),
            "quick": options.quick,
            "seconds": seconds,
            "redis": version(),
        },
        "machine": report.machine(),
        "rows": {**old["rows"], **{name: rounded(each) for name, each in rows.items()}},
        "without": without,
        "failures": failures,
    }
    Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    if failures:
        print(f"\n{len(failures)} measurements FAILED, see above", file=sys.stderr)
    return 1 if failures else 0


def _kept(options: argparse.Namespace) -> Any:
    """Return what of the file of figures stays, as such a document."""
    path = Path(options.json)
    if options.keep and path.exists():
        return json.loads(path.read_text())
    return {"rows": {}, "without": {}}


def _measure(stage: Stage, rows: dict[str, Figures], failures: dict[str, str]) -> None:
    """Measure the rows of *stage* on one cluster, and tell each; a failed one is in *failures*."""
    left = dict(stage.rows)
    try:
        with cluster(stage.plan) as started:
            for name, measure in stage.rows.items():
                rows[name] = measure(started)
                del left[name]
                print(page.line(name, rows[name]), flush=True)
    except (Failed, OSError) as error:
        # Events of a failed row may still be on their way: the rest cannot be measured here.
        reason = str(error) or type(error).__name__
        for name in left:
            failures[name] = reason
            print(f"{name:<20} FAILED: {reason}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
