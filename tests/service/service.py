# SPDX-License-Identifier: GPL-2.0-or-later
"""Service: astmanproxy.service on a machine, and what its administrator does with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support import wait_until

if TYPE_CHECKING:
    import subprocess

    from tests.service.machine import Machine

UNIT = "astmanproxy.service"
PROGRAM = "/usr/local/sbin/astmanproxy"
PYTHON = "/usr/local/lib/astmanproxy/venv/bin/python"
CONF = "/etc/asterisk/astmanproxy.conf"
USERS = "/etc/asterisk/astmanproxy.users"
LOG = "/var/log/astmanproxy/astmanproxy.log"
DROPIN = "/etc/systemd/system/astmanproxy.service.d/test.conf"

#: A client: sends its lines of input as one block, prints what comes until a blank line.
_CLIENT = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
file = sock.makefile("rb")
print(file.readline().decode(), end="")
lines = sys.stdin.read().splitlines()
if lines:
    sock.sendall("".join(f"{line}\\r\\n" for line in lines).encode() + b"\\r\\n")
    for line in file:
        print(line.decode().rstrip())
        if not line.strip():
            break
"""


class Service:
    """The service; *machine* has it installed."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._shipped = machine.sh(f"cat {CONF}.shipped 2>/dev/null || cat {CONF}")
        machine.sh(f"cp -n {CONF} {CONF}.shipped; cp -n {USERS} {USERS}.shipped")

    def reset(self) -> None:
        """Have everything as it was installed."""
        self.machine.sh(
            f"systemctl stop astmanproxy.socket {UNIT}; systemctl reset-failed;"
            f" rm -f {DROPIN} {LOG}*; cp {CONF}.shipped {CONF}; cp {USERS}.shipped {USERS};"
            " systemctl daemon-reload"
        )

    def __call__(self, verb: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run systemctl *verb* for it."""
        return self.machine("systemctl", verb, UNIT, check=check)

    def configure(self, more: str) -> None:
        """Add lines to the configuration as it was installed."""
        self.machine("tee", CONF, input=f"{self._shipped}\n{more}\n")

    def edit(self, lines: str) -> None:
        """Add *lines* to its unit, as "systemctl edit" does."""
        self.machine.sh(f"mkdir -p {DROPIN.rpartition('/')[0]}")
        self.machine("tee", DROPIN, input=f"[Service]\n{lines}\n")
        self.machine("systemctl", "daemon-reload")

    @property
    def pid(self) -> int:
        """The number of its process, as it is known there; 0: it does not run."""
        return int(self.machine.show(UNIT, "MainPID"))

    @property
    def state(self) -> str:
        """What systemd says: active, failed, ..."""
        return self.machine.show(UNIT, "ActiveState")

    @property
    def status_text(self) -> str:
        """What the program has told systemd of itself."""
        return self.machine.show(UNIT, "StatusText")

    def log(self) -> str:
        """Return the contents of the log."""
        return self.machine.sh(f"cat {LOG} 2>/dev/null || true")

    def wait_log(self, text: str) -> None:
        """Wait until *text* stands in the log."""
        wait_until(lambda: text in self.log(), 20, f"{text!r} in the log")

    def ask(self, *lines: str, port: int = 1234) -> str:
        """Connect, send *lines* as one block; return the banner and the answer."""
        return self.machine("python3", "-c", _CLIENT, str(port), input="\n".join(lines)).stdout

    def exposure(self) -> float:
        """Return what systemd-analyze security says of it: 0.0 to 10.0."""
        text = self.machine.sh(f"systemd-analyze security --no-pager {UNIT}")
        return float(text.rsplit("service: ", 1)[1].split()[0])


def ask_in_both_ways(machine: Machine) -> None:
    """Ask the running proxy as root and as its own user, without any option; both must work."""
    for user in ("", "setpriv --reuid astmanproxy --regid astmanproxy --clear-groups"):
        assert "help" in machine.sh(f"{user} {PROGRAM} --control help"), user
        # Its status is 1: no Asterisk is configured.
        assert "no servers" in machine.sh(f"{user} {PROGRAM} --status || test $? = 1"), user
