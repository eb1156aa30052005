# SPDX-License-Identifier: GPL-2.0-or-later
"""What is measured of a cluster: stages, each of which several rows are measured on."""

from __future__ import annotations

import resource
import signal
import time
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Callable

from benchmarks import agents, requests
from benchmarks.agents import Centre
from benchmarks.bus.delays import at_a_pace, in_reads_of_fifty
from benchmarks.bus.failover import failovers
from benchmarks.bus.fanout import to_a_crowd, to_edges
from benchmarks.bus.meters import Meters
from benchmarks.bus.stage import Cluster, Plan
from benchmarks.bus.taps import Taps
from benchmarks.delivery import login_as
from benchmarks.figures import Meter
from benchmarks.processes import status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from benchmarks.bus.stage import Proxy
    from benchmarks.figures import Figures

Measure = Callable[[Cluster], "Figures"]

#: Events a second of the rows about delay.
RATES = (500, 2000, 5000, 10_000, 20_000)
#: Edges of the rows about fan-out.
EDGES = (1, 4, 8)
#: Descriptors that a process with very many clients needs besides.
_OTHER_FILES = 600
#: Batches of 52 events a second in ``reads-50``.
_BATCHES = 100
#: Seconds of a row in which nothing happens.
_IDLE = 3.0
#: Asterisks of the row about many, and events a second of each.
MANY, MANY_RATE = 20, 200
#: Values of ``busjoin`` beside the default.
JOINS = (2, 20)


