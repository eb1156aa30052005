# SPDX-License-Identifier: GPL-2.0-or-later
"""Agents: many users, each with a channel of its own, who see the events of their own calls."""

from __future__ import annotations

import contextlib
import functools
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.delivery import login_as, secret
from benchmarks.ends import Ends
from benchmarks.events import PIECE, Event, centre_events, ringing_events
from benchmarks.exact import Feed, Heard, Hearers
from benchmarks.figures import Figures, Meter, latency
from benchmarks.processes import status

if TYPE_CHECKING:
    from benchmarks.subjects import Running

#: Batches on the way at full speed.
_WINDOW = 8
_BOOTED = b"Fully Booted\r\n\r\n"
_WALL = "wall"
_FIRST = 1000  # the first phone


@dataclass(frozen=True)
class Centre:
    """Who is there: *agents*, each in one call; so many *together* in the same call."""

    agents: int
    together: int = 1
    #: Clients who see everything.
    walls: int = 0

    @property
    def users(self) -> str:
        """The users file."""
        names = [f"agent{number}" for number in range(self.agents)]
        lines = [f"{_WALL}={secret(_WALL)}\n"]
        lines += [
            f"{name}={secret(name)},PJSIP/{_FIRST + number}\n" for number, name in enumerate(names)
        ]
        return "".join(lines)

    def hears(self, events: list[Event]) -> list[list[Heard]]:
        """Return what each agent hears of *events*.

        All of its own phone.  Of other phones in the same call what comes once its own is in
        it; if they began before, behind how they began.
        """
        hears: list[list[Heard]] = [[] for _ in range(self.agents)]
        begun: dict[int, int] = {}
        known: set[tuple[int, int]] = set()
        for index, event in enumerate(events):
            if event.device:
                hears[int(event.device) - _FIRST].append(Heard(index, index))
                continue
            phone = int(event.exten) - _FIRST
            begins = event.name == "Newchannel"
            if begins:
                begun[phone] = index
            first = phone - phone % self.together
            for agent in range(first, min(first + self.together, self.agents)):
                if begins and agent > phone:
                    continue
                if not begins and (agent, phone) not in known:
                    hears[agent].append(Heard(begun[phone], index))
                hears[agent].append(Heard(index, index))
                if event.name == "Hangup":
                    known.discard((agent, phone))
                else:
                    known.add((agent, phone))
        return hears


def at_full_speed(running: Running, centre: Centre, seconds: float) -> Figures:
    """Send events as fast as the agents of *centre* take theirs.

    The figures are for each event that came to the proxy, not for each that went to an agent.
    """
    events = centre_events(centre.agents, centre.together)
    feed = Feed(running.upstream)
    with Ends() as ends, Hearers(events, feed) as hearers:
        before = status(running.pid)["rss"]
        _enter(running, ends, [f"agent{number}" for number in range(centre.agents)])
        times = hearers.add(ends.all, centre.hears(events))
        pieces = _warm_up(running, hearers, feed, centre, events)
        times.clear()
        hearers.expect(PIECE)
        began, deadline = feed.sent, time.monotonic() + seconds

        def wanted() -> int:
            sent = feed.sent - began
            while hearers.heard >= hearers.due(sent - _WINDOW + 1) and (
                sent < _WINDOW or time.monotonic() < deadline
            ):
                feed.credit()
                sent += 1
            return hearers.due(sent)

        meter = Meter(running.pid)
        hearers.receive(wanted)
        rounds, rest = divmod(feed.sent - began, pieces)
        came = rounds * len(events) + min(rest * PIECE, len(events))
        return {
            "clients": centre.agents,
            "matches": hearers.heard / came,
            **_cost(meter, came),
            **_memory(running, before, centre),
            **latency(times),
        }


def _cost(meter: Meter, came: int) -> Figures:
    """Return what the events cost that *came*."""
    cpu, elapsed = meter.read()
    return {
        "events": came,
        "rate": came / elapsed,
        "cpu_us": cpu / came * 1e6,
        "cpu_share": cpu / elapsed,
    }


def _memory(running: Running, before: int, centre: Centre) -> Figures:
    """Return what the sessions of the agents take, with their calls; *before* them, in KB."""
    rss = status(running.pid)["rss"]
    return {"rss_mb": rss / 1024, "rss_kb_per_client": (rss - before) / centre.agents}


