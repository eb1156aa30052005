# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes wrong: chosen from a seed; some at once, but not on the same process or line."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.cluster.asterisk import ClusterAsterisk
    from benchmarks.cluster.proxies import ClusterProxy
    from benchmarks.movedclock import MovedClock
    from benchmarks.redisserver import RedisServer

#: Seconds that a delayed line takes each way.
_DELAYS = (0.02, 0.1, 0.3)


class Fault(NamedTuple):
    """One thing that goes wrong: on which (by number), how long, and how long until the next."""

    kind: str
    target: int
    seconds: float
    then: float

    def __str__(self) -> str:
        return f"{self.kind} {self.target} for {self.seconds:.2f} s"


class Victims(NamedTuple):
    """On whom faults come."""

    proxies: Sequence[ClusterProxy]
    asterisks: Sequence[ClusterAsterisk]
    redis: RedisServer | None
    #: Of Redis, then of some proxies.
    clocks: Sequence[MovedClock]
    failover: float


def _killed(proxy: ClusterProxy, seconds: float) -> None:
    proxy.kill()
    time.sleep(seconds)
    proxy.start()


def _stopped(proxy: ClusterProxy, seconds: float) -> None:
    proxy.wait_started()  # until then it may end by the signal itself
    proxy.stop()
    time.sleep(seconds)
    proxy.start()


def _paused(proxy: ClusterProxy, seconds: float) -> None:
    proxy.pause()
    time.sleep(seconds)
    proxy.go_on()


def _partitioned(
    proxy: ClusterProxy, seconds: float, *, up: bool = True, down: bool = True
) -> None:
    assert proxy.relay is not None
    with proxy.relay.silence(up=up, down=down):
        time.sleep(seconds)


def _cut(proxy: ClusterProxy, _: float) -> None:
    assert proxy.relay is not None
    proxy.relay.cut()


def _delayed(proxy: ClusterProxy, seconds: float) -> None:
    assert proxy.relay is not None
    proxy.relay.delay = _DELAYS[int(seconds * 1000) % len(_DELAYS)]
    time.sleep(seconds)
    proxy.relay.heal()


_ON_PROXIES: dict[str, Callable[[ClusterProxy, float], None]] = {
    "proxy killed": _killed,
    "proxy stopped and started": _stopped,
    "proxy paused": _paused,
    "partition of proxy": _partitioned,
    "partition of proxy, to Redis": lambda proxy, s: _partitioned(proxy, s, down=False),
    "partition of proxy, from Redis": lambda proxy, s: _partitioned(proxy, s, up=False),
    "proxy cut off Redis": _cut,
    "proxy far from Redis": _delayed,
}


def _redis_killed(redis: RedisServer, seconds: float, *, keep: bool = True) -> None:
    redis.kill()
    time.sleep(seconds)
    redis.start(keep=keep)


def _redis_paused(redis: RedisServer, seconds: float) -> None:
    redis.pause()
    time.sleep(seconds)
    redis.go_on()


def _redis_stopped(redis: RedisServer, seconds: float) -> None:
    redis.stop()
    time.sleep(seconds)
    redis.start()


_ON_REDIS: dict[str, Callable[[RedisServer, float], None]] = {
    "Redis killed": _redis_killed,
    "Redis killed, its data gone": lambda redis, s: _redis_killed(redis, s, keep=False),
    "Redis flushed": lambda redis, _: redis.command("FLUSHALL"),
    "Redis paused": _redis_paused,
    "Redis stopped and started": _redis_stopped,
}
_ON_ASTERISKS = ("Asterisk restarted", "Asterisk reset", "Asterisk cut in a message",
                 "Asterisk frozen")  # fmt: skip
_ALL, _CLOCK = "partition of Redis", "clock jumps"
_JUMPS = (3600, 30, 2, -2, -30, -3600)


