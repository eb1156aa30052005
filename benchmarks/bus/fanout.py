# SPDX-License-Identifier: GPL-2.0-or-later
"""Events at full speed through one server's stream: to edges, and to very many clients."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.bus.meters import Meters
from benchmarks.ends import Ends
from benchmarks.events import call_events
from benchmarks.figures import Figures, latency
from benchmarks.processes import status
from benchmarks.views import WIRES, View, event_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.bus.stage import Cluster, Proxy

#: Calls of a batch of 654 events (244 KB), and such batches on the way.
_CALLS = 100
_WINDOW = 8
#: The same where there are thousands of clients: what is on the way is in each one's socket.
_FEW_CALLS = 4
_FEW = 2
#: Clients that connect at once.
_AT_ONCE = 100
#: Seconds that a crowd may take, all together.
_LONGEST = 90.0


def to_edges(started: Cluster, seconds: float) -> Figures:
    """Send as fast as a client of each edge takes it; of the holder's, if there is no edge."""
    proxies = started.edges or started.proxies
    with Ends() as ends:
        for proxy in proxies:
            ends.connect(proxy.address, 1)
        _prepare(started, ends, _CALLS)
        return _at_full_speed(started, ends, _WINDOW, seconds)


def to_a_crowd(started: Cluster, clients: int, seconds: float) -> Figures:
    """Send as fast as so many clients take it, who are spread evenly over all proxies.

    The proxies are killed at the end, before their clients leave: thousands of threads of one
    process that all want the interpreter at the same moment wake each other up all the time, and
    nothing else on the machine gets on.  For the same reason they are killed after _LONGEST.
    """
    limit = threading.Timer(_LONGEST, _kill, [started.proxies])
    limit.daemon = True
    limit.start()
    with Ends() as ends:
        try:
            return _with_crowd(started, ends, clients // len(started.proxies), seconds)
        finally:
            limit.cancel()
            _kill(started.proxies)


def _kill(proxies: Sequence[Proxy]) -> None:
    for proxy in proxies:
        proxy.end(signal.SIGKILL)


def _with_crowd(started: Cluster, ends: Ends, share: int, seconds: float) -> Figures:
    """Connect *share* clients to each proxy, and measure."""
    before = {proxy: status(proxy.pid)["rss"] for proxy in started.proxies}
    began = time.monotonic()
    for proxy in started.proxies:
        ends.connect(proxy.address, share, at_once=_AT_ONCE)
    connected = time.monotonic() - began
    _prepare(started, ends, _FEW_CALLS)
    grown = [status(proxy.pid)["rss"] - rss for proxy, rss in before.items()]
    figures = _at_full_speed(started, ends, _FEW, seconds)
    return {
        **figures,
        "client_cpu_us": figures["all_cpu_us"] / len(ends.all),
        "connect_s": connected,
        "rss_kb_per_client": sum(grown) / len(ends.all),
        "rss_mb": sum(status(proxy.pid)["rss"] for proxy in started.proxies) / 1024,
        "threads": max(status(proxy.pid)["threads"] for proxy in started.proxies),
    }


def _prepare(started: Cluster, ends: Ends, calls: int) -> None:
    """Have a batch come to each client, which is not counted."""
    events = call_events(calls)
    size = sum(event_size(event.raw, server_header=True) for event in events)
    started.upstream.order("calls", calls)
    ends.assign([View(WIRES["standard"], range(len(events)), size)])
    started.upstream.order("credit", 1)
    ends.warm_up()


def _at_full_speed(started: Cluster, ends: Ends, window: int, seconds: float) -> Figures:
    """Send batches as fast as all clients take them, so many on the way."""
    upstream, view = started.upstream, ends.all[0].view
    assert view is not None
    each = len(view.tails)
    deadline = time.monotonic() + seconds

    def more() -> int:
        if time.monotonic() > deadline:
            return 0
        upstream.order("credit", 1)
        return 1

    meters = Meters(_pids(started.proxies) | started.bus())
    began = time.monotonic()
    upstream.order("credit", window)
    ends.receive(window, more)
    elapsed = time.monotonic() - began
    came = ends.complete * each
    return {
        "clients": len(ends.all),
        "events": came,
        "rate": came / elapsed,
        "delivered_rate": came * len(ends.all) / elapsed,
        "mb_per_s": ends.received / elapsed / 1e6,
        **by_role(meters.read(came), len(started.proxies)),
        **latency(ends.latencies),
    }


def _pids(proxies: Sequence[Proxy]) -> dict[str, int]:
    """Return the processes: ``0`` is the holder, the others are edges."""
    return {str(number): proxy.pid for number, proxy in enumerate(proxies)}


def by_role(figures: Figures, proxies: int) -> Figures:
    """Return *figures* of ``holder``, ``redis`` and ``edge``: the mean of all edges.

    ``all_cpu_us`` and ``all_cores`` are those of all proxies together, without Redis.
    """
    found: Figures = {}
    for name, value in figures.items():
        title, _, figure = name.partition("_")
        if title == "redis":
            found[name] = value
            continue
        if figure in ("cpu_us", "cores"):
            found[f"all_{figure}"] = found.get(f"all_{figure}", 0.0) + value
        role, share = ("holder", 1) if title == "0" else ("edge", proxies - 1)
        found[f"{role}_{figure}"] = found.get(f"{role}_{figure}", 0.0) + value / share
    return found
