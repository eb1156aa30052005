# SPDX-License-Identifier: GPL-2.0-or-later
"""Pauses between tries: they grow, differ, and begin anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.basics.growingpause import GrowingPause


def test_the_first_is_exact_and_the_others_double_up_to_the_longest() -> None:
    """Without luck each is as long as it may be."""
    pauses = GrowingPause(lambda: 1.0)

    assert [pauses.next(2.0, 60.0) for _ in range(7)] == [2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    pauses.reset()
    assert pauses.next(2.0, 60.0) == 2.0


def test_where_none_may_be_longer_all_are_the_same() -> None:
    """A first pause that is longer than the longest one counts."""
    pauses = GrowingPause(lambda: 0.0)

    assert [pauses.next(90.0, 60.0) for _ in range(3)] == [90.0] * 3
    assert [pauses.next(2.0, 0.0) for _ in range(3)] == [2.0] * 3


@given(st.floats(0.1, 1e6), st.floats(0, 1e6), st.integers(1, 300), st.floats(0, 1))
def test_each_lasts_from_half_to_all_of_what_it_grew_to(
    first: float, most: float, times: int, chance: float
) -> None:
    """However often it has failed: double each time, up to the longest."""
    pauses = GrowingPause(lambda: chance)
    for _ in range(times):
        pause = pauses.next(first, most)

    grown = min(first * 2.0 ** (times - 1), max(first, most))
    assert grown / 2 <= pause <= grown


def test_two_who_fail_at_the_same_moments_part() -> None:
    """By chance, from the second pause on."""
    one, other = GrowingPause(), GrowingPause()

    assert one.next(1.0, 60.0) == other.next(1.0, 60.0)
    assert [one.next(1.0, 60.0) for _ in range(5)] != [other.next(1.0, 60.0) for _ in range(5)]
