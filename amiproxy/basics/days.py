# SPDX-License-Identifier: GPL-2.0-or-later
"""Days: from one midnight to the next, where the people are who look at the numbers."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple


class Day(NamedTuple):
    """When a day begins and ends, in unix time; it may have 23 or 25 hours."""

    start: float
    end: float


@lru_cache(maxsize=32)
def zone_of(name: str) -> tzinfo | None:
    """Return the time zone *name*, such as ``Europe/Berlin``; None, for "": the proxy's own.

    Raises:
        ValueError: there is none of that name.

    """
    if not name:
        return None
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - 6 ms, and most never need it

    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError) as error:
        raise ValueError(f"no time zone {name[:80]!a} is known here") from error


def day_of(now: float, name: str) -> Day:
    """Return the day of the moment *now* in the time zone *name*."""
    zone = zone_of(name)
    today = datetime.fromtimestamp(now, zone).date()  # None: the proxy's own zone
    start, end = (
        # Of a midnight that comes twice, the first; of one that does not come, what comes then.
        datetime(each.year, each.month, each.day, tzinfo=zone).timestamp()
        for each in (today, today + timedelta(days=1))
    )
    return Day(min(start, now), end)
