# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package on machines that are not as one would have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.packages.deb import CONF, append, apt, banner, read

if TYPE_CHECKING:
    from tests.service.machine import Machine

pytestmark = pytest.mark.packages

BANNER = "Asterisk Call Manager"
STATUS = ("dpkg-query", "-W", "-f", "${Status}", "astmanproxy")


def test_an_upgrade_starts_anew_what_runs_at_a_port_of_roots(machine: Machine) -> None:
    """With options as systemd takes them, which are no shell script."""
    apt(machine, "install", "/root/old.deb")
    append(machine, CONF, "listenport = 80\n")
    machine("tee", "/etc/default/astmanproxy", input=f"OPTIONS=-c {CONF}\n")
    machine("dpkg-reconfigure", "-fnoninteractive", "astmanproxy")
    machine("systemctl", "restart", "astmanproxy")
    assert banner(machine, 80).startswith(BANNER)
    pid = machine.show("astmanproxy.service", "MainPID")

    text = apt(machine, "install", "/root/new.deb")

    assert "mend this" not in text
    assert banner(machine, 80).startswith(BANNER)
    assert machine.show("astmanproxy.service", "MainPID") not in (pid, "0")


def test_the_directory_is_a_link(machine: Machine) -> None:
    """Which leads to one that Asterisk's package keeps for itself, or that is not there yet."""
    machine.sh("groupadd -r asterisk; useradd -r -g asterisk asterisk; ln -s /srv/a /etc/asterisk")
    apt(machine, "install", "/root/new.deb")
    assert banner(machine).startswith(BANNER)
    apt(machine, "purge", "astmanproxy")
    machine.sh("install -d -o asterisk -g asterisk -m 0750 /srv/a")

    text = apt(machine, "install", "/root/new.deb")

    assert "User astmanproxy is in group asterisk now" in text
    assert banner(machine).startswith(BANNER)


def test_an_installation_that_was_interrupted_is_completed(machine: Machine) -> None:
    """Also if the machine has been started anew meanwhile."""
    apt(machine, "install", "/root/old.deb")
    apt(machine, "purge", "astmanproxy")
    machine.sh("dpkg --unpack /root/new.deb; find /run -name '*astmanproxy*' -delete")

    machine("dpkg", "--configure", "-a")

    assert banner(machine).startswith(BANNER)


def test_masked_it_is_not_started(machine: Machine) -> None:
    """And nobody is told to take the mask away, or another user's file."""
    machine("systemctl", "mask", "astmanproxy")

    text = apt(machine, "install", "/root/new.deb")

    assert "another installation" not in text
    assert banner(machine) == ""


def test_its_user_has_gone(machine: Machine) -> None:
    """What the configuration names is wrong: that is said, and the package is installed."""
    apt(machine, "install", "/root/old.deb")
    machine.sh("useradd -r asterisk")
    append(machine, CONF, "proc_user = asterisk\n")
    machine("dpkg-reconfigure", "-fnoninteractive", "astmanproxy")
    machine.sh("userdel asterisk; dpkg-trigger --by-package=astmanproxy /etc/asterisk")

    machine("dpkg", "--triggers-only", "-a")

    assert machine(*STATUS).stdout == "install ok installed"
    apt(machine, "install", "/root/new.deb")
    assert machine(*STATUS).stdout == "install ok installed"
    assert "proc_user = asterisk" in read(machine, CONF)


#: ucf, and then what the owner of the directory may do at any moment.
UCF = """#!/bin/sh
/usr/bin/ucf.real "$@" || exit
case "$*" in *astmanproxy.users) ln -sf /etc/shadow /etc/asterisk/astmanproxy.users;; esac
"""


def test_a_link_in_a_directory_of_asterisks_gives_no_file_away(machine: Machine) -> None:
    """Root does nothing by name to a file there that its owner may have replaced."""
    machine.sh("groupadd -r asterisk; useradd -r -g asterisk asterisk")
    machine.sh("install -d -o asterisk -g asterisk -m 0750 /etc/asterisk")
    apt(machine, "install", "ucf")
    machine("mv", "/usr/bin/ucf", "/usr/bin/ucf.real")
    machine("tee", "/usr/bin/ucf", input=UCF)
    machine("chmod", "0755", "/usr/bin/ucf")

    apt(machine, "install", "/root/new.deb")

    assert machine("stat", "-c", "%a %U:%G", "/etc/shadow").stdout == "640 root:shadow\n"
