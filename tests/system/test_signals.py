# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals to the daemon: SIGHUP rereads its files, the others do no harm."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs_root
from tests.support import wait_until
from tests.system.daemons import Daemon, logs_in

if TYPE_CHECKING:
    from pathlib import Path


def test_sighup_reopens_the_log_by_name(daemon: Daemon) -> None:
    """So logrotate can move it away."""
    pid = daemon.start()
    daemon.wait_log("Proxy Started")
    daemon.log.rename(daemon.log_dir / "amp.log.1")

    os.kill(pid, signal.SIGHUP)

    wait_until(daemon.log.exists)
    daemon.wait_log("Received HUP -- reopened log")
    assert "HUP" not in (daemon.log_dir / "amp.log.1").read_text()


def test_sighup_rereads_the_users_and_keeps_connections(daemon: Daemon) -> None:
    """A new user can log in over a connection from before, a removed one cannot."""
    pid = daemon.start()
    with daemon.client() as client:
        assert not logs_in(client, "new", "n")
        daemon.users.write_text("new=n\n")

        os.kill(pid, signal.SIGHUP)
        daemon.wait_log("Received HUP -- changed: user 'joe' removed, user 'new' added")

        assert logs_in(client, "new", "n")
        assert not logs_in(client, "joe", "Secret1")


@pytest.mark.parametrize("breakage", ["missing", "broken"])
def test_sighup_with_unusable_files_changes_nothing(daemon: Daemon, breakage: str) -> None:
    """The log names file and line; a missing users file ended the C program."""
    pid = daemon.start()
    if breakage == "missing":
        daemon.users.unlink()
        daemon.config.unlink()
    else:
        daemon.users.write_text("=x\n")
        daemon.config.write_text("listenport = x\n")

    os.kill(pid, signal.SIGHUP)

    daemon.wait_log("Received HUP -- the users stay as they were")
    daemon.wait_log("Received HUP -- the configuration stays as it was")
    if breakage == "broken":
        daemon.wait_log(f"{daemon.users}:1: ")
        daemon.wait_log(f"{daemon.config}:1: listenport: ")
    with daemon.client() as client:
        assert logs_in(client, "joe", "Secret1")


@needs_root
def test_sighup_goes_on_with_the_old_log_if_the_new_one_cannot_be_opened(daemon: Daemon) -> None:
    """The old log says so."""
    pid = daemon.start()
    daemon.wait_log("Proxy Started")
    moved = daemon.log_dir / "amp.log.1"
    daemon.log.rename(moved)
    daemon.log_dir.chmod(0o755)

    os.kill(pid, signal.SIGHUP)

    wait_until(lambda: "Received HUP -- cannot reopen log: " in moved.read_text())
    assert "user nobody may make no file in " in moved.read_text()
    daemon.client().close()
    wait_until(lambda: "Connection received from 127.0.0.1" in moved.read_text())


def test_sighup_connects_to_a_server_that_was_added(daemon: Daemon) -> None:
    """Servers change at once; the log names the settings that do not."""
    pid = daemon.start()
    with socket.create_server(("127.0.0.1", 0)) as asterisk:
        asterisk.settimeout(10)
        port = asterisk.getsockname()[1]
        daemon.configure(f"host = 127.0.0.1, {port}, u, s, on\nforcebanner = x\n")

        os.kill(pid, signal.SIGHUP)

        asterisk.accept()[0].close()
    daemon.wait_log("Received HUP -- forcebanner: takes effect at the next start")
    daemon.wait_log(f"Received HUP -- changed: server 127.0.0.1:{port} added")
    status = daemon.run("--status").stdout
    assert "warning: not in force before the next start: forcebanner" in status


def test_many_signals_at_once_do_no_harm(daemon: Daemon) -> None:
    """SIGHUP, SIGPIPE and SIGTTOU, 50 of each."""
    pid = daemon.start()
    for _ in range(50):
        os.kill(pid, signal.SIGHUP)
        os.kill(pid, signal.SIGPIPE)
        os.kill(pid, signal.SIGTTOU)

    with daemon.client() as client:
        assert logs_in(client, "joe", "Secret1")


def test_signals_that_its_parent_ignored_are_handled(daemon: Daemon) -> None:
    """As when it was started by nohup."""
    script = "trap '' HUP INT; exec \"$@\""
    pid = daemon.started(daemon.run_command(["sh", "-c", script, "sh", *daemon.command]))

    os.kill(pid, signal.SIGHUP)
    daemon.wait_log("Received HUP -- reread permissions")
    os.kill(pid, signal.SIGINT)
    daemon.wait_end(pid)


@pytest.mark.parametrize("file", ["users", "config"])
def test_sigterm_works_while_a_sighup_hangs(daemon: Daemon, file: str) -> None:
    """A file has become a FIFO that nobody writes to; one more SIGHUP waits its turn."""
    pid = daemon.start()
    daemon.wait_log("Proxy Started")
    log = daemon.log.open()
    hanging: Path = getattr(daemon, file)
    hanging.unlink()
    os.mkfifo(hanging, 0o666)
    hanging.chmod(0o666)
    os.kill(pid, signal.SIGHUP)
    said = log.read()

    def signalled() -> bool:
        nonlocal said
        os.kill(pid, signal.SIGHUP)
        said += log.read()
        return "Received HUP -- follows the one that takes " in said

    wait_until(signalled)
    with daemon.client() as client:
        assert client.ask("Action: Ping")[0] == "Response: Error"

    os.kill(pid, signal.SIGTERM)

    daemon.wait_end(pid)
    said += log.read()
    assert said.count("follows the one") == 1
    assert "Proxy stopped; shutting down." in said
    log.close()


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGXCPU])
def test_further_signals_that_stop_it_in_order(daemon: Daemon, number: signal.Signals) -> None:
    """As SIGTERM does, with a line that says which; the pid file goes."""
    pid = daemon.start()

    os.kill(pid, number)

    daemon.wait_end(pid)
    assert f": Received {number.name[3:]} -- stopping\n" in daemon.log.read_text()
    assert daemon.log.read_text().endswith(": Proxy stopped; shutting down.\n")
    assert not daemon.pidfile.exists()


def test_other_signals_are_ignored_with_a_line(daemon: Daemon) -> None:
    """Each would end a program that knows nothing of it, without a word."""
    pid = daemon.start()
    # Python 3.9 and 3.10 do not know STKFLT.
    names = [name for name in ("USR1", "USR2", "ALRM", "STKFLT", "VTALRM", "PROF", "IO", "PWR")
             if hasattr(signal, f"SIG{name}")]  # fmt: skip
    numbers = [*(getattr(signal, f"SIG{name}") for name in names), signal.SIGRTMIN + 3]
    for number in numbers:
        os.kill(pid, number)

    for name in (*names, f"signal {numbers[-1]}"):
        daemon.wait_log(f"Received {name} -- ignored: SIGHUP reloads, SIGTERM stops")
    with daemon.client() as client:
        assert logs_in(client, "joe", "Secret1")
