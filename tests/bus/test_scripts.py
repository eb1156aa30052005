# SPDX-License-Identifier: GPL-2.0-or-later
"""What a real Redis does with leases is what the model check takes it to do."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, NamedTuple

import pytest

from amiproxy.bus.keys import Keys
from amiproxy.bus.lease import STRIDE, Kind, Lease, Reply, Request
from amiproxy.bus.members import slot_text
from amiproxy.bus.scripts import asked, raised, read_holder, read_reply
from amiproxy.threads.bus.client import BusClient, Line
from tests.bus.leasemodel import Proxy, Redis, Rules, State, carried_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.redisserver import RedisServer

KEYS = Keys("test")
SLOTS = (77, 88)
#: Seconds of a lease: it does not run out by itself here.
LENGTH = 60.0


@pytest.fixture
def line(redis: RedisServer) -> Iterator[Line]:
    """A connection to a real Redis."""
    found = BusClient(redis.url).connection()
    yield found
    found.close()


def remember(line: Line, seconds: float) -> None:
    """Have Redis believe that it has remembered leases for so long."""
    (run,) = [
        row.partition(b":")[2].strip().decode()
        for row in line.command("INFO", "server").splitlines() if row.startswith(b"run_id:")
    ]  # fmt: skip
    line.command("SET", KEYS.memory, f"{run} {round((time.time() - seconds) * 1000)}")


def ask(line: Line, who: int, request: Request) -> tuple[Reply, float]:
    """Ask as proxy *who*."""
    packed = asked(KEYS, "a", SLOTS[who], LENGTH, request, b"opening")
    found = read_reply(request.kind, line.send_packed(packed, 1)[0])
    assert found is not None
    return found


class Both(NamedTuple):
    """A Redis, and the same one as the model has it; *epochs* of the model are those of Redis."""

    line: Line
    state: State

    def step(self, who: int, request: Request) -> Both:
        """Ask both, and compare."""
        real, wait = ask(self.line, who, request)
        choices = list(carried_out(self.state, who, request, Rules(loss=True)))
        redis, reply = choices[0]
        assert real.done == reply.done, (request, self.state)
        if request.kind is Kind.TAKE and real.done:
            assert real.epoch > max(0, self.state.redis.top, self.state.redis.epoch)
            assert real.epoch % STRIDE == 0
            redis = redis._replace(epoch=real.epoch)
        assert (wait > 0) == (redis.wait > 0 and request.kind is Kind.TAKE)
        after = self._replace(state=self.state._replace(redis=redis))
        after.compare()
        return after

    def compare(self) -> None:
        """Hold one against the other."""
        redis = self.state.redis
        holder, epoch = read_holder(self.line.command("GET", KEYS.lease("a")))
        expected = (SLOTS[redis.holder], redis.epoch) if redis.holder >= 0 else (0, 0)
        assert (holder, epoch) == expected
        last = self.line.command("XREVRANGE", KEYS.events("a"), "+", "-", "COUNT", 1)
        assert (int(last[0][0].partition(b"-")[0]) if last else 0) == redis.top


def forget(both: Both, how: str) -> Both:
    """Have both forget: the lease, as its time is over, or everything."""
    line, redis = both.line, both.state.redis
    if how == "lease":
        line.command("DEL", KEYS.lease("a"))
        redis = redis._replace(holder=-1, epoch=0, ttl=0)
    elif how == "all":
        line.command("FLUSHALL")
        redis = Redis(wait=-1)
    elif redis.wait:
        remember(line, 2 * LENGTH)
        redis = redis._replace(wait=0)
    return both._replace(state=both.state._replace(redis=redis))


def test_a_real_redis_does_what_the_model_says(line: Line) -> None:
    """In any order of requests, of both proxies, of any tenure that there was."""
    proxy = Proxy(Lease(3, 1))
    remember(line, 2 * LENGTH)
    both = Both(line, State((proxy, proxy), Redis()))
    chance, epochs, kinds = random.Random(7), [STRIDE], list(Kind)
    for _ in range(2000):
        if chance.random() < 0.1:
            both = forget(both, chance.choice(["lease", "lease", "all", "wait", "wait"]))
        kind, who = chance.choice([*kinds, Kind.TAKE]), chance.choice((0, 1))
        current = both.state.redis.epoch
        epoch = current if current and chance.random() < 0.6 else chance.choice(epochs[-4:])
        both = both.step(who, Request(kind, epochs[-1] if kind is Kind.TAKE else epoch))
        epochs.append(max(epochs[-1], both.state.redis.epoch))


def test_an_epoch_is_larger_than_all_that_anybody_knows(line: Line) -> None:
    """The counter, the stream, who asks, and the time, whichever is the largest."""
    remember(line, 2 * LENGTH)
    least = (int(time.time()) - 1735689600 - 5) * STRIDE * 64
    first, _ = ask(line, 0, Request(Kind.TAKE, 0))
    assert first.epoch > least

    second, _ = ask(line, 0, Request(Kind.TAKE, first.epoch + 7 * STRIDE + 5))
    assert second.epoch == first.epoch + 8 * STRIDE

    line.command("XADD", KEYS.events("a"), f"{second.epoch + 3 * STRIDE}-9", "b", "x")
    third, _ = ask(line, 0, Request(Kind.TAKE, 0))
    assert third.epoch == second.epoch + 4 * STRIDE

    fourth, _ = ask(line, 0, Request(Kind.TAKE, 0))
    assert fourth.epoch == third.epoch + STRIDE


def test_a_redis_that_has_lost_its_data_learns_which_epochs_there_were(line: Line) -> None:
    """From who knows of one, of whatever server; it never goes back."""
    remember(line, 2 * LENGTH)
    known = int(time.time()) * STRIDE * 100
    line.send_packed(raised(KEYS, known), 1)
    line.send_packed(raised(KEYS, 5 * STRIDE), 1)

    first, _ = ask(line, 0, Request(Kind.TAKE, 0))

    assert first.epoch == (known // STRIDE + 1) * STRIDE


def test_a_lease_of_another_is_not_given_out(line: Line) -> None:
    """Its value is what keys of Redis are documented to be, and it runs out."""
    remember(line, 2 * LENGTH)
    reply, _ = ask(line, 0, Request(Kind.TAKE, 0))

    assert ask(line, 1, Request(Kind.TAKE, 0))[0] == Reply(done=False)
    assert line.command("GET", KEYS.lease("a")) == f"{slot_text(77)}.{reply.epoch}".encode()
    assert LENGTH * 900 < line.command("PTTL", KEYS.lease("a")) <= LENGTH * 1000


def test_a_redis_that_was_started_anew_waits_though_it_has_its_data(
    redis: RedisServer, line: Line
) -> None:
    """They may be older than the last renewals; a renewal is taken."""
    remember(line, 2 * LENGTH)
    reply, _ = ask(line, 0, Request(Kind.TAKE, 0))
    redis.command("SAVE")
    redis.restart()
    again = BusClient(redis.url).connection()

    assert ask(again, 0, Request(Kind.RENEW, reply.epoch))[0].done
    again.command("DEL", KEYS.lease("a"))
    refused, wait = ask(again, 1, Request(Kind.TAKE, 0))
    assert not refused.done
    assert LENGTH - 5 < wait <= LENGTH
    again.close()


def test_a_redis_whose_clock_was_set_back_waits_anew(line: Line) -> None:
    """Else it might wait for years."""
    remember(line, -1_000_000)

    _, wait = ask(line, 0, Request(Kind.TAKE, 0))

    assert LENGTH - 5 < wait <= LENGTH


@pytest.mark.parametrize("value", [b"", b"x", b"00001", b"00001.", b"00001.x", b"zzzzz.5", b"\xff.1",
                                   b"00001.99999999999999999", b"00000.5", None, 5])  # fmt: skip
def test_a_lease_that_no_proxy_has_written_has_no_holder(value: object) -> None:
    """Whatever it is."""
    assert read_holder(value) == (0, 0)


@pytest.mark.parametrize("answer", [None, b"x", [], [1], [1, b"x", 0], [1, 2, 3, 4], ValueError()])
def test_an_answer_that_no_script_gives_is_none(answer: object) -> None:
    """An error of Redis is one, too."""
    for kind in Kind:
        if not (kind is not Kind.TAKE and isinstance(answer, int)):
            assert read_reply(kind, answer) is None


def test_a_lease_that_is_forgotten_is_not_renewed_when_another_has_written(line: Line) -> None:
    """Its time was over; who took it then has let go of it, or Redis has forgotten that one too."""
    remember(line, 2 * LENGTH)
    first, _ = ask(line, 0, Request(Kind.TAKE, 0))
    line.command("DEL", KEYS.lease("a"))
    assert ask(line, 0, Request(Kind.RENEW, first.epoch))[0].done

    line.command("DEL", KEYS.lease("a"))
    second, _ = ask(line, 1, Request(Kind.TAKE, 0))
    assert ask(line, 1, Request(Kind.OPEN, second.epoch))[0].done
    line.command("DEL", KEYS.lease("a"))
    assert not ask(line, 0, Request(Kind.RENEW, first.epoch))[0].done
