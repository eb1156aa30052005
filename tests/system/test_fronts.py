# SPDX-License-Identifier: GPL-2.0-or-later
"""The proxy behind the web servers of the samples: nginx below a path, HAProxy."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from websockets.sync.client import connect

from tests.support import ROOT, ProxyProcess, free_port, is_listening, wait_until
from tests.system.peers import wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.server import SimulatedAsterisk

FRONTS = ROOT / "samples" / "proxies"
NGINX = shutil.which("nginx") or ""
HAPROXY = shutil.which("haproxy") or ""


@contextmanager
def front(port: int, *command: str) -> Iterator[None]:
    """Run *command* until the block ends; it listens at *port*."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        try:
            wait_until(lambda: is_listening(port) or running.poll() is not None, 20, command[0])
            assert running.poll() is None, running.stderr and running.stderr.read()
            yield
        finally:
            running.terminate()


def check(base: str) -> None:
    """Ask below *base* for the console, health, events and a WebSocket."""
    with urllib.request.urlopen(f"http://{base}/", timeout=10) as page:
        assert "require-trusted-types-for" in page.headers["Content-Security-Policy"]
        (script,) = re.findall(rb'<script[^>]* src="([^"]+)"', page.read())[:1]
    with urllib.request.urlopen(f"http://{base}/{script.decode()}", timeout=10) as file:
        assert "javascript" in file.headers["Content-Type"]
    with urllib.request.urlopen(f"http://{base}/events", timeout=10) as events:
        assert next(line for line in events if line.startswith(b"event")) == b"event: hello\n"
    with connect(f"ws://{base}/ws") as socket:
        assert json.loads(socket.recv(10))["type"] == "hello"
        socket.send(json.dumps({"Action": "Ping", "ActionID": "x"}))
        assert json.loads(socket.recv(10))["response"]["Ping"] == "Pong"


@pytest.fixture(scope="module")
def proxy(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    config = (
        f"host = 127.0.0.1, {asterisk.port}, ampuser, AmpSecret, on, off\ninputformat = http\n"
        "proxyprotocol = 127.0.0.3/32\n"
    )
    with ProxyProcess(config) as process:
        wait_connected(process)
        yield process


@pytest.mark.skipif(not NGINX, reason="nginx is missing (Debian: nginx-light)")
def test_below_a_path_of_nginx(proxy: ProxyProcess, tmp_path: Path) -> None:
    """All links are relative; WebSocket and events come through at once."""
    sample, port = (FRONTS / "nginx.conf").read_text(), free_port()
    (map_line,) = re.findall(r"^#   (map .*)$", sample, re.MULTILINE)
    config = tmp_path / "nginx.conf"
    config.write_text(
        f"daemon off; pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}}\n"
        f"http {{ access_log off; {map_line}\n"
        + "".join(
            f"{each}_temp_path {tmp_path}/{each};\n"
            for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"server {{ listen 127.0.0.1:{port};\n"
        + sample.replace("8088", str(proxy.port))
        + "}}\n"
    )
    command = (NGINX, "-e", str(tmp_path / "log"), "-c", str(config), "-g", "worker_processes 1;")

    with front(port, *command):
        check(f"127.0.0.1:{port}/pbx")


@pytest.mark.skipif(not HAPROXY, reason="haproxy is missing (Debian: haproxy)")
def test_behind_haproxy(proxy: ProxyProcess, tmp_path: Path) -> None:
    """Which sends clients to proxies that are ready, and says whose they are."""
    sample, port = (FRONTS / "haproxy.cfg").read_text(), free_port()
    ours = f"127.0.0.1:{proxy.port} source 127.0.0.3"
    config = tmp_path / "haproxy.cfg"
    config.write_text(
        sample.replace("bind :8080", f"bind 127.0.0.1:{port}")
        .replace("192.0.2.1:8088", ours)
        .replace("192.0.2.2:8088", "127.0.0.1:1")  # this one is down
    )

    with front(port, HAPROXY, "-db", "-f", str(config)):
        check(f"127.0.0.1:{port}")
