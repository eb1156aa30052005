# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks``: run the table."""

from __future__ import annotations

import argparse
import fnmatch
import json
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amiproxy.process.process import raise_file_limit
from benchmarks import page, plots, report
from benchmarks.connecting import make_certificate
from benchmarks.growth import growth_rows
from benchmarks.processes import PATIENCE
from benchmarks.rounds import Subject, measure
from benchmarks.row import QUICK, WHOLE, Row
from benchmarks.rows import rows
from benchmarks.subjects import ROOT, SUBJECTS

if TYPE_CHECKING:
    from benchmarks.targets import Results


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="short and small: for a quick look, not for figures"
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only rows whose name contains or matches NAME (fanout-*-xml-*); may be repeated",
    )
    parser.add_argument(
        "--json", default="bench-last.json", metavar="FILE", help="write the figures to FILE"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the rows of FILE that are not measured now"
    )
    parser.add_argument("--compare", metavar="FILE", help="print ratios to an earlier run's FILE")
    parser.add_argument(
        "--markdown",
        metavar="FILE",
        help="print targets and rows of an earlier run's FILE as Markdown, those with a target"
        " or --only some; run nothing",
    )
    parser.add_argument(
        "--write", action="store_true", help="with --markdown: put that into docs/performance.md"
    )
    parser.add_argument(
        "--growth", action="store_true", help="the rows that show how the cost grows, instead"
    )
    parser.add_argument(
        "--plots",
        metavar="FILE",
        help="write docs/plots/*.svg from the FILE of a run with --growth; run nothing",
    )
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    _add_ways(parser)
    return parser.parse_args(argv)


def _add_ways(parser: argparse.ArgumentParser) -> None:
    """Add what tells how each row is measured."""
    parser.add_argument(
        "--subjects", default=",".join(SUBJECTS), help="what to measure (default: %(default)s)"
    )
    parser.add_argument("--seconds", type=float, help="how long each measurement takes")
    parser.add_argument(
        "--before",
        metavar="DIR",
        help="measure the proxy of the checkout in DIR too, in turn with this one",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        metavar="N",
        help="measure each row N times; medians count (default: 1; 3 with --before)",
    )
    parser.add_argument(
        "--proxy",
        default=shlex.join([sys.executable, str(ROOT / "astmanproxy.py")]),
        metavar="COMMAND",
        help="start the proxy with COMMAND -f -c FILE -u FILE",
    )


def main(argv: list[str] | None = None) -> int:
    """Run the rows asked for; return 1 if one could not be measured."""
    options = _arguments(argv)
    if options.markdown:
        return _show_markdown(options)
    if options.plots:
        print("\n".join(map(str, plots.write(json.loads(Path(options.plots).read_text())))))
        return 0
    scale = QUICK if options.quick else WHOLE
    if options.seconds:
        scale = replace(scale, seconds=options.seconds)
    with tempfile.TemporaryDirectory(prefix="astmanproxy-bench-") as directory:
        Path(directory).chmod(0o755)
        certificate = Path(directory) / "certificate.pem"
        table = growth_rows(scale) if options.growth else rows(scale, certificate)
        chosen = [row for row in table if _is_chosen(row.name, options.only)]
        if options.list or not chosen:
            print("\n".join(row.name for row in chosen) or "no such row")
            return 0 if chosen else 1
        if any(row.settings.get("certfile") for row in chosen):
            make_certificate(certificate)
        return _run(chosen, options, scale.seconds)


def _show_markdown(options: argparse.Namespace) -> int:
    document = json.loads(Path(options.markdown).read_text())
    wanted = (lambda name: _is_chosen(name, options.only)) if options.only else page.with_targets
    lines = page.markdown_lines(document, wanted)
    if options.write:
        page.write(lines)
    else:
        print("\n".join(lines))
    return 0


def _run(chosen: list[Row], options: argparse.Namespace, seconds: float) -> int:
    # Read first: the run may write the same file at its end.
    old = json.loads(Path(options.compare).read_text()) if options.compare else None
    raise_file_limit()
    # With SIGTERM as an exception, the processes that were started are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    kept = _kept(options, chosen)
    results: dict[str, Results] = {name: row["subjects"] for name, row in kept["rows"].items()}
    failures: dict[str, str] = kept["failures"]
    rounds = options.rounds or (3 if options.before else 1)
    print(report.heading(), flush=True)
    for row in chosen:
        results[row.name] = measure(row, _subjects(row, options), rounds, failures)
        for line in report.row_lines(row.name, results[row.name]):
            print(line, flush=True)
    print("\n" + "\n".join(report.target_lines(results)))
    document = report.document(
        results,
        failures,
        when=time.strftime("%Y-%m-%dT%H:%M:%S"),
        quick=options.quick,
        seconds=seconds,
        before=_commit(options.before) if options.before else kept["run"].get("before", ""),
    )
    Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    if old is not None:
        print("\n" + "\n".join(report.comparison_lines(old, document)))
    if failures:
        print(f"\n{len(failures)} measurements FAILED, see above", file=sys.stderr)
    return 1 if failures else 0


def _kept(options: argparse.Namespace, chosen: list[Row]) -> Any:
    """Return what of the file of figures stays, as such a document."""
    path, names = Path(options.json), {row.name for row in chosen}
    if not options.keep or not path.exists():
        return {"run": {}, "rows": {}, "failures": {}}
    old = json.loads(path.read_text())
    failures = {each: why for each, why in old["failures"].items() if each.split()[0] not in names}
    return {**old, "failures": failures}


def _commit(directory: str) -> str:
    """Return which commit *directory* is, or just its name."""
    command = ["git", "-C", directory, "describe", "--always"]
    try:
        found = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return Path(directory).name
    return found.stdout.strip()


def _is_chosen(name: str, patterns: list[str]) -> bool:
    return not patterns or any(
        pattern in name or fnmatch.fnmatchcase(name, pattern) for pattern in patterns
    )


def _subjects(row: Row, options: argparse.Namespace) -> list[Subject]:
    command = shlex.split(options.proxy)
    chosen = options.subjects.split(",")
    subjects = [Subject(each, each, command) for each in row.subjects if each in chosen]
    if options.before and "proxy" in row.subjects and row.changes:
        before = [sys.executable, str(Path(options.before).resolve() / "astmanproxy.py")]
        subjects.append(Subject("before", "proxy", before))
    return subjects


if __name__ == "__main__":
    sys.exit(main())
