# SPDX-License-Identifier: GPL-2.0-or-later
"""The systemd unit and the System V script of an installation."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, free_port, wait_until
from tests.system.files import keep_private

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.installations import Place


@pytest.mark.parametrize("name", ["astmanproxy", "astmanproxy@"])
def test_the_systemd_unit_is_well_formed(place: Place, name: str) -> None:
    """systemd-analyze finds no fault in it."""
    tool = shutil.which("systemd-analyze")
    if not tool:
        pytest.skip("systemd is not installed")
    unit = place.prefix / "lib/systemd/system" / f"{name}.service"
    done = subprocess.run(
        [tool, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )

    assert "astmanproxy" not in done.stderr


class Service:
    """The System V script and a configuration in a directory of its own."""

    def __init__(self, script: Path) -> None:
        self.script = script
        self.top = Path(tempfile.mkdtemp(prefix="astmanproxy-init-"))
        self.top.chmod(0o755)  # proc_user must reach it
        state = self.top / "state"
        state.mkdir()
        state.chmod(0o777)
        self.pidfile = state / "astmanproxy" / "amp.pid"
        self.log = state / "amp.log"
        self.conf = self.top / "amp.conf"
        self.conf.write_text(
            f"listenaddress = 127.0.0.1\nlistenport = {free_port()}\nproc_user = nobody\n"
            f"logfile = {self.log}\nhost = 127.0.0.1, 1, u, s, on\n"
        )
        (self.top / "amp.users").touch()
        keep_private(self.conf, self.top / "amp.users")

    def __call__(self, action: str, user: int | None = None) -> tuple[int, str]:
        """Run the script as *user* (None: the own); return its exit status and output.

        But that no host line names an Asterisk, which is so.
        """
        done = subprocess.run(
            [str(self.script), action],
            env={
                **os.environ,
                "PIDFILE": str(self.pidfile),
                "OPTIONS": f"-c {self.conf} -u {self.top}/amp.users",
            },
            capture_output=True, text=True, timeout=30, user=user, check=False,
        )  # fmt: skip
        said = (done.stdout + done.stderr).splitlines(keepends=True)
        return done.returncode, "".join(line for line in said if "no host line names" not in line)

    @property
    def pid(self) -> int:
        """The number in the pid file."""
        return int(self.pidfile.read_text())


@pytest.fixture
def service(place: Place) -> Iterator[Service]:
    """The installed System V script; what it started is stopped in the end."""
    found = Service(place.etc / "init.d/astmanproxy")
    yield found
    found("stop")
    shutil.rmtree(found.top)


def test_a_stopped_service_answers_with_the_codes_of_the_lsb(service: Service) -> None:
    """3 for status, 7 for reload, 2 for an unknown action; stop succeeds."""
    assert service("status")[0] == 3
    assert service("stop")[0] == 0
    assert service("reload")[0] == 7
    assert service("try-restart")[0] == 0
    assert not service.pidfile.exists()
    assert service("nonsense")[0] == 2


def test_a_service_starts_reloads_restarts_and_stops(service: Service) -> None:
    """Everybody may ask for the status; only root may stop it (4)."""
    assert service("start") == (0, "astmanproxy started\n")
    first = service.pid
    assert service("start")[0] == 0
    assert service("status") == (0, f"astmanproxy is running, pid {first}\n")
    assert service("status", user=1) == (0, f"astmanproxy is running, pid {first}\n")
    assert service("stop", user=1)[0] == 4
    assert service("reload")[0] == 0
    wait_until(lambda: "reread permissions" in service.log.read_text())
    assert service("restart")[0] == 0
    assert service.log.read_text().count("Proxy Started") == 2
    assert service("force-reload")[0] == 0
    assert service("stop") == (0, "astmanproxy stopped\n")
    assert service("status")[0] == 3


def test_a_service_with_a_broken_configuration_is_not_stopped(service: Service) -> None:
    """Neither restart nor reload succeeds; each says what is wrong, and the proxy goes on."""
    assert service("start")[0] == 0
    first = service.pid
    service.conf.write_text(f"{service.conf.read_text()}maxclients = many\n")

    for action in ("restart", "try-restart", "reload"):
        code, output = service(action)
        assert (code, f"{service.conf}:6: maxclients: " in output) == (1, True)
    assert service("status") == (0, f"astmanproxy is running, pid {first}\n")
    assert service.log.read_text().count("Proxy Started") == 1


def test_a_service_without_a_control_socket_is_restarted_and_reloaded(service: Service) -> None:
    """By its end and a start, once the files are checked."""
    service.conf.write_text(f"{service.conf.read_text()}controlsocket = no\n")
    assert service("start")[0] == 0
    first = service.pid

    assert service("reload") == (0, "astmanproxy rereads its files\n")
    assert service("restart") == (0, "astmanproxy stopped\nastmanproxy started\n")

    assert service.pid != first


def test_a_service_that_crashed_leaves_a_stale_pid_file(service: Service) -> None:
    """Its status is 1 until it is stopped."""
    assert service("start")[0] == 0
    pid = service.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}").exists())

    assert service("status")[0] == 1
    assert service("stop")[0] == 0
    assert service("status")[0] == 3


def test_a_service_with_a_broken_configuration_does_not_start(service: Service) -> None:
    """The output names file and line."""
    service.conf.write_text("listenport = x\n")

    code, output = service("start")

    assert code == 1
    assert f"{service.conf}:1: listenport: " in output


@pytest.mark.parametrize(
    "script", ["init/astmanproxy.init", "init/adapt", "init/place", "init/setup", ".ci/run"]
)
def test_a_script_is_executable_and_parses(script: str) -> None:
    """In the shell that its first line names."""
    path = ROOT / script
    shell = "bash" if "bash" in path.read_text().split("\n")[0] else "sh"

    assert os.access(path, os.X_OK)
    subprocess.run([shell, "-n", path], check=True)
