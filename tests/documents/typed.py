# SPDX-License-Identifier: GPL-2.0-or-later
"""Typed: a command of the documents, and what it has to do."""

from __future__ import annotations

from typing import NamedTuple


class Typed(NamedTuple):
    """The command *text*; what it prints matches *expect*, its exit status is in *status*."""

    text: str
    expect: str = ""
    status: tuple[int, ...] = (0,)
    #: What the shell does before.
    before: str = ""
    #: What is typed into the command.
    stdin: str = ""
    #: Lines that are added to the configuration.
    config: str = ""
    #: Whether a proxy runs already.
    runs: bool = True
    #: A program that goes on: it is enough if it prints this.
    until: str = ""
    #: A program that not every machine has.
    needs: str = ""
