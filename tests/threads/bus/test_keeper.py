# SPDX-License-Identifier: GPL-2.0-or-later
"""Who gets which server, with a real Redis: one proxy at a time, another when one is gone."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.bus import clock, placing
from amiproxy.bus.entries import TAKEN, decode_entry
from amiproxy.bus.keys import Keys
from amiproxy.bus.lease import STRIDE
from amiproxy.bus.members import slot_text
from amiproxy.bus.states import read_taken
from amiproxy.settings.config import Config
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.keeper import Keeper, Me
from tests.support import wait_until
from tests.threads.bus.keepers import LENGTH, Cluster, Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.redisserver import RedisServer
    from tests.bus.redisserver import StartRedis


@pytest.fixture
def cluster(redis: RedisServer) -> Iterator[Cluster]:
    """Proxies at one Redis."""
    with Cluster(redis) as found:
        yield found


def other(cluster: Cluster, one: Proxy) -> Proxy:
    """Return the proxy that is not *one*."""
    return next(proxy for proxy in cluster.proxies if proxy is not one)


def knows(proxy: Proxy, holder: Proxy) -> bool:
    """Return whether *proxy* knows of another, and that *holder* has the server."""
    return proxy.keeper.holder("a") == holder.me.slot and len(proxy.keeper.members()) == 2


def test_one_of_two_gets_a_server(cluster: Cluster) -> None:
    """Its epoch opens the stream, with its slot; both know who it is, and each other."""
    first, second = cluster.proxy("a"), cluster.proxy("a")
    holder = cluster.wait_held("a")["a"]
    tenure = holder.servers["a"].tenure
    assert tenure is not None

    [entry] = wait_until(lambda: cluster.redis.command("XRANGE", "astmanproxy:events:a", "-", "+"))
    found = decode_entry(entry[1][1])

    assert entry[0] == f"{tenure.epoch}-0".encode()
    assert (found.kind, found.epoch, read_taken(found.payload)) == (
        TAKEN, tenure.epoch, holder.me.slot,
    )  # fmt: skip
    assert tenure.epoch % 65536 == 0
    lease = cluster.redis.command("GET", "astmanproxy:lease:a")
    assert lease == f"{slot_text(holder.me.slot)}.{tenure.epoch}".encode()
    for proxy in (first, second):
        wait_until(partial(knows, proxy, holder))
        members = proxy.keeper.members()
        assert {each.slot for each in members} == {first.me.slot, second.me.slot}
        assert {each.clients for each in members} == {7}
        assert abs(proxy.keeper.redis_ms() - time.time() * 1000) < 500
    assert not other(cluster, holder).held


def test_a_tenure_lasts_as_long_as_it_is_renewed(cluster: Cluster) -> None:
    """Nobody is told anything meanwhile."""
    proxy = cluster.proxy("a")
    cluster.wait_held("a")
    tenure = proxy.servers["a"].tenure
    assert tenure is not None
    first = tenure.valid_until

    wait_until(lambda: tenure.valid_until > first + 2 * LENGTH)

    assert len(proxy.servers["a"].told) == 1


def test_many_servers_are_spread_from_the_beginning(cluster: Cluster) -> None:
    """While Redis gives out no lease yet, proxies learn of each other."""
    cluster.redis.command("FLUSHALL")  # a Redis that has just begun waits for all of them
    scopes = [f"pbx{number}" for number in range(9)]
    for _ in range(3):
        cluster.proxy(*scopes)

    cluster.wait_held(*scopes)

    assert [len(proxy.held) for proxy in cluster.proxies] == [3, 3, 3]


def test_a_server_that_is_let_go_is_taken_at_once(cluster: Cluster) -> None:
    """A proxy that stops costs a moment, not the time of a lease."""
    cluster.proxy("a"), cluster.proxy("a")
    holder = cluster.wait_held("a")["a"]
    heir = other(cluster, holder)
    old = holder.servers["a"].tenure
    assert old is not None
    wait_until(lambda: len(heir.keeper.members()) == 2)
    began = clock.now()

    holder.stop()

    assert wait_until(lambda: heir.servers["a"].told)[0].at - began < 0.5
    assert holder.servers["a"].reasons == ["this proxy stops"]
    new = heir.servers["a"].tenure
    assert new is not None
    assert new.epoch > old.epoch
    assert not old.is_valid
    wait_until(lambda: [each.slot for each in heir.keeper.members()] == [heir.me.slot])
    assert cluster.redis.command("EXISTS", f"astmanproxy:proxy:{slot_text(holder.me.slot)}") == 0


def test_a_thread_that_is_slow_to_let_go_is_waited_for(cluster: Cluster) -> None:
    """A short time; it has last entries to write."""
    cluster.proxy("a"), cluster.proxy("a")
    holder = cluster.wait_held("a")["a"]
    holder.servers["a"].lets_go = False
    wait_until(lambda: len(holder.keeper.members()) == 2)

    holder.stop()

    taken = wait_until(lambda: other(cluster, holder).servers["a"].told)[0].at
    assert 0.25 < taken - holder.servers["a"].told[-1].at < 0.8


def test_a_server_that_could_not_be_reached_goes_to_another(cluster: Cluster) -> None:
    """Its own thread gives the lease back."""
    cluster.proxy("a"), cluster.proxy("a")
    holder = cluster.wait_held("a")["a"]
    wait_until(lambda: len(holder.keeper.members()) == 2)
    server = holder.servers["a"]
    old = server.tenure
    assert old is not None

    holder.keeper.release("a", old.epoch - STRIDE)  # of one that is over: nothing
    holder.keeper.release("a", old.epoch)

    wait_until(lambda: cluster.holders("a") == {"a": other(cluster, holder)})
    assert not old.is_valid
    assert len(server.told) == 1


def test_who_cannot_log_in_takes_nothing(cluster: Cluster) -> None:
    """Nor before the moment that its server names."""
    proxy = cluster.proxy("a", "b", "c")
    proxy.servers["a"].can_hold = False
    proxy.servers["b"].not_before = began = clock.now() + 2.5 * LENGTH
    proxy.keeper.wake()

    cluster.wait_held("c")
    cluster.wait_held("b")

    assert proxy.servers["b"].told[0].at >= began
    assert not proxy.servers["a"].told


def test_a_server_that_is_removed_is_given_up(cluster: Cluster) -> None:
    """And one of that name that is added again is taken again."""
    proxy = cluster.proxy("a")
    cluster.wait_held("a")

    proxy.keeper.remove(proxy.servers["a"])
    wait_until(lambda: cluster.redis.command("EXISTS", "astmanproxy:lease:a") == 0)
    assert proxy.servers["a"].reasons == ["this proxy has no such server any more"]

    proxy.keeper.add(proxy.servers["a"])
    cluster.wait_held("a")


def test_no_epoch_is_given_to_two_servers_when_redis_has_lost_its_data(cluster: Cluster) -> None:
    """Proxies tell it which there were; else the ids of events would name the wrong server."""
    key = Keys(Config().bus_name).epoch
    cluster.redis.command("SET", key, int(time.time()) * 65536 * 100)
    first = cluster.proxy("a")
    cluster.wait_held("a")
    tenure = first.servers["a"].tenure
    assert tenure is not None
    cluster.redis.command("FLUSHALL")
    wait_until(lambda: int(cluster.redis.command("GET", key) or 0) >= tenure.epoch)

    second = cluster.proxy("b")
    cluster.wait_held("b")
    assert second.servers["b"].tenure is not None
    assert second.servers["b"].tenure.epoch > tenure.epoch


def test_what_a_proxy_has_read_in_streams_counts_as_well(cluster: Cluster) -> None:
    """Its leases may be over: it has begun when nobody had any."""
    known = int(time.time()) * 65536 * 100
    first = cluster.proxy("a")
    first.servers["a"].epoch = known
    key = Keys(Config().bus_name).epoch
    assert wait_until(lambda: int(cluster.redis.command("GET", key) or 0) >= known)


def test_servers_are_spread_when_a_proxy_has_come(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, once all is calm."""
    monkeypatch.setattr(placing, "CALM", 0.5)
    monkeypatch.setattr(placing, "BETWEEN", 0.2)
    scopes = [f"pbx{number}" for number in range(5)]
    first = cluster.proxy(*scopes)
    cluster.wait_held(*scopes)

    second = cluster.proxy(*scopes)

    wait_until(lambda: (len(first.held), len(second.held)) == (3, 2))
    reasons = [reason for each in first.servers.values() for reason in each.reasons]
    assert reasons == ["another proxy takes it over"] * 2
    time.sleep(1)
    assert (len(first.held), len(second.held)) == (3, 2)


