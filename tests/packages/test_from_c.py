# SPDX-License-Identifier: GPL-2.0-or-later
"""From the C program to this one by docs/upgrading.md, and back again; clients come all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packages import cprogram
from tests.packages.cprogram import BANNER, PROGRAM, Client
from tests.packages.deb import CONF, listens, read
from tests.packages.newcomer import DIRECTORY, Newcomer
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.packages.conftest import Debs

pytestmark = pytest.mark.packages

LOG = "/var/log/asterisk/astmanproxy.log"


@pytest.fixture
def clients(newcomer: Newcomer) -> Iterator[list[Client]]:
    """Those that the C program serves; and a simulated Asterisk."""
    machine = newcomer.machine
    machine.sh("apt-get -y install python3 python3-venv make psmisc", timeout=300)
    machine.sh(
        f"systemd-run -q --unit asterisk --working-directory {DIRECTORY} python3 -m simulator"
    )
    wait_until(lambda: listens(machine, 5038), 60)
    cprogram.set_up(machine)
    found = [Client(machine, idle=idle) for idle in (True, False, False, False)]
    for client in found:
        client.start()
    served(found, BANNER)
    newcomer.begin()
    yield found
    for client in found:
        client.end()
    assert not any(client.half for client in found)


def served(clients: list[Client], banner: str) -> None:
    """Wait until all are served by the program that has this *banner*; "": by this program."""

    def by_it(client: Client) -> bool:
        return client.banner == banner if banner else client.banner not in ("", BANNER)

    wait_until(lambda: all(map(by_it, clients)), 100, banner or "the new program")


def told(newcomer: Newcomer, clients: list[Client], what: str) -> None:
    """Write down for how long nobody was served."""
    gaps = sorted(client.gaps.pop() for client in clients)
    newcomer.note(f"{what}: no client is served for {gaps[0]:.1f} to {gaps[-1]:.1f} s")


def check_and_mend(newcomer: Newcomer) -> None:
    """Step 2: C ran with a certificate that is not there; -t says what to write."""
    said = newcomer.run("astmanproxy -t || true")
    assert f"{CONF}:18: certfile" in said
    assert "without TLS leave the line out" in said
    newcomer.run(f"sed -i 's/^certfile/;certfile/' {CONF}")
    assert newcomer.run("astmanproxy -t").splitlines()[-1].startswith("ok")


def test_with_make_install_and_back(newcomer: Newcomer, clients: list[Client]) -> None:
    machine = newcomer.machine

    said = newcomer.type("sudo make install")

    assert "it is now /usr/local/sbin/astmanproxy-1" in said
    assert "User=nobody" in said
    assert read(machine, CONF) == cprogram.CONF
    check_and_mend(newcomer)
    served(clients, BANNER)
    assert [len(client.gaps) for client in clients] == [0] * 4
    newcomer.type("killall -w astmanproxy")
    newcomer.type("ss -K state time-wait sport = :1234")
    newcomer.type("systemctl enable --now astmanproxy")
    served(clients, "")
    told(newcomer, clients, "from C to make install")
    assert machine("astmanproxy", "--status").returncode == 0
    assert "Proxy Started\n" in read(machine, LOG)
    # The line that stays in rc.local starts no second one.
    machine("/etc/rc.local")
    assert machine.show("astmanproxy.service", "ActiveState") == "active"

    newcomer.type("systemctl disable --now astmanproxy")
    start_c(newcomer)
    served(clients, BANNER)
    told(newcomer, clients, "back to C")

    newcomer.run("killall -w astmanproxy-1")
    newcomer.type("systemctl enable --now astmanproxy")  # waits until the port is free
    served(clients, "")
    told(newcomer, clients, "again, without ss -K")
    newcomer.type("sudo make uninstall")
    assert not listens(machine)
    start_c(newcomer)
    served(clients, BANNER)
    assert "User" not in machine.sh("systemctl cat astmanproxy 2>&1 || true")
    assert "joe" in read(machine, "/etc/asterisk/astmanproxy.users")


def start_c(newcomer: Newcomer) -> None:
    """Start the C program; what clients had before may still keep its port."""

    def is_there() -> bool:
        newcomer.run(f"{PROGRAM}-1 > /dev/null 2>&1")  # which it keeps open
        return listens(newcomer.machine)

    wait_until(is_there, 100, "the C program")


def test_with_the_package_and_back(newcomer: Newcomer, clients: list[Client], debs: Debs) -> None:
    machine = newcomer.machine
    machine.sh(f"mkdir {DIRECTORY}/dist")
    machine.put(debs.new, f"{DIRECTORY}/dist")

    said = newcomer.type("sudo apt install ./dist/astmanproxy_*_all.deb")

    assert "astmanproxy is not started; mend this" in said
    assert read(machine, CONF) == cprogram.CONF
    newcomer.type(f"mv {PROGRAM} {PROGRAM}-1")
    check_and_mend(newcomer)
    served(clients, BANNER)
    assert [len(client.gaps) for client in clients] == [0] * 4
    newcomer.type("killall -w astmanproxy")
    newcomer.type("ss -K state time-wait sport = :1234")
    newcomer.type("systemctl enable --now astmanproxy")
    served(clients, "")
    told(newcomer, clients, "from C to the package")
    assert machine("astmanproxy", "--status").returncode == 0
    assert "Proxy Started\n" in read(machine, LOG)

    newcomer.type("apt remove astmanproxy")
    start_c(newcomer)
    served(clients, BANNER)
    told(newcomer, clients, "from the package back to C")
    assert "joe" in read(machine, "/etc/asterisk/astmanproxy.users")
