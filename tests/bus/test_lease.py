# SPDX-License-Identifier: GPL-2.0-or-later
"""A lease by itself; that two proxies never have it at once, test_lease_model.py shows."""

from __future__ import annotations

import pytest

from amiproxy.bus.lease import Effect, Kind, Lease, Phase, Reply, Request, answered, margin

_EPOCH = 65536
_FREE = Lease(10.0, 1.0)


def test_a_proxy_stops_to_believe_in_it_before_redis_forgets_it() -> None:
    """By what clocks differ in that time, and what a thread waits for its turn."""
    assert margin(3.0) == pytest.approx(0.35)
    assert margin(0.5) == pytest.approx(0.1)


def test_its_time_begins_when_it_was_asked_for() -> None:
    """Redis began to count after that."""
    lease, effect = answered(_FREE, Request(Kind.TAKE, 0), Reply(True, _EPOCH), 100.0, 108.9)
    assert (effect, lease.until) == (Effect.GRANT, 109.0)
    assert lease.is_valid(108.9)
    assert not lease.is_valid(109.0)


def test_one_that_comes_too_late_is_given_back() -> None:
    """Another proxy may be about to get it."""
    lease, effect = answered(_FREE, Request(Kind.TAKE, 0), Reply(True, _EPOCH), 100.0, 109.0)
    assert (lease.phase, effect) == (Phase.LEFT, Effect.NONE)


def test_a_renewal_that_comes_too_late_renews_nothing() -> None:
    """Its connection is to be shut by then, whatever Redis says."""
    lease, _ = answered(_FREE, Request(Kind.TAKE, 0), Reply(True, _EPOCH), 100.0, 101.0)
    again = Request(Kind.RENEW, _EPOCH)
    late, effect = answered(lease, again, Reply(True), 105.0, 109.0)
    assert (late.phase, effect) == (Phase.LEFT, Effect.WITHDRAW)

    good, effect = answered(lease, again, Reply(True), 105.0, 108.0)
    assert (good.until, effect) == (114.0, Effect.NONE)
