# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon: detaching, pid file, privileges, and how it starts and ends."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.conftest import needs_root
from tests.support import ManagerClient, StartProxy, free_port, is_listening
from tests.system.daemons import Daemon, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Daemon, psutil.Process]]:
    """A started daemon and its process, for tests that only look."""
    with Daemon() as daemon:
        yield daemon, psutil.Process(daemon.start())


def test_start_returns_when_clients_can_connect_and_the_pid_file_is_there(
    running: tuple[Daemon, psutil.Process],
) -> None:
    """It exits with status 0 and prints nothing, so a start script needs no sleep."""
    daemon, process = running

    assert is_listening(daemon.port)
    assert process.name() == "astmanproxy"  # for killall and pgrep, as the C program
    assert process.cwd() == "/"
    # No session leader: it cannot get a controlling terminal.
    assert os.getsid(process.pid) not in (os.getsid(0), process.pid)
    assert process.terminal() is None
    for number in range(3):
        assert Path(f"/proc/{process.pid}/fd/{number}").readlink() == Path("/dev/null")
    with ManagerClient(daemon.port) as client:
        assert client.read_line().startswith("Asterisk Call Manager Proxy/")


@needs_root
def test_it_drops_the_privileges_of_root(running: tuple[Daemon, psutil.Process]) -> None:
    """User, group and supplementary groups are those of proc_user, also in threads."""
    _, process = running
    nobody = pwd.getpwnam("nobody")

    assert set(process.uids()) == {nobody.pw_uid}
    assert set(process.gids()) == {nobody.pw_gid}
    status = Path(f"/proc/{process.pid}/status").read_text()
    groups = next(line for line in status.splitlines() if line.startswith("Groups:"))
    assert {int(group) for group in groups.split()[1:]} == set(
        os.getgrouplist("nobody", nobody.pw_gid)
    )
    for thread in Path(f"/proc/{process.pid}/task").iterdir():
        assert f"Uid:\t{nobody.pw_uid}\t{nobody.pw_uid}" in (thread / "status").read_text()


@needs_root
def test_its_files_belong_to_proc_user(running: tuple[Daemon, psutil.Process]) -> None:
    """Log and pid file; the log is not readable for others."""
    daemon, _ = running

    assert daemon.log.owner() == daemon.pidfile.owner() == "nobody"
    assert daemon.log.stat().st_mode & 0o777 == 0o640
    assert daemon.log.group() == grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name


@needs_root
def test_proc_group_replaces_the_group_of_the_user(daemon: Daemon) -> None:
    """For the process and for its log."""
    daemon.configure("proc_group = daemon\n")
    for path in (daemon.config, daemon.users):
        os.chown(path, -1, grp.getgrnam("daemon").gr_gid)

    process = psutil.Process(daemon.start())

    assert set(process.gids()) == {grp.getgrnam("daemon").gr_gid}
    assert daemon.log.group() == "daemon"


def test_a_second_start_is_refused_and_names_the_pid(daemon: Daemon) -> None:
    """The first one goes on; so it is in the foreground with the same pid file."""
    pid = daemon.start()
    daemon.port = free_port()
    daemon.configure()

    for arguments in ([], ["-f"]):
        done = daemon.run(*arguments)

        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert f"already running, pid {pid} " in done.stderr
    assert is_alive(pid)
    assert daemon.read_pid() == pid


def test_the_pid_file_of_a_crashed_daemon_is_taken_over(daemon: Daemon) -> None:
    """After kill -9."""
    pid = daemon.start()
    os.kill(pid, signal.SIGKILL)
    daemon.wait_end(pid)
    assert daemon.pidfile.exists()

    assert daemon.start() != pid


@pytest.mark.parametrize("content", ["{alive}\n", "", "-1\n"])
def test_a_pid_file_of_another_program_is_taken_over(daemon: Daemon, content: str) -> None:
    """Its number belongs to another process by now, or is not a pid at all."""
    daemon.run_dir.mkdir()
    daemon.run_dir.chmod(0o777)
    with subprocess.Popen(["sleep", "60"]) as other:
        daemon.pidfile.write_text(content.format(alive=other.pid))

        pid = daemon.start()

        assert pid != other.pid
        assert other.poll() is None
        other.kill()


def test_it_can_be_started_again_at_once(daemon: Daemon) -> None:
    """Old connections in TIME_WAIT do not keep it from binding."""
    for _ in range(2):
        pid = daemon.start()
        with daemon.client():
            os.kill(pid, signal.SIGTERM)
            daemon.wait_end(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(proxy: StartProxy, number: signal.Signals) -> None:
    """Clients get a message, the log a line, and the exit status is 0."""
    started = proxy("pidfile = {dir}/amp.pid\n")
    pidfile = started.dir / "amp.pid"
    assert int(pidfile.read_text()) == started.pid
    with started.client() as client:
        client.ask("ProxyAction: ListServers")

        assert started.stop(number) == 0

        assert client.read_to_end() == b"ProxyMessage: Proxy Shutting Down\r\n\r\n"
    assert not pidfile.exists()
    assert started.log().endswith(": Proxy stopped; shutting down.\n")


def test_it_ends_in_time_with_clients_that_do_not_read(daemon: Daemon) -> None:
    """Within 5 seconds of SIGTERM, and the pid file is removed."""
    pid = daemon.start()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", daemon.port)))
        os.kill(pid, signal.SIGTERM)
        daemon.wait_end(pid, 6)

    assert not daemon.pidfile.exists()
    assert not is_listening(daemon.port)


def test_in_the_foreground_there_is_no_pid_file_by_default(proxy: StartProxy) -> None:
    """A supervisor knows the pid."""
    started = proxy(args=["-f"])

    open_files = [fd.readlink() for fd in Path(f"/proc/{started.pid}/fd").iterdir()]

    assert not [path for path in open_files if path.suffix == ".pid"]


def test_it_starts_with_closed_standard_streams(daemon: Daemon) -> None:
    """As from a script that closed all three."""
    daemon.started(
        daemon.run_command(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *daemon.command])
    )

    daemon.client().close()


def test_a_log_that_is_not_read_stops_nothing(daemon: Daemon) -> None:
    """The log file is a pipe, and its reader stops reading."""
    pipe = daemon.log_dir / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    daemon.log_dir.chmod(0o755)  # where others could put a pipe, none is opened
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    daemon.log = pipe
    daemon.configure("maxclients = 0\n")
    try:
        pid = daemon.start()
        begun = time.monotonic()
        for _ in range(900):  # two lines each, together more than the 64 kB of a pipe
            daemon.client().close()
        assert time.monotonic() - begun < 30
        os.kill(pid, signal.SIGTERM)
        daemon.wait_end(pid, 10)
    finally:
        os.close(reader)


@needs_root
def test_not_started_as_root_it_keeps_its_user(daemon: Daemon) -> None:
    """It could not become proc_user, so that has no effect."""
    daemon.configure("proc_user = root\n")
    daemon.run_dir.mkdir()
    daemon.run_dir.chmod(0o777)
    try:
        done = daemon.run_command(daemon.command, user="nobody", group="nogroup", extra_groups=[])
    except PermissionError:
        pytest.skip("this Python is out of reach for other users")

    assert psutil.Process(daemon.started(done)).username() == "nobody"
