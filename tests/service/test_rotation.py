# SPDX-License-Identifier: GPL-2.0-or-later
"""The log is rotated through the unit, and fail2ban goes on seeing failed log-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.service.installed import SOURCE
from tests.service.service import LOG, USERS
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.service.machine import Machine
    from tests.service.service import Service

pytestmark = pytest.mark.service

_ROTATE = "logrotate --force --state /run/rotation /etc/logrotate.d/astmanproxy"
_FAIL2BAN = f"""
cp {SOURCE}/init/fail2ban/astmanproxy.conf /etc/fail2ban/filter.d/astmanproxy.conf
rm -f /etc/fail2ban/jail.d/*
sed 's/^bantime.*/bantime = 1h\\nbanaction = noop\\nignoreself = false\\nbackend = polling/' \
  {SOURCE}/init/fail2ban/jail.conf > /etc/fail2ban/jail.d/astmanproxy.conf
printf '[Definition]\\nactionban =\\nactionunban =\\n' > /etc/fail2ban/action.d/noop.conf
systemctl unmask fail2ban 2>/dev/null
systemctl restart fail2ban
"""


def fail(service: Service) -> None:
    """Try to log in with a wrong secret."""
    assert "Response: Error" in service.ask("Action: Login", "Username: joe", "Secret: wrong")


def test_the_new_log_is_written_and_the_old_one_is_not(service: Service) -> None:
    """At the first rotation and the next; the new file is as the old one was."""
    machine = service.machine
    service("start")
    before = machine.sh(f"stat -c '%U:%G %a' {LOG}")

    for _ in range(2):
        inode = machine.sh(f"stat -c %i {LOG}.1 2>/dev/null || true")
        assert machine(*_ROTATE.split()).stderr == ""
        assert machine.sh(f"stat -c %i {LOG}.1") != inode
        old = machine.sh(f"cat {LOG}.1")
        wait_until(lambda: service.log() != "", 20, "a line in the new log")
        assert machine.sh(f"cat {LOG}.1") == old
        assert machine.sh(f"stat -c '%U:%G %a' {LOG}") == before == "astmanproxy:astmanproxy 640\n"


def test_a_rotation_fails_where_the_reload_does(service: Service) -> None:
    """Who gets logrotate's mail learns of it; the log goes on in the new file all the same."""
    service("start")
    service.configure("maxclients = many")

    done = service.machine(*_ROTATE.split(), check=False)

    assert done.returncode != 0
    service.wait_log("maxclients")


@pytest.fixture
def fail2ban(machine: Machine, service: Service) -> Iterator[Machine]:
    """The machine with fail2ban running, with our filter and jail."""
    machine.sh(f"echo 'joe=Secret1' >> {USERS}")
    service("start")
    machine.sh(_FAIL2BAN)
    wait_until(lambda: "astmanproxy" in _jails(machine), 60, "fail2ban has the jail")
    yield machine
    machine.sh("systemctl stop fail2ban")


def _jails(machine: Machine) -> str:
    return machine("fail2ban-client", "status", check=False).stdout


def _failures(machine: Machine) -> int:
    text = machine("fail2ban-client", "status", "astmanproxy").stdout
    return int(text.partition("Total failed:")[2].split()[0])


def test_fail2ban_sees_failures_before_and_after_a_rotation(
    fail2ban: Machine, service: Service
) -> None:
    """It follows the name of the file."""
    fail(service)
    wait_until(lambda: _failures(fail2ban) == 1, 60)

    fail2ban(*_ROTATE.split())
    fail(service)

    wait_until(lambda: _failures(fail2ban) == 2, 60)