def test_what_others_write_there_stops_nobody(cluster: Cluster) -> None:
    """Leases, presences and members that no proxy has written."""
    cluster.redis.command("SET", "astmanproxy:lease:a", b"\xff\x00nonsense", "PX", "500")
    cluster.redis.command("SADD", "astmanproxy:proxies", b"\xff\xff", "00001", "zzzzz", "x" * 1000)
    cluster.redis.command("SET", "astmanproxy:proxy:00001", "[" * 10000)
    proxy = cluster.proxy("a", "b")

    cluster.wait_held("a", "b")

    assert [each.slot for each in proxy.keeper.members()] == [proxy.me.slot]


def test_a_slot_that_another_proxy_has_is_not_used(cluster: Cluster) -> None:
    """Who comes second takes nothing, and says why."""
    first = cluster.proxy("a")
    cluster.wait_held("a")

    second = cluster.proxy("a", "b", slot=first.me.slot)

    wait_until(lambda: "another proxy has the slot" in second.keeper.problem)
    wait_until(lambda: second.keeper.state == "cut off")
    time.sleep(LENGTH)
    assert not second.held
    assert first.held == {"a"}
    assert [each.name for each in first.keeper.members()] == [first.me.name]


def test_a_keeper_that_was_never_started_can_be_stopped(cluster: Cluster) -> None:
    """A start may fail before."""
    config = Config(bus=cluster.redis.url)

    Keeper(BusClient.of(config), config, Me.made(), dict).stop(Deadline(1))


