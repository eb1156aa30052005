# SPDX-License-Identifier: GPL-2.0-or-later
"""System V's script and rc.local, where systemd is not the first process; asking the proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.installed import SOURCE
from tests.service.machine import NO_SYSTEMD, Machine
from tests.service.service import CONF, LOG, ask_in_both_ways
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.service.trees import Tree

pytestmark = pytest.mark.service

_PID = "cat /run/astmanproxy/astmanproxy.pid"


@pytest.fixture(scope="module")
def bare(tree: Tree, layer: Path) -> Iterator[Machine]:
    """A machine without systemd as its first process."""
    with Machine(tree, layer, init=NO_SYSTEMD) as one:
        yield one


@pytest.fixture
def machine(bare: Machine) -> Iterator[Machine]:
    """The same, with nothing started."""
    yield bare
    bare.sh("/etc/init.d/astmanproxy stop || true")


def test_the_script_starts_reloads_restarts_and_stops(machine: Machine) -> None:
    """As "service" calls it; the daemon has given up root."""
    machine.sh("service astmanproxy start")
    first = machine.sh(_PID)

    assert machine.sh(f"ps -o user= -p {first}").strip() == "astmanproxy"
    assert "is running" in machine.sh("service astmanproxy status")
    ask_in_both_ways(machine)
    machine.sh("service astmanproxy reload")
    machine.sh("service astmanproxy restart")
    assert "is running" in machine.sh("service astmanproxy status")
    assert "Asterisk Call Manager" in _banner(machine)
    machine.sh("service astmanproxy stop")
    assert machine("service", "astmanproxy", "status", check=False).returncode == 3


def test_the_script_says_why_there_is_no_start(machine: Machine) -> None:
    """With file and line, and status 1."""
    machine.sh(f"cp -p {CONF} /root/kept; echo 'listenport = x' >> {CONF}")
    try:
        done = machine("service", "astmanproxy", "start", check=False)
    finally:
        machine.sh(f"cp -p /root/kept {CONF}")

    assert done.returncode == 1
    assert f"{CONF}:" in done.stderr


def test_the_script_is_asked_where_systemd_does_not_run(machine: Machine) -> None:
    """By logrotate: the new log is written."""
    machine.sh("service astmanproxy start")

    done = machine.sh("logrotate --force --state /run/rotation /etc/logrotate.d/astmanproxy 2>&1")

    assert done == ""
    wait_until(lambda: machine.sh(f"cat {LOG}"), 20, "a line in the new log")


def test_the_line_for_rc_local_starts_it(machine: Machine) -> None:
    """And returns when clients are served."""
    machine.sh(f"sh {SOURCE}/init/rc.local")

    assert "Asterisk Call Manager" in _banner(machine)
    ask_in_both_ways(machine)


def test_a_crash_leaves_nothing_in_the_way(machine: Machine) -> None:
    """Neither pid file nor control socket."""
    machine.sh("service astmanproxy start")
    machine.sh(f"kill -KILL $({_PID})")
    wait_until(lambda: machine("pgrep", "-x", "astmanproxy", check=False).returncode == 1, 20)

    machine.sh("service astmanproxy start")

    ask_in_both_ways(machine)


def _banner(machine: Machine) -> str:
    script = 'import socket; print(socket.create_connection(("127.0.0.1", 1234), 9).recv(99))'
    return machine("python3", "-c", script).stdout