def _enter(running: Running, ends: Ends, names: list[str]) -> None:
    """Connect a client for each of *names*, and log them in."""
    ends.connect(running.address, len(names))
    ends.exchange(lambda end: login_as(names[end.number]), _BOOTED)


def _warm_up(
    running: Running, hearers: Hearers, feed: Feed, centre: Centre, events: list[Event]
) -> int:
    """Send all events once; return of how many batches they are."""
    pieces = -(-len(events) // PIECE)
    running.upstream.order("centre", centre.agents, centre.together)
    hearers.expect(PIECE)
    for _ in range(pieces):
        feed.credit()
    hearers.receive(lambda: hearers.due(pieces))
    return pieces


def at_a_pace(running: Running, centre: Centre, rate: int, seconds: float) -> Figures:
    """Send *rate* events a second, first only to those who see everything, then to the agents too.

    The figures are those of the agents, for each event that came; ``wall_*`` are those of who
    sees everything beside them, and ``alone_*`` those without them.
    """
    events = centre_events(centre.agents, centre.together)
    feed = Feed(running.upstream)
    everything = [[Heard(index, index) for index in range(len(events))]] * centre.walls
    with contextlib.ExitStack() as stack:
        walls, agents = stack.enter_context(Ends()), stack.enter_context(Ends())
        hearers = stack.enter_context(Hearers(events, feed))
        _enter(running, walls, [_WALL] * centre.walls)
        seen = hearers.add(walls.all, everything)
        _warm_up(running, hearers, feed, centre, events)
        alone = _pace(running, hearers, feed, seen, rate, seconds)
        before = status(running.pid)["rss"]
        _enter(running, agents, [f"agent{number}" for number in range(centre.agents)])
        times = hearers.add(agents.all, centre.hears(events))
        _warm_up(running, hearers, feed, centre, events)
        times.clear()
        beside = _pace(running, hearers, feed, seen, rate, seconds)
        return {
            "clients": centre.agents,
            **{name: beside[name] for name in ("events", "rate", "cpu_us", "cpu_share")},
            "matches": beside["heard"] / beside["events"] - centre.walls,
            **latency(times),
            **{f"wall_{name}": beside[name] for name in ("p50_us", "p99_us", "max_us")},
            **{f"alone_{name}": alone[name] for name in ("p50_us", "p99_us", "max_us")},
            "alone_cpu_share": alone["cpu_share"],
            **_memory(running, before, centre),
        }


def remembering(running: Running, centre: Centre, each: int) -> Figures:
    """Have *each* channels begin for every agent of *centre*; ``id_bytes`` is what one more takes.

    What the proxy keeps of channels that concern nobody is not counted.
    """
    events = ringing_events(centre.agents, each)
    own = centre.agents * each
    hears = [
        [
            Heard(place, place)
            for place in range(len(events) - own + agent, len(events), centre.agents)
        ]
        for agent in range(centre.agents)
    ]
    feed = Feed(running.upstream)
    with Ends() as walls, Ends() as agents, Hearers(events, feed) as hearers:
        _enter(running, walls, [_WALL])
        _enter(running, agents, [f"agent{number}" for number in range(centre.agents)])
        hearers.add(walls.all, [[Heard(place, place) for place in range(len(events))]])
        hearers.add(agents.all, hears)
        running.upstream.order("ringing", centre.agents, each)
        hearers.expect(PIECE)
        before = 0
        for sent in range(-(-len(events) // PIECE)):
            if (sent + 1) * PIECE > len(events) - own and not before:
                before = status(running.pid)["rss"]
            feed.credit()
            hearers.receive(functools.partial(hearers.due, sent + 1))
        rss = status(running.pid)["rss"]
        return {
            "clients": centre.agents,
            "ids": own,
            "id_bytes": (rss - before) * 1024 / own,
            "rss_mb": rss / 1024,
        }


def _pace(
    running: Running, hearers: Hearers, feed: Feed, seen: list[float], rate: int, seconds: float
) -> Figures:
    """Send *rate* single events a second; return what they cost, and when they were *seen*."""
    seen.clear()
    count = max(1, round(rate * seconds))
    hearers.expect(1)
    meter = Meter(running.pid)
    feed.paced(rate, count)
    hearers.receive(lambda: hearers.due(count))
    return {"heard": hearers.heard, **_cost(meter, count), **latency(seen)}
