# SPDX-License-Identifier: GPL-2.0-or-later
"""The program under a supervisor such as systemd: what it says, and how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.notified import Notified
from tests.support import PROGRAM, ProxyProcess, StartProxy, free_port, is_listening
from tests.system.peers import host_line

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def systemd() -> Iterator[Notified]:
    """In the place of systemd; what is started is its program, not that of the tests'."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-notify-") as name:
        Path(name).chmod(0o755)
        with Notified(Path(name) / "notify") as one:
            yield one


def environment(systemd: Notified) -> dict[str, str]:
    """Return the environment of a program that *systemd* starts."""
    return {**os.environ, **systemd.environment}


def test_a_start_is_over_when_clients_can_connect(proxy: StartProxy, systemd: Notified) -> None:
    """So "systemctl start" returns when they can."""
    started = proxy(env=environment(systemd))

    assert systemd.next() == {"READY": "1"}
    assert is_listening(started.port)
    with started.client():
        pass


def test_the_status_tells_of_servers_and_clients(proxy: StartProxy, systemd: Notified) -> None:
    """As it is now; "systemctl status" shows it."""
    with SimulatedAsterisk() as asterisk:
        started = proxy(host_line(asterisk), env=environment(systemd))
        systemd.until(STATUS="1 of 1 servers, 0 clients")
        with started.client(), started.client():
            systemd.until(STATUS="1 of 1 servers, 2 clients")
    systemd.until(STATUS="0 of 1 servers, 0 clients")


def test_without_any_server_the_status_says_so(proxy: StartProxy, systemd: Notified) -> None:
    """A freshly installed proxy runs, and is of no use."""
    proxy(env=environment(systemd))

    systemd.until(STATUS="no Asterisk is configured, 0 clients")


def test_a_reload_begins_and_ends(proxy: StartProxy, systemd: Notified) -> None:
    """Also one that nobody asked systemd for (kill -HUP)."""
    started = proxy(env=environment(systemd))
    systemd.until(READY="1")

    started.send_signal(signal.SIGHUP)

    assert "MONOTONIC_USEC" in systemd.until(RELOADING="1")
    systemd.until(READY="1")


def test_a_stop_is_told_before_it_takes_time(proxy: StartProxy, systemd: Notified) -> None:
    """With more time than TimeoutStopSec= may give."""
    started = proxy(env=environment(systemd))
    systemd.until(WATCHDOG="1")

    assert started.stop() == 0

    told = systemd.until(STOPPING="1")
    assert int(told["EXTEND_TIMEOUT_USEC"]) >= 10_000_000


def failing(config: str, *more: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    """Run the program with a configuration that keeps it from starting; return status, stderr."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-failing-") as name:
        path = Path(name) / "amp.conf"
        path.write_text(f"logfile = {name}/log\nproc_user = nobody\n{config}")
        done = subprocess.run(
            [sys.executable, PROGRAM, "-f", "-c", path, "-u", os.devnull, *more],
            env=env, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        return done.returncode, done.stderr.replace(name, "")


def test_a_wrong_configuration_ends_it_for_good(systemd: Notified) -> None:
    """Status 78 is in RestartPreventExitStatus= of the unit; the status shows the problem."""
    code, errors = failing("listenport = x\n", env=environment(systemd))

    assert code == 78
    assert "/amp.conf:3: listenport: " in errors
    assert "amp.conf:3: listenport: " in systemd.next()["STATUS"]


def test_a_wrong_option_ends_it_for_good(systemd: Notified) -> None:
    """OPTIONS in /etc/default is configuration, too."""
    assert failing("", "--nosuch", env=environment(systemd))[0] == 78


@pytest.mark.parametrize("config", ["listenport = x\n"])
def test_at_a_terminal_any_failure_is_1(config: str) -> None:
    """As ever."""
    assert failing(config)[0] == 1


def test_a_port_in_use_is_tried_again(systemd: Notified) -> None:
    """Who has it may leave: systemd starts the proxy again after any status but 78."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        code, errors = failing(f"listenport = {port}\n", env=environment(systemd))

    assert code == 1
    assert "another program listens there" in errors


def test_a_second_proxy_is_tried_again(systemd: Notified, tmp_path: Path) -> None:
    """The first one may be about to end."""
    pidfile = Path(systemd.path).parent / "astmanproxy" / "amp.pid"
    with ProxyProcess(args=["-f", "-p", str(pidfile)]):
        code, errors = failing(
            f"listenport = {free_port()}\n", "-p", str(pidfile), env=environment(systemd)
        )

    assert code == 1
    assert "already running" in errors


def test_a_daemon_has_no_supervisor(systemd: Notified) -> None:
    """What is in the environment is another process's: of a start script, say."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-failing-") as name:
        path = Path(name) / "amp.conf"
        path.write_text("listenport = x\n")
        done = subprocess.run(
            [sys.executable, PROGRAM, "-c", path], env=environment(systemd),
            capture_output=True, timeout=30, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert systemd.nothing()
