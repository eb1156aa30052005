# SPDX-License-Identifier: GPL-2.0-or-later
"""Restarts under a real systemd: nobody is refused, and a wrong configuration stops nothing."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.service.installed import SOURCE
from tests.service.service import PYTHON
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.service import Service

pytestmark = pytest.mark.service

RESTART = "astmanproxy --control restart -p /run/astmanproxy/astmanproxy.pid"

#: Clients that come all the time, ask something and read to the end; prints what became of them.
_CALLERS = """
import collections, json, socket, sys, threading

ends, over = collections.Counter(), threading.Event()

def call():
    while not over.is_set():
        try:
            with socket.create_connection(("127.0.0.1", 1234), 20) as sock:
                sock.sendall(b"ProxyAction: ListServers\\r\\n\\r\\n")
                sock.shutdown(socket.SHUT_WR)
                said = b"".join(iter(lambda: sock.recv(65536), b""))
        except OSError as error:
            ends[type(error).__name__] += 1
            over.wait(0.05)
        else:
            ends["answered" if b"ProxyResponse: Success" in said else "unanswered"] += 1

threads = [threading.Thread(target=call) for _ in range(4)]
for thread in threads:
    thread.start()
print("calling", flush=True)
sys.stdin.read()
over.set()
for thread in threads:
    thread.join()
print(json.dumps(ends), flush=True)
"""


@contextlib.contextmanager
def callers(service: Service) -> Iterator[dict[str, int]]:
    """Have clients come while the block runs; how many ended in which way is in the dict then."""
    ends: dict[str, int] = {}
    with service.machine.running("python3", "-c", _CALLERS) as process:
        yield ends
        ends.update(json.loads(process.communicate(timeout=30)[0]))


def test_with_the_socket_unit_a_restart_refuses_nobody(service: Service) -> None:
    """Who comes while no process is there waits for the next one."""
    service.machine("systemctl", "start", "astmanproxy.socket")
    service("start")
    first = service.pid

    with callers(service) as ends:
        for _ in range(3):
            service("restart")

    assert service.pid != first
    assert set(ends) == {"answered"}
    assert service.log().count("Proxy Started") == 4


def test_a_restart_in_place_refuses_nobody(service: Service) -> None:
    """Without a socket unit; to systemd it is a reload of the same process."""
    service("start")
    first = service.pid

    with callers(service) as ends:
        for _ in range(3):
            service.machine.sh(RESTART)

    assert set(ends) == {"answered"}
    assert (service.pid, service.state) == (first, "active")
    assert service.machine.show("astmanproxy.service", "NRestarts") == "0"
    assert service.log().count("Proxy Started") == 4
    wait_until(lambda: "clients" in service.machine.show("astmanproxy.service", "StatusText"))


def test_a_restart_in_place_with_a_wrong_configuration_changes_nothing(service: Service) -> None:
    """It fails with the problems."""
    service("start")
    service.configure("maxclients = many")

    said = service.machine.sh(f"{RESTART} 2>&1 || echo status $?")

    assert "maxclients" in said
    assert said.endswith("status 1\n")
    assert service.state == "active"
    assert service.log().count("Proxy Started") == 1


def test_the_sockets_of_the_unit_outlive_a_restart_in_place(service: Service) -> None:
    """And the service: the next client starts it."""
    service.machine("systemctl", "start", "astmanproxy.socket")
    service("start")
    service.machine.sh(RESTART)
    service("stop")

    assert "Asterisk Call Manager" in service.ask()
    wait_until(lambda: service.state == "active")


@pytest.mark.timeout(3600)
def test_under_load_nobody_is_refused_or_cut(service: Service) -> None:
    """What make bench-restarts measures, of the service; as often as SERVICE_RESTARTS says."""
    restarts = os.environ.get("SERVICE_RESTARTS", "5")
    machine = service.machine
    done = machine(
        "env", "-C", SOURCE, PYTHON, "-m", "benchmarks.restarts", "--service", "--restarts", restarts,
        check=False, timeout=120 + 20 * int(restarts),
    )  # fmt: skip

    if "SERVICE_FIGURES" in os.environ:
        with Path(os.environ["SERVICE_FIGURES"]).open("a") as file:
            file.write(f"{machine.tree.suite}:\n{done.stdout}")
    assert done.returncode == 0, done.stdout + done.stderr
