# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers with their units: short, and none that says another thing than the number."""

from __future__ import annotations

from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.status import units


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (200, "3m20s"),
        (3599.9, "59m59s"),
        (3600, "1h00m"),
        (86_399, "23h59m"),
        (86_400, "1d00h"),
        (12 * 86_400 + 3 * 3600, "12d03h"),
        (-1.0, "0s"),
        (None, "-"),
    ],
)
def test_spans(seconds: float | None, text: str) -> None:
    """The two largest units, so that a column of them is read at a glance."""
    assert units.span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (1, "1B"),
        (999, "999B"),
        (1000, "1.0K"),
        (1024, "1.0K"),
        (1536, "1.5K"),
        (10_188, "9.9K"),
        (10_240, "10K"),
        (1023 * 1024, "1.0M"),
        (8 * 1024 * 1024, "8.0M"),
        (3_400_000_000, "3.2G"),
        (None, "-"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    """Bytes, K of 1024, and so on."""
    assert units.size(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.04, "0"), (0.3, "0.3"), (12.46, "12.5"), (99.96, "100"), (480.25, "480"),
     (20_160.0, "20160"), (123_456.0, "123k"), (None, "-")],
)  # fmt: skip
def test_rates(value: float | None, text: str) -> None:
    """A rare event is not rounded away, and a frequent one has no digits that mean nothing."""
    assert units.rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00008, "80us"),
        (0.0012, "1.2ms"),
        (0.35, "350ms"),
        (2.13, "2.1s"),
        (75.0, "75s"),
        (None, "-"),
    ],
)
def test_short_times(value: float | None, text: str) -> None:
    """How long an answer took."""
    assert units.short(value) == text


@given(st.floats(0, 1e11))
@pytest.mark.parametrize("shown", [units.size, units.number, units.rate, units.span])
def test_whatever_the_number_a_cell_is_narrow(shown: Callable[[float], str], value: float) -> None:
    """So columns stay where they are from one look to the next."""
    assert len(shown(value)) <= (11 if shown is units.span else 6)


@given(st.floats(0.06, 1e9), st.floats(1.11, 10))
@pytest.mark.parametrize("shown", [units.size, units.rate])
def test_a_larger_number_never_looks_smaller(
    shown: Callable[[float], str], value: float, times: float
) -> None:
    """Neither at the border of two units."""

    def meaning(text: str) -> float:
        unit = {"K": 1024, "M": 1024**2, "G": 1024**3, "k": 1000}.get(text[-1], 1)
        return float(text.rstrip("BKMGTk")) * (
            1000**2 if text[-1] == "M" and shown is units.rate else unit
        )

    assert meaning(shown(value)) <= meaning(shown(value * times))
