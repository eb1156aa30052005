# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures in docs/performance.md: ``python -m benchmarks --markdown FILE --write``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from benchmarks.report import BASES, COLUMNS, bound, target_value, verdict
from benchmarks.subjects import ROOT
from benchmarks.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- figures: python -m benchmarks --markdown FILE --write -->\n"
END = "<!-- /figures -->\n"


def with_targets(name: str) -> bool:
    """Return whether a target is about the row *name*."""
    return any(name in (target.row, target.base) for target in TARGETS)


def markdown_lines(document: Any, wanted: Callable[[str], bool] = with_targets) -> list[str]:
    """Return a run's JSON *document* as Markdown: the targets, and the rows that are *wanted*."""
    run, where = document["run"], document["machine"]
    before = f"; before: {run['before']}" if run.get("before") else ""
    return [
        f"{run['when']}, {where['cores']} cores of {where['processor']}, "
        f"Linux {where['kernel']}, Python {where['python']}; {run['seconds']:g} s a measurement"
        + before
        + (" (quick: small and short)" if run["quick"] else ""),
        "",
        *_targets(document),
        "",
        *_rows(document, wanted),
    ]


def _targets(document: Any) -> list[str]:
    results = {name: row["subjects"] for name, row in document["rows"].items()}
    lines = ["| target | limit | measured | |", "|---|---:|---:|---|"]
    for target in TARGETS:
        value = target_value(target, results)
        if value is not None:
            judged = f"{value:.2f} | {verdict(target, value)}"
            lines.append(f"| {target.row}: {target.what} | {bound(target)} | {judged} |")
    return lines


def _rows(document: Any, wanted: Callable[[str], bool]) -> list[str]:
    lines = [
        "| row | measured | " + " | ".join(title for title, _, _ in COLUMNS.values()) + " |",
        "|---|---|" + "---:|" * len(COLUMNS),
    ]
    for name, row in document["rows"].items():
        if not wanted(name):
            continue
        shown = dict(row["subjects"])
        for base in BASES:
            if row.get(f"proxy_to_{base}"):
                shown[f"proxy : {base}"] = row[f"proxy_to_{base}"]
        title = name
        for subject, figures in shown.items():
            ratio = subject not in row["subjects"]
            cells = [
                "" if key not in figures else f"{figures[key]:.{2 if ratio else decimals}f}"
                for key, (_, _, decimals) in COLUMNS.items()
            ]
            lines.append(f"| {title} | {subject} | " + " | ".join(cells) + " |")
            title = ""
    return lines


def write(lines: Iterable[str], page: Path = PAGE) -> None:
    """Put *lines* into *page*, in place of those that stand there.

    Raises:
        ValueError: the comments around them do not stand in the page.

    """
    put(lines, page, BEGIN, END)


def put(lines: Iterable[str], page: Path, begin: str, end: str) -> None:
    """Put *lines* into *page* between the lines *begin* and *end*, in place of what stands there.

    Raises:
        ValueError: these lines do not stand in the page.

    """
    text = page.read_text("utf-8")
    head, begun, rest = text.partition(begin)
    _, ended, tail = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"{page}: {begin!r} and {end!r} must stand there")
    body = "\n".join(lines)
    page.write_text(f"{head}{begin}\n{body}\n\n{end}{tail}", "utf-8")
