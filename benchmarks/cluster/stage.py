# SPDX-License-Identifier: GPL-2.0-or-later
"""One trial: proxies, Redis, Asterisks, clients, faults; what the judge says of it."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Callable, NamedTuple

from benchmarks.cluster.actors import Actor
from benchmarks.cluster.asterisk import ClusterAsterisk
from benchmarks.cluster.clients import Door, StreamClient
from benchmarks.cluster.faults import Mishaps, Victims, plan
from benchmarks.cluster.judge import (
    Count,
    Offsets,
    Overlap,
    ViewJudge,
    judge_action,
    judge_connections,
    longest_alone,
    overlaps,
    sent_twice,
)
from benchmarks.cluster.proxies import ACTION_TIMEOUT, ENDS, ClusterProxy, Setup
from benchmarks.faultyrelay import FaultyRelay
from benchmarks.movedclock import MovedClock, compiled
from benchmarks.processes import PATIENCE, Failed
from benchmarks.redisserver import RedisServer
from benchmarks.subjects import free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

_TICK = 0.02
#: Clients of each kind at each proxy.
_STREAMS = 2
#: Seconds that an Asterisk may have two connections, beyond the time of the lease.
_SLACK = 0.25


class Scale(NamedTuple):
    """What is tried."""

    faults: int = 200
    seed: int = 1
    rate: int = 2000  # events a second of all Asterisks together
    actions: float = 20  # a second, of each client that asks
    proxies: int = 3
    asterisks: int = 3
    failover: float = 1.0
    #: False: each proxy by itself, without Redis.
    bus: bool = True
    #: Only faults whose kind contains this.
    only: str = ""
    #: Whether clocks jump.
    clocks: bool = True
    #: Further lines of each proxy's configuration.
    further: tuple[str, ...] = ()
    #: Faults at once.
    most: int = 2


class Result(NamedTuple):
    """What came out of a trial."""

    scale: Scale
    seconds: float
    sent: int
    counts: dict[str, Count]
    actions: Counter[str]
    overlaps: dict[str, list[Overlap]]
    connections: dict[str, int]
    #: For how many seconds at most nobody was connected.
    alone: dict[str, float]
    faults: list[str]


class Stage:
    """All who take part; use it as a context manager.  *tell* gets a line for what happens.

    *directory* is where files go, of the log of each proxy among them; it is left as it is.
    """

    def __init__(
        self, scale: Scale, command: Sequence[str], directory: Path, tell: Callable[[str], object]
    ) -> None:
        self.scale, self.zero = scale, time.monotonic()
        self._command, self._directory, self._tell = command, directory, tell
        self._stack = contextlib.ExitStack()
        self.faults: list[str] = []
        self.load: Load
        self._ended = 0.0

    def __enter__(self) -> Stage:  # noqa: PYI034 - Self is not in 3.9
        with contextlib.ExitStack() as stack:
            self._build(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def tell(self, text: str) -> None:
        """Tell what happens, with the seconds since the start."""
        self._tell(f"t={time.monotonic() - self.zero:.2f} {text}")

    def _build(self, stack: contextlib.ExitStack) -> None:
        scale = self.scale
        self.asterisks = [
            stack.enter_context(ClusterAsterisk(f"a{number}")) for number in range(scale.asterisks)
        ]
        clocks = self._clocks()
        self.redis = None
        if scale.bus:
            words = [f"{k}={v}" for each in clocks[:1] for k, v in each.environment.items()]
            self.redis = stack.enter_context(RedisServer(before=["env", *words]))
        environments = [each.environment for each in clocks[1:]]
        setup = Setup(self._command, self._directory, self.asterisks, scale.failover, scale.further)
        self.proxies = []
        for number in range(scale.proxies):
            relay = None
            if self.redis is not None:
                relay = stack.enter_context(FaultyRelay(self.redis.port))
            own = environments[number] if number < len(environments) else None
            proxy = ClusterProxy(f"p{number}", free_port(), setup, relay, own)
            stack.callback(proxy.kill)
            self.proxies.append(proxy)
        self.victims = Victims(self.proxies, self.asterisks, self.redis, clocks, scale.failover)

    def _clocks(self) -> list[MovedClock]:
        """Return what moves the clocks of Redis and of the first proxy; [] if nothing can."""
        if not (self.scale.clocks and self.scale.bus):
            return []
        library = compiled(self._directory)
        if library is None:
            self.tell("no clock jumps: there is no C compiler")
            return []
        return [MovedClock(self._directory, name, library) for name in ("redis", "p0")]

    # -- the trial ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start all, and wait until each Asterisk is connected and each client served."""
        for proxy in self.proxies:
            proxy.start()
        for proxy in self.proxies:
            proxy.wait_started()
        _wait(lambda: all(one.live for one in self.asterisks), "a log-in at each Asterisk")
        doors = [Door(proxy.name, proxy.port) for proxy in self.proxies]
        names = tuple(one.name for one in self.asterisks)
        seed, each = self.scale.seed * 1000, range(self.scale.proxies)
        self.streams = [
            StreamClient(f"stream {home}.{k}", doors, names, seed + home * 10 + k, home)
            for home in each
            for k in range(_STREAMS)
        ]
        self.actors = [
            Actor(f"actor{home}", doors, names, seed + 500 + home, home, self.scale.actions)
            for home in each
        ]
        for client in self.streams:
            client.start()
            self._stack.callback(_end, client, client.over)
        for client in self.streams:
            if not client.ready.wait(PATIENCE):
                raise Failed(f"{client.name} is not served: {client.view.faults[:3]}")
        for actor in self.actors:
            actor.start()
            self._stack.callback(_end, actor, actor.closing)
        self.load = Load(self.asterisks, self.scale.rate, self.scale.seed)
        self._stack.callback(self.load.end)
        self.load.start()

    def suffer(self) -> None:
        """Have all faults happen."""
        mishaps = Mishaps(self.victims, self.tell, self.scale.most)
        for fault in plan(self.scale.faults, self.scale.seed, self.victims, self.scale.only):
            mishaps.begin(fault)
            time.sleep(fault.then)
        mishaps.end()
        self.faults += mishaps.errors

    def finish(self) -> None:
        """Wait until all is well again, send the last events, and wait until all have them."""
        self.tell("no more faults")
        for proxy in self.proxies:
            proxy.wait_started()
        self._hope(
            lambda: all(len(one.live) == 1 for one in self.asterisks),
            lambda: (
                "one connection at each Asterisk: "
                + ", ".join(f"{one.name} has {len(one.live)}" for one in self.asterisks)
            ),
        )
        for client in self.streams:
            client.closing.set()
        time.sleep(1.0)
        for actor in self.actors:
            actor.closing.set()
        self.load.end()
        for one in self.asterisks:
            one.say(5)
        goals = {one.name: one.number for one in self.asterisks}
        for client in self.streams:
            client.goals = goals
        self._hope(
            lambda: all(client.has_all for client in self.streams),
            lambda: (
                "the last events: "
                + ", ".join(f"{c.name} at {c.view.proxy}" for c in self.streams if not c.has_all)
            ),
        )
        for client in self.streams:
            client.over.set()
            client.join()
        for actor in self.actors:
            actor.join()
        self._ended = time.monotonic()
        self.tell("all is sent and answered")

    def _hope(self, condition: Callable[[], bool], what: Callable[[], str]) -> None:
        """Wait for *condition*; that it does not come is a fault."""
        try:
            _wait(condition, "")
        except Failed:
            self.faults.append(f"waited {PATIENCE:g} s for {what()}")

    # -- the verdict ----------------------------------------------------------------------------

    def judge(self) -> Result:
        """Return the verdict of all that has happened; ends all proxies."""
        now, faults, scale = time.monotonic(), self.faults, self.scale
        counts: dict[str, Count] = {}
        offsets: Offsets = {}
        for client in self.streams:
            count = counts[client.name] = Count()
            count.faults += [f"{client.name}: {fault}" for fault in client.view.faults]
            for one in self.asterisks:
                twice = sent_twice(one.connections, one.number)
                judge = ViewJudge(client.name, one.name, offsets, count, self.zero, twice)
                judge.follow(client.view.items[one.name], one.number)
            faults += count.faults
        stopped = {proxy.name: proxy.stopped for proxy in self.proxies}
        found = {one.name: overlaps(one.connections, stopped, now) for one in self.asterisks}
        longest = scale.failover + _SLACK
        for name, each in found.items():
            faults += judge_connections(name, each, longest, self.zero)
        actions = self._judge_actions(stopped)
        for proxy in self.proxies:
            proxy.stop()
            faults += [*proxy.faults, *proxy.judge_log()]
        connections = {one.name: len(one.connections) for one in self.asterisks}
        alone = {one.name: longest_alone(one.connections, self._ended) for one in self.asterisks}
        return Result(
            scale, now - self.zero, sum(one.number for one in self.asterisks), counts, actions,
            found, connections, alone, faults,
        )  # fmt: skip

    def _judge_actions(self, stopped: dict[str, list[tuple[float, float]]]) -> Counter[str]:
        actions: Counter[str] = Counter()
        done = {one.name: one.done for one in self.asterisks}
        # Asterisk may not answer; and where its proxy is ending, that takes its time.
        patience = ACTION_TIMEOUT + self.scale.failover * 2 + ENDS / 2
        for actor in self.actors:
            self.faults += actor.faults
            for token, asked in actor.asked.items():
                actions[asked.outcome or "never answered"] += 1
                times = [at for each in done.values() for at in each.get(token, ())]
                fault = judge_action(token, asked, times, stopped[asked.proxy], patience)
                if fault:
                    self.faults.append(f"t={asked.asked - self.zero:.2f} {fault}")
        return actions


