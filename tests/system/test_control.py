# SPDX-License-Identifier: GPL-2.0-or-later
"""``--control``: the operator asks the running proxy, found as the options of the start say."""

from __future__ import annotations

import getpass
import json
import os
import signal
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from amiproxy import __version__
from amiproxy.commands import control
from amiproxy.process.options import Options
from amiproxy.settings.config import Config
from amiproxy.threads.control.client import Told, ask
from tests.system.daemons import logs_in

if TYPE_CHECKING:
    from tests.system.daemons import Daemon


def shell(daemon: Daemon, command: str, *options: str) -> tuple[int, str, str]:
    """Return exit status, output and errors of ``--control``."""
    done = daemon.run("--control", command, *options)
    return done.returncode, done.stdout, done.stderr


def told(daemon: Daemon, command: str) -> Told:
    """Return what *daemon* says to *command*, asked without a shell."""
    return ask(str(daemon.pidfile.with_suffix(".sock")), command, timeout=10)


def test_the_socket_is_beside_the_pid_file_for_its_owner_alone(daemon: Daemon) -> None:
    """It goes with the proxy."""
    pid = daemon.start()
    path = daemon.pidfile.with_suffix(".sock")

    info = path.stat()
    assert stat.S_ISSOCK(info.st_mode)
    assert stat.S_IMODE(info.st_mode) == 0o600
    assert info.st_uid == daemon.pidfile.stat().st_uid
    assert shell(daemon, "version")[1].startswith(f"astmanproxy {__version__}, pid {pid}, since ")
    assert json.loads(shell(daemon, "version", "--json")[1])["pid"] == pid

    os.kill(pid, signal.SIGTERM)
    daemon.wait_end(pid)

    assert not path.exists()
    status, _, said = shell(daemon, "version")
    assert (status, "no proxy runs with this configuration" in said) == (3, True)


def test_the_proxy_of_the_unit_is_found_whatever_the_configuration_says(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The unit names the usual pid file; a configuration of the C program's another one."""
    daemon.start()
    elsewhere = daemon.dir / "elsewhere.conf"
    elsewhere.write_text(f"pidfile = {daemon.dir}/nosuch/amp.pid\n")
    usual = Config(pidfile=str(daemon.pidfile))
    monkeypatch.setattr(control, "Config", lambda: usual)

    found = control.find_socket(Options(config=str(elsewhere)))

    assert found == str(daemon.pidfile.with_suffix(".sock"))
    named = control.find_socket(Options(config=str(elsewhere), pidfile="/nosuch/amp.pid"))
    assert named == "/nosuch/amp.sock"


def test_a_reload_answers_with_what_it_read_and_every_problem(daemon: Daemon) -> None:
    """SIGHUP cannot tell anybody; exit status 1 is for the supervisor."""
    daemon.start()
    daemon.users.write_text("joe=Secret1\nnew=n\n")

    status, said, errors = shell(daemon, "reload")

    assert (status, errors) == (0, "")
    assert "reread permissions\n" in said
    assert "changed: user 'new' added\n" in said
    with daemon.client() as client:
        assert logs_in(client, "new", "n")
    daemon.config.write_text("maxclients = x\n")
    daemon.users.write_text("=x\n")

    # The broken file says neither where the pid file is nor its socket.
    status, said, errors = shell(daemon, "reload", "-p", str(daemon.pidfile))

    assert (status, said) == (1, "")
    for problem in (f"{daemon.users}:1: ", f"{daemon.config}:1: maxclients: "):
        assert f"problem: {problem}" in errors
    assert "problem: the users stay as they were\n" in errors
    daemon.wait_log(" -- the configuration stays as it was")


def test_the_level_of_the_log_changes_until_the_next_reload(daemon: Daemon) -> None:
    """And what asks for it is in the log in any case."""
    daemon.start()

    done = told(daemon, "loglevel debug control")

    assert done == Told(True, b"logged is from: info, control debug\n")
    assert b"no such level; there is: " in told(daemon, "loglevel loud").text
    daemon.wait_log(f": control: {getpass.getuser()}: loglevel debug control\n")


def test_it_ends_in_order(daemon: Daemon) -> None:
    """As by SIGTERM; whoever asked is told first."""
    pid = daemon.start()

    assert told(daemon, "shutdown") == Told(True, b"it ends now\n")

    daemon.wait_end(pid)
    daemon.wait_log("Proxy stopped; shutting down.")


def test_an_unknown_command_fails(daemon: Daemon) -> None:
    """With a word on where to look; one of two lines is none."""
    daemon.start()

    assert shell(daemon, "nosuch") == (1, "", "'nosuch' is no command; help lists them\n")
    assert shell(daemon, "help\nversion") == (1, "", "a command is one line\n")


def test_who_reads_the_answer_may_stop(daemon: Daemon) -> None:
    """``astmanproxy --control help | head``: no word of a broken pipe."""
    daemon.start()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*daemon.command, "--control", "help"], stdout=writing, stderr=subprocess.PIPE,
        timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_socket_may_be_elsewhere_or_nowhere(daemon: Daemon) -> None:
    """``controlsocket``: a path, or no."""
    path = daemon.log_dir / "c.sock"
    daemon.configure(f"controlsocket = {path}\n")
    pid = daemon.start()

    assert shell(daemon, "version")[0] == 0
    assert path.exists()
    assert not daemon.pidfile.with_suffix(".sock").exists()
    os.kill(pid, signal.SIGTERM)
    daemon.wait_end(pid)
    daemon.configure("controlsocket = no\n")
    daemon.start()

    assert [each.name for each in daemon.run_dir.iterdir()] == [daemon.pidfile.name]
    assert shell(daemon, "version") == (4, "", "there is no control socket: controlsocket = no\n")


def test_one_that_cannot_be_made_is_named_with_its_line(daemon: Daemon) -> None:
    """The proxy does not start without what the operator asked for."""
    daemon.configure("controlsocket = /nonexistent/c.sock\n")

    done = daemon.run()

    assert done.returncode == 1
    assert (
        f"{daemon.config}:6: Cannot make control socket /nonexistent/c.sock: there is no directory"
        " /nonexistent; make it, and chown it to nobody\n"
    ) in done.stderr


def test_after_a_crash_the_next_start_replaces_it(daemon: Daemon) -> None:
    """The socket of before leads nowhere, and says so."""
    pid = daemon.start()
    os.kill(pid, signal.SIGKILL)
    daemon.wait_end(pid)
    status, _, said = shell(daemon, "version")
    assert (status, "it has left the control socket" in said) == (3, True)

    daemon.start()

    assert told(daemon, "version").is_good


@pytest.mark.parametrize("hanging", ["users", "config"])
def test_other_commands_are_answered_while_a_reload_hangs(daemon: Daemon, hanging: str) -> None:
    """A file has become a FIFO that nobody writes to."""
    pid = daemon.start()
    file = getattr(daemon, hanging)
    file.unlink()
    os.mkfifo(file, 0o666)
    file.chmod(0o666)
    os.kill(pid, signal.SIGHUP)

    assert told(daemon, "version").is_good
