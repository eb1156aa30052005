# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package: built, installed, reloaded, upgraded, removed and purged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packages.conftest import NEW, OLD_LINE, Debs
from tests.packages.deb import (
    C_CONF,
    C_SETUP,
    CONF,
    LOG,
    USERS,
    append,
    apt,
    banner,
    left,
    listens,
    read,
)
from tests.service.machine import NO_SYSTEMD, Machine
from tests.support import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packages.trees import Bare, Builder

pytestmark = pytest.mark.packages

BANNER = "Asterisk Call Manager"


def test_lintian_has_nothing_to_say(builder: Builder, tmp_path: Path) -> None:
    """Neither errors nor warnings, in each Debian; and it is the same, built twice."""
    first = builder.build_deb(tmp_path, NEW).read_bytes()

    done = builder.run(
        tmp_path, "sh", "-c", "lintian --tag-display-limit 0 /out/astmanproxy_*.changes"
    )

    assert done.stdout == ""
    assert done.returncode == 0, done.stderr
    assert builder.build_deb(tmp_path, NEW).read_bytes() == first


def test_installed_it_runs_as_a_user_of_its_own(machine: Machine) -> None:
    """Started, enabled, and reloaded; its log is rotated, and written on."""
    apt(machine, "install", "/root/new.deb", "logrotate")

    assert banner(machine).startswith(BANNER)
    assert machine.show("astmanproxy.service", "UnitFileState") == "enabled"
    pid = machine.show("astmanproxy.service", "MainPID")
    assert machine("stat", "-c", "%U", f"/proc/{pid}").stdout == "astmanproxy\n"
    for path in (CONF, USERS):
        assert machine("stat", "-c", "%a %U:%G", path).stdout == "640 root:astmanproxy\n"
    assert machine("stat", "-c", "%a %U", LOG.rpartition("/")[0]).stdout == "750 astmanproxy\n"
    checked = machine("astmanproxy", "-t").stdout
    assert checked.splitlines()[-1].startswith("ok")

    machine("logrotate", "-f", "/etc/logrotate.d/astmanproxy")

    assert "Proxy Started" in read(machine, f"{LOG}.1")
    assert "reopened log" in read(machine, LOG)
    assert machine.show("astmanproxy.service", "MainPID") == pid
    assert machine("systemctl", "is-system-running", check=False).stdout == "running\n"


def test_an_upgrade_keeps_what_was_edited(machine: Machine) -> None:
    """And replaces what was not, asks nobody, and starts the new program."""
    apt(machine, "install", "/root/old.deb")
    assert OLD_LINE in read(machine, CONF)
    append(machine, CONF, "listenport = 1235\n")
    append(machine, "/etc/default/astmanproxy", "# Mine.\n")
    append(machine, "/etc/logrotate.d/astmanproxy", "# Mine.\n")
    machine("systemctl", "restart", "astmanproxy")
    pid = machine.show("astmanproxy.service", "MainPID")

    apt(machine, "install", "/root/new.deb")

    assert read(machine, CONF).endswith("listenport = 1235\n")
    assert OLD_LINE not in read(machine, USERS)
    for path in ("/etc/default/astmanproxy", "/etc/logrotate.d/astmanproxy"):
        assert read(machine, path).endswith("# Mine.\n")
    assert banner(machine, 1235).startswith(BANNER)
    assert machine.show("astmanproxy.service", "MainPID") not in (pid, "0")
    assert machine("dpkg-query", "-W", "-f", "${Version}", "astmanproxy").stdout == NEW


def test_an_upgrade_ends_nothing_that_would_not_start_again(machine: Machine) -> None:
    """The proxy runs on, and the problem is named."""
    apt(machine, "install", "/root/old.deb")
    append(machine, CONF, "maxretries = -1\n")
    pid = machine.show("astmanproxy.service", "MainPID")

    text = apt(machine, "install", "/root/new.deb")

    line = len(read(machine, CONF).splitlines())
    assert f"{CONF}:{line}: maxretries" in text
    assert "astmanproxy is not restarted; mend this" in text
    assert machine.show("astmanproxy.service", "MainPID") == pid
    assert banner(machine).startswith(BANNER)


def test_removed_it_is_stopped_and_purged_it_is_gone(machine: Machine) -> None:
    """What was configured stays until it is purged; the user stays, as Debian has it."""
    apt(machine, "install", "/root/new.deb")
    append(machine, CONF, "; Mine.\n")

    apt(machine, "remove", "astmanproxy")

    assert banner(machine) == ""
    assert read(machine, CONF).endswith("; Mine.\n")
    assert machine("systemctl", "is-active", "astmanproxy", check=False).stdout == "inactive\n"

    apt(machine, "install", "/root/new.deb")
    assert read(machine, CONF).endswith("; Mine.\n")
    assert banner(machine).startswith(BANNER)
    apt(machine, "purge", "astmanproxy")

    assert left(machine) == set()
    assert machine("id", "-u", "astmanproxy").returncode == 0


