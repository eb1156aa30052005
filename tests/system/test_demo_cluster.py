# SPDX-License-Identifier: GPL-2.0-or-later
"""make demo-cluster: a proxy is killed, and its clients go on at the next one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.support import ROOT, ManagerClient, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS = {"pbx1", "pbx2", "pbx3", "pbx4"}


class Demo:
    """The demo with *programs* beside Python's, and what it prints."""

    def __init__(self, directory: Path, programs: list[str]) -> None:
        tools = directory / "bin"
        tools.mkdir()
        for name in programs:
            if found := shutil.which(name):
                (tools / name).symlink_to(found)
        self.process = subprocess.Popen(
            [sys.executable, "demo/cluster.py"], cwd=ROOT, env={**os.environ, "PATH": str(tools)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.text = ""

    def read_to(self, end: str) -> str:
        """Read what it prints up to the line with *end*."""
        assert self.process.stdout is not None
        while end not in self.text:
            line = self.process.stdout.readline()
            assert line, f"the demo ended: {self.text}"
            self.text += line
        return self.text

    def found(self, pattern: str) -> list[str]:
        """Return what *pattern* finds in what it has printed."""
        return re.findall(pattern, self.text, re.MULTILINE)


@pytest.fixture(
    params=[pytest.param(["haproxy"], marks=pytest.mark.soak), []], ids=["haproxy", "python"]
)
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    """A demo that runs, with each kind of balancer."""
    redis = [each for each in ("redis-server", "valkey-server") if shutil.which(each)]
    for needed in (redis[0] if redis else "redis-server", *request.param):
        if shutil.which(needed) is None:
            pytest.skip(f"{needed} is missing")
    made = Demo(tmp_path, [*redis, *request.param])
    try:
        made.read_to("Ctrl-C ends the demo.")
        yield made
    finally:
        made.process.kill()
        made.process.communicate()


def heard(port: int) -> set[str]:
    """Return of which servers a client at *port* gets events, once that are all."""
    found: set[str] = set()
    with ManagerClient(port, timeout=30) as client:
        client.read_line()
        while not found >= SERVERS:
            message = client.read_message()
            found |= {line[8:] for line in message if line.startswith("Server: ")} & SERVERS
    return found


def test_a_proxy_is_killed_and_comes_back(demo: Demo) -> None:
    """All servers stay there for clients; Ctrl-C ends everything."""
    (port,) = (int(each) for each in demo.found(r"manager clients on port (\d+)"))
    assert heard(port) == SERVERS
    (shown,) = demo.found(r"^ +(\S+ \S+astmanproxy.py .*'show cluster')$")
    cluster = subprocess.run(
        shown, shell=True, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    assert all(each in cluster for each in SERVERS)

    kills = demo.found(r"^ +(kill -9 \$\(cat \S+\))$")
    assert len(kills) == 3
    subprocess.run(kills[0], shell=True, check=True)
    demo.read_to("proxy1 has ended")
    assert heard(port) == SERVERS

    demo.read_to("proxy1 is started anew")
    children = psutil.Process(demo.process.pid).children(recursive=True)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(30) == 0
    assert psutil.wait_procs(children, 10)[1] == []
    (directory,) = set(demo.found(r"^The logs: (\S+)/proxy\*/"))
    wait_until(lambda: not Path(directory).exists())


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """With the command that brings it."""
    one = Demo(tmp_path, [])

    said, _ = one.process.communicate(timeout=30)
    assert one.process.returncode == 1
    assert "apt install redis-server" in said
