# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers to the base of 36."""

from __future__ import annotations

import pytest

from amiproxy.basics.base36 import last_digits


@pytest.mark.parametrize(
    ("number", "count", "text"),
    [
        (0, 5, "00000"),
        (35, 1, "z"),
        (36, 5, "00010"),
        (2**24 - 1, 5, "9zldr"),
        (36**3 + 1, 2, "01"),
    ],
)
def test_the_last_digits_are_as_many_as_are_asked_for(number: int, count: int, text: str) -> None:
    """Whatever is before them is left out; what is missing is 0."""
    assert last_digits(number, count) == text
