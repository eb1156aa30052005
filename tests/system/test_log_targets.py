# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the log goes, in which form, and from which level on."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs_root
from tests.support import ProxyProcess, wait_until
from tests.system.people import closed, log_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import StartProxy
    from tests.system.daemons import Daemon


class Supervised(ProxyProcess):
    """A proxy whose stderr is the journal, as far as the environment says (systemd.exec(5))."""

    def _start(self, command: list[str], env: dict[str, str] | None) -> None:
        shell = 'JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$@"'
        super()._start(["sh", "-c", shell, "sh", *command], env)


class WithJournal(ProxyProcess):
    """A proxy that finds a journal, a socket in *directory*."""

    def __init__(self, directory: Path, config: str) -> None:
        self._directory = directory
        super().__init__(config, fresh=True)

    def _start(self, command: list[str], env: dict[str, str] | None) -> None:
        shell = (
            'mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind "$0"'
            ' /run/systemd/journal && exec "$@"'
        )
        super()._start(["unshare", "-m", "sh", "-c", shell, str(self._directory), *command], env)


def fail_to_log_in(program: ProxyProcess) -> None:
    with program.client() as client:
        log_in(client, "joe", "wrong")


def test_json_in_the_file(proxy: StartProxy) -> None:
    """Each line is an object, from the first to the last."""
    program = proxy(closed(more="logformat = json\n"), "joe=secret")
    fail_to_log_in(program)
    assert program.stop() == 0

    said = [json.loads(line) for line in program.log().splitlines()]
    failure = 'login failed from 127.0.0.1 as "joe": wrong user or secret'
    assert [(each["level"], each["module"]) for each in said if each["message"] == failure] == [
        ("warning", "actions")
    ]
    assert said[-1]["message"] == "Proxy stopped; shutting down."


def test_the_log_on_stdout(proxy: StartProxy) -> None:
    """As an image for containers wants it: in the lines of the file."""
    program = proxy(closed(more="logfile = stdout\n"), "joe=secret")
    fail_to_log_in(program)
    assert program.stop() == 0

    assert ': login failed from 127.0.0.1 as "joe": ' in program.stdout()
    assert program.stdout().endswith(": Proxy stopped; shutting down.\n")
    assert "login failed" not in program.stderr()


def test_warnings_of_the_start_are_once_on_stderr(proxy: StartProxy) -> None:
    """Where the log goes there, too; and so is what ends it."""
    program = proxy(closed(more="logfile = stderr\nnosuch = 1\n"))
    wait_until(lambda: "Proxy Started" in program.stderr(), what="the start in the log")
    program.stop()
    assert program.stderr().count("unknown key nosuch") == 1

    with pytest.raises(AssertionError) as failure:
        proxy(closed(more="logfile = stderr\nhandlerdir = /nosuch\n"))
    assert str(failure.value).count("/nosuch is not a directory") == 1


def test_levels_on_a_stream_of_the_journal() -> None:
    """Lines begin with their priority, and have no time, which is the journal's."""
    with Supervised(closed(more="logfile = stderr\n"), "joe=secret", fresh=True) as program:
        fail_to_log_in(program)
        program.stop()

        lines = program.stderr().splitlines()
    assert '<4>login failed from 127.0.0.1 as "joe": wrong user or secret' in lines
    assert lines[-1] == "<6>Proxy stopped; shutting down."


def test_the_journal_of_a_service_tells_of_the_proxy_though_its_log_is_a_file() -> None:
    """Of itself and its servers, not of clients; the file has both."""
    with Supervised(closed(more="nosuch = 1\n"), "joe=secret", fresh=True) as program:
        fail_to_log_in(program)
        program.stop()

        lines = program.stderr().splitlines()
        assert "login failed" in program.log()
    assert sum("unknown key nosuch" in line for line in lines) == 1
    assert "<6>Proxy Started: Listening for connections" in lines
    assert lines[-1] == "<6>Proxy stopped; shutting down."
    assert not any("127.0.0.1" in line for line in lines if "<6>listens on" not in line)


@needs_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="unshare is not installed")
def test_the_journal(tmp_path: Path) -> None:
    """Entries in its own protocol, with their priorities."""
    tmp_path.chmod(0o755)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "socket"))
        (tmp_path / "socket").chmod(0o666)
        with WithJournal(tmp_path, closed(more="logfile = journal\n")) as program:
            journal.settimeout(10)
            entries = [journal.recv(65536)]
            while b"Proxy Started" not in entries[-1]:
                entries.append(journal.recv(65536))
            assert program.stop() == 0
        while b"shutting down" not in entries[-1]:
            entries.append(journal.recv(65536))
    assert any(b"\nMESSAGE=Proxy Started: Listening for connections\n" in e for e in entries)
    assert all(e.startswith(b"PRIORITY=") for e in entries)


def test_a_daemon_has_no_stderr(daemon: Daemon) -> None:
    """It says so where it is started, and what to do."""
    daemon.configure("logfile = stderr\n")
    started = daemon.run()

    assert started.returncode == 1
    assert "logfile: a daemon has no stderr: start it with -f, or name a file" in started.stderr


def test_loglevel_changes_at_sighup(proxy: StartProxy) -> None:
    """What is less serious is not there; who connects is said again when the file says so."""
    program = proxy(closed(more="loglevel = warning\nlogfile = {dir}/astmanproxy.log\n"), "joe=x")
    fail_to_log_in(program)
    program.wait_log("login failed from 127.0.0.1")
    assert "Connection received" not in program.log()

    program.write_config(closed(more="loglevel = debug\nlogfile = {dir}/astmanproxy.log\n"))
    program.send_signal(signal.SIGHUP)

    def is_told() -> bool:
        fail_to_log_in(program)
        return "Connection received" in program.log() and ": 'login'\n" in program.log()

    wait_until(is_told, what="a debug line in the log")
