# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers with the digits 0 to z."""

from __future__ import annotations

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def last_digits(number: int, count: int) -> str:
    """Return the last *count* digits of *number*, which is not negative, with leading zeros."""
    found = ""
    for _ in range(count):
        number, digit = divmod(number, len(DIGITS))
        found = DIGITS[digit] + found
    return found
