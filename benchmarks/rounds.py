# SPDX-License-Identifier: GPL-2.0-or-later
"""One row, measured on its subjects in turn, several times."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import medians
from benchmarks.processes import Failed
from benchmarks.subjects import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.figures import Figures
    from benchmarks.row import Row
    from benchmarks.targets import Results


class Subject(NamedTuple):
    """What is measured: its name in the table, what it is, and how a proxy starts."""

    title: str
    kind: str
    command: list[str]


def measure(
    row: Row, subjects: Sequence[Subject], rounds: int, failures: dict[str, str]
) -> Results:
    """Return the medians of all *rounds*; each begins with who was last in the one before.

    A subject that fails in one of them is in *failures*, with the reason, and has no figures.
    """
    found: dict[str, list[Figures]] = {subject.title: [] for subject in subjects}
    for number in range(rounds):
        for subject in reversed(subjects) if number % 2 else subjects:
            try:
                with running(subject.kind, subject.command, row.settings, row.users) as started:
                    found[subject.title].append(row.measure(started))
            except (Failed, OSError) as error:
                reason = str(error) or type(error).__name__
                failures[f"{row.name} {subject.title}"] = reason
                print(f"{row.name:<28}{subject.title:<8}FAILED: {reason}", flush=True)
    return {
        title: medians(figures)
        for title, figures in found.items()
        if figures and f"{row.name} {title}" not in failures
    }
