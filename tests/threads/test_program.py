# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of the process when the operator asks several things at once."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from amiproxy.process.again import Start
from amiproxy.threads.program import Program


@pytest.fixture
def signals(monkeypatch: pytest.MonkeyPatch) -> list[signal.Signals]:
    """What the process has sent itself."""
    found: list[signal.Signals] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: found.append(number))
    return found


def make() -> Program:
    """Return a program of nothing else."""
    nothing = cast("Any", SimpleNamespace(longer_drain=0.0, outcome=None))
    return Program(nothing, nothing, nothing, Start((), "", {}))


def test_two_restarts_at_once_are_one(signals: list[signal.Signals]) -> None:
    """A second SIGTERM would be taken for a stop, which wins."""
    program = make()

    program.restart()
    program.restart()

    assert program.is_restarting
    assert signals == [signal.SIGTERM]


def test_a_stop_wins_over_a_restart(signals: list[signal.Signals]) -> None:
    """Also where main has not seen the SIGTERM of the restart yet: two are one to the kernel."""
    program = make()

    program.restart()
    program.stop()
    program.restart()

    assert not program.is_restarting
    assert signals == [signal.SIGTERM] * 2
