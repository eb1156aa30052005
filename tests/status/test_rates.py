# SPDX-License-Identifier: GPL-2.0-or-later
"""Rates: from what the counters were a moment ago."""

from __future__ import annotations

from amiproxy.status.rates import Rates, Sample, rate


def test_who_asks_first_has_nothing_to_compare_with() -> None:
    """Neither has who asks again at once, or after a long time."""
    rates = Rates()
    assert rates.since(100.0) is None

    rates.note(Sample(100.0, {"x": 1}))

    assert rates.since(100.5) is None
    assert rates.since(120.0) is None


def test_the_newest_sample_that_is_old_enough_counts() -> None:
    """So that the rate is that of just now."""
    rates = Rates()
    for at in (100.0, 102.0, 104.0):
        rates.note(Sample(at, {"x": at}))

    assert rates.since(104.5) == Sample(102.0, {"x": 102.0})
    assert rates.since(105.0) == Sample(104.0, {"x": 104.0})


def test_who_asks_all_the_time_still_gets_rates() -> None:
    """Samples that come too soon do not replace those that can be compared with."""
    rates = Rates()
    for tenth in range(100):
        rates.note(Sample(100 + tenth / 10, {}))

    assert rates.since(110.0) is not None


def test_a_rate_is_what_has_come_by_the_time_it_took() -> None:
    """Of what was not there before, all."""
    before, now = Sample(100.0, {"x": 10}), Sample(102.0, {"x": 30, "y": 8})

    assert rate(before, now, "x") == 10.0
    assert rate(before, now, "y") == 4.0
    assert rate(now, before, "x") == 0.0
