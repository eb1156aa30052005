# SPDX-License-Identifier: GPL-2.0-or-later
"""The log in the journal of a real systemd, with levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, wait_until

if TYPE_CHECKING:
    from tests.service.service import Service

pytestmark = pytest.mark.service

FILTER = ROOT / "init/fail2ban/astmanproxy.conf"
FAILED = 'login failed from 127.0.0.1 as "joe": wrong user or secret'


def entries(service: Service, *options: str) -> list[str]:
    """Return the messages in the journal that *options* of journalctl choose."""
    return service.machine("journalctl", "-q", "-b", "-o", "cat", *options).stdout.splitlines()


def fail_to_log_in(service: Service) -> None:
    """Give a wrong secret."""
    service.machine.sh("echo 'joe=Right' > /etc/asterisk/astmanproxy.users")
    service("reload")
    assert "Response: Error" in service.ask("Action: Login", "Username: joe", "Secret: wrong")


def test_the_journal_has_levels(service: Service) -> None:
    """From the sandbox of the unit: -p chooses among the lines, and -u and -t find them."""
    service.configure("logfile = journal")
    service("start")
    fail_to_log_in(service)

    chosen = ("-t", "astmanproxy", "-p", "warning")
    wait_until(lambda: FAILED in entries(service, *chosen), 20, "the line")
    assert "Connection received from 127.0.0.1" not in entries(service, *chosen)
    of_unit = entries(service, "-u", "astmanproxy", "LOGGER=amiproxy.listener", "PRIORITY=6")
    assert "Connection received from 127.0.0.1" in of_unit
    assert service.log() == ""


def test_fail2ban_finds_failed_logins_in_the_journal(service: Service) -> None:
    """With the shipped filter."""
    service.configure("logfile = journal")
    service("start")
    fail_to_log_in(service)
    wait_until(lambda: FAILED in entries(service, "-t", "astmanproxy"), 20, "the line")
    # Since its own beginning: the journal has earlier ones.
    ours = f"_PID={service.pid}"
    service.machine("tee", "/tmp/filter.conf", input=FILTER.read_text())

    found = service.machine(
        "fail2ban-regex", "-m", ours, "systemd-journal", "/tmp/filter.conf", check=False
    ).stdout
    if "systemd library not found" in found:
        pytest.skip("fail2ban has no way to the journal here")
    assert " 1 matched" in found


def test_the_audit_in_the_journal_is_found_by_its_fields(service: Service) -> None:
    """By user, action and what it acted on."""
    service.configure("logfile = journal\naudit = yes")
    service("start")
    service.ask("Action: Hangup", "Channel: SIP/7")

    chosen = ("ASTMANPROXY_ACTION=Hangup", "ASTMANPROXY_HEADER_CHANNEL=SIP/7")
    wait_until(lambda: entries(service, *chosen), 20, "the line")
    [line] = entries(service, *chosen)
    assert line.startswith("audit: user=- address=127.0.0.1 action=Hangup channel=SIP/7")


def test_levels_on_stderr(service: Service) -> None:
    """Systemd reads them from the beginnings of lines."""
    service.configure("logfile = stderr")
    service("start")
    fail_to_log_in(service)

    chosen = ("-u", "astmanproxy", "-p", "warning")
    wait_until(lambda: FAILED in entries(service, *chosen), 20, "the line")
    assert "Connection received from 127.0.0.1" not in entries(service, *chosen)


def test_the_journal_of_a_healthy_unit_is_not_empty(service: Service) -> None:
    """With the log in its file: what concerns the proxy itself, and no clients."""
    service("start")
    fail_to_log_in(service)
    service.wait_log(FAILED)

    said = entries(service, "-u", "astmanproxy")
    assert "Proxy Started: Listening for connections" in said
    assert not any(FAILED in line for line in said[-20:])
