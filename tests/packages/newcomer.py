# SPDX-License-Identifier: GPL-2.0-or-later
"""Newcomer: types on a bare machine what README says, and looks at clock and disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support import ROOT

if TYPE_CHECKING:
    from tests.service.machine import Machine
    from tests.service.network import Internet

#: Where they have unpacked the release.
DIRECTORY = "/root/astmanproxy"
#: Seconds that one command may take.
PATIENCE = 500
#: They are root already, and say yes to apt; a mirror of sid may be some weeks old.
_HABITS = """
printf '#!/bin/sh\\nexec "$@"\\n' > /usr/local/bin/sudo; chmod 0755 /usr/local/bin/sudo
echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/yes
echo 'Acquire::Check-Valid-Until "false";' > /etc/apt/apt.conf.d/mirror
apt-get clean; apt-get update
"""
_USED = """
apt-get clean
du -sk --exclude=/var/lib/apt /etc /usr /opt /var/lib /var/cache | cut -f 1 | paste -sd+ | sed 's/^/echo $((/; s/$/))/' | sh
"""


class Newcomer:
    """At *machine*, which reaches *internet*."""

    def __init__(self, machine: Machine, internet: Internet) -> None:
        self.machine, self._internet = machine, internet
        self._documents = "".join(
            (ROOT / name).read_text()
            for name in ("README.md", "docs/install.md", "docs/upgrading.md")
        )
        machine.sh(_HABITS, timeout=PATIENCE)
        unpack(machine)
        self.begin()

    def begin(self) -> None:
        """Count from here."""
        self.seconds = 0.0
        self._used = self._disk()
        self._received = self._internet.received

    def type(self, line: str) -> str:
        """Run *line*, which stands in README, docs/install.md or docs/upgrading.md; return what it printed."""
        assert line in self._documents
        return self.run(line)

    def run(self, line: str) -> str:
        """Run a line that succeeds; return what it printed."""
        begun = time.monotonic()
        done = subprocess.run(
            self.machine.command("env", "DEBIAN_FRONTEND=noninteractive", "sh", "-ec",
                                 f"cd {DIRECTORY}; {line}"),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        self.seconds += time.monotonic() - begun
        assert done.returncode == 0, f"{line}:\n{done.stdout}"
        return done.stdout

    def tell(self, what: str) -> None:
        """Write the figures of *what* down, and begin anew."""
        received = (self._internet.received - self._received) / 1e6
        used = (self._disk() - self._used) / 1e3
        self.note(
            f"{what}: {self.seconds:.0f} s, {received:.1f} MB downloaded, {used:.0f} MB more on disk"
        )
        self.begin()

    def note(self, text: str) -> None:
        """Write *text* into the file that PACKAGE_FIGURES names."""
        if "PACKAGE_FIGURES" in os.environ:
            with Path(os.environ["PACKAGE_FIGURES"]).open("a") as file:
                file.write(f"{self.machine.tree.suite}: {text}\n")

    def _disk(self) -> int:
        return int(self.machine.sh(_USED))


def unpack(machine: Machine) -> None:
    """Have this directory on *machine*, as a release has it."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    target = machine.path(DIRECTORY)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