class Load(threading.Thread):
    """Events at a fixed rate, in pieces of several, of one Asterisk or another."""

    def __init__(self, asterisks: Sequence[ClusterAsterisk], rate: int, seed: int) -> None:
        super().__init__(name="load")
        self._asterisks, self._rate, self._chance = asterisks, rate, random.Random(seed)
        self._over = threading.Event()

    def run(self) -> None:
        """Send what is due, until it is over."""
        began, sent = time.monotonic(), 0
        while not self._over.wait(_TICK):
            due = int((time.monotonic() - began) * self._rate)
            while sent < due:
                count = min(self._chance.choice((1, 2, 5, 20, 50)), due - sent)
                self._chance.choice(self._asterisks).say(count)
                sent += count

    def end(self) -> None:
        """End it."""
        self._over.set()
        self.join()


def _end(thread: threading.Thread, event: threading.Event) -> None:
    event.set()
    thread.join()


def _wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"waited {PATIENCE:g} s for {what}")
        time.sleep(0.02)


def measure(
    scale: Scale,
    command: Sequence[str],
    tell: Callable[[str], object] = lambda _: None,
    keep: Path | None = None,
) -> Result:
    """Run one trial with proxies that *command* starts; *keep* is a directory for their files.

    Raises:
        Failed: it cannot be done.

    """
    directory = keep or Path(tempfile.mkdtemp(prefix="astmanproxy-cluster-"))
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    try:
        with Stage(scale, command, directory, tell) as stage:
            stage.begin()
            stage.suffer()
            stage.finish()
            return stage.judge()
    finally:
        if keep is None:
            shutil.rmtree(directory, ignore_errors=True)
