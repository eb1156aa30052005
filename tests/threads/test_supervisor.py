# SPDX-License-Identifier: GPL-2.0-or-later
"""What systemd is told, and what not; a real socket is in its place."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.errors import ConfigError, PassingError
from amiproxy.threads.supervisor import Supervisor, notify_socket
from tests.notified import Notified

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The fixture "make".
Make = Callable[[str], Supervisor]


@pytest.fixture
def make() -> Iterator[Make]:
    """Make a Supervisor, which is closed after the test."""
    made: list[Supervisor] = []

    def start(path: str) -> Supervisor:
        made.append(Supervisor(path))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Notified]:
    with Notified(tmp_path / "notify") as one:
        yield one


def test_a_reload_says_when_it_began_by_the_clock_of_systemd(make: Make, systemd: Notified) -> None:
    """That it is ready again is said whatever happens."""
    supervisor = make(systemd.path)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

    def fail() -> None:
        with supervisor.reloading():
            raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        fail()

    begin = systemd.next()
    assert begin["RELOADING"] == "1"
    assert before <= int(begin["MONOTONIC_USEC"]) <= time.clock_gettime_ns(1) // 1000
    assert systemd.next() == {"READY": "1"}


def test_a_status_is_said_once_and_in_one_line(make: Make, systemd: Notified) -> None:
    """Lines of a datagram are assignments."""
    supervisor = make(systemd.path)

    for status in ("one", "one", "two\nREADY=1", "x" * 1000):
        supervisor.describe(status)

    assert [systemd.next()["STATUS"] for _ in range(3)] == ["one", "two READY=1", "x" * 200]
    assert systemd.nothing()


def test_a_status_that_did_not_go_is_said_again(make: Make, systemd: Notified) -> None:
    """Systemd may be busy; nobody waits for it."""
    supervisor = make(systemd.path)
    for number in range(10_000):
        supervisor.describe(f"{number}")  # more than the queue holds
    systemd.drain()

    supervisor.describe("9999")

    assert systemd.next() == {"STATUS": "9999"}


def test_more_time_is_asked_for_where_it_is_needed(make: Make, systemd: Notified) -> None:
    """In microseconds."""
    supervisor = make(systemd.path)

    supervisor.waiting(60.0, "port 1 is kept")
    supervisor.stopping(12.5)

    assert systemd.next() == {"EXTEND_TIMEOUT_USEC": "60000000", "STATUS": "port 1 is kept"}
    assert systemd.next() == {
        "STOPPING": "1", "EXTEND_TIMEOUT_USEC": "12500000", "STATUS": "Stopping",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("micros", "pid", "is_fed"),
    [("10", "", True), ("10", "ours", True), ("10", "1", False), ("", "", False),
     ("soon", "", False)],
)  # fmt: skip
def test_the_watchdog_is_fed_where_it_waits_for_this_process(
    micros: str,
    pid: str,
    is_fed: bool,
    make: Make,
    systemd: Notified,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The variables may be another process's, or nonsense."""
    for name, value in (("WATCHDOG_USEC", micros), ("WATCHDOG_PID", pid)):
        monkeypatch.delenv(name, raising=False)
        if value:
            monkeypatch.setenv(name, value.replace("ours", str(os.getpid())))

    make(systemd.path).feed()

    systemd.drain()
    assert systemd.heard == [{"WATCHDOG": "1"}] * is_fed


@pytest.mark.parametrize("path", ["", "notify", "vsock:2:1", "/nosuch/notify"])
def test_without_a_supervisor_nothing_is_done(
    path: str, make: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot be reached is named in the log; a status of 1 is for people."""
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    supervisor = make(notify_socket())

    supervisor.ready()
    with supervisor.reloading():
        supervisor.feed()
    supervisor.stopping(1.0)

    assert not supervisor.is_there
    assert supervisor.failed(ConfigError("f:1: wrong")) == 1
    assert bool(caplog.messages) == ("nosuch" in path)
    supervisor.close()


def test_a_socket_without_a_file_is_reached(make: Make) -> None:
    """As containers have it: its name begins with @."""
    with Notified(f"@astmanproxy-{os.getpid()}") as systemd:
        make(systemd.path).ready()

        assert systemd.next() == {"READY": "1"}


def test_a_closed_one_says_nothing(make: Make, systemd: Notified) -> None:
    supervisor = make(systemd.path)
    supervisor.close()

    supervisor.ready()

    assert systemd.nothing()
    assert supervisor.files == []


@pytest.mark.parametrize(
    ("error", "status"), [(ConfigError("f:1: wrong", "f:2: too"), 78), (PassingError("busy"), 1)]
)
def test_a_start_that_fails_has_a_status_that_says_whether_to_try_again(
    error: ConfigError, status: int, make: Make, systemd: Notified
) -> None:
    """RestartPreventExitStatus=78 in the unit; "systemctl status" shows the first problem."""
    assert make(systemd.path).failed(error) == status
    assert systemd.next() == {"STATUS": error.problems[0]}


def test_a_path_may_hold_any_bytes(make: Make, systemd: Notified) -> None:
    """The name of a broken file is told, and the exit status is as for any other."""
    supervisor = make(systemd.path)

    assert supervisor.failed(ConfigError("/etc/\udcff.conf:1: wrong")) == 78

    assert systemd.next() == {"STATUS": "/etc/\\udcff.conf:1: wrong"}


def test_a_socket_that_no_system_has_is_told_of(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """With a reason, also where that is not the kernel's."""
    make(f"/{'x' * 200}")

    assert caplog.messages == [f"NOTIFY_SOCKET /{'x' * 200}: AF_UNIX path too long"]
