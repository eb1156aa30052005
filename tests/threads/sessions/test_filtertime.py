# SPDX-License-Identifier: GPL-2.0-or-later
"""The time that filters of clients may take: who takes too much loses the session."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from amiproxy.routing.eventfilter import NO_FILTERS
from amiproxy.threads.sessions import session as session_module
from amiproxy.threads.sessions.filtertime import FilterTime, FilterTimeError
from amiproxy.wire.batch import Batch
from tests.threads.sessions.support import EVENT, collector, received, session_over

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

EVENTS = Batch("pbx", EVENT.raw)


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def outcome(costs: list[float], seconds: int = 4) -> list[int]:
    """Return in which second each client that takes *costs* a second loses its session; 0: none."""
    clock = Clock()
    together = FilterTime(0.25, clock)
    meters = [together.meter() for _ in costs]
    lost = [0] * len(costs)
    for second in range(1, seconds + 1):
        for _ in range(4):
            clock.now += 0.25
            for number, (meter, cost) in enumerate(zip(meters, costs)):
                try:
                    if not lost[number]:
                        meter.spend(cost / 4)
                except FilterTimeError:
                    lost[number] = second
    return lost


def test_one_client_may_take_the_whole_budget_and_no_more() -> None:
    """A quarter of a second each second, here."""
    assert outcome([0.2]) == [0]
    assert outcome([0.3]) == [1]


def test_of_several_those_who_take_most_are_lost() -> None:
    """Who takes less than an even share of what is left stays, however many take more."""
    lost = outcome([0.001, 0.2, 0.01, 0.2, 0.2])

    assert [bool(second) for second in lost] == [False, True, False, True, True]


def test_many_who_take_little_each_cannot_push_out_one_who_takes_a_little_more() -> None:
    """As long as there is time for all, nobody is lost; then the greedy are."""
    assert outcome([0.0001] * 500 + [0.02]) == [0] * 501
    assert outcome([0.0001] * 100 + [0.02, 0.3])[-2:] == [0, 1]
    assert [bool(one) for one in outcome([0.01, 0.1, 0.2])] == [False, False, True]
    assert [bool(one) for one in outcome([0.05, 0.19, 0.19])] == [False, True, True]


def test_many_equal_clients_cannot_take_more_than_the_budget_together() -> None:
    """Forty that keep just below what one may take alone."""
    assert all(outcome([0.04] * 40))


def test_one_long_choice_is_not_waited_for() -> None:
    """It counts at once, not at the end of the second."""
    clock = Clock()
    meter = FilterTime(0.25, clock).meter()
    clock.now += 0.1

    with pytest.raises(FilterTimeError, match="take 400 ms of each second"):
        meter.spend(0.4)


def test_a_client_over_its_share_loses_the_session(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent nothing more; others with filters go on, and so does one without."""
    # A budget that any search exceeds.
    monkeypatch.setattr(session_module, "FILTER_TIME", FilterTime(0.0))
    transport, theirs = pair()
    session = session_over(transport)
    session.deliver(EVENTS)
    session.add_filter(NO_FILTERS.with_line("!Nothing"))

    session.deliver(EVENTS)

    assert received(theirs) == EVENT.raw
    assert isinstance(transport.end_reason, FilterTimeError)
    assert "the filters it has added take" in str(transport.end_reason)


def test_a_web_session_over_its_share_ends_with_a_log_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no connection whose thread would tell."""
    monkeypatch.setattr(session_module, "FILTER_TIME", FilterTime(0.0))
    session = collector(keep_events=True)
    session.add_filter(NO_FILTERS.with_line("!Nothing"))

    with caplog.at_level(logging.WARNING):
        session.deliver(Batch("pbx", EVENT.raw))

    assert session.ended
    assert "the filters it has added take" in caplog.text
