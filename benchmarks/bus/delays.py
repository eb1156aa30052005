# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bus adds to the delay of an event, and what an event costs there, at a fixed rate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.bus.meters import Meters
from benchmarks.bus.taps import Taps
from benchmarks.events import call_events
from benchmarks.figures import Figures, latency

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bus.stage import Cluster

#: Events of one batch in ``reads-50``, which come in one read; and how many calls make them.
_CALLS_OF_FIFTY = 8


def at_a_pace(started: Cluster, rate: int, seconds: float) -> Figures:
    """Send *rate* single events a second to a client of the holder and one of an edge.

    The delays at both, and ``added_*``: by how much later the edge's client had the same event.
    """
    addresses = [proxy.address for proxy in started.proxies[:2]]
    with Taps(addresses) as taps:
        _settle(started, taps, rate)
        count = max(1, round(rate * seconds))
        sent, entries = _traffic(started)
        meters = Meters(started.pids())
        began = time.monotonic()
        started.upstream.order("paced", rate, count)
        taps.receive(count)
        elapsed = time.monotonic() - began
        figures = meters.read(count)
        more, new = _traffic(started)
        delays = [tap.delays for tap in taps.all]
    return {
        "events": count,
        "rate": count / elapsed,
        "redis_bytes": (more - sent) / count,
        **figures,
        **of_entries(figures, count, new - entries),
        **figures_of(delays),
    }


def of_entries(figures: Figures, events: int, entries: int) -> Figures:
    """Return what an entry of the stream took, from *figures* for each event; nothing without."""
    if not entries:
        return {}
    each = events / entries
    parts = {"holder_outbox_us": "outbox", "redis_cpu_us": "redis", "edge_cpu_us": "edge"}
    return {
        "entries": entries,
        "events_per_entry": each,
        **{f"{title}_entry_us": figures[key] * each
           for key, title in parts.items() if key in figures},
    }  # fmt: skip


def figures_of(delays: Sequence[Sequence[float]]) -> Figures:
    """Return what of *delays*, in seconds, is told: of the holder's client, and of the edge's."""
    figures: Figures = {}
    for title, found in zip(("holder", "edge"), delays):
        figures |= {f"{title}_{name}": value for name, value in latency(found).items()}
    if len(delays) > 1:
        added = [edge - holder for holder, edge in zip(*delays)]
        figures |= {f"added_{name}": value for name, value in latency(added).items()}
    return figures


def _settle(started: Cluster, taps: Taps, rate: int) -> None:
    """Send a few events that are not counted: all is warm then, and each tap knows its place."""
    few = max(20, rate // 10)
    started.upstream.order("calls", 100)
    started.upstream.order("paced", rate, few)
    taps.receive(few)
    taps.clear()


def _traffic(started: Cluster) -> tuple[int, int]:
    """Return how many bytes Redis has sent and received, and how many entries its stream has had.

    The last is exact: what XINFO calls entries-added (Redis 7).
    """
    redis = started.redis
    traffic = redis.counted("total_net_input_bytes") + redis.counted("total_net_output_bytes")
    keys = redis.ask("KEYS", "*:events:*").split(b"\r\n")[2::2]
    info = redis.ask("XINFO", "STREAM", keys[0].decode()).split(b"\r\n") if keys else []
    place = info.index(b"entries-added") if b"entries-added" in info else None
    return traffic, 0 if place is None else int(info[place + 1].lstrip(b":"))


def in_reads_of_fifty(started: Cluster, rate: int, seconds: float) -> Figures:
    """Send *rate* batches of about 50 events a second, each of which the holder reads at once."""
    addresses = [proxy.address for proxy in started.proxies[:2]]
    with Taps(addresses) as taps:
        events = len(call_events(_CALLS_OF_FIFTY))
        started.upstream.order("calls", _CALLS_OF_FIFTY)
        started.upstream.order("credit", 1)
        taps.receive(events)
        taps.clear()
        batches = max(1, round(rate * seconds))
        _, entries = _traffic(started)
        meters = Meters(started.pids())
        began = time.monotonic()
        for number in range(batches):
            _serve_until(taps, began + number / rate)
            started.upstream.order("credit", 1)
        taps.receive(batches * events)
        elapsed = time.monotonic() - began
        figures = meters.read(batches * events)
        _, new = _traffic(started)
        delays = [tap.delays for tap in taps.all]
    return {
        "events": batches * events,
        "rate": batches * events / elapsed,
        **figures,
        **of_entries(figures, batches * events, new - entries),
        **figures_of(delays),
    }


def _serve_until(taps: Taps, when: float) -> None:
    while (left := when - time.monotonic()) > 0:
        taps.serve(left)
