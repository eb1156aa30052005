# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m benchmarks.soak``: a long run; memory and threads flat, nothing lost.

Thirty clients read all events, ten more ping all the time with ``unique``, and
further clients connect and leave, one after the other.  Every event must reach
each of the thirty, and every answer the client that asked.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import shlex
import signal
import statistics
import sys
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.process.process import raise_file_limit
from benchmarks.delivery import Delivery, prepare
from benchmarks.ends import Ends, close, open_socket
from benchmarks.figures import latency
from benchmarks.processes import PATIENCE, Failed, cpu_seconds, status
from benchmarks.requests import Asker, ask, take
from benchmarks.subjects import ROOT, Running, running

if TYPE_CHECKING:
    import socket

    from benchmarks.views import View

READERS = 30
PINGERS = 10
RATE = 500
#: Seconds of one stretch; memory and threads are read after each.
STRETCH = 10.0
#: Seconds between two pings of one client, and seconds that a visitor stays.
PING_EVERY = 0.05
STAY = 0.2
#: How much more memory and threads the last third may take than the second.
MOST_GROWTH = 1.05
FEW_KB = 2048
FEW_THREADS = 3


class Pingers:
    """Clients that ping again and again."""

    def __init__(self, ends: Ends) -> None:
        self.ends = ends
        self.askers = [Asker(end.number, end.sock) for end in ends.all]
        self.answers = 0
        for asker in self.askers:
            ends.selector.modify(asker.sock, selectors.EVENT_READ, asker)
            # They do not read events.
            asker.sock.send(b"Action: Events\r\nEventMask: off\r\nActionID: off\r\n\r\n")
        self._quiet()
        self._last = 0.0

    def _quiet(self) -> None:
        waiting = set(range(len(self.askers)))
        deadline = time.monotonic() + PATIENCE
        while waiting:
            if time.monotonic() > deadline:
                raise Failed("Action: Events is not answered")
            for key, _ in self.ends.selector.select(1.0):
                asker = key.data
                asker.unread += asker.sock.recv(65536)
                if b"ActionID: off\r\n" in asker.unread and asker.unread.endswith(b"\r\n\r\n"):
                    asker.unread = b""
                    waiting.discard(asker.number)

    def tick(self, now: float) -> None:
        """Read answers; if it is time, let those ping that have theirs."""
        for key, _ in self.ends.selector.select(0):
            asker = key.data
            data = asker.sock.recv(65536)
            if not data:
                raise Failed("a pinging client was closed")
            take(asker, data, alone=True)
        if now - self._last < PING_EVERY:
            return
        self._last = now
        for asker in self.askers:
            if asker.answered == asker.asked:
                self.answers += 1
                ask(asker, 1)
            elif now - asker.since > PATIENCE:
                raise Failed("a ping is not answered")


class Visitor:
    """One client after the other: it connects, reads nothing, and leaves."""

    def __init__(self, started: Running) -> None:
        self.address = started.address
        self.visits = 0
        self._sock: socket.socket | None = None
        self._since = 0.0

    def tick(self, now: float) -> None:
        """Leave, if it is time, and connect again."""
        if now - self._since < STAY:
            return
        self.leave()
        self._sock = open_socket(self.address, 0)
        self._since = now
        self.visits += 1

    def leave(self) -> None:
        """Close the connection, if there is one."""
        if self._sock is not None:
            close(self._sock)
            self._sock = None


def soak(started: Running, minutes: float) -> list[str]:
    """Run for *minutes*; return what is wrong."""
    with contextlib.ExitStack() as stack:
        ends = stack.enter_context(Ends())
        views = prepare(started, ends, Delivery(READERS))
        pinging = stack.enter_context(Ends())
        pinging.connect(started.address, PINGERS)
        pingers = Pingers(pinging)
        visitor = Visitor(started)
        stack.callback(visitor.leave)

        def tick(now: float) -> None:
            pingers.tick(now)
            visitor.tick(now)

        for view in views:
            view.expect_singles()
        samples = []
        stretch = min(STRETCH, minutes * 60 / 6)
        print(
            f"{'s':>6}{'RSS KB':>9}{'threads':>9}{'files':>7}{'cores':>7}{'p99 us':>9}{'max us':>9}"
        )
        begun = time.monotonic()
        while time.monotonic() - begun < minutes * 60:
            samples.append(_stretch(started, ends, tick, stretch, begun))
        print(_summary(views, ends, pingers, visitor))
    return judge([s["rss"] for s in samples], [s["threads"] for s in samples])


def _stretch(
    started: Running, ends: Ends, tick: Callable[[float], None], seconds: float, begun: float
) -> dict[str, int]:
    ends.latencies.clear()
    cpu = cpu_seconds(started.pid)
    since = time.monotonic()
    count = round(RATE * seconds)
    started.upstream.order("paced", RATE, count)
    ends.receive(count, tick=tick)
    now = time.monotonic()
    share = (cpu_seconds(started.pid) - cpu) / (now - since)
    sample = status(started.pid)
    figures = latency(ends.latencies)
    print(
        f"{now - begun:>6.0f}{sample['rss']:>9}{sample['threads']:>9}{sample['files']:>7}"
        f"{share:>7.2f}{figures['p99_us']:>9.0f}{figures['max_us']:>9.0f}",
        flush=True,
    )
    return sample


def _summary(views: list[View], ends: Ends, pingers: Pingers, visitor: Visitor) -> str:
    events = sum(view.events for view in views)
    return (
        f"{events} events to each of {len(ends.all)} clients, none lost, none out of order; "
        f"{pingers.answers} pings answered, {visitor.visits} clients came and went"
    )


def judge(rss: list[int], threads: list[int]) -> list[str]:
    """Return what is wrong with the samples of a run.

    Compare the last third with the second; the first is the warm-up.
    """
    third = len(rss) // 3
    if not third:
        return ["too short to judge"]
    problems = []
    middle, last = (statistics.mean(part) for part in (rss[third:-third], rss[-third:]))
    if last > middle * MOST_GROWTH + FEW_KB:
        problems.append(f"memory grew from {middle:.0f} KB to {last:.0f} KB")
    most_before, most_after = max(threads[third:-third]), max(threads[-third:])
    if most_after > most_before + FEW_THREADS:
        problems.append(f"threads grew from {most_before} to {most_after}")
    return problems


def main(argv: list[str] | None = None) -> int:
    """Run the soak; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--proxy", default=shlex.join([sys.executable, str(ROOT / "astmanproxy.py")])
    )
    options = parser.parse_args(argv)
    raise_file_limit()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        with running("proxy", shlex.split(options.proxy), {"autofilter": "unique"}) as started:
            problems = soak(started, options.minutes)
    except (Failed, OSError) as error:
        problems = [str(error)]
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    if not problems:
        print("memory flat, threads flat, nothing lost")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
