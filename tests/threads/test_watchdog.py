# SPDX-License-Identifier: GPL-2.0-or-later
"""The watchdog: it names threads that hang, and systemd hears of those that do not."""

from __future__ import annotations

import contextlib
import re
import socket
import sys
import threading
import time
import types
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.formats import HANDLERS
from amiproxy.threads import watchdog as module
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.supervisor import Supervisor, notify_socket
from amiproxy.threads.watchdog import Watchdog
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Hanging:
    """Work that waits for the end of the test; seconds ago it was busy with that."""

    def __init__(self) -> None:
        self.busy_since = 0.0
        self.may_end = threading.Event()

    def run(self) -> None:
        self.may_end.wait(30)

    def thread(self, run: Callable[[], object] | None = None, **options: Any) -> WatchedThread:
        """Return its thread, which has been busy for ten seconds."""
        thread = WatchedThread("slow", run or self.run, self, **options)
        thread.start()
        self.busy_since = time.monotonic() - 10
        return thread


@pytest.fixture
def work() -> Iterator[Hanging]:
    hanging = Hanging()
    yield hanging
    hanging.may_end.set()


@contextlib.contextmanager
def looking(revive: Callable[[], object] = int) -> Iterator[Watchdog]:
    supervisor = Supervisor(notify_socket())
    watchdog = Watchdog(revive, supervisor, lambda: "all of them", interval=0.01)
    watchdog.start()
    yield watchdog
    watchdog.stop()
    supervisor.close()


def some_looks(looks: list[int]) -> None:
    """Wait until the watchdog has looked three times more."""
    before = len(looks)
    wait_until(lambda: len(looks) >= before + 3)


def in_handler(work: Hanging) -> Callable[[], object]:
    """Return a function of a handler that does not return."""
    handler = types.ModuleType(f"{HANDLERS}.odd")
    exec("def write(wait):\n    wait()\n", handler.__dict__)
    sys.modules[handler.__name__] = handler
    return lambda: handler.write(work.run)


def test_a_thread_that_hangs_is_named_with_its_stack(
    work: Hanging, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, and again now and then as long as it hangs."""
    monkeypatch.setattr(module, "AGAIN", 0.2)
    work.thread()

    looks: list[int] = []
    with looking(lambda: looks.append(1)):
        wait_until(lambda: len(caplog.records) >= 2)
        work.busy_since = time.monotonic()  # something else, and not for long
        some_looks(looks)
        said = len(caplog.records)
        some_looks(looks)

    assert re.fullmatch(r"thread slow hangs for \d+ s", caplog.messages[0])
    assert "test_watchdog.py" in (caplog.records[0].stack_info or "")
    assert len(caplog.records) == said


def test_a_client_that_waits_does_not_hang_but_its_handler_may(
    work: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    """A web request waits half a minute for its answer."""
    work.thread(waits=True, essential=False)
    odd = Hanging()
    odd.thread(in_handler(odd), waits=True, essential=False)

    with looking():
        wait_until(lambda: caplog.records)
    odd.may_end.set()

    (line,) = caplog.messages
    assert re.fullmatch(r"thread slow hangs for \d+ s in handler odd", line)


def test_what_could_not_be_started_is_tried_again() -> None:
    """At every look."""
    tries: list[int] = []

    with looking(lambda: tries.append(1)):
        wait_until(lambda: len(tries) >= 3)


@pytest.fixture
def supervisor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], bytes | None]]:
    """A systemd; returns what it has been told, None if nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "10000000")

        def told() -> bytes | None:
            with contextlib.suppress(BlockingIOError):
                return sock.recv(100)
            return None

        yield told


def drained(told: Callable[[], bytes | None]) -> bool:
    while told():
        pass
    return True


def test_systemd_is_told_while_nothing_hangs(
    work: Hanging, supervisor: Callable[[], bytes | None]
) -> None:
    """It starts a process again that says nothing for WatchdogSec."""
    looks: list[int] = []
    with looking(lambda: looks.append(1)):
        wait_until(lambda: supervisor() == b"WATCHDOG=1")
        work.thread()
        some_looks(looks)
        drained(supervisor)
        some_looks(looks)
        assert supervisor() is None
        work.busy_since = 0.0
        wait_until(lambda: supervisor() == b"WATCHDOG=1")


def test_the_handler_of_one_client_restarts_nobody(
    work: Hanging, supervisor: Callable[[], bytes | None], caplog: pytest.LogCaptureFixture
) -> None:
    """Others are not hurt."""
    work.thread(in_handler(work), waits=True, essential=False)

    with looking():
        wait_until(lambda: caplog.records)
        drained(supervisor)
        wait_until(lambda: supervisor() == b"WATCHDOG=1")


def test_it_says_which_threads_hang_that_all_need(work: Hanging) -> None:
    """One that is somebody's alone is none of them."""
    looks: list[int] = []
    with looking(lambda: looks.append(1)) as watchdog:
        assert watchdog.hanging() == ()
        work.thread(essential=False)
        some_looks(looks)
        assert watchdog.hanging() == ()
        work.thread()
        wait_until(lambda: watchdog.hanging() == ("slow",))
        work.busy_since = 0.0
        wait_until(lambda: watchdog.hanging() == ())


def test_it_says_that_it_hangs_itself(work: Hanging) -> None:
    """Then nobody would notice that others do."""
    looks: list[int] = []

    def revive() -> None:
        looks.append(1)
        if len(looks) > 1:
            work.run()

    watchdog = Watchdog(revive, Supervisor(""), str, interval=0.01, patience=0.05)
    watchdog.start()
    wait_until(lambda: watchdog.hanging() == ("watchdog",))
    work.may_end.set()
    wait_until(lambda: watchdog.hanging() == ())
    watchdog.stop()
