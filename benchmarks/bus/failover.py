# SPDX-License-Identifier: GPL-2.0-or-later
"""For how long no events come when the holder is killed or stopped, until another one has them."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.bus.stage import wait_served
from benchmarks.bus.taps import Taps
from benchmarks.processes import PATIENCE, Failed

if TYPE_CHECKING:
    import signal
    from collections.abc import Sequence

    from benchmarks.bus.stage import Cluster, Proxy
    from benchmarks.bus.taps import Lost
    from benchmarks.figures import Figures

#: Events a second meanwhile: how exact the figures are.
_RATE = 1000
#: Seconds without a loss after which a failover counts as over.
_QUIET = 0.3
#: So many that they do not end.
_WITHOUT_END = 10_000_000


def failovers(started: Cluster, signum: signal.Signals, times: int) -> Figures:
    """Send *signum* to the holder so many *times*, and start it again each time.

    The figures are seconds: from when the last event was sent that came through the old holder
    until the first one has come through the new one, at that client who waited longest.
    """
    taken: list[float] = []
    started.upstream.order("calls", 100)
    started.upstream.order("paced", _RATE, _WITHOUT_END)
    for _ in range(times):
        holder = started.wait_holder()
        with Taps([each.address for each in started.proxies if each is not holder]) as taps:
            taps.receive(1)
            taken.append(_without(holder, taps, signum))
        holder.stop()
        holder.start()
        wait_served(holder.address)
    started.upstream.order("paced", _RATE, 0)
    return spread(taken)


def _without(holder: Proxy, taps: Taps, signum: signal.Signals) -> float:
    """Return for how long the client who waited longest had no events after that signal.

    Raises:
        Failed: they do not come again within PATIENCE.

    """
    for tap in taps.all:
        tap.may_lose = True
    holder.end(signum)
    began = time.monotonic()
    while not all(_is_over(tap.lost) for tap in taps.all):
        taps.serve(0.1)
        if time.monotonic() - began > PATIENCE:
            back = sum(bool(tap.lost) for tap in taps.all)
            raise Failed(f"events come again at {back} of {len(taps.all)} proxies only")
    return max(tap.lost[-1].until - tap.lost[0].since for tap in taps.all)


def _is_over(lost: Sequence[Lost]) -> bool:
    """Return whether some were lost, and nothing more for a moment."""
    return bool(lost) and time.monotonic() - lost[-1].until > _QUIET


def spread(seconds: Sequence[float]) -> Figures:
    """Return how *seconds* are distributed."""
    return {
        "times": len(seconds),
        "min_s": min(seconds),
        "median_s": statistics.median(seconds),
        "max_s": max(seconds),
    }