def test_files_of_the_c_program_are_taken_as_they_are(machine: Machine) -> None:
    """Its user, its log and its directory; nobody is asked, and what was done is said."""
    machine.sh(C_SETUP)
    machine("tee", CONF, input=C_CONF)

    text = apt(machine, "install", "/root/new.deb")

    assert read(machine, CONF) == C_CONF
    assert "/etc/init.d/astmanproxy is kept as /etc/init.d/astmanproxy.dpkg-bak" in text
    assert "User=asterisk" in text
    assert f"{USERS} belongs to group asterisk now" in text
    assert "These of another installation stay" in text
    assert "/usr/local/sbin/astmanproxy" in text
    assert read(machine, "/usr/local/sbin/astmanproxy").endswith("echo the C program\n")
    assert banner(machine).startswith(BANNER)
    pid = machine.show("astmanproxy.service", "MainPID")
    assert machine("stat", "-c", "%U", f"/proc/{pid}").stdout == "asterisk\n"
    log = "/var/log/asterisk/astmanproxy.log"
    wait_until(lambda: "Proxy Started" in read(machine, log))
    assert read(machine, "/etc/logrotate.d/astmanproxy").count(f"{log} {{") == 1
    assert "su asterisk asterisk" in read(machine, "/etc/logrotate.d/astmanproxy")


def test_the_c_program_still_runs(machine: Machine) -> None:
    """Its port is in use: the package is installed all the same, and says what to do."""
    apt(machine, "install", "python3")
    machine.sh("systemd-run -q --unit old python3 -m http.server --bind 127.0.0.1 1234")
    wait_until(lambda: listens(machine))

    text = apt(machine, "install", "/root/new.deb")

    assert "in use" in text
    assert "mend this, then: service astmanproxy start" in text
    machine.sh("systemctl stop old; service astmanproxy start")
    assert banner(machine).startswith(BANNER)


def test_a_directory_of_asterisks(machine: Machine) -> None:
    """Its package came before: our user joins its group, and the directory stays closed."""
    machine.sh("groupadd -r asterisk; useradd -r -g asterisk asterisk")
    machine.sh("install -d -o asterisk -g asterisk -m 0750 /etc/asterisk")

    text = apt(machine, "install", "/root/new.deb")

    assert "User astmanproxy is in group asterisk now, which may read /etc/asterisk" in text
    assert machine("stat", "-c", "%a %U", "/etc/asterisk").stdout == "750 asterisk\n"
    assert banner(machine).startswith(BANNER)


ASTERISK = """
mkdir -p pkg/DEBIAN pkg/etc/asterisk; cd pkg
printf 'Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@b.cd>\nDescription: a\n' > DEBIAN/control
echo '[general]' > etc/asterisk/asterisk.conf
cat > DEBIAN/postinst <<EOF
#!/bin/sh
groupadd -r asterisk; useradd -r -g asterisk asterisk
chown asterisk:asterisk /etc/asterisk; chmod 0750 /etc/asterisk
EOF
chmod 0755 DEBIAN/postinst
dpkg-deb -b . /root/asterisk.deb
"""


def test_asterisk_comes_later(machine: Machine) -> None:
    """Its package makes the directory its own: our user joins its group then."""
    apt(machine, "install", "/root/new.deb")
    machine.sh(f"cd /root; {ASTERISK}")

    text = apt(machine, "install", "/root/asterisk.deb")

    assert "User astmanproxy is in group asterisk now, which may read /etc/asterisk" in text
    machine("systemctl", "reload", "astmanproxy")
    assert banner(machine).startswith(BANNER)


def test_started_by_system_v(tree: Bare, debs: Debs) -> None:
    """As root, which becomes the user; stopped when it is removed."""
    with Machine(tree, init=NO_SYSTEMD) as machine:
        machine.put(debs.new, "/root/new.deb")
        # Where no init has been started, nobody knows the runlevel.
        machine.sh("rm -f /sbin/runlevel; printf '#!/bin/sh\\necho N 2\\n' > /sbin/runlevel")
        machine("chmod", "0755", "/sbin/runlevel")
        apt(machine, "install", "/root/new.deb")

        assert banner(machine).startswith(BANNER)
        pid = read(machine, "/run/astmanproxy/astmanproxy.pid").strip()
        assert machine("stat", "-c", "%U", f"/proc/{pid}").stdout == "astmanproxy\n"
        for verb in ("status", "reload", "restart"):
            machine("service", "astmanproxy", verb)
        assert banner(machine).startswith(BANNER)

        apt(machine, "remove", "astmanproxy")
        assert banner(machine) == ""
        apt(machine, "purge", "astmanproxy")
        assert left(machine) == set()
