# SPDX-License-Identifier: GPL-2.0-or-later
"""Use each client of others at ``/ws`` or ``/events``, and say what it saw."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.libraries.installing import NotInstalled, Ready, install
from tests.libraries.live import described
from tests.libraries.live.catalogue import expected
from tests.libraries.live.stage import stage
from tests.libraries.report import write
from tests.libraries.trials import run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from tests.libraries.catalogue import Library
    from tests.libraries.trials import Seen

HERE = Path(__file__).parent
PAGE = HERE.parent.parent.parent / "docs" / "live.md"


def differences(library: Library, seen: Seen) -> list[str]:
    """Return the steps in which *library* saw something else than it was to see."""
    return [
        f"{step}: {seen.get(step)}"
        for step, wanted in expected(library).items()
        if seen.get(step) != wanted
    ]


def check(clients: Sequence[Library], options: argparse.Namespace) -> int:
    """Print what *clients* saw; return 1 if it was not all that they were to see."""
    lines: list[str] = []
    failing: list[str] = []
    for client in clients:
        try:
            ready = install(client, options.into, HERE / "drivers")
        except NotInstalled as error:
            lines.append(_line(client, "", f"not tried: {error}"))
            continue
        wrong = _wrong(client, ready)
        lines.append(_line(client, ready.version, "; ".join(wrong) or "all"))
        failing += [f"{client.name}: {one}" for one in wrong]
    text = "\n".join(["| client | version | steps |", "|---|---|---|", *lines])
    if clients:
        print(f"\n{text}")
    if clients and options.write:
        write(text, PAGE)
    if failing:
        print("\nNot as it is to be: " + ", ".join(failing))
    return 1 if failing else 0


def _wrong(client: Library, ready: Ready) -> list[str]:
    if client.driver == described.HOOKS:
        return described.wrong(ready)
    with stage() as (port, token, orders):
        return differences(client, run(ready, "127.0.0.1", str(port), token, str(orders)))


def _line(client: Library, version: str, steps: str) -> str:
    return f"| {client.name} ({client.language}) | {version} | {steps} |"
