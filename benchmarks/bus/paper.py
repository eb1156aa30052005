# SPDX-License-Identifier: GPL-2.0-or-later
"""What a large cluster would need, on paper: computed from what was measured on this machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.bus.rows import MANY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figures

#: What is planned for: Asterisks, screens, and who sees an event (as many screens each).
SERVERS, SCREENS, MATCHES = 100, 50_000, 2
#: Events a second of each Asterisk; a call causes about 100.
RATES = (20, 50, 100, 200)
#: The share of a core that a process may take, so that bursts do not become a queue.
SHARE = 0.6
#: And what of that an edge may take to follow the streams: else there is no room for screens.
FOLLOWS = 0.75
#: Screens of one edge at the most: what ends with a process that ends.
MOST_SCREENS = 5000


@dataclass(frozen=True)
class Costs:
    """Microseconds of CPU time for an event, bytes, and KB."""

    holder: float
    #: To follow the streams; and for each screen that an event is for.
    edge: float
    screen: float
    #: To store an event; and for each edge that reads it.
    redis: float
    redis_edge: float
    #: An event in a stream, its part of the entry's head included.
    event_bytes: float
    screen_kb: float
    process_mb: float


@dataclass(frozen=True)
class Need:
    """What is needed for *rate* events a second of all Asterisks together."""

    rate: int
    holders: int
    #: None: an edge cannot follow all streams, however many edges there are.
    edges: int | None
    proxy_cores: float = 0.0
    redis_cores: float = 0.0
    redis_mb_per_s: float = 0.0
    memory_gb: float = 0.0


def costs(rows: Mapping[str, Figures], *, joined: bool = False) -> Costs | None:
    """Return what the measured *rows* tell, with ``busjoin`` if *joined*; None: one is missing."""
    try:
        plain, agents = rows[f"servers-{MANY}"], rows["agents-edge"]
        many = rows[f"servers-{MANY}-join"] if joined else plain
        one, eight = rows["pace-2000"], rows["pace-2000-edges-8"]
        # An entry that is read takes as much as one that is added, however many events it has.
        share = many["redis_cpu_us"] / plain["redis_cpu_us"]
        reading = max(0.0, (eight["redis_cpu_us"] - one["redis_cpu_us"]) / 7) * share
        return Costs(
            holder=many["holder_cpu_us"],
            edge=many["edge_cpu_us"],
            screen=max(0.0, agents["cpu_us"] - one["edge_cpu_us"]) / agents["matches"],
            redis=max(0.0, many["redis_cpu_us"] - reading),
            redis_edge=reading,
            event_bytes=one["redis_bytes"] / 2,  # once in, once out
            screen_kb=agents["rss_kb_per_client"],
            process_mb=agents["rss_mb"] - agents["rss_kb_per_client"] * agents["clients"] / 1024,
        )
    except KeyError:
        return None


def need(each: Costs, rate: int) -> Need:
    """Return what SCREENS need, with *rate* events a second in all."""
    holders = max(1, math.ceil(rate * each.holder / 1e6 / SHARE))
    left = SHARE - rate * each.edge / 1e6
    if rate > most(each):
        return Need(rate, holders, None)
    deliveries = rate * MATCHES * each.screen / 1e6
    edges = max(math.ceil(SCREENS / MOST_SCREENS), math.ceil(deliveries / left))
    return Need(
        rate,
        holders,
        edges,
        proxy_cores=rate * (each.holder + edges * each.edge) / 1e6 + deliveries,
        redis_cores=rate * (each.redis + edges * each.redis_edge) / 1e6,
        redis_mb_per_s=rate * each.event_bytes * (1 + edges) / 1e6,
        memory_gb=(SCREENS * each.screen_kb / 1024 + (holders + edges) * each.process_mb) / 1024,
    )


def most(each: Costs) -> int:
    """Return how many events a second an edge can follow, all streams together."""
    return round(FOLLOWS * SHARE / each.edge * 1e6)
