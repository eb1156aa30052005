# SPDX-License-Identifier: GPL-2.0-or-later
"""From a bare Debian to a proxy that serves clients, by what README says and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packages.deb import CONF, listens
from tests.packages.newcomer import DIRECTORY, Newcomer
from tests.support import wait_until

if TYPE_CHECKING:
    from tests.packages.conftest import Debs

pytestmark = pytest.mark.packages

HOST = "host = 192.0.2.10, 5038, proxy, secret, on"
SIMULATED = "host = 127.0.0.1, 5038, ampuser, AmpSecret, on"
PING = r"printf 'Action: Ping\r\n\r\nAction: Logoff\r\n\r\n' | nc 127.0.0.1 1234"


def test_with_make_install(newcomer: Newcomer) -> None:
    newcomer.type("apt install python3 python3-venv make")
    newcomer.tell("apt install python3 python3-venv make")
    newcomer.type("sudo make install")
    configure_and_start(newcomer)
    newcomer.tell("make install, edit, -t, systemctl enable, restart")
    answers(newcomer)


def test_with_the_package_of_another_machine(newcomer: Newcomer, debs: Debs) -> None:
    newcomer.machine.sh(f"mkdir {DIRECTORY}/dist")
    newcomer.machine.put(debs.new, f"{DIRECTORY}/dist")
    newcomer.type("sudo apt install ./dist/astmanproxy_*_all.deb")
    configure_and_start(newcomer)
    newcomer.tell("apt install ./dist/astmanproxy_*_all.deb, edit, -t, systemctl enable, restart")
    answers(newcomer)


def test_with_the_package_built_there(newcomer: Newcomer) -> None:
    newcomer.type("apt install dpkg-dev debhelper dh-python")
    newcomer.tell("apt install dpkg-dev debhelper dh-python")
    newcomer.type("make deb")
    newcomer.tell("make deb")
    newcomer.type("sudo apt install ./dist/astmanproxy_*_all.deb")
    configure_and_start(newcomer)
    newcomer.tell(
        "apt install ./dist/astmanproxy_*_all.deb after that, edit, -t, systemctl enable, restart"
    )
    answers(newcomer)


def configure_and_start(newcomer: Newcomer) -> None:
    """The three steps of README, with an Asterisk that is there."""
    newcomer.machine.sh(
        f"systemd-run -q --unit asterisk --working-directory {DIRECTORY} python3 -m simulator"
    )
    wait_until(lambda: listens(newcomer.machine, 5038), 60)
    for host in (HOST, SIMULATED):
        newcomer.run(f"sed -i '/^host = /d' {CONF}; echo '{host}' >> {CONF}")
        said = newcomer.type("sudo astmanproxy -t").splitlines()
        assert said[-1].startswith("ok"), said
    newcomer.type("sudo systemctl enable astmanproxy")
    newcomer.type("sudo systemctl restart astmanproxy")


def answers(newcomer: Newcomer) -> None:
    """Whether it is supervised, starts at the next boot, and answers for Asterisk."""
    machine = newcomer.machine
    machine.sh("apt-get -y install netcat-openbsd", timeout=120)
    assert "Response: Success" in newcomer.type(PING)
    assert machine.show("astmanproxy.service", "UnitFileState") == "enabled"
    assert machine("astmanproxy", "--status").returncode == 0
    pid = machine.show("astmanproxy.service", "MainPID")
    machine.sh(f"kill -KILL {pid}")
    wait_until(lambda: machine.show("astmanproxy.service", "MainPID") not in ("0", pid), 30)
    wait_until(lambda: "Response: Success" in newcomer.run(f"{PING} || true"), 30)
