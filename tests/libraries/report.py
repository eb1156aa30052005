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
    """Return how it does through the proxy: the same, or what differs with which setting."""
    different: dict[str, dict[str, list[str]]] = {}
    for generation, trial in trials.items():
        for setting in trial.through:
            steps = trial.differences(setting)
            if steps:
                what = f"`{'`, `'.join(steps)}`"
                different.setdefault(setting, {}).setdefault(what, []).append(generation)
    if not different:
        return "the same"
    parts = [
        f"`{setting}`: not {what} of {', '.join(where)}"
        for setting, by_steps in different.items()
        for what, where in by_steps.items()
    ]
    same = [setting for setting in settings(trials) if setting not in different]
    return "; ".join([*(f"the same with `{setting}`" for setting in same[:1]), *parts])


def settings(trials: Mapping[str, Trial]) -> list[str]:
    """Return the settings of the proxy that were tried."""
    return list(dict.fromkeys(setting for trial in trials.values() for setting in trial.through))


def fails(trials: Mapping[str, Trial]) -> bool:
    """Return whether there is no setting with which everything is the same."""
    return all(
        any(trial.differences(setting) for trial in trials.values()) for setting in settings(trials)
    )


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


def write(text: str, path: Path = PAGE) -> None:
    """Put the table *text* into the page at *path*."""
    page = path.read_text("utf-8")
    pattern = re.compile(f"(?<={re.escape(_BEGIN)}\n).*?(?={re.escape(_END)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"{path}: {_BEGIN} and {_END} must stand there once")
    path.write_text(pattern.sub(lambda _: f"\n{text}\n\n", page), "utf-8")
