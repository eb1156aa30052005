# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon: detaching, pid file, privileges, log, signals."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.conftest import needs_root
from tests.support import PROGRAM, ManagerClient, free_port, is_listening, wait_until


class Daemon:
    """Starts the program as a daemon in a directory of its own, and ends what it started."""

    def __init__(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="astmanproxy-daemon-"))
        self.dir.chmod(0o755)
        self.pids: set[int] = set()
        self.port = free_port()
        self.config = self.dir / "amp.conf"
        self.users = self.dir / "amp.users"
        self.users.write_text("joe=Secret1\n")
        # The name of the directory is ours, so it is made over to proc_user.
        self.run_dir = self.dir / "astmanproxy"
        self.pidfile = self.run_dir / "amp.pid"
        self.log_dir = self.dir / "log"
        self.log_dir.mkdir()
        self.log_dir.chmod(0o777)
        self.log = self.log_dir / "amp.log"
        self.configure()

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            f"listenaddress = 127.0.0.1\nlistenport = {self.port}\nlogfile = {self.log}\n"
            f"pidfile = {self.pidfile}\nproc_user = nobody\n{more}"
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run the program until what the shell sees of it ends."""
        command = [sys.executable, str(PROGRAM), "-c", str(self.config), "-u", str(self.users)]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=30)
        if pid := self.read_pid():
            self.pids.add(pid)
        return done

    def start(self, *arguments: str) -> int:
        """Start it, and return its pid."""
        done = self.run(*arguments)
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
        pid = self.read_pid()
        assert pid is not None
        return pid

    def read_pid(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int(self.pidfile.read_text())
        return None

    def wait_end(self, pid: int, timeout: float = 10.0) -> None:
        wait_until(lambda: not alive(pid), timeout, "the daemon ends")

    def wait_log(self, text: str) -> None:
        wait_until(lambda: text in self.log.read_text(), 10, f"{text!r} in the log")

    def clean(self) -> None:
        for pid in self.pids:
            with contextlib.suppress(OSError, psutil.Error):
                # Only what is ours: the number may be somebody else's by now.
                if str(self.config) in psutil.Process(pid).cmdline():
                    os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.dir)


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def daemon():
    started = Daemon()
    yield started
    started.clean()


def test_start_returns_when_clients_can_connect_and_the_pid_file_is_there(daemon):
    """With exit status 0 and not a word; so a start script needs no sleep."""
    pid = daemon.start()

    assert is_listening(daemon.port)
    process = psutil.Process(pid)
    assert process.name() == "astmanproxy"  # for killall and pgrep, as the C program
    assert process.cwd() == "/"
    assert os.getsid(pid) not in (os.getsid(0), pid)  # no session leader: gets no terminal
    assert process.terminal() is None
    for number in range(3):
        assert os.readlink(f"/proc/{pid}/fd/{number}") == "/dev/null"
    with ManagerClient(daemon.port) as client:
        assert client.read_line().startswith("Asterisk Call Manager Proxy/")


@needs_root
def test_root_is_given_up(daemon):
    """User, group and further groups are those of proc_user, also in threads."""
    nobody = pwd.getpwnam("nobody")

    process = psutil.Process(daemon.start())

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
def test_files_belong_to_the_user(daemon):
    """The log and the pid file; nobody else may read the log."""
    daemon.start()

    assert daemon.log.owner() == daemon.pidfile.owner() == "nobody"
    assert daemon.log.stat().st_mode & 0o777 == 0o640
    assert daemon.log.group() == grp.getgrgid(pwd.getpwnam("nobody").pw_gid).gr_name


@needs_root
def test_proc_group_is_taken(daemon):
    """Instead of the user's own group."""
    daemon.configure("proc_group = daemon\n")

    process = psutil.Process(daemon.start())

    assert set(process.gids()) == {grp.getgrnam("daemon").gr_gid}
    assert daemon.log.group() == "daemon"


def test_a_second_start_is_refused_and_names_the_pid(daemon):
    """The first one goes on; in the foreground with the same pid file too."""
    pid = daemon.start()
    daemon.port = free_port()
    daemon.configure()

    for arguments in ([], ["-f"]):
        done = daemon.run(*arguments)

        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert f"already running, pid {pid} " in done.stderr
    assert alive(pid)
    assert daemon.read_pid() == pid


