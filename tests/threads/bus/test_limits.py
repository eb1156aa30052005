# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of a whole cluster, through a real Redis: clients, and log-ins that have failed."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.lockout import FREE
from amiproxy.basics.deadline import Deadline
from amiproxy.bus.members import slot_text
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.counts import Counts
from amiproxy.threads.bus.failures import PATIENCE, ClusterFailures, is_shared
from amiproxy.threads.sessions.admission import Admission, Slot
from amiproxy.threads.sessions.guesses import Guesses
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.redisserver import RedisServer

HERE = "192.0.2.1"


class Door:
    """The clients of one proxy."""

    def __init__(self, redis: RedisServer, slot: int, most: int) -> None:
        self.admission = Admission()
        self.admission.limit(clients=most, per_address=0, unauthenticated=0)
        self.counts = Counts(BusClient(redis.url), "amp", slot, self.admission)
        self.counts.start()

    def enter(self) -> Slot | str:
        return self.admission.enter(HERE, guarded=False)


@pytest.fixture
def doors(redis: RedisServer) -> Iterator[tuple[Door, Door]]:
    with contextlib.ExitStack() as stack:
        made = [Door(redis, slot, 3) for slot in (0xA, 0xB)]
        for door in made:
            stack.callback(door.counts.stop, Deadline(5))
        yield made[0], made[1]


def test_maxclients_counts_the_clients_of_all_proxies(doors: tuple[Door, Door]) -> None:
    """As soon as they are known, which is a moment after they have come."""
    one, other = doors
    slot = one.enter()
    assert isinstance(slot, Slot)
    assert isinstance(one.enter(), Slot)
    wait_until(lambda: other.admission.elsewhere == 2, 5, "the other's")
    assert isinstance(other.enter(), Slot)
    wait_until(lambda: one.admission.elsewhere == 1, 5, "the other's")

    assert one.enter() == "3 clients are connected to the cluster (maxclients)"
    one.admission.leave(slot)
    wait_until(lambda: other.admission.elsewhere == 1, 5, "one less")
    assert isinstance(other.enter(), Slot)


def test_a_proxy_that_ends_has_no_clients_any_more(
    redis: RedisServer, doors: tuple[Door, Door]
) -> None:
    """One that has ended without a word is forgotten soon; what is no count, too."""
    one, other = doors
    one.enter()
    redis.command("HSET", "amp:clients", slot_text(0xC), "70 1")
    redis.command("HSET", "amp:clients", slot_text(0xD), "many")
    wait_until(lambda: other.admission.elsewhere == 1, 5, "one")

    one.counts.stop(Deadline(5))

    wait_until(lambda: other.admission.elsewhere == 0, 2.5, "none")
    assert redis.command("HKEYS", "amp:clients") == [slot_text(0xB).encode()]


def test_without_a_limit_nothing_is_told(redis: RedisServer) -> None:
    """Who sets one at a reload has it soon."""
    door = Door(redis, 0xA, 0)
    try:
        door.enter()
        door.admission.elsewhere = 7
        wait_until(lambda: door.admission.elsewhere == 0, 5, "it is looked at")
        assert redis.command("EXISTS", "amp:clients") == 0
        door.admission.limit(clients=3, per_address=0, unauthenticated=0)
        wait_until(lambda: redis.command("EXISTS", "amp:clients") == 1, 5, "a count")
    finally:
        door.counts.stop(Deadline(5))


def test_where_the_bus_is_away_each_counts_its_own(
    redis: RedisServer, doors: tuple[Door, Door]
) -> None:
    """After a while; and together again when it is back."""
    one, other = doors
    for _ in range(3):
        one.enter()
    wait_until(lambda: other.admission.elsewhere == 3, 5, "the other's")
    redis.kill()

    assert isinstance(other.enter(), str)
    wait_until(lambda: isinstance(other.enter(), Slot), 20, "its own limit")
    redis.start()
    wait_until(lambda: other.admission.elsewhere == 3, 20, "the other's")


# -- failed log-ins -----------------------------------------------------------------------------


def failures(redis: RedisServer) -> ClusterFailures:
    return ClusterFailures(BusClient(redis.url, connect_seconds=PATIENCE), "amp")


def test_failures_are_counted_together(redis: RedisServer) -> None:
    """With when the last one was; they are forgotten as here."""
    one, other = failures(redis), failures(redis)
    assert other.known(HERE) == (0, 0.0)

    assert [one.failed(HERE), other.failed(HERE), one.failed(HERE)] == [1, 2, 3]

    known = other.known(HERE)
    assert known is not None
    assert known[0] == 3
    assert 0.0 <= known[1] < 5
    assert 590_000 < int(redis.command("PTTL", f"amp:failures:{HERE}")) <= 600_000
    for each in (one, other):
        each.close()


def test_whoever_guesses_at_one_proxy_waits_at_the_other(redis: RedisServer) -> None:
    """So several proxies are no more guesses than one."""
    guesses = [Guesses(threading.Event()) for _ in range(2)]
    for each in guesses:
        each.elsewhere = failures(redis)
    for n in range(FREE + 2):
        guesses[n % 2].failed(HERE)
    began = time.monotonic()

    with guesses[1].turn(HERE, lambda: False) as is_tried:
        assert is_tried

    assert time.monotonic() - began > 0.5


@pytest.mark.parametrize("how", ["killed", "silent"])
def test_a_bus_that_is_away_holds_nobody_up(redis: RedisServer, how: str) -> None:
    """Once it has not answered it is not asked for a while; then it is again."""
    found = failures(redis)
    assert found.failed(HERE) == 1
    redis.kill() if how == "killed" else redis.pause()
    began = time.monotonic()

    assert found.known(HERE) is None
    assert time.monotonic() - began < 3 * PATIENCE
    first = time.monotonic()
    for _ in range(100):
        assert found.failed(HERE) == 0
    assert time.monotonic() - first < 0.2
    redis.start() if how == "killed" else redis.go_on()
    wait_until(lambda: found.known(HERE) is not None, 10, "an answer")


def test_what_no_proxy_has_written_is_not_known(redis: RedisServer) -> None:
    """Nor is it raised."""
    found = failures(redis)
    redis.command("SET", f"amp:failures:{HERE}", "many")
    assert found.known(HERE) is None
    assert found.failed(HERE) == 0
    redis.command("DEL", f"amp:failures:{HERE}")
    redis.command("LPUSH", f"amp:failures:{HERE}", "1")
    assert found.known(HERE) is None
    assert found.failed(HERE) == 0


@pytest.mark.parametrize(
    ("network", "shared"),
    [
        ("192.0.2.1", True),
        ("2001:db8::", True),
        ("127.0.0.1", False),
        ("::", False),
        ("fe80::", False),
        ("unix", False),
    ],
)
def test_only_what_is_one_host_for_all_is_shared(network: str, shared: bool) -> None:
    """127.0.0.1 is another one on each machine."""
    assert is_shared(network) == shared


def test_many_at_once_share_a_few_connections(redis: RedisServer) -> None:
    """Who finds none free is content with what is known here."""
    found = failures(redis)
    threads = [threading.Thread(target=found.failed, args=(HERE,)) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    known = found.known(HERE)
    assert known is not None
    assert 1 <= known[0] <= 60
    found.close()
    wait_until(lambda: redis.command("CLIENT", "LIST").count(b"id=") == 1, 5, "all closed")
