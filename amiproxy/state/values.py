# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of AMI headers: what is no value, numbers, yes and no."""

from __future__ import annotations

_NO_VALUE = frozenset(("", "<unknown>", "unknown", "<none>", "<null>", "(null)"))
_TRUE = frozenset(("1", "yes", "true", "on", "y", "t"))
_LONGEST = 15  # digits that stay exact in JSON's numbers


def known(value: str | None) -> str | None:
    """Return *value*, or None if it says that there is none: lists and events differ."""
    return None if value is None or value in _NO_VALUE or value.lower() in _NO_VALUE else value


def number(value: str | None) -> int | None:
    """Return the whole number *value*, or None if it is none."""
    if not value or len(value) > _LONGEST or not value.isascii():
        return None
    digits = value[1:] if value[0] == "-" else value
    return int(value) if digits.isdigit() else None


def is_true(value: str | None) -> bool:
    """Return whether *value* means yes, as Asterisk reads it."""
    return value is not None and value.lower() in _TRUE


def seconds(value: str | None) -> int | None:
    """Return the seconds that *value* says, as ``75`` or ``00:01:15``; None if it is neither."""
    if not value or ":" not in value:
        return number(value)
    found = 0
    for part in value.split(":", 3):
        digits = number(part)
        if digits is None or digits < 0:
            return None
        found = found * 60 + digits
    return found
