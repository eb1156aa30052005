# SPDX-License-Identifier: GPL-2.0-or-later
"""What becomes of tenures when Redis fails: away, without memory, full, a replica."""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from amiproxy.bus import clock
from amiproxy.bus.lease import margin
from tests.support import free_port, wait_until
from tests.threads.bus.keepers import LENGTH, Cluster, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.bus.tenure import Tenure
    from benchmarks.redisserver import RedisServer


@pytest.fixture
def cluster(redis: RedisServer) -> Iterator[Cluster]:
    """Proxies at one Redis."""
    with Cluster(redis) as found:
        yield found


def other(cluster: Cluster, one: Proxy) -> Proxy:
    """Return the proxy that is not *one*."""
    return next(proxy for proxy in cluster.proxies if proxy is not one)


def solo_of(proxy: Proxy) -> Tenure | None:
    """Return the tenure without a bus that *proxy* has."""
    tenure = proxy.servers["a"].tenure
    return tenure if tenure is not None and tenure.is_solo else None


def is_told(proxy: Proxy, reason: str) -> bool:
    """Return whether a tenure of *proxy* ended for *reason*."""
    return reason in proxy.servers["a"].reasons


def test_a_redis_that_is_away_for_a_moment_costs_nothing(cluster: Cluster) -> None:
    """It keeps what it knows, and the holder renews in time."""
    proxy = cluster.proxy("a", length=3.0)
    cluster.wait_held("a")

    cluster.redis.restart()

    tenure = proxy.servers["a"].tenure
    assert tenure is not None
    before = tenure.valid_until
    wait_until(lambda: tenure.valid_until > before + 3)
    assert len(proxy.servers["a"].told) == 1


@pytest.mark.parametrize("how", ["flushed", "restarted"])
def test_a_redis_without_memory_leaves_servers_with_their_holders(
    cluster: Cluster, how: str
) -> None:
    """It gives out no lease before the holders of the old ones were there, or have given up."""
    cluster.proxy("a", length=2.0), cluster.proxy("a", length=2.0)
    holder = cluster.wait_held("a")["a"]
    tenure = holder.servers["a"].tenure
    assert tenure is not None

    if how == "flushed":
        cluster.redis.command("FLUSHALL")
    else:
        cluster.redis.restart(keep=False)

    before = tenure.valid_until
    wait_until(lambda: tenure.valid_until > before + 3)
    assert len(holder.servers["a"].told) == 1
    assert not other(cluster, holder).servers["a"].told
    wait_until(lambda: len(holder.keeper.members()) == 2)


def test_a_bus_that_is_lost_ends_tenures_before_redis_does(cluster: Cluster) -> None:
    """And they come back with it; each later one has a larger epoch."""
    proxy = cluster.proxy("a")
    cluster.wait_held("a")
    server = proxy.servers["a"]
    tenure = server.tenure
    assert tenure is not None

    cluster.redis.pause()
    wait_until(lambda: server.reasons)
    ended = server.told[-1].at
    assert ended < tenure.valid_until + margin(LENGTH) if tenure.is_valid else True
    assert server.reasons == ["the bus is lost"]
    wait_until(lambda: proxy.keeper.state == "cut off")
    assert proxy.keeper.problem

    cluster.redis.go_on()
    wait_until(lambda: server.tenure)
    assert proxy.keeper.state == "joined"
    assert proxy.keeper.problem == ""
    assert server.tenure is not None
    assert server.tenure.epoch > tenure.epoch


def test_an_optional_bus_that_is_lost_leaves_each_proxy_alone(cluster: Cluster) -> None:
    """Each connects by itself, and leaves that when the bus is back."""
    first, second = cluster.proxy("a", optional=True), cluster.proxy("a", optional=True)
    cluster.wait_held("a")
    cluster.redis.kill()

    for proxy in (first, second):
        solo = wait_until(partial(solo_of, proxy))
        assert proxy.keeper.state == "alone"
        assert solo.valid_until > clock.now() + 1000
    known = max(
        each.tenure.epoch
        for proxy in (first, second) for each in proxy.servers["a"].told if each.tenure
    )  # fmt: skip
    cluster.redis.start()

    for proxy in (first, second):
        wait_until(partial(is_told, proxy, "the bus is back"))
    tenure = cluster.wait_held("a")["a"].servers["a"].tenure
    assert tenure is not None
    assert not tenure.is_solo
    assert tenure.epoch > known


