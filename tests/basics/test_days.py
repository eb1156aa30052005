# SPDX-License-Identifier: GPL-2.0-or-later
"""Days begin at midnight, wherever that is, however long they are."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.basics.days import day_of, zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Some of which change their clocks at midnight, or by other than an hour.
ZONES = (
    "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "UTC",
)  # fmt: skip


def at(text: str) -> float:
    """Return the moment *text*, as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("zone", "now", "start", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00", "2026-03-28T23:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00", "2026-10-24T22:00", 25),
        ("Europe/Berlin", "2026-06-01T21:59", "2026-05-31T22:00", 24),
        # Midnight comes twice: the day begins with the first; or not at all: with what comes then.
        ("America/Havana", "2026-11-01T04:30", "2026-11-01T04:00", 25),
        ("America/Havana", "2026-03-08T12:00", "2026-03-08T05:00", 23),
    ],
)
def test_days_of_other_lengths(zone: str, now: str, start: str, hours: int) -> None:
    """Where clocks change."""
    day = day_of(at(now), zone)
    assert (day.start, day.end - day.start) == (at(start), hours * 3600)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.integers(1_200_000_000, 2_000_000_000))
def test_every_moment_is_in_its_day(zone: str, now: int) -> None:
    """Days follow each other without a gap, and none is over when it begins."""
    day = day_of(now, zone)
    assert day.start <= now < day.end
    assert day_of(day.start, zone) == day_of(day.end - 1, zone) == day
    assert day_of(day.end, zone).start == day.end


@pytest.fixture
def in_kathmandu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have this machine be there."""
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_kathmandu")
def test_without_a_name_it_is_the_zone_of_this_machine() -> None:
    """As the C library knows it."""
    now = at("2026-06-01T20:00")
    assert day_of(now, "") == day_of(now, "Asia/Kathmandu") == (at("2026-06-01T18:15"), now + 80100)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "\0"])
def test_an_unknown_zone_is_an_error(name: str) -> None:
    """Whatever it is that zoneinfo says of it."""
    with pytest.raises(ValueError, match="no time zone"):
        zone_of(name)
