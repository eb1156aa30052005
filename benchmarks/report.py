# SPDX-License-Identifier: GPL-2.0-or-later
"""The table as text and JSON, the targets, and a comparison of two runs."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any

from benchmarks.figures import rounded
from benchmarks.targets import TARGETS, Results, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figures

#: Figure -> (heading, width, decimals); a figure that a subject does not have is left blank.
COLUMNS = {
    "rate": ("per s", 10, 0),
    "cpu_us": ("CPU us", 9, 3),
    "cpu_share": ("cores", 6, 2),
    "p50_us": ("p50 us", 9, 0),
    "p99_us": ("p99 us", 9, 0),
    "max_us": ("max us", 9, 0),
    "rss_kb_per_client": ("KB/cl.", 8, 1),
}
#: Figures without a column, and the text after the columns.
_EXTRA = {
    "all_s": "all greeted in {:.2f} s",
    "connect_s": "connected in {:.1f} s",
    "threads": "{:.0f} threads",
    "cpu_us_per_examined": "{:.3f} us CPU per event and client",
    "answered_s": "all answered in {:.2f} s",
    "own_p99_us": "p99 of the proxy's own {:.0f} us",
    "own_max_us": "max {:.0f} us",
    "direct_max_us": "max without a proxy {:.0f} us",
    "id_bytes": "{:.0f} bytes an id",
    "matches": "{:.2f} matches an event",
    "wall_p99_us": "p99 of who sees everything {:.0f} us",
    "alone_p99_us": "p99 without it {:.0f} us",
    "alone_max_us": "max without it {:.0f} us",
    "watch_share": "watching takes {:.1%} of a core",
    "watch_kb_per_s": "{:.0f} KB/s a page",
    "snapshot_ms": "a snapshot in {:.0f} ms",
    "dropped": "dropped: {:.0f}",
    "openssl_rate": "openssl s_time {:.0f}/s",
}
#: What the proxy is compared with in one run, and the title of that line.
BASES = {"relay": "p/relay", "before": "p/bef."}
#: The figures in a comparison of two runs.
_COMPARED = ("rate", "cpu_us", "p50_us", "p99_us", "rss_kb_per_client")


def heading() -> str:
    """Return the first line of the table."""
    cells = "".join(f"{title:>{width}}" for title, width, _ in COLUMNS.values())
    return f"{'':<28}{'':<8}{cells}"


def row_lines(name: str, results: Results) -> list[str]:
    """Return the lines of one row: one for each subject, and the ratios."""
    lines = []
    for subject, figures in results.items():
        cells = "".join(_cell(figures, key) for key in COLUMNS)
        extra = ", ".join(
            text.format(figures[key])
            for key, text in _EXTRA.items()
            if key in figures and (key != "cpu_us_per_examined" or name.startswith("filter"))
        )
        lines.append(f"{name:<28}{subject:<8}{cells}  {extra}".rstrip())
        name = ""
    for base, title in BASES.items():
        ratios = to_base(results, base)
        if not ratios:
            continue
        cells = "".join(
            f"{ratios[key]:>{width}.2f}" if key in ratios else " " * width
            for key, (_, width, _) in COLUMNS.items()
        )
        per_byte = ratios.get("cpu_ns_per_byte")
        extra = f"  per byte {per_byte:.2f}" if per_byte is not None else ""
        if "cpu_us_per_examined" in ratios:
            extra = f"  per event and client {ratios['cpu_us_per_examined']:.2f}"
        lines.append(f"{'':<28}{title:<8}{cells}{extra}".rstrip())
    return lines


def _cell(figures: Figures, key: str) -> str:
    _, width, decimals = COLUMNS[key]
    return f"{figures[key]:>{width}.{decimals}f}" if key in figures else " " * width


def to_base(results: Results, base: str) -> Figures:
    """Return the ratio of the proxy to *base*, for each figure that both have."""
    proxy, other = results.get("proxy", {}), results.get(base, {})
    names: tuple[str, ...] = (*COLUMNS, "cpu_ns_per_byte")
    if proxy.get("seen") != other.get("seen"):
        # The relay has no filters, so that only the cost per event examined can be
        # compared, not per event delivered.
        names = ("p50_us", "p99_us", "max_us", "rss_kb_per_client", "cpu_us_per_examined")
    return {key: proxy[key] / other[key] for key in names if key in proxy and other.get(key)}


def target_lines(results: Mapping[str, Results]) -> list[str]:
    """Return the table of targets, as far as they were measured."""
    lines = [f"{'target':<66}{'limit':>10}{'measured':>10}"]
    values = [(target, target_value(target, results)) for target in TARGETS]
    for target, value in values:
        if value is not None:
            title = f"{target.row}: {target.what}"
            judged = f"{value:>8.2f}  {verdict(target, value)}"
            lines.append(f"{title:<66}{bound(target):>10}  {judged}")
    missing = sum(value is None for _, value in values)
    return [*lines, f"{missing} targets are not measured"] if missing else lines


def target_value(target: Target, results: Mapping[str, Results]) -> float | None:
    """Return what *target* is about; None if it was not measured."""
    try:
        value = target.value(results[target.row])
        return value / target.value(results[target.base]) if target.base else value
    except (KeyError, ZeroDivisionError):  # not measured, or for too short a time
        return None


def verdict(target: Target, value: float) -> str:
    """Return in words whether *value* meets the target."""
    return "met" if target.met(value) else "NOT MET"


def bound(target: Target) -> str:
    """Return the limit of *target* as it is written."""
    return f"{'>=' if target.at_least else '<='} {target.limit:g}"


def document(results: Mapping[str, Results], failures: Mapping[str, str], **run: Any) -> Any:
    """Return a whole run as the content of a JSON file."""
    return {
        "version": 1,
        "run": run,
        "machine": machine(),
        "rows": {
            name: {
                "subjects": {each: rounded(found) for each, found in subjects.items()},
                **{
                    f"proxy_to_{base}": rounded(to_base(subjects, base))
                    for base in BASES
                    if base in subjects
                },
            }
            for name, subjects in results.items()
        },
        "failures": dict(failures),
    }


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, kernel, Python."""
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def comparison_lines(old: Any, new: Any) -> list[str]:
    """Return the ratio of new to old for every row that both runs have."""
    lines = [f"{'new : old':<28}{'':<8}" + "".join(f"{key:>19}" for key in _COMPARED)]
    if old["run"].get("quick") != new["run"].get("quick"):
        lines.insert(0, "one run was quick, the other was not: ratios mean little")
    if old["machine"] != new["machine"]:
        lines.insert(0, f"another machine: {old['machine']} then, {new['machine']} now")
    for name, row in new["rows"].items():
        before = old["rows"].get(name, {}).get("subjects", {})
        for subject, figures in row["subjects"].items():
            if subject not in before:
                continue
            cells = "".join(
                f"{figures[key] / before[subject][key]:>19.2f}"
                if figures.get(key) and before[subject].get(key)
                else " " * 19
                for key in _COMPARED
            )
            lines.append(f"{name:<28}{subject:<8}{cells}".rstrip())
    return lines
