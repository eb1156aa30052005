# SPDX-License-Identifier: GPL-2.0-or-later
"""make demo: it runs whole or fails whole, two at once too, and installs little."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import urllib.request
from typing import TYPE_CHECKING

import psutil
import pytest

from demo import environment
from tests.support import ROOT, ManagerClient, wait_until
from tests.system.demos import source_tree, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.system.demos import Running


def told(demo: Running) -> tuple[str, int, int]:
    """Return what *demo* prints, and its ports: for AMI, for HTTP."""
    assert demo.stdout is not None
    text = ""
    while "Ctrl-C ends the demo." not in text:
        line = demo.stdout.readline()
        assert line, f"the demo ended: {text}"
        text += line
    ports = re.findall(r"clients on port (\d+)", text)
    return text, int(ports[0]), int(ports[1])


def servers_on(board: str, directory: Path) -> list[str]:
    """Return the servers in the first picture of the command *board*."""
    command = shlex.split(board)
    with subprocess.Popen(command, cwd=directory, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        picture = json.loads(running.stdout.readline())
        running.kill()
    return [row["Server"] for row in picture["rows"] if row["Event"] == "ProxyServer"]


def test_the_demo_does_what_it_prints(tmp_path: Path) -> None:
    """Events of two servers for AMI clients, answers over HTTP; SIGTERM ends it."""
    with started("demo/demo.py") as demo:
        text, port, web = told(demo)
        assert "may read" not in text  # nothing to mend in the files of the demo
        with ManagerClient(port) as client:
            client.read_line()
            client.read_until("Server: pbx1", 20)
            client.read_until("Server: pbx2", 20)
        url = f"http://127.0.0.1:{web}/?Action=Ping&Server=pbx2&format=xml"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert b'<Ping Value="Pong"/>' in answer.read()
        (status,) = re.findall(r"^ +(\S+ .* --status) --watch$", text, re.MULTILINE)
        shown = subprocess.run(
            shlex.split(status), capture_output=True, text=True, timeout=60, check=False
        )
        assert "pbx2" in shown.stdout, shown.stderr
        assert f"127.0.0.1:{web} " in shown.stdout  # a listener of the same proxy
        (board,) = re.findall(r"^ +(\S+ \S+/samples/wallboard.py .*)$", text, re.MULTILINE)
        assert servers_on(board, tmp_path) == ["pbx1", "pbx2"]
        assert len(children(demo.pid)) == 3  # two Asterisks, one proxy
    assert demo.returncode == 0


def test_two_demos_run_at_once() -> None:
    """Each has ports of its own, and servers of its own; closing the terminal ends all."""
    with started("demo/demo.py") as one, started("demo/demo.py") as two:
        ports = [*told(one)[1:], *told(two)[1:]]
        assert len(set(ports)) == 4
        children = psutil.Process(one.pid).children(recursive=True)
        one.send_signal(signal.SIGHUP)
        one.wait(20)
        with ManagerClient(ports[2]) as client:
            client.read_line()
            client.read_until("Server: pbx2", 20)
    # Somebody else may have its ports by now.
    assert children
    assert psutil.wait_procs(children, 10)[1] == []


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a source directory with a copy of demo/ in it."""
    return source_tree(tmp_path)


@pytest.mark.parametrize("broken", ["astmanproxy.py", "simulator"])
def test_a_demo_that_cannot_start_tells_no_commands(tree: Path, broken: str) -> None:
    """Who types them would wonder: it says what has ended, and ends."""
    (tree / broken).unlink()
    (tree / broken).write_text("raise SystemExit(3)")

    with started("demo/demo.py", root=tree) as demo:
        assert demo.stdout is not None
        text = demo.stdout.read()
        assert demo.wait(20) == 1

    assert "Ctrl-C" not in text
    assert re.search("demo: (the proxy has ended with status 3|a simulated Asterisk did not)", text)


def test_a_demo_ends_whole(tree: Path) -> None:
    """When one of its programs ends, the others do, and it says which."""
    with started("demo/demo.py", root=tree) as demo:
        told(demo)
        first = int(next(iter(wait_until(lambda: children(demo.pid)))))
        os.kill(first, signal.SIGKILL)
        assert demo.stdout is not None
        assert "demo: a simulated Asterisk has ended with status -9" in demo.stdout.read()
        assert demo.wait(20) == 1


def children(pid: int) -> list[str]:
    """Return the processes that *pid* has started, the first one first."""
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return sorted(found.stdout.split(), key=int)


def test_an_installation_that_fails_leaves_nothing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says so; the next try begins anew."""
    here = tree / ".venv-demo"
    monkeypatch.setattr(environment, "HERE", here)

    def fail(command: list[str], **_: object) -> None:
        here.mkdir(exist_ok=True)
        if "install" in command:
            raise subprocess.CalledProcessError(1, command[:4])

    monkeypatch.setattr(subprocess, "run", fail)

    with pytest.raises(SystemExit, match="could not be installed"):
        environment.main([])

    assert not here.exists()


def test_what_is_installed_is_pinned_and_installed_once(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into its own environment, which the demo runs in."""
    here = tree / ".venv-demo"
    monkeypatch.setattr(environment, "HERE", here)
    asked: list[list[str]] = []
    became: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        here.mkdir(exist_ok=True)
        asked.append(command)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(os, "execv", lambda _, arguments: became.append(arguments))

    environment.main([])
    environment.main([])

    (pip,) = (each for each in asked if "install" in each)
    assert {"--require-hashes", "--only-binary=:all:"} <= set(pip)
    assert became == [[str(here / "bin/python"), str(ROOT / "demo/demo.py")]] * 2
    pins = (here / "requirements.txt").read_text()
    assert re.findall(r"^([\w-]+)==", pins, re.MULTILINE)[:2] == ["bcrypt", "h11"]
