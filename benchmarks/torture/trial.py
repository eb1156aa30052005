# SPDX-License-Identifier: GPL-2.0-or-later
"""One attack measured: the innocent client's delays without it and with it."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.processes import Child, status
from benchmarks.subjects import ROOT, free_port, running
from benchmarks.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.subjects import Running
    from benchmarks.torture.attacks import Attack

#: Events a second.
RATE = 100
#: A figure under attack is good up to this many times the one without, and never above MOST.
FACTOR = 3.0
MOST = 50.0  # milliseconds
#: Below this many milliseconds nobody notices anything, whatever the ratio is.
NOTICEABLE = 10.0
#: Seconds for which late events are waited for.
_LATE = 20.0
_INNOCENT = "[innocent]\nsecret = innocent\nread = all\nwrite = all\n"


class Window(NamedTuple):
    """What the innocent client saw in one window, times in milliseconds."""

    event: float  # p99
    event_max: float
    ping: float  # p99
    lost: int  # events
    gone: str  # why a connection ended, or a ping failed


class Result(NamedTuple):
    """One attack: both windows, and the proxy's memory in MB before and at its highest."""

    name: str
    what: str
    without: Window
    under: Window
    before: float
    highest: float

    @property
    def problems(self) -> list[str]:
        """What is not as it must be."""
        found = [self.under.gone] if self.under.gone else []
        if self.under.lost:
            found.append(f"{self.under.lost} events lost")
        for what, without, under in (
            ("event", self.without.event, self.under.event),
            ("ping", self.without.ping, self.under.ping),
        ):
            if under > MOST or under > max(FACTOR * without, NOTICEABLE):
                found.append(f"{what} p99 {under:.1f} ms, {without:.1f} without")
        return found


def measure(attack: Attack, command: list[str], seconds: float) -> Result:
    """Run *attack* against the proxy that *command* starts, in two windows of *seconds*.

    Raises:
        Failed: something could not be started.

    """
    spare = free_port()
    settings = {"authrequired": "yes", "authlimit": "50", "retryinterval": "0.5", **attack.settings}
    if attack.serves:
        settings["retryinterval"] += f"\nhost = 127.0.0.1, {spare}, bench, bench, on, off"
    users = (
        f"{_INNOCENT}[mallory]\nsecret = mallory\nread = {attack.read}\nwrite = {attack.write}\n"
    )
    with contextlib.ExitStack() as stack:
        started = stack.enter_context(
            running("proxy", command, settings, users, functools.partial(_asterisk, attack.pause))
        )
        started.upstream.order("calls", 1)
        form = settings.get("inputformat", "standard")
        innocent = stack.enter_context(_child("innocent", started.address[1], form))
        innocent.wait_line(b"ready")
        without = _window(started, innocent, seconds, lambda: None, form)
        attacker = stack.enter_context(_child("attacker", attack.name, started.address[1], spare))
        attacker.wait_line(b"prepared")
        before = status(started.pid)["rss"] / 1024
        with _Memory(started.pid) as memory:
            under = _window(started, innocent, seconds, lambda: _tell(attacker, b"g"), form)
        return Result(attack.name, attack.what, without, under, before, memory.highest)


def _asterisk(pause: int) -> Upstream:
    if not pause:
        return Upstream()
    return Upstream("benchmarks.torture.asterisk", str(pause))


def _child(module: str, *arguments: object) -> Child:
    command = [sys.executable, "-m", f"benchmarks.torture.{module}", *map(str, arguments)]
    return Child(command, cwd=ROOT, stdin=subprocess.PIPE)


def _tell(child: Child, order: bytes) -> None:
    assert child.process.stdin is not None
    child.process.stdin.write(order)


def _window(
    started: Running, innocent: Child, seconds: float, begin: Callable[[], None], form: str
) -> Window:
    """Return what the innocent client sees in *seconds*; *begin* is called at their start."""
    count = round(RATE * seconds)
    expected = 0 if form == "http" else count
    _tell(innocent, b"w")
    innocent.wait_line(b"window")  # else an event may come before it begins
    started.upstream.order("paced", RATE, count)
    begin()
    time.sleep(seconds)
    deadline = time.monotonic() + _LATE
    while True:
        _tell(innocent, b"r")
        figures = json.loads(innocent.wait_line(b"figures")[len("figures") :])
        if figures["events"] >= expected or figures["gone"] or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    return Window(
        _milliseconds(figures["event"], "p99_us"),
        _milliseconds(figures["event"], "max_us"),
        _milliseconds(figures["ping"], "p99_us"),
        expected - figures["events"],
        figures["gone"],
    )


def _milliseconds(figures: dict[str, float], name: str) -> float:
    return figures.get(name, 0.0) / 1000


class _Memory:
    """The highest resident size of a process, in MB, while it is watched."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.highest = 0.0

    def __enter__(self) -> _Memory:  # noqa: PYI034 - Self is not in 3.9
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.highest = max(self.highest, status(self._pid)["rss"] / 1024)
                if self._over.wait(0.1):
                    return
