# SPDX-License-Identifier: GPL-2.0-or-later
"""The package for Fedora: built, installed, reloaded, upgraded and removed, as far as Debian can.

rpm's own part (files, rights, scripts, what is kept) is as on Fedora, and so is systemd's.  The
packages that it needs are Debian's, of which rpm does not know: ``--nodeps``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.packages.conftest import NEW, OLD, OLD_LINE, old_source, ready
from tests.packages.deb import C_CONF, C_SETUP, CONF, LOG, USERS, append, banner, listens, read
from tests.packages.trees import with_rpm
from tests.service.machine import Machine
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.packages

BANNER = "Asterisk Call Manager"
LOGROTATE = "/etc/logrotate.d/astmanproxy"


class Rpms(NamedTuple):
    """Packages of two versions."""

    old: Path
    new: Path


@pytest.fixture(scope="session")
def rpms() -> Iterator[Rpms]:
    """Both packages."""
    tree = with_rpm()
    ready(tree)
    with tempfile.TemporaryDirectory(prefix="astmanproxy-rpms-") as name:
        top = Path(name)
        (top / "out").mkdir()
        old = tree.build_rpm(top / "out", OLD, old_source(top))
        yield Rpms(old, tree.build_rpm(top / "out", NEW))


@pytest.fixture
def machine(rpms: Rpms) -> Iterator[Machine]:
    """A machine, freshly booted, with both packages in /root, that enables nothing by itself."""
    with Machine(with_rpm()) as one:
        one.put(rpms.old, "/root/old.rpm")
        one.put(rpms.new, "/root/new.rpm")
        # As Fedora has it.
        one("mkdir", "-p", "/etc/systemd/system-preset")
        one("tee", "/etc/systemd/system-preset/99-default.preset", input="disable *\n")
        yield one


def rpm(machine: Machine, option: str, *arguments: str) -> str:
    """Have rpm do something, which must succeed; return what it printed."""
    done = machine("rpm", option, "--nodeps", *arguments)
    return done.stdout + done.stderr


def start(machine: Machine) -> str:
    """Start the service; return its process."""
    machine("systemctl", "start", "astmanproxy")
    return pid_of(machine)


def pid_of(machine: Machine) -> str:
    """Return the process of the service; "0": none."""
    return machine.show("astmanproxy.service", "MainPID")


def test_the_same_tree_gives_the_same_package(rpms: Rpms, tmp_path: Path) -> None:
    """To the byte."""
    assert with_rpm().build_rpm(tmp_path, NEW).read_bytes() == rpms.new.read_bytes()


def test_installed_it_waits_to_be_enabled(machine: Machine) -> None:
    """As Fedora wants it; then it runs as a user of its own, and its log is rotated."""
    assert rpm(machine, "-i", "/root/new.rpm") == ""

    assert machine.show("astmanproxy.service", "UnitFileState") == "disabled"
    assert machine.show("astmanproxy.service", "NeedDaemonReload") == "no"
    assert pid_of(machine) == "0"
    for path in (CONF, USERS):
        assert machine("stat", "-c", "%a %U:%G", path).stdout == "640 root:astmanproxy\n"
    directory = LOG.rpartition("/")[0]
    assert machine("stat", "-c", "%a %U", directory).stdout == "750 astmanproxy\n"
    assert machine("astmanproxy", "-t").stdout.splitlines()[-1].startswith("ok")

    machine("systemctl", "enable", "--now", "astmanproxy")
    pid = pid_of(machine)
    assert banner(machine).startswith(BANNER)
    assert machine("stat", "-c", "%U", f"/proc/{pid}").stdout == "astmanproxy\n"
    machine("systemctl", "reload", "astmanproxy")
    machine("logrotate", "-f", LOGROTATE)

    assert "Proxy Started" in read(machine, f"{LOG}.1")
    assert "reopened log" in read(machine, LOG)
    assert pid_of(machine) == pid
    # What is there is what the package has, also of byte code.
    assert machine("rpm", "-V", "--nodeps", "astmanproxy").stdout == ""
    assert "cpython" not in machine.sh("find /usr/share/astmanproxy -newer /root/new.rpm")


def test_an_upgrade_keeps_what_was_edited(machine: Machine) -> None:
    """And replaces what was not, and starts the new program if the old one ran."""
    rpm(machine, "-i", "/root/old.rpm")
    assert OLD_LINE in read(machine, CONF)
    append(machine, CONF, "listenport = 1235\n")
    append(machine, "/etc/default/astmanproxy", "# Mine.\n")
    append(machine, LOGROTATE, "# Mine.\n")
    pid = start(machine)

    rpm(machine, "-U", "/root/new.rpm")

    assert read(machine, CONF).endswith("listenport = 1235\n")
    assert OLD_LINE not in read(machine, f"{CONF}.rpmnew")
    assert OLD_LINE not in read(machine, USERS)
    for path in ("/etc/default/astmanproxy", LOGROTATE):
        assert read(machine, path).endswith("# Mine.\n")
    assert banner(machine, 1235).startswith(BANNER)
    assert pid_of(machine) not in (pid, "0")
    assert machine("rpm", "-q", "--qf", "%{VERSION}", "astmanproxy").stdout == NEW

    machine("systemctl", "stop", "astmanproxy")
    rpm(machine, "-U", "--oldpackage", "/root/old.rpm")
    assert pid_of(machine) == "0"


def test_an_upgrade_ends_nothing_that_would_not_start_again(machine: Machine) -> None:
    """The proxy runs on, and the problem is named."""
    rpm(machine, "-i", "/root/old.rpm")
    pid = start(machine)
    append(machine, CONF, "maxretries = -1\n")

    text = rpm(machine, "-U", "/root/new.rpm")

    line = len(read(machine, CONF).splitlines())
    assert f"{CONF}:{line}: maxretries" in text
    assert "astmanproxy is not restarted; mend this, then: systemctl restart astmanproxy" in text
    assert pid_of(machine) == pid
    assert banner(machine).startswith(BANNER)


def test_removed_it_is_stopped_and_leaves_what_was_edited(machine: Machine) -> None:
    """As rpm has it: .rpmsave, and the log."""
    rpm(machine, "-i", "/root/new.rpm")
    machine("systemctl", "enable", "astmanproxy")
    append(machine, CONF, "listenport = 900\n")
    rpm(machine, "-U", "--replacepkgs", "/root/new.rpm")
    start(machine)
    assert banner(machine, 900).startswith(BANNER)

    rpm(machine, "-e", "astmanproxy")

    assert not listens(machine, 900)
    found = machine.sh("find /etc /usr /var /run -xdev -name '*astmanproxy*'").split()
    assert sorted(found) == [f"{CONF}.rpmsave", LOG.rpartition("/")[0], LOG]
    assert machine("id", "-u", "astmanproxy").returncode == 0


def test_files_of_the_c_program_are_taken_as_they_are(machine: Machine) -> None:
    """Its user, its log and its directory; what was done is said."""
    machine.sh(C_SETUP)
    machine("tee", CONF, input=C_CONF)

    text = rpm(machine, "-i", "/root/new.rpm")

    assert read(machine, CONF) == C_CONF
    assert OLD_LINE not in read(machine, f"{CONF}.rpmnew")
    assert "User=asterisk" in text
    assert f"{USERS} belongs to group asterisk now" in text
    assert "/usr/local/sbin/astmanproxy of another installation stays" in text
    assert machine("stat", "-c", "%a %U", "/etc/asterisk").stdout == "750 asterisk\n"
    pid = start(machine)
    assert banner(machine).startswith(BANNER)
    assert machine("stat", "-c", "%U", f"/proc/{pid}").stdout == "asterisk\n"
    log = "/var/log/asterisk/astmanproxy.log"
    wait_until(lambda: "Proxy Started" in read(machine, log))
    assert read(machine, LOGROTATE).count(f"{log} {{") == 1
    assert "su asterisk asterisk" in read(machine, LOGROTATE)


def test_a_directory_of_asterisks(machine: Machine) -> None:
    """Our user joins its group."""
    machine.sh("groupadd -r asterisk; useradd -r -g asterisk asterisk")
    machine.sh("install -d -o asterisk -g asterisk -m 0750 /etc/asterisk")

    text = rpm(machine, "-i", "/root/new.rpm")

    assert "User astmanproxy is in group asterisk now, which may read /etc/asterisk" in text
    assert machine("stat", "-c", "%a %U", "/etc/asterisk").stdout == "750 asterisk\n"
    start(machine)
    assert banner(machine).startswith(BANNER)
