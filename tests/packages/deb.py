# SPDX-License-Identifier: GPL-2.0-or-later
"""The Debian package on a machine: apt, and the proxy that it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.service.machine import Machine

CONF = "/etc/asterisk/astmanproxy.conf"
USERS = "/etc/asterisk/astmanproxy.users"
LOG = "/var/log/astmanproxy/astmanproxy.log"
#: What the C program left.
C_CONF = """
host = 127.0.0.1, 5038, admin, secret, on, off
listenport = 1234
proc_user = asterisk
proc_group = asterisk
logfile = /var/log/asterisk/astmanproxy.log
"""
C_SETUP = """
groupadd -r asterisk; useradd -r -g asterisk asterisk
install -d -o asterisk -g asterisk -m 0750 /etc/asterisk /var/log/asterisk
printf '#!/bin/sh\\necho the C program\\n' > /usr/local/sbin/astmanproxy
chmod 0755 /usr/local/sbin/astmanproxy
cp /usr/local/sbin/astmanproxy /etc/init.d/astmanproxy
echo joe=Secret1,output=xml > /etc/asterisk/astmanproxy.users
chmod 0600 /etc/asterisk/astmanproxy.users
"""
#: Prints the first line that a port says; "" if nobody listens there.
_BANNER = """
import socket, sys
try:
    print(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10).makefile().readline())
except OSError:
    pass
"""


def apt(machine: Machine, *arguments: str) -> str:
    """Run apt-get, which must succeed, without asking anybody; return what it printed."""
    done = machine(
        "env", "DEBIAN_FRONTEND=noninteractive",
        "apt-get", "-y", "-q", "--no-install-recommends", *arguments,
        check=False,
    )  # fmt: skip
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    return text


def banner(machine: Machine, port: int = 1234) -> str:
    """Return what the proxy says to a client that connects; "": nobody listens."""
    return machine("python3", "-c", _BANNER, str(port)).stdout.strip()


def listens(machine: Machine, port: int = 1234) -> bool:
    """Return whether somebody listens on *port*."""
    script = f"import socket; socket.create_connection(('127.0.0.1', {port}), 10)"
    return machine("python3", "-c", script, check=False).returncode == 0


def append(machine: Machine, path: str, text: str) -> None:
    """Add *text* to the file *path*, as an administrator does."""
    machine("tee", "-a", path, input=text)


def read(machine: Machine, path: str) -> str:
    """Return the contents of the file *path*."""
    return machine("cat", path).stdout


def left(machine: Machine) -> set[str]:
    """Return the files whose names tell that they are ours, but for dpkg's and our logs' own."""
    found = machine.sh("find /etc /usr /var /run -xdev -name '*astmanproxy*'").split()
    return {path for path in found if not path.startswith("/var/tmp")}
