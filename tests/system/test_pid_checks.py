# SPDX-License-Identifier: GPL-2.0-or-later
"""What root signals: the proxy, and nothing else whose number stands in the pid file."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs_root
from tests.support import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.daemons import Daemon

pytestmark = needs_root

SCRIPT = ROOT / "init/astmanproxy.init"


def script(daemon: Daemon, action: str) -> int:
    """Run the System V script; return its exit status."""
    done = subprocess.run(
        [SCRIPT, action],
        env={**os.environ, "PIDFILE": str(daemon.pidfile)},
        capture_output=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode


@pytest.fixture(params=["editor", "namesake", "linked", "holder"])
def innocent(request: pytest.FixtureRequest, daemon: Daemon) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like the proxy, and whose number stands in the pid file.

    An editor that has our file open; a program of our name; one that has locked a file of its
    own, to which the pid file is a link; one of another name that has locked the pid file.
    """
    daemon.run_dir.mkdir()
    program = "tail"
    if request.param in ("namesake", "linked"):
        program = str(daemon.dir / "astmanproxy-copy" / "astmanproxy")
        (daemon.dir / "astmanproxy-copy").mkdir()
        shutil.copy(shutil.which("tail") or "", program)
    command = [program, "-f", str(daemon.config), "/usr/local/sbin/astmanproxy"]
    locked = daemon.dir / "other.pid" if request.param == "linked" else daemon.pidfile
    if request.param in ("linked", "holder"):
        command = ["flock", "--no-fork", str(locked), *command]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        locked.write_text(f"{process.pid}\n")
        if locked != daemon.pidfile:
            daemon.pidfile.symlink_to(locked)
        wait_until(
            lambda: Path(f"/proc/{process.pid}/comm").read_text() in ("tail\n", "astmanproxy\n")
        )
        yield process
        process.kill()


def test_the_script_signals_no_other_process(
    daemon: Daemon, innocent: subprocess.Popen[bytes]
) -> None:
    """To it the proxy is dead."""
    assert [script(daemon, action) for action in ("status", "reload", "stop")] == [1, 7, 0]
    assert innocent.poll() is None


def test_the_script_reads_a_pid_or_nothing(daemon: Daemon) -> None:
    """Not -1, which would be every process, nor a number with anything around it."""
    pid = daemon.start()
    for text in ("-1", "1", "0", f"{pid} 1", f"-{pid}", f"+{pid}", "", f"0{pid}", "x"):
        daemon.pidfile.write_text(f"{text}\n")

        assert [script(daemon, action) for action in ("status", "reload")] == [1, 7], text

    daemon.pidfile.write_text(f"{pid}\n")
    assert [script(daemon, action) for action in ("status", "reload", "stop")] == [0, 0, 0]
    daemon.wait_end(pid)


def rotate(daemon: Daemon) -> subprocess.CompletedProcess[str]:
    """Rotate the log of *daemon* by the file that make install would write."""
    adapted = subprocess.run(
        [ROOT / "init/adapt", "logrotate", daemon.config, daemon.dir / "etc"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert adapted.stderr == ""
    (daemon.dir / "etc" / "init.d").mkdir(parents=True)
    shutil.copy(SCRIPT, daemon.dir / "etc" / "init.d" / "astmanproxy")
    rules = daemon.dir / "rotate.conf"
    rules.write_text(adapted.stdout)
    rules.chmod(0o644)
    return subprocess.run(
        ["logrotate", "-f", "-s", str(daemon.dir / "state"), str(rules)],
        env={**os.environ, "PIDFILE": str(daemon.pidfile)},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


needs_logrotate = pytest.mark.skipif(
    shutil.which("logrotate") is None, reason="logrotate is not installed"
)


def give_log_away(daemon: Daemon) -> None:
    """Make the directory of the log proc_user's, as make install does."""
    daemon.log_dir.chmod(0o755)
    shutil.chown(daemon.log_dir, "nobody")


@needs_logrotate
def test_logrotate_rotates_as_the_owner_of_the_log(daemon: Daemon) -> None:
    """The proxy writes to the new one, which is as the old one was."""
    give_log_away(daemon)
    daemon.start()
    daemon.wait_log("Proxy Started")

    assert rotate(daemon).stderr == ""

    daemon.wait_log("Received HUP -- reopened log")
    assert (daemon.log_dir / "amp.log.1").is_file()
    assert (daemon.log.owner(), daemon.log.stat().st_mode & 0o777) == ("nobody", 0o640)


@needs_logrotate
def test_logrotate_signals_no_other_process(
    daemon: Daemon, innocent: subprocess.Popen[bytes]
) -> None:
    """Whatever stands in the pid file."""
    give_log_away(daemon)
    daemon.log.write_text("a line\n")
    shutil.chown(daemon.log, "nobody")

    assert rotate(daemon).stderr == ""

    assert (daemon.log_dir / "amp.log.1").is_file()
    assert innocent.poll() is None


@pytest.mark.parametrize(
    ("config", "log", "user"),
    [
        ("logfile = /a/B.log ; x\nproc_user = daemon\n", "/a/B.log", "daemon daemon"),
        ('LogFile = "/a/b"\nproc_user=daemon\nproc_group = "nogroup"', "/a/b", "daemon nogroup"),
        ("logfile=/a/1\nlogfile=/a/2\n", "/a/2", "nobody nogroup"),
        ("logfile=/a/1\nlogfile=Journal\n", "/var/log/astmanproxy/astmanproxy.log", "nobody "),
        (";logfile = /a/b\n", "/var/log/asterisk/astmanproxy.log", "nobody nogroup"),
        ("logfile = /a/b|e id\nproc_user = a b\n", "/var/log/asterisk/astmanproxy.log", "ab "),
        ('logfile = "/a {\nproc_user = "x\\ny"\n', "/var/log/asterisk/astmanproxy.log", "nobody "),
        (
            "proc_user = root\nproc_group = root\n",
            "/var/log/asterisk/astmanproxy.log",
            "nobody nogr",
        ),
        ("logfile = a/b\nproc_user = -x\n", "/var/log/asterisk/astmanproxy.log", "nobody "),
    ],
)
def test_the_rules_are_those_of_the_configuration(
    daemon: Daemon, config: str, log: str, user: str
) -> None:
    """Log, user and group; what is neither path nor name does not get into them."""
    daemon.config.write_text(config)
    done = subprocess.run(
        [ROOT / "init/adapt", "logrotate", daemon.config],
        capture_output=True,
        text=True,
        check=True,
    )

    path = Path(log)
    of_instances = path.with_name(f"{path.stem}@*{path.suffix}")
    assert f"\n{log} {of_instances} {{\n    su {user}" in done.stdout
    original = (ROOT / "init/astmanproxy.logrotate").read_text()
    assert done.stdout.count("\n") == original.count("\n")


def test_a_log_that_cannot_be_rotated_is_told(daemon: Daemon) -> None:
    """Its directory belongs to another user than proc_user."""
    done = subprocess.run(
        [ROOT / "init/adapt", "logrotate", daemon.config],
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"{daemon.log_dir} belongs to root, not to nobody; give it" in done.stderr
