# SPDX-License-Identifier: GPL-2.0-or-later
"""Deadlines: what is left of a time limit."""

from __future__ import annotations

import math

import pytest

from amiproxy.basics.deadline import Deadline


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return monotonic seconds."""
        return self.now


def test_what_is_left_shrinks_and_is_never_negative() -> None:
    """A late reader gets 0, or what it wants at the least."""
    clock = Clock()
    deadline = Deadline(5.0, clock=clock)

    assert (deadline.left(), deadline.timeout(), deadline.over) == (5.0, 5.0, False)
    clock.now += 4.0
    assert (deadline.left(), deadline.left(at_least=2.0)) == (1.0, 2.0)
    clock.now += 4.0
    assert (deadline.left(), deadline.timeout(), deadline.over) == (0.0, 0.0, True)
    assert deadline.left(at_least=0.1) == 0.1


@pytest.mark.parametrize("seconds", [None, math.inf])
def test_no_limit_is_never_over(seconds: float | None) -> None:
    """Calls that wait get None, comparisons infinity."""
    deadline = Deadline(seconds)

    assert not deadline.over
    assert deadline.timeout() is None
    assert deadline.left() == math.inf


def test_a_limit_of_nothing_is_over_at_once() -> None:
    """At the moment itself, not only after it."""
    assert Deadline(0.0, clock=Clock()).over
