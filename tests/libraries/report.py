# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of libraries in docs/clients.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.libraries.catalogue import ABSENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.libraries.installing import Ready
    from tests.libraries.trials import Trial

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "clients.md"
_BEGIN, _END = "<!-- Libraries: make libraries ARGS=--write -->", "<!-- /Libraries -->"


def direct(trials: Mapping[str, Trial]) -> str:
    """Return how a library does without a proxy: which of its steps fail, at which Asterisk."""
    steps = list(dict.fromkeys(step for trial in trials.values() for step in trial.direct))
    failing: dict[str, list[str]] = {}
    for generation, trial in trials.items():
        missing = [step for step in steps if step not in trial.direct]
        if missing:
            failing.setdefault(f"not `{'`, `'.join(missing)}`", []).append(generation)
    if not failing:
        return "all"
    return "; ".join(f"{', '.join(where)}: {what}" for what, where in failing.items())


def through(trials: Mapping[str, Trial]) -> str:
    """Return how it does through the proxy: the same, or what differs."""
    different = [
        f"{generation}, {setting}: `{'`, `'.join(steps)}`"
        for generation, trial in trials.items()
        for setting in trial.through
        for steps in [trial.differences(setting)]
        if steps
    ]
    return "; ".join(different) or "the same"


def table(
    tried: Sequence[tuple[Ready, Mapping[str, Trial]]], absent: Sequence[tuple[str, str, str]]
) -> str:
    """Return the table, one line a library, and the list of those that were not tried."""
    lines = [
        "| library | version | direct | through the proxy |",
        "|---|---|---|---|",
        *(
            f"| {ready.library.name} ({ready.library.language}) | {ready.version} | "
            f"{direct(trials)} | {through(trials)} |"
            for ready, trials in tried
        ),
        "",
        "Not tried:",
        "",
        *(f"* {name} ({language}): {why}" for name, language, why in (*absent, *ABSENT)),
    ]
    return "\n".join(lines)


def write(text: str) -> None:
    """Put the table *text* into the page."""
    page = PAGE.read_text("utf-8")
    pattern = re.compile(f"(?<={re.escape(_BEGIN)}\n).*?(?={re.escape(_END)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"{PAGE}: {_BEGIN} and {_END} must stand there once")
    PAGE.write_text(pattern.sub(lambda _: f"\n{text}\n\n", page), "utf-8")
