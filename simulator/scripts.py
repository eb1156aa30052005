# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads scripts of calls and recorded answers from ``simulator/data``.

Pure except that it reads each file once.  data/README.md describes the formats.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

DATA = Path(__file__).parent / "data"
_PLACE = re.compile(r"\$([a-z]+[0-9]?)")


@dataclass(frozen=True)
class Step:
    """One event of a call.

    *delay*: seconds after the previous step; None: at the timeout.
    *each_variable*: repeated for every variable of the Originate.
    """

    delay: float | None
    text: str
    each_variable: bool = False

    @property
    def name(self) -> str:
        """The event's name."""
        return self.text.partition("\n")[0][len("Event: ") :]

    @property
    def places(self) -> frozenset[str]:
        """The names of its placeholders."""
        return frozenset(_PLACE.findall(self.text))

    def fill(self, values: Mapping[str, str]) -> list[str]:
        """Return the event's lines with *values* filled in."""
        lines = _PLACE.sub(lambda place: values.get(place[1], place[0]), self.text).split("\n")
        if not values.get("actionid"):
            lines = [line for line in lines if line != "ActionID: "]
        return lines


@dataclass(frozen=True)
class Script:
    """The events of one call; those from index *hangup* on are its end."""

    steps: tuple[Step, ...]
    hangup: int

    def without(self, halves: AbstractSet[str]) -> Script:
        """Return this script without the steps that name *halves*, such as ``a2``.

        A Local channel has two halves; channels of other technologies have no second
        half.  Pauses are kept.
        """
        kept: list[Step] = []
        hangup = len(self.steps)
        owed: float | None = 0.0  # the pauses of steps that were left out
        for index, step in enumerate(self.steps):
            if index == self.hangup:
                hangup = len(kept)
            delay = None if owed is None or step.delay is None else owed + step.delay
            if step.places & halves:
                owed = delay
            else:
                kept.append(replace(step, delay=delay))
                owed = 0.0
        return Script(tuple(kept), min(hangup, len(kept)))


def script(kind: str, outcome: str) -> Script:
    """Return the script of a call of *kind*, such as ``pjsip_``, that ends with *outcome*.

    What this kind has no script of is a call that is answered.
    """
    name = f"{kind}{outcome}"
    return _read(name if (DATA / f"{name}.call").exists() else f"{kind}answered")


@cache
def _read(name: str) -> Script:
    steps: list[Step] = []
    hangup: int | None = None
    for block in (DATA / f"{name}.call").read_text("latin-1").strip("\n").split("\n\n"):
        head, _, text = block.partition("\n")
        if head == "@hangup":
            hangup = len(steps)
        elif head == "@variables":
            steps.append(Step(0.0, text, each_variable=True))
        elif head.startswith("+"):
            steps.append(Step(None if head == "+timeout" else float(head), text))
    return Script(tuple(steps), len(steps) if hangup is None else hangup)


@cache
def answers() -> Mapping[str, bytes]:
    """Return the recorded answers by the action's name in lower case."""
    parts = re.split(rb"(?m)^=== (\w+)\n", (DATA / "answers.ami").read_bytes())
    return {name.decode().lower(): text for name, text in zip(parts[1::2], parts[2::2])}


@cache
def commands() -> Mapping[str, tuple[str, list[str]]]:
    """Return (Success or Error, printed lines) by command."""
    text = (DATA / "commands.txt").read_bytes().decode("latin-1")
    parts = re.split(r"(?m)^=== (\w+) (.*)\n", text)
    return {
        command: (kind, output.split("\n")[:-1] if output.strip("\n") else [])
        for kind, command, output in zip(parts[1::3], parts[2::3], parts[3::3])
    }