def test_a_pid_file_left_by_a_crash_is_taken_over(daemon):
    """After kill -9."""
    pid = daemon.start()
    os.kill(pid, signal.SIGKILL)
    daemon.wait_end(pid)
    assert daemon.pidfile.exists()

    assert daemon.start() != pid


@pytest.mark.parametrize("content", ["{alive}\n", "1\n", "", "garbage\n", "-1\n"])
def test_a_pid_file_of_another_program_is_taken_over(daemon, content):
    """The number has been given to somebody else since, or is none."""
    daemon.run_dir.mkdir()
    with subprocess.Popen(["sleep", "60"]) as other:
        daemon.pidfile.write_text(content.format(alive=other.pid))

        pid = daemon.start()

        assert pid != other.pid
        assert other.poll() is None
        other.kill()


def test_it_can_be_started_again_at_once(daemon):
    """Old connections in TIME_WAIT do not keep it from binding."""
    for _ in range(2):
        pid = daemon.start()
        with ManagerClient(daemon.port) as client:
            client.read_line()
            os.kill(pid, signal.SIGTERM)
            daemon.wait_end(pid)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_end_is_orderly(proxy, number):
    """Clients are told, the log too, and the exit status is 0."""
    started = proxy("proc_user = nobody\npidfile = {dir}/amp.pid\n")
    pidfile = started.dir / "amp.pid"
    assert int(pidfile.read_text()) == started.pid
    with started.client() as client:
        client.ask("ProxyAction: ListServers")

        assert started.stop(number) == 0

        assert client.read_to_end() == b"ProxyMessage: Proxy Shutting Down\r\n\r\n"
    assert not pidfile.exists()
    assert started.log().endswith(": Proxy stopped; shutting down.\n")


def test_the_daemon_ends_in_time_with_clients_that_do_not_read(daemon):
    """SIGTERM: within 5 s, and the pid file goes."""
    pid = daemon.start()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(socket.create_connection(("127.0.0.1", daemon.port)))
        os.kill(pid, signal.SIGTERM)
        daemon.wait_end(pid, 6)

    assert not daemon.pidfile.exists()
    assert not is_listening(daemon.port)


def test_foreground_takes_no_pid_file_unless_told(proxy):
    """Supervisors know the pid."""
    started = proxy("proc_user = nobody\n", args=["-f"])

    open_files = [os.readlink(fd) for fd in Path(f"/proc/{started.pid}/fd").iterdir()]

    assert not [name for name in open_files if name.endswith(".pid")]


def test_sighup_reopens_the_log_by_name(daemon):
    """So that logrotate can move it away."""
    pid = daemon.start()
    daemon.wait_log("Proxy Started")
    daemon.log.rename(daemon.log_dir / "amp.log.1")

    os.kill(pid, signal.SIGHUP)

    wait_until(daemon.log.exists)
    daemon.wait_log("Received HUP -- reopened log")
    assert "HUP" not in (daemon.log_dir / "amp.log.1").read_text()


def login(client: ManagerClient, user: str, secret: str) -> bool:
    answer = client.ask("Action: Login", f"Username: {user}", f"Secret: {secret}")
    if answer[0] == "Response: Success":
        client.read_until("Event: FullyBooted")
        return True
    return False


def test_sighup_reads_users_again(daemon):
    """And who is connected stays connected."""
    pid = daemon.start()
    with ManagerClient(daemon.port) as client:
        client.read_line()
        assert not login(client, "new", "n")
        daemon.users.write_text("new=n\n")

        os.kill(pid, signal.SIGHUP)
        daemon.wait_log("Received HUP -- reread permissions")

        assert login(client, "new", "n")
        assert not login(client, "joe", "Secret1")


@pytest.mark.parametrize("breakage", ["missing", "broken"])
def test_sighup_with_unusable_files_changes_nothing(daemon, breakage):
    """It is reported with file and line; a missing users file ended the C program."""
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
    with ManagerClient(daemon.port) as client:
        client.read_line()
        assert login(client, "joe", "Secret1")


