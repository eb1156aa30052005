# SPDX-License-Identifier: GPL-2.0-or-later
"""The program without threads, memory or descriptors: it goes on, and recovers."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.support import wait_until
from tests.system.peers import QUICK, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk
    from tests.support import ManagerClient, ProxyProcess, StartProxy


pytestmark = pytest.mark.skipif(shutil.which("prlimit") is None, reason="prlimit is missing")


@contextlib.contextmanager
def limited(program: ProxyProcess, what: str, value: int) -> Iterator[None]:
    """Lower the soft limit *what* of *program* for a moment, as its own user."""
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid}

    def prlimit(*options: str) -> str:
        command = ["prlimit", "--pid", str(program.pid), *options]
        found: str = subprocess.check_output(command, text=True, **owner)
        return found

    before = prlimit(f"--{what}", "--raw", "--noheadings", "--output=SOFT").strip()
    prlimit(f"--{what}={value}:")
    try:
        yield
    finally:
        prlimit(f"--{what}={before}:")


def greeted(program: ProxyProcess) -> bool:
    """Return whether a client gets a banner; one that does not is closed, not reset."""
    with program.client(banner=False) as client:
        return b"Asterisk Call Manager" in client.sock.recv(100)


def test_without_threads_clients_are_turned_away_and_servers_tried_again(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """As with `ulimit -u`; a server that SIGHUP brought is connected when there is a thread."""
    program = proxy(QUICK)
    with limited(program, "nproc", 1):
        assert not greeted(program)
        program.wait_log("turned away: can't start new thread")
        program.write_config(QUICK + host_line(asterisk))
        program.send_signal(signal.SIGHUP)
        program.wait_log("can't start new thread; trying again")
        assert not greeted(program)

    wait_connected(program)
    with program.client() as client:
        assert sessions(client) == 1
        client.send("Action: Ping")
        assert "Ping: Pong" in client.read_until(is_response)
    assert "bug in the proxy" not in program.log()


@pytest.mark.parametrize("spare", [0, 3_000_000])
def test_without_memory_it_goes_on(
    proxy: StartProxy, asterisk: SimulatedAsterisk, spare: int
) -> None:
    """As with `ulimit -v`: whoever cannot be served leaves; afterwards all are served."""
    program = proxy(QUICK + host_line(asterisk))
    wait_connected(program)
    size = psutil.Process(program.pid).memory_info().vms
    big = b"Event: Big\r\nPrivilege: user,all\r\nValue: " + b"x" * 40_000_000 + b"\r\n\r\n"
    with limited(program, "as", size + spare), contextlib.ExitStack() as stack:
        for _ in range(30):
            with contextlib.suppress(OSError, EOFError):
                client = stack.enter_context(program.client(banner=False))
                client.send("Action: Ping")
        asterisk.send(big)
        log = program.wait_log("MemoryError")

    wait_until(lambda: greeted(program), what="a banner")
    with program.client() as client:
        wait_until(lambda: sessions(client) == 1, what="the others have left")
        wait_until(lambda: "Ping: Pong" in client.ask("Action: Ping"), what="a pong")
    assert "failed 100 times" not in log


def sessions(client: ManagerClient) -> int:
    """Return how many clients there are."""
    client.send("ProxyAction: ListSessions")
    found = client.read_until(is_response)
    return sum(line.startswith("ProxyClientSession:") for line in found)


def test_without_descriptors_left_a_server_can_be_added(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """Clients get none of the last ones: files are read, a name is looked up, it is dialled."""
    program = proxy(QUICK, open_files=48)
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            stack.enter_context(program.client(banner=False))
        program.wait_log("refused: the last descriptors are for servers and files")
        program.write_config(QUICK + host_line(asterisk, host="localhost"))

        program.send_signal(signal.SIGHUP)

        wait_connected(program)


FAILING = """
import socket, time

def accept(self, real=socket.socket.accept):
    raise ValueError("injected")

def sleep(seconds, real=time.sleep):
    real(seconds if seconds > 1 else 0)

socket.socket.accept, time.sleep = accept, sleep
"""


def test_a_thread_that_only_fails_ends_the_process_with_status_70(
    proxy: StartProxy, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A supervisor starts it again; the log says why, and the rest is stopped in order."""
    directory = tmp_path_factory.mktemp("injected")
    (directory / "sitecustomize.py").write_text(FAILING)
    program = proxy(QUICK, env={**os.environ, "PYTHONPATH": str(directory)})

    assert program.process.wait(20) == 70

    log = program.log()
    failed = r"thread listener-\S+ failed 100 times in a row"
    assert re.search(f"{failed}: the process ends with status 70", log)
    assert re.search(f"astmanproxy: {failed}", program.stderr())
    assert log.endswith("Proxy stopped; shutting down.\n")