def test_there_was_never_a_bus(cluster: Cluster) -> None:
    """With busoptional the proxy serves all the same; without it is cut off."""
    cluster.redis.kill()
    alone, cut_off = cluster.proxy("a", optional=True), cluster.proxy("a")

    wait_until(lambda: alone.servers["a"].tenure)
    assert alone.keeper.state == "alone"
    assert cut_off.keeper.state == "cut off"
    assert not cut_off.servers["a"].told
    assert str(cluster.redis.port) in cut_off.keeper.problem


def test_who_hangs_at_a_stop_is_not_waited_for(cluster: Cluster) -> None:
    """Without Redis there is nothing to give back."""
    proxy = cluster.proxy("a")
    cluster.wait_held("a")
    cluster.redis.pause()
    began = time.monotonic()

    proxy.stop()

    assert time.monotonic() - began < 4
    assert not proxy.held


def test_a_redis_that_is_full_leaves_servers_with_their_holders(cluster: Cluster) -> None:
    """A renewal needs no memory."""
    proxy = cluster.proxy("a")
    cluster.wait_held("a")
    tenure = proxy.servers["a"].tenure
    assert tenure is not None

    cluster.redis.command("CONFIG", "SET", "maxmemory", 1)

    before = tenure.valid_until
    wait_until(lambda: tenure.valid_until > before + 3 * LENGTH)
    assert proxy.keeper.state == "joined"
    assert "memory" in proxy.keeper.problem
    cluster.redis.command("CONFIG", "SET", "maxmemory", 0)
    wait_until(lambda: proxy.keeper.problem == "")


def test_a_redis_that_has_become_a_replica_is_left(cluster: Cluster) -> None:
    """What it refuses to write is no bus; the next connection may be to the master."""
    proxy = cluster.proxy("a")
    cluster.wait_held("a")

    cluster.redis.command("REPLICAOF", "127.0.0.1", free_port())

    wait_until(lambda: proxy.keeper.state == "cut off")
    assert "read only" in proxy.keeper.problem or "replica" in proxy.keeper.problem
    assert proxy.servers["a"].reasons == ["the bus is lost"]
    cluster.redis.command("REPLICAOF", "NO", "ONE")
    cluster.wait_held("a")
    assert proxy.keeper.state == "joined"


@pytest.mark.parametrize(("policy", "warned"), [("allkeys-lru", True), ("noeviction", False)])
def test_a_redis_that_may_remove_leases_is_told(
    cluster: Cluster, caplog: pytest.LogCaptureFixture, policy: str, warned: bool
) -> None:
    """Each time that it is joined."""
    caplog.set_level(logging.WARNING, "amiproxy.bus")
    cluster.redis.command("CONFIG", "SET", "maxmemory", 10**9)
    cluster.redis.command("CONFIG", "SET", "maxmemory-policy", policy)
    proxy = cluster.proxy("a")

    wait_until(lambda: proxy.keeper.state == "joined")

    said = f"maxmemory-policy {policy}"
    wait_until(lambda: not warned or said in caplog.text)
    assert (said in caplog.text) == warned


@pytest.mark.parametrize("ends", [True, False])
def test_a_lease_from_before_the_clock_was_set_back_ends(cluster: Cluster, ends: bool) -> None:
    """Its holder is gone; else nobody would be connected for an hour, or ever."""
    cluster.redis.command("SET", "astmanproxy:lease:a", "00009.65536")
    if ends:
        cluster.redis.command("PEXPIRE", "astmanproxy:lease:a", 3_600_000)

    cluster.proxy("a")

    cluster.wait_held("a")


def test_who_asks_for_a_lease_leaves_a_holder_that_says_nothing_its_time(cluster: Cluster) -> None:
    """It may be unable to write anything but renewals, as at a Redis that is full."""
    first = cluster.proxy("a")
    cluster.wait_held("a")
    cluster.redis.command("CONFIG", "SET", "maxmemory", 1)
    second = cluster.proxy("a")

    time.sleep(5 * LENGTH)

    assert [each.reason for each in first.servers["a"].told] == [""]
    assert not second.servers["a"].told
