# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders through a real Redis: carried out by whom they are for, in time or not at all."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.bus.members import slot_text
from amiproxy.bus.orders import Order, Reply, encode_order, encode_reply
from amiproxy.threads.bus.client import BusClient
from amiproxy.threads.bus.orders import MOST, Orders
from amiproxy.threads.sessions.cluster import Told
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.redisserver import RedisServer

KIEL, BONN, DEAD = 0xA, 0xB, 0xC


def now() -> int:
    """Redis' clock: it runs on this machine."""
    return int(time.time() * 1000)


class Proxy:
    """What one proxy does with orders; *says* is what it answers."""

    def __init__(self, redis: RedisServer, slot: int, **options: Any) -> None:
        self.asked: list[tuple[str, str]] = []
        self.says = Told(True, (f"done at {slot:x}",), {"slot": slot})
        self.holds_up = threading.Event()
        self.holds_up.set()
        self.orders = Orders(
            BusClient(redis.url), "amp", slot, self.perform, now, **{"patience": 0.5, **options}
        )
        self.orders.start()

    def perform(self, line: str, who: str) -> Told:
        self.asked.append((line, who))
        self.holds_up.wait(10)
        if line == "bug":
            raise RuntimeError(line)
        return self.says


@pytest.fixture
def proxies(redis: RedisServer) -> Iterator[tuple[Proxy, Proxy]]:
    with contextlib.ExitStack() as stack:
        made = []
        for slot in (KIEL, BONN):
            proxy = Proxy(redis, slot)
            stack.callback(proxy.orders.stop, Deadline(5))
            made.append(proxy)
        yield made[0], made[1]


def key(slot: int) -> str:
    return f"amp:orders:{slot_text(slot)}"


def test_an_order_is_carried_out_where_it_is_meant_for(proxies: tuple[Proxy, Proxy]) -> None:
    """For who asks; text and data come back.  One proxy may be the asking one itself."""
    kiel, bonn = proxies

    found = kiel.orders.order([BONN], "kick 12", "root at kiel")
    both = kiel.orders.order([KIEL, BONN], "show clients", "root at kiel")

    assert found == {BONN: Told(True, ("done at b",), {"slot": BONN})}
    assert both[KIEL] == Told(True, ("done at a",), {"slot": KIEL})
    assert kiel.asked == [("show clients", "root at kiel")]
    assert bonn.asked == [("kick 12", "root at kiel"), ("show clients", "root at kiel")]


def test_who_does_not_answer_is_known_soon(proxies: tuple[Proxy, Proxy]) -> None:
    """The others' answers count all the same."""
    began = time.monotonic()

    found = proxies[0].orders.order([DEAD, BONN], "kick 12", "root")

    assert time.monotonic() - began < 3
    assert found[DEAD] is None
    assert found[BONN] is not None


def test_who_has_taken_an_order_may_take_longer(proxies: tuple[Proxy, Proxy]) -> None:
    """As for a pause, which waits for answers."""
    kiel, bonn = proxies
    bonn.holds_up.clear()
    threading.Timer(1.2, bonn.holds_up.set).start()

    found = kiel.orders.order([BONN, DEAD], "pause", "root")

    assert found == {BONN: bonn.says, DEAD: None}


def test_an_order_that_comes_too_late_is_not_carried_out(
    redis: RedisServer, proxies: tuple[Proxy, Proxy]
) -> None:
    """Who gave it has been told that it was not; so it is with what cannot be read."""
    kiel, bonn = proxies
    late = encode_order(Order(1, KIEL, now() - 1, "root", "kick 1"))
    for body in (late, b"x", encode_reply(Reply(1, KIEL, True))):
        redis.command("XADD", key(BONN), "*", "b", body)
    redis.command("XADD", key(BONN), "*", "other", "x")
    redis.command("XADD", f"{key(BONN)}:answers", "*", "b", b"x")
    redis.command("XADD", f"{key(BONN)}:answers", "*", "b", encode_reply(Reply(99, KIEL, True)))

    assert kiel.orders.order([BONN], "kick 2", "root")[BONN] == bonn.says
    assert bonn.asked == [("kick 2", "root")]
    assert bonn.orders.dropped == 4


def test_a_fault_is_told_and_the_next_order_is_carried_out(
    proxies: tuple[Proxy, Proxy], caplog: pytest.LogCaptureFixture
) -> None:
    """And an answer that nobody could take."""
    kiel, bonn = proxies

    assert kiel.orders.order([BONN], "bug", "root")[BONN] == Told(
        False, ("bug in the proxy: see its log",)
    )
    bonn.says = Told(True, ("x" * 40_000_000,))
    assert kiel.orders.order([BONN], "long", "root")[BONN] == Told(
        False, ("the answer is too long",)
    )
    bonn.says = Told(True, ())
    assert kiel.orders.order([BONN], "kick 2", "root")[BONN] == bonn.says
    assert "bug in the proxy" in caplog.text


def test_only_some_are_carried_out_at_once(proxies: tuple[Proxy, Proxy]) -> None:
    """A flood takes no threads without end, and is over when it is over."""
    kiel, bonn = proxies
    bonn.holds_up.clear()
    answers: list[Told | None] = []
    threads = [
        threading.Thread(
            target=lambda: answers.append(kiel.orders.order([BONN], "pause", "root")[BONN])
        )
        for _ in range(MOST + 3)
    ]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(answers) >= 3, 20, "those that are too many")
    bonn.holds_up.set()
    for thread in threads:
        thread.join(20)

    refused = [each for each in answers if each is not None and not each.is_good]
    assert len(answers) == MOST + 3
    assert refused == [Told(False, (f"{MOST} orders are under way; try again",))] * 3
    assert kiel.orders.order([BONN], "kick 2", "root")[BONN] == bonn.says


def test_a_lost_bus_is_told_and_found_again(
    redis: RedisServer, proxies: tuple[Proxy, Proxy]
) -> None:
    """No order of before is carried out a second time."""
    kiel, bonn = proxies
    assert kiel.orders.order([BONN], "kick 1", "root")[BONN] == bonn.says
    redis.kill()

    told = kiel.orders.order([BONN], "kick 2", "root")[BONN]

    assert told is not None
    assert not told.is_good
    assert f"127.0.0.1:{redis.port}" in told.lines[0]
    redis.start()
    wait_until(
        lambda: kiel.orders.order([BONN], "kick 3", "root")[BONN] == bonn.says, 20, "the bus"
    )
    assert [line for line, _ in bonn.asked].count("kick 1") == 1
    assert "kick 2" not in [line for line, _ in bonn.asked]


def test_what_nobody_reads_is_forgotten(redis: RedisServer, proxies: tuple[Proxy, Proxy]) -> None:
    """A proxy that has gone leaves nothing behind for ever."""
    proxies[0].orders.order([DEAD], "kick 1", "root")

    assert 0 < int(redis.command("PTTL", key(DEAD))) <= 60_000


def test_it_stops_at_once(redis: RedisServer) -> None:
    """Also while it waits inside Redis, which takes seconds."""
    proxy = Proxy(redis, DEAD)
    wait_until(lambda: b"cmd=xread" in redis.command("CLIENT", "LIST"), 10, "a reader")
    began = time.monotonic()

    proxy.orders.stop(Deadline(5))

    assert time.monotonic() - began < 1.5
    assert "bus-orders" not in {each.name for each in threading.enumerate()}
