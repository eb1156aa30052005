# SPDX-License-Identifier: GPL-2.0-or-later
"""A question that comes back tells that a proxy is reached through itself."""

from __future__ import annotations

import pytest

from amiproxy.threads.sessions.probe import HEADER, Probe


def test_it_comes_back() -> None:
    """What is asked, and nothing else."""
    probe = Probe()
    header, _, token = probe.question(10.0).partition(": ")
    assert header == HEADER
    assert not probe.came_back

    assert probe.note(token)

    assert probe.came_back


@pytest.mark.parametrize("token", ["", "0" * 32, "\xe9", "\udce9"])
def test_another_question_does_not(token: str) -> None:
    """A client cannot guess it, whatever it writes."""
    probe = Probe()
    probe.question(10.0)

    assert not probe.note(token)
    assert not probe.note(Probe().question(10.0).partition(": ")[2])


def test_it_is_asked_now_and_then() -> None:
    """However much comes that looks so."""
    probe = Probe()

    asked = [bool(probe.question(now)) for now in (10.0, 10.5, 11.0, 11.1)]

    assert asked == [True, False, True, False]
