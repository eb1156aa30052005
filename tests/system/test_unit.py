# SPDX-License-Identifier: GPL-2.0-or-later
"""Each Exec line of the systemd unit works with the rights that the unit leaves to it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs_root
from tests.notified import Notified
from tests.support import ManagerClient, free_port, wait_until
from tests.system.sandbox import DONE, LEFT, UNIT, exec_line, sandboxed, settings, value

if TYPE_CHECKING:
    from collections.abc import Iterator

needs_programs = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("unshare", "setpriv")),
    reason="unshare and setpriv are missing",
)


class Sandboxed:
    """The service in a directory of its own; a stand-in for systemd starts and reloads it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.run = top / "run"
        self.port = free_port()
        self.config = top / "amp.conf"
        self.log = top / "log"
        self.systemd = Notified(top / "notify")
        self.process: subprocess.Popen[bytes] | None = None
        self.configure()
        (top / "amp.users").touch()
        self.run.mkdir()
        for path in (top, self.run):
            shutil.chown(path, "nobody")

    def configure(self, more: str = "") -> None:
        self.config.write_text(
            f"listenaddress = 127.0.0.1\nlistenport = {self.port}\nlogfile = {self.log}\n{more}"
        )

    def command(self, name: str) -> list[str]:
        """Return the command of an Exec line in the sandbox."""
        options = f"-c {self.config} -u {self.top}/amp.users"
        return sandboxed(exec_line(name, self.run, {"OPTIONS": options}), self.top)

    def environment(self) -> dict[str, str]:
        pid = self.process.pid if self.process else 0
        options = f"-c {self.config} -u {self.top}/amp.users"
        return {**os.environ, **self.systemd.environment, "MAINPID": str(pid), "OPTIONS": options}

    def start(self) -> subprocess.Popen[bytes]:
        """Start it; return when it says that it is ready."""
        self.process = subprocess.Popen(self.command("ExecStart"), env=self.environment())
        self.systemd.until(READY="1")
        return self.process

    def reload(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("ExecReload"), env=self.environment(),
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip


@pytest.fixture
def service() -> Iterator[Sandboxed]:
    top = Path(tempfile.mkdtemp(prefix="astmanproxy-unit-"))
    top.chmod(0o755)
    one = Sandboxed(top)
    with one.systemd:
        yield one
    if one.process:
        with contextlib.suppress(ProcessLookupError):
            one.process.kill()
        one.process.wait()
    shutil.rmtree(top)


@needs_root
@needs_programs
def test_it_starts_reloads_and_stops_with_the_rights_of_the_unit(service: Sandboxed) -> None:
    """As its own user, without any capability, where it can write to its directories only."""
    process = service.start()
    with ManagerClient(service.port) as client:
        assert client.read_line().startswith("Asterisk Call Manager")
    status = Path(f"/proc/{process.pid}/status").read_text()
    assert "CapBnd:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status

    service.log.rename(service.top / "log.1")
    done = service.reload()
    assert (done.returncode, done.stderr) == (0, "")
    wait_until(service.log.exists)

    service.configure("maxclients = many\n")
    assert service.reload().returncode != 0

    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


@needs_root
@needs_programs
def test_it_reloads_without_a_control_socket(service: Sandboxed) -> None:
    """By a signal, which its user may send to itself: CAP_KILL is not needed."""
    service.configure("controlsocket = no\n")
    service.start()

    assert service.reload().returncode == 0

    service.systemd.until(RELOADING="1")
    service.systemd.until(READY="1")


def test_the_sandbox_of_these_tests_knows_each_setting_of_the_unit() -> None:
    """A new one is tried here, or named as one that only systemd can make."""
    names = [name for name, _ in settings()]
    first = names.index("CapabilityBoundingSet")

    assert set(names[first:]) == LEFT | DONE
    assert value("CapabilityBoundingSet") == ""
    assert "AmbientCapabilities" not in names


def test_a_wrong_configuration_is_not_tried_again_and_all_else_is() -> None:
    """By the statuses that the program ends with."""
    assert value("Type") == "notify"
    assert value("Restart") == "on-failure"
    assert value("RestartPreventExitStatus") == "78"


def test_the_exposure_is_low() -> None:
    """As systemd-analyze computes it from the file: 0 is none, 10 is that of a root service."""
    tool = shutil.which("systemd-analyze")
    if not tool:
        pytest.skip("systemd is not installed")
    done = subprocess.run(
        [tool, "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Overall exposure level" not in done.stdout:
        pytest.skip("this systemd-analyze cannot judge a file")

    assert float(done.stdout.rpartition("astmanproxy.service: ")[2].split()[0]) <= 1.9
