# SPDX-License-Identifier: GPL-2.0-or-later
"""The CPU time of several processes, and of threads by their names."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from benchmarks.figures import Figures, Meter

if TYPE_CHECKING:
    from collections.abc import Mapping


def thread_seconds(pid: int) -> dict[str, float]:
    """Return the CPU time of the threads of *pid*, by name, in seconds; equal names are one.

    The first word of /proc/PID/task/TID/schedstat: nanoseconds on a processor
    (Documentation/scheduler/sched-stats.rst of Linux).
    """
    found: dict[str, float] = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            path = f"/proc/{pid}/task/{thread}"
            with open(f"{path}/comm", "rb") as comm, open(f"{path}/schedstat", "rb") as times:
                name = comm.read().rstrip(b"\n").decode("utf-8", "replace")
                found[name] = found.get(name, 0.0) + int(times.read().split()[0]) / 1e9
    return found


class Meters:
    """Measures the CPU time of some processes, each with a title, from now on."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._threads = {title: thread_seconds(pid) for title, pid in pids.items()}
        self._meters = {title: Meter(pid) for title, pid in pids.items()}
        self._began = time.monotonic()

    def read(self, events: int) -> Figures:
        """Return what each took for each of so many *events*, and its share of a processor.

        ``TITLE_cpu_us`` and ``TITLE_cores``; of threads whose name begins with ``bus-`` or
        ``asterisk-`` also ``TITLE_outbox_us``, ``TITLE_keeper_us`` and ``TITLE_server_us``.
        """
        elapsed = time.monotonic() - self._began
        found: Figures = {}
        for title, meter in self._meters.items():
            cpu, _ = meter.read()
            found[f"{title}_cpu_us"] = cpu / events * 1e6
            found[f"{title}_cores"] = cpu / elapsed
            spent = of_threads(thread_seconds(meter.pid), self._threads[title])
            for name, seconds in spent.items():
                found[f"{title}_{name}_us"] = seconds / events * 1e6
        return found


def of_threads(now: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    """Return what the threads of interest have taken since *before*, in seconds.

    ``outbox`` and ``keeper`` are those of the bus, ``server`` all that are connected to an
    Asterisk, or follow its stream.
    """
    found: dict[str, float] = {}
    for name, seconds in now.items():
        title = {"bus-outbox": "outbox", "bus-keeper": "keeper"}.get(name, "")
        if name.startswith("asterisk-"):
            title = "server"
        if title:
            found[title] = found.get(title, 0.0) + seconds - before.get(name, 0.0)
    return found