@dataclass(frozen=True)
class Scale:
    """How long and how big a run is."""

    seconds: float
    failovers: int
    clients: int  # of all proxies together
    agents: int

    @property
    def crowd(self) -> int:
        """How many clients one process may have: few enough for its descriptors."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return min(self.clients, hard - _OTHER_FILES) // 4 * 4


WHOLE = Scale(seconds=3.0, failovers=12, clients=20_000, agents=1000)
QUICK = Scale(seconds=0.5, failovers=2, clients=400, agents=100)


@dataclass(frozen=True)
class Stage:
    """A cluster as *plan* says, and the rows that are measured there, by name."""

    plan: Plan
    rows: Mapping[str, Measure]


def stages(scale: Scale) -> Iterator[Stage]:
    """Yield everything that is measured, in the order of the page."""
    seconds = scale.seconds
    yield Stage(
        Plan(1, has_bus=False),
        {
            "idle-none": _idle,
            "fan-none": partial(to_edges, seconds=seconds),
            "pace-none-2000": partial(at_a_pace, rate=2000, seconds=seconds),
            "pace-none-20000": partial(at_a_pace, rate=20_000, seconds=seconds),
            "roundtrip-none": partial(_round_trips, place=0, seconds=seconds),
        },
    )
    yield _one_edge(seconds)
    for edges in EDGES[1:]:
        rows: dict[str, Measure] = {
            f"fan-{edges}": partial(to_edges, seconds=seconds),
            f"pace-2000-edges-{edges}": partial(at_a_pace, rate=2000, seconds=seconds),
        }
        yield Stage(Plan(edges + 1), rows)
    for join in JOINS:
        row = {f"pace-2000-join-{join}": partial(at_a_pace, rate=2000, seconds=seconds)}
        yield Stage(Plan(2, settings={"busjoin": str(join)}), row)
    yield from _servers(seconds)
    yield from _agents(scale)
    for name, signum in (("killed", signal.SIGKILL), ("stopped", signal.SIGTERM)):
        measure = partial(failovers, signum=signum, times=scale.failovers)
        yield Stage(Plan(3), {f"failover-{name}": measure})
    for proxies in (1, 4):
        measure = partial(to_a_crowd, clients=scale.crowd, seconds=seconds * 1.5)
        yield Stage(Plan(proxies, has_bus=proxies > 1), {f"crowd-{proxies}": measure})


def _one_edge(seconds: float) -> Stage:
    rows: dict[str, Measure] = {"idle": _idle, "fan-1": partial(to_edges, seconds=seconds)}
    for rate in RATES:
        rows[f"pace-{rate}"] = partial(at_a_pace, rate=rate, seconds=seconds)
    rows["reads-50"] = partial(in_reads_of_fifty, rate=_BATCHES, seconds=seconds)
    for name, place in (("holder", 0), ("edge", 1)):
        for clients in (1, 50):
            measure = partial(_round_trips, place=place, seconds=seconds, clients=clients)
            rows[f"roundtrip-{name}" + ("-50" if clients > 1 else "")] = measure
    return Stage(Plan(2, settings={"autofilter": "unique"}), rows)


def _idle(started: Cluster) -> Figures:
    """Let nothing happen; return milliseconds of CPU time a second, and what the holder takes."""
    pids = started.pids()
    meters = {title: Meter(pid) for title, pid in pids.items()}
    time.sleep(_IDLE)
    found = status(pids["holder"])
    return {
        **{f"{title}_ms": meter.read()[0] * 1000 / _IDLE for title, meter in meters.items()},
        "threads": found["threads"],
        "rss_mb": found["rss"] / 1024,
    }


def _servers(seconds: float) -> Iterator[Stage]:
    """Yield many Asterisks at one proxy without a bus, at a holder and an edge, with busjoin."""
    many = partial(_many_servers, seconds=seconds)
    yield Stage(Plan(1, has_bus=False, servers=MANY), {f"servers-{MANY}-none": many})
    yield Stage(Plan(2, servers=MANY), {f"servers-{MANY}": many})
    plan = Plan(2, servers=MANY, settings={"busjoin": str(JOINS[-1])})
    yield Stage(plan, {f"servers-{MANY}-join": many})


def _round_trips(started: Cluster, place: int, seconds: float, clients: int = 1) -> Figures:
    """Have *clients* of the proxy at that *place* ping, one at a time."""
    meters = Meters(started.pids())
    subject = started.proxies[place].running()
    figures = requests.round_trips(subject, clients, 1, seconds, alone=True)
    return {**figures, **meters.read(round(figures["requests"]))}


def _agents(scale: Scale) -> Iterator[Stage]:
    """Yield users with a channel each, at an edge, and at one proxy without a bus."""
    centre = Centre(scale.agents)
    plan = Plan(
        2,
        users=centre.users,
        login=login_as("wall"),
        settings={"authrequired": "yes", "autofilter": "unique"},
    )
    measure = partial(_at_agents, centre=centre, seconds=scale.seconds)
    yield Stage(plan, {"agents-edge": measure})
    yield Stage(replace(plan, proxies=1, has_bus=False), {"agents-none": measure})


def _at_agents(started: Cluster, centre: Centre, seconds: float) -> Figures:
    """Have the agents of *centre* at the last proxy, at 2 000 events a second."""
    subject = started.proxies[-1].running()
    return agents.at_a_pace(subject, replace(centre, walls=1), rate=2000, seconds=seconds)


def _many_servers(started: Cluster, seconds: float) -> Figures:
    """Have MANY Asterisks send MANY_RATE events a second each, to a client of the last proxy."""
    reader: Proxy = started.proxies[-1]
    with Taps([reader.address]) as taps:
        taps.all[0].in_order = False
        started.upstream.order("calls", 100)
        started.upstream.order("paced", MANY_RATE, MANY_RATE // 10)
        taps.receive(MANY * MANY_RATE // 10)
        taps.clear()
        each = round(MANY_RATE * seconds)
        meters = Meters(started.pids())
        began = time.monotonic()
        started.upstream.order("paced", MANY_RATE, each)
        taps.receive(MANY * each)
        elapsed = time.monotonic() - began
        return {
            "servers": MANY,
            "events": MANY * each,
            "rate": MANY * each / elapsed,
            **meters.read(MANY * each),
        }
