# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers with their units, in a few characters."""

from __future__ import annotations

from amiproxy.basics.base36 import last_digits

#: What stands where nothing is known.
UNKNOWN = "-"

_SPANS = ((86400.0, "d", 3600, "h"), (3600.0, "h", 60, "m"), (60.0, "m", 1, "s"))
_SIZES = ("B", "K", "M", "G", "T", "P")


def span(seconds: float | None) -> str:
    """Return *seconds* as people say them: ``0s``, ``59s``, ``3m20s``, ``2h05m``, ``12d03h``."""
    if seconds is None:
        return UNKNOWN
    whole = max(0, int(seconds))
    for length, big, part, small in _SPANS:
        if whole >= length:
            count, rest = divmod(whole, int(length))
            return f"{count}{big}{rest // part:02}{small}"
    return f"{whole}s"


def short(seconds: float | None) -> str:
    """Return a short time: ``80us``, ``1.2ms``, ``350ms``, ``2.1s``."""
    if seconds is None:
        return UNKNOWN
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}us"
    if seconds < 1.0:
        return f"{_three(seconds * 1000)}ms"
    return f"{_three(seconds)}s"


def size(count: float | None) -> str:
    """Return *count* bytes: ``0``, ``999B``, ``1.2K``, ``35M``; K is 1024."""
    if count is None:
        return UNKNOWN
    if not count:
        return "0"
    value = float(count)
    for unit in _SIZES:
        # What would be written as 1000 or more is said in the next unit.
        if value < 999.5 or unit == _SIZES[-1]:
            return f"{int(value)}B" if unit == "B" else f"{_three(value)}{unit}"
        value /= 1024
    raise AssertionError(count)


def number(count: float | None) -> str:
    """Return *count* in full up to 99999, above that as ``123k``, ``4.5M``."""
    if count is None:
        return UNKNOWN
    if count < 100_000:
        return f"{int(count)}"
    value = float(count)
    for unit in ("k", "M", "G", "T"):
        value /= 1000
        if value < 999.5:
            return f"{_three(value)}{unit}"
    return f"{value:.0f}T"


def rate(per_second: float | None) -> str:
    """Return how often a second something happens: ``0``, ``0.3``, ``12.5``, ``480``, ``12.3k``."""
    if per_second is None:
        return UNKNOWN
    if per_second < 0.05:
        return "0"
    if per_second < 99.95:
        return f"{per_second:.1f}"
    return f"{per_second:.0f}" if per_second < 99_999.5 else number(per_second)


def share(part: float | None) -> str:
    """Return *part* of 1 as ``3%``."""
    return UNKNOWN if part is None else f"{part * 100:.0f}%"


def slot(number: int) -> str:
    """Return the slot of a proxy of a cluster, 24 bits, as five digits of base 36."""
    return last_digits(number, 5)


def _three(value: float) -> str:
    """Return *value*, below 1000, with two or three digits: ``1.2``, ``35``, ``350``."""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
