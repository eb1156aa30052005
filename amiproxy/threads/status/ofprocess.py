# SPDX-License-Identifier: GPL-2.0-or-later
"""What the process takes of the machine, and what its threads do."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.status.values import MemoryStatus, ThreadStatus
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Seconds for which a thread may be busy; as threads/watchdog.py.
_PATIENCE = 5.0

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")


def memory_status(backlogs: int, cpu_share: float) -> MemoryStatus:
    """Return what the process takes; *backlogs* is what lies here for slow peers, in bytes."""
    sizes = _sizes()
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MemoryStatus(
        resident=sizes.get("VmRSS"),
        most_resident=sizes.get("VmHWM"),
        swapped=sizes.get("VmSwap"),
        backlogs=backlogs,
        descriptors=_descriptors(),
        most_descriptors=None if limit == resource.RLIM_INFINITY else limit,
        threads=threading.active_count(),
        cpu=time.process_time(),
        cpu_share=cpu_share,
    )


def _sizes() -> dict[str, int]:
    """Return the lines of /proc/self/status that are sizes, in bytes (proc_pid_status(5))."""
    found = {}
    with contextlib.suppress(OSError, ValueError):
        # As bytes: the module of a codec may be out of the reach of the proxy's user.
        for line in Path("/proc/self/status").read_bytes().split(b"\n"):
            name, _, value = line.partition(b":")
            if value.endswith(b" kB"):
                found[name.decode()] = int(value[:-3]) * 1024
    return found


def _descriptors() -> int | None:
    with contextlib.suppress(OSError):
        return sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1  # that of this look
    return None


class ThreadLook(NamedTuple):
    """What one thread does at a moment."""

    name: str
    busy: float  # seconds, 0.0: it waits
    hangs: bool
    cpu: float | None


def threads_now(*, with_times: bool = True) -> list[ThreadLook]:
    """Return what each thread does; *with_times*: also how long it has, which costs a file each."""
    now, found = time.monotonic(), []
    for thread in threading.enumerate():
        since = thread.work.busy_since if isinstance(thread, WatchedThread) else 0.0
        busy = now - since if since else 0.0
        hangs = busy > _PATIENCE and isinstance(thread, WatchedThread) and not thread.waits
        found.append(
            ThreadLook(thread.name, busy, hangs, _cpu(thread.native_id) if with_times else None)
        )
    return found


def _cpu(thread: int | None) -> float | None:
    """Return the processor time of a thread, in seconds (proc_pid_stat(5): utime, stime)."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/self/task/{thread}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) * _TICK
    return None


def thread_statuses(
    looks: list[ThreadLook], shares: Mapping[str, float] | None = None
) -> Iterator[ThreadStatus]:
    """Yield the threads; of the clients' those that are busy for long, and all others as one."""
    clients: list[ThreadLook] = []
    for look in looks:
        if look.name.startswith("client-") and look.busy < 1.0:
            clients.append(look)
            continue
        share = None if shares is None else shares.get(look.name)
        yield ThreadStatus(look.name, 1, look.busy, look.hangs, look.cpu, share)
    if clients:
        cpu = sum(each.cpu or 0.0 for each in clients)
        share = None if shares is None else sum(shares.get(each.name, 0.0) for each in clients)
        yield ThreadStatus("clients", len(clients), 0.0, hangs=False, cpu=cpu, cpu_share=share)