def kinds(victims: Victims) -> list[str]:
    """Return the kinds of faults that *victims* can have, each as often as it is to come."""
    if victims.redis is None:
        # Nothing outlives such a proxy: its clients would have to begin anew.
        return [*_ON_ASTERISKS, "proxy paused"]
    own = ("proxy killed", "proxy stopped and started", "proxy paused")  # twice as often
    found = [*_ON_ASTERISKS, *own, *_ON_PROXIES, *_ON_REDIS, _ALL]
    return found + [_CLOCK] * bool(victims.clocks)


def plan(count: int, seed: int, victims: Victims, only: str = "") -> list[Fault]:
    """Return *count* faults; *only* those whose kind contains that, if it is given."""
    chance = random.Random(seed)
    chosen = [kind for kind in kinds(victims) if only in kind]
    faults = []
    for _ in range(count):
        kind = chance.choice(chosen)
        if kind in _ON_ASTERISKS:
            target = chance.randrange(len(victims.asterisks))
        elif kind == _CLOCK:
            target = chance.randrange(len(victims.clocks))
        else:
            target = chance.randrange(len(victims.proxies)) if kind in _ON_PROXIES else 0
        # Often about as long as the lease, at times shorter, at times much longer.
        seconds = victims.failover * chance.choice((0.2, 0.5, 0.9, 1.1, 1.5, 3.0))
        seconds *= chance.uniform(0.8, 1.2)
        faults.append(Fault(kind, target, seconds, chance.choice((0.1, 0.5, 1.0, 2.5))))
    return faults


class Mishaps:
    """Carries faults out, up to *most* at once; *tell* is called with a line for each."""

    def __init__(self, victims: Victims, tell: Callable[[str], object], most: int = 2) -> None:
        self._victims, self._tell = victims, tell
        self._room = threading.Semaphore(most)
        self._redis_gate = threading.Lock()
        self._asterisk_gates = [threading.Lock() for _ in victims.asterisks]
        self._threads: list[threading.Thread] = []
        self.errors: list[str] = []

    def begin(self, fault: Fault) -> None:
        """Begin *fault*, once there is room."""
        self._room.acquire()
        self._threads.append(threading.Thread(target=self._carry_out, args=(fault,)))
        self._threads[-1].start()

    def end(self) -> None:
        """Wait until all is over."""
        for thread in self._threads:
            thread.join()

    def _carry_out(self, fault: Fault) -> None:
        try:
            with self._gate(fault):
                self._tell(f"{fault}")
                self._do(fault)
            self._tell(f"{fault}: over")
        except Exception as error:  # the trial is void, and must say so
            self.errors.append(f"{fault}: {type(error).__name__}: {error}")
        finally:
            self._room.release()

    @contextlib.contextmanager
    def _gate(self, fault: Fault) -> Iterator[None]:
        """Hold what keeps other faults off the target."""
        with contextlib.ExitStack() as stack:
            if fault.kind in _ON_PROXIES:
                stack.enter_context(self._victims.proxies[fault.target].gate)
            elif fault.kind in _ON_ASTERISKS:
                stack.enter_context(self._asterisk_gates[fault.target])
            elif fault.kind == _ALL:
                for proxy in self._victims.proxies:
                    stack.enter_context(proxy.gate)
            elif fault.kind in _ON_REDIS:
                stack.enter_context(self._redis_gate)
            yield

    def _do(self, fault: Fault) -> None:
        kind, target, seconds, _ = fault
        victims = self._victims
        if kind in _ON_PROXIES:
            _ON_PROXIES[kind](victims.proxies[target], seconds)
        elif kind in _ON_REDIS:
            assert victims.redis is not None
            _ON_REDIS[kind](victims.redis, seconds)
        elif kind == _ALL:
            with contextlib.ExitStack() as stack:
                for proxy in victims.proxies:
                    assert proxy.relay is not None
                    stack.enter_context(proxy.relay.silence())
                time.sleep(seconds)
        elif kind == _CLOCK:
            victims.clocks[target].move(_JUMPS[int(seconds * 1000) % len(_JUMPS)])
        elif kind == "Asterisk frozen":
            victims.asterisks[target].freeze(seconds)
        else:
            ways = {"Asterisk reset": "reset", "Asterisk cut in a message": "half"}
            victims.asterisks[target].restart(ways.get(kind, "closed"), seconds)
