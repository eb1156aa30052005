# SPDX-License-Identifier: GPL-2.0-or-later
"""``--instance``: several proxies with the same files, and the unit for them."""

from __future__ import annotations

import difflib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import PROGRAM, ROOT, ManagerClient, free_port, wait_until
from tests.system.files import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.system.files import Files

NAMES = ("1", "2")


class Instances:
    """Processes with the same configuration."""

    def __init__(self, files: Files) -> None:
        self.dir = files.dir
        self.port = free_port()
        self.switches = files.write(
            f"listenport = {self.port}\nlisten = unix:{files.dir}/run/ami.sock\nreuseport = yes\n"
            f"logfile = {files.dir}/run/proxy.log\npidfile = {files.dir}/run/proxy.pid\n"
        )
        (self.dir / "run").mkdir()
        os.chmod(self.dir / "run", 0o755)  # noqa: PTH101
        if os.geteuid() == 0:
            os.chown(self.dir / "run", 65534, -1)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """Start *name*; return when it serves."""
        command = [sys.executable, str(PROGRAM), "-f", *self.switches, "--instance", name]
        self.processes[name] = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        log = self.dir / f"run/proxy@{name}.log"
        wait_until(lambda: log.exists() and "Proxy Started" in log.read_text(), 20)

    def stop(self, name: str) -> None:
        """End *name*."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


@pytest.fixture
def instances(files: Files) -> Iterator[Instances]:
    found = Instances(files)
    yield found
    for process in found.processes.values():
        process.kill()
        process.wait()


def test_each_has_files_of_its_own_and_clients(instances: Instances) -> None:
    """Log, pid file, control socket and Unix socket; commands reach the one that is named."""
    for name in NAMES:
        instances.start(name)
    for name, process in instances.processes.items():
        directory = instances.dir / "run"
        assert int((directory / f"proxy@{name}.pid").read_text()) == process.pid
        with ManagerClient(0, str(directory / f"ami@{name}.sock")) as client:
            assert client.read_line().startswith("Asterisk Call Manager")
            done = run("--control", "show clients", *instances.switches, "--instance", name)
            assert done.stdout.count(f"ami@{name}.sock") == 1
    assert run("--control", "reload", *instances.switches, "--instance", "2").returncode == 0
    assert "reread configuration" in (instances.dir / "run/proxy@2.log").read_text()
    assert "reread configuration" not in (instances.dir / "run/proxy@1.log").read_text()
    assert sorted(path.name for path in (instances.dir / "run").iterdir()) == sorted(
        f"{stem}@{name}.{end}"
        for name in NAMES
        for stem, end in (("proxy", "log"), ("proxy", "pid"), ("proxy", "sock"), ("ami", "sock"))
    )


def test_one_leaves_and_the_other_serves(instances: Instances) -> None:
    """All clients go to the one that is left."""
    for name in NAMES:
        instances.start(name)
    instances.stop("1")
    began = time.monotonic()
    for _ in range(20):
        with ManagerClient(instances.port) as client:
            assert client.read_line().startswith("Asterisk Call Manager")
    assert time.monotonic() - began < 10


def test_the_check_is_of_the_instance(instances: Instances) -> None:
    """It says which log that has; without a name, the file's."""
    said = run("-t", *instances.switches, "--instance", "7").stdout

    assert f"log {instances.dir}/run/proxy@7.log" in said
    assert f"log {instances.dir}/run/proxy.log" in run("-t", *instances.switches).stdout


@pytest.mark.parametrize("name", ["../x", "a/b", "-x", "a b", "x" * 33])
def test_a_name_that_is_none_for_files_is_refused(name: str) -> None:
    """It becomes part of paths."""
    done = run("-t", f"--instance={name}")

    assert (done.returncode, done.stderr.partition(":")[0]) == (1, "astmanproxy")
    assert "write up to 32 letters, digits" in done.stderr


def test_the_unit_for_instances_is_the_other_one_but_for_its_instance() -> None:
    """A change of the one has to be made in the other."""
    one, other = (
        [line for line in (ROOT / "init" / name).read_text().splitlines() if line[:1] != "#"]
        for name in ("astmanproxy.service", "astmanproxy@.service")
    )

    changed = [line for line in difflib.ndiff(one, other) if line[0] in "-+"]

    run, options = "/usr/local/sbin/astmanproxy", "-p %t/%N/%N.pid"
    again = f"ExecReload=/bin/sh -c '{run} --control reload "
    assert changed == [
        "- Description=Proxy for the Asterisk Manager Interface",
        "+ Description=Proxy for the Asterisk Manager Interface, %i",
        "+ EnvironmentFile=-/etc/default/astmanproxy",
        f"- ExecStart={run} -f {options} $OPTIONS",
        f"+ ExecStart={run} -f --instance %i {options} $OPTIONS",
        f"- {again}{options} $$OPTIONS || \\",
        f"+ {again}--instance %i {options} $$OPTIONS || \\",
    ]