@needs_root
def test_sighup_survives_a_log_that_cannot_be_opened(daemon):
    """It goes on with the old one, and says so there."""
    pid = daemon.start()
    daemon.wait_log("Proxy Started")
    moved = daemon.log_dir / "amp.log.1"
    daemon.log.rename(moved)
    daemon.log_dir.chmod(0o755)

    os.kill(pid, signal.SIGHUP)

    wait_until(lambda: "Received HUP -- cannot reopen log: " in moved.read_text())
    with ManagerClient(daemon.port) as client:
        client.read_line()
    wait_until(lambda: "Connection received from 127.0.0.1" in moved.read_text())


def test_sighup_connects_a_server_that_was_added(daemon):
    """Servers change at once; what does not is named."""
    pid = daemon.start()
    with socket.create_server(("127.0.0.1", 0)) as asterisk:
        asterisk.settimeout(10)
        port = asterisk.getsockname()[1]
        daemon.configure(f"host = 127.0.0.1, {port}, u, s, on\nforcebanner = x\n")

        os.kill(pid, signal.SIGHUP)

        asterisk.accept()[0].close()
    daemon.wait_log("Received HUP -- forcebanner: takes effect at the next start")


def test_many_signals_at_once_do_no_harm(daemon):
    """SIGHUP, SIGPIPE, SIGTTOU in a heap."""
    pid = daemon.start()
    for _ in range(50):
        os.kill(pid, signal.SIGHUP)
        os.kill(pid, signal.SIGPIPE)
        os.kill(pid, signal.SIGTTOU)

    with ManagerClient(daemon.port) as client:
        client.read_line()
        assert login(client, "joe", "Secret1")


def test_started_by_nohup_it_still_obeys(daemon):
    """Signals its parent ignored are handled all the same."""
    command = [sys.executable, str(PROGRAM), "-c", str(daemon.config), "-u", str(daemon.users)]
    script = "trap '' HUP INT; exec \"$@\""
    subprocess.run(["sh", "-c", script, "sh", *command], check=True, timeout=30)
    pid = daemon.read_pid()
    assert pid is not None
    daemon.pids.add(pid)

    os.kill(pid, signal.SIGHUP)
    daemon.wait_log("Received HUP -- reread permissions")
    os.kill(pid, signal.SIGINT)
    daemon.wait_end(pid)


def test_it_starts_with_closed_streams(daemon):
    """As from a script that closed everything."""
    command = [sys.executable, str(PROGRAM), "-c", str(daemon.config), "-u", str(daemon.users)]
    subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command], check=True, timeout=30)
    pid = daemon.read_pid()
    assert pid is not None
    daemon.pids.add(pid)

    with ManagerClient(daemon.port) as client:
        client.read_line()


def test_a_log_nobody_drains_holds_nobody_up(daemon):
    """A pipe as log file, and its reader stops reading."""
    pipe = daemon.log_dir / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    daemon.log = pipe
    daemon.configure("maxclients = 0\n")
    try:
        pid = daemon.start()
        begun = time.monotonic()
        for _ in range(1500):  # two lines each, more than a pipe holds
            with ManagerClient(daemon.port) as client:
                client.read_line()
        assert time.monotonic() - begun < 30
        os.kill(pid, signal.SIGTERM)
        daemon.wait_end(pid, 10)
    finally:
        os.close(reader)


@needs_root
def test_not_started_as_root_it_runs_as_who_it_is(daemon):
    """And proc_user, whom it could not become, does not count."""
    daemon.configure("proc_user = root\n")
    daemon.dir.chmod(0o777)
    daemon.run_dir.mkdir()
    daemon.run_dir.chmod(0o777)
    command = [sys.executable, str(PROGRAM), "-c", str(daemon.config), "-u", str(daemon.users)]
    try:
        done = subprocess.run(command, user="nobody", group="nogroup", extra_groups=[],
                              capture_output=True, text=True, timeout=30)  # fmt: skip
    except PermissionError:
        pytest.skip("this Python is out of reach for other users")

    pid = daemon.read_pid()
    assert (done.returncode, done.stderr) == (0, "")
    assert pid is not None
    daemon.pids.add(pid)
    assert psutil.Process(pid).username() == "nobody"