@pytest.mark.parametrize(
    "command",
    ["eval", *(pytest.param(one, marks=pytest.mark.soak) for one in ("set", "xadd"))],
)
def test_what_redis_forbids_is_told(
    start_redis: StartRedis, caplog: pytest.LogCaptureFixture, command: str
) -> None:
    """Once a minute, in the log, and in what --status shows; else nobody knew why all is silent."""
    redis = start_redis(users={"proxy": f">secret ~* &* +@all -{command}"})
    url = redis.url.replace("//", "//proxy:secret@")
    with Cluster(redis) as cluster:
        proxy = cluster.proxy("a", url=url)
        wait_until(lambda: "is refused" in caplog.text, what="the log")
        assert proxy.keeper.problem
        redis.command("ACL", "SETUSER", "proxy", "+@all")
        cluster.wait_held("a")
        wait_until(lambda: not proxy.keeper.problem, what="no problem any more")

    assert caplog.text.count("is refused") == 1
    assert "secret" not in caplog.text


def test_a_bus_that_is_away_at_the_start_is_told(
    cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing else says why no server is connected."""
    cluster.redis.kill()
    cluster.proxy("a")
    wait_until(lambda: "bus: cut off from" in caplog.text, what="the log")
    assert "refused" in caplog.text
    cluster.redis.start()
    cluster.wait_held("a")

    assert caplog.text.count("bus: cut off from") == 1
