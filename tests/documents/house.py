# SPDX-License-Identifier: GPL-2.0-or-later
"""House: this machine's programs with directories and a network of their own.

What a document says is typed there as it stands: /etc, /run, /var/log and /usr/local/sbin are
those of a fresh installation, port 1234 is the proxy's, and two simulated Asterisks have the
addresses of the documents.  Nothing of it is left when it ends.  It needs root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.interpreters import public_python
from tests.support import ROOT, wait_until

if TYPE_CHECKING:
    from tests.documents.typed import Typed

CONF = "/etc/asterisk/astmanproxy.conf"
#: The Asterisks: what the documents call them, and where they are.
PBX = {"192.0.2.10": "192.0.2.10", "pbx1": "192.0.2.11"}
_HOSTS = "".join(f"host = {name}, 5038, proxy, secret, on\n" for name in PBX)
#: How long one command may take, in seconds.
_COMMAND = 40.0

_START = """set -e
work=$1; root=$2; shift 2
mount -t tmpfs -o mode=0755 tmpfs "$work"
mkdir -p "$work/etc" "$work/source"
cp -a /etc/. "$work/etc/"
mount --bind "$work/etc" /etc
for each in /run /var/log /usr/local/sbin; do mount -t tmpfs -o mode=0755 tmpfs $each; done
ip link set lo up
for each in "$@"; do ip address add "$each" dev lo; done
echo "127.0.0.1 localhost proxy.example
192.0.2.11 pbx1" > /etc/hosts
getent passwd astmanproxy >/dev/null || {
  echo astmanproxy:x:471:471::/:/usr/sbin/nologin >> /etc/passwd
  echo astmanproxy:x:471: >> /etc/group
}
getent group asterisk >/dev/null || echo asterisk:x:472: >> /etc/group
mkdir -p /etc/asterisk /etc/fail2ban/filter.d /etc/fail2ban/jail.d
install -d -o astmanproxy -g astmanproxy /var/log/astmanproxy
install -m 0640 -g astmanproxy "$root/astmanproxy.users" /etc/asterisk
# In a directory of its own, so that what commands leave there is gone in the end.
ln -s "$root"/* "$work/source/"
echo up
while :; do sleep 1000; done
"""
_RUN = '#!/bin/sh\nexec {program} "{root}/astmanproxy.py" "$@"\n'


class House:
    """Use it as a context manager; commands are typed in it by ``type``."""

    def __init__(self) -> None:
        if os.geteuid() != 0:
            pytest.skip("needs root, for mounts")
        self._program = public_python()
        if not self._program:
            pytest.skip("user nobody may run no Python of this version")
        self._work = Path(tempfile.mkdtemp(prefix="astmanproxy-house-"))
        self._work.chmod(0o755)
        self.source = self._work / "source"
        self._process: subprocess.Popen[str] | None = None
        self._begun: list[subprocess.Popen[bytes]] = []
        self._first = 0
        self._config: str | None = None

    def __enter__(self) -> House:
        self._process = subprocess.Popen(
            ["unshare", "-m", "-n", "-p", "-f", "--kill-child", "--mount-proc",
             "--propagation", "private", "sh", "-c", _START, "sh", self._work, ROOT,
             *PBX.values()],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert self._process.stdout is not None
            if self._process.stdout.readline() != "up\n":
                pytest.skip("namespaces and mounts are not permitted here")
            pid = self._process.pid
            self._first = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
            self._write("/usr/local/sbin/sudo", '#!/bin/sh\nexec "$@"\n')
            program = _RUN.format(program=" ".join(self._program), root=ROOT)
            self._write("/usr/local/sbin/astmanproxy", program)
            for address in PBX.values():
                self.begin(f"{sys.executable} -m simulator --host {address}"
                           " --user proxy --secret secret --calls 2", "listens")  # fmt: skip
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()  # and with it, by --kill-child, all that runs there
            self._process.communicate()
        for each in self._begun:
            each.wait()
        shutil.rmtree(self._work, ignore_errors=True)

    def type(self, way: Typed) -> str:
        """Type the command of *way*, before which all is as it wants it; return what it says."""
        self._prepare(way)
        if way.until:
            said = self.begin(way.text, way.until)
            if not way.runs:
                self._stop()
            return said
        done = self.sh(way.text, check=False, input=way.stdin)
        assert done.returncode in way.status, done.stdout
        return done.stdout

    def sh(
        self, script: str, *, check: bool = True, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run the shell *script* in the source directory; it must succeed, unless not *check*."""
        done: subprocess.CompletedProcess[str] = subprocess.run(
            self._command(script), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=_COMMAND, check=False, **options,
        )  # fmt: skip
        assert not check or done.returncode == 0, (script, done.stdout)
        return done

    def begin(self, script: str, until: str) -> str:
        """Start *script*, which goes on; return what it has said when that matches *until*."""
        said = self._work.parent / f"{self._work.name}.said"
        with said.open("w") as file:
            process = subprocess.Popen(
                self._command(script), stdin=subprocess.DEVNULL, stdout=file,
                stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._begun.append(process)
        try:
            wait_until(
                lambda: re.search(until, said.read_text()) or process.poll() is not None,
                _COMMAND, until,
            )  # fmt: skip
            return said.read_text()
        finally:
            said.unlink()

    def _command(self, script: str) -> list[str]:
        path = f"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:{Path(sys.executable).parent}"
        return ["nsenter", "-t", str(self._first), "-m", "-n", "-p", "env", "-i", f"PATH={path}",
                "LC_ALL=C.UTF-8", "HOME=/root", "TERM=dumb", "COLUMNS=200",
                "sh", "-c", f'cd "{self.source}" && {script}']  # fmt: skip

    def _write(self, path: str, text: str) -> None:
        self.sh(f"cat > {path} && chmod 0755 {path}", input=text)

    def _prepare(self, way: Typed) -> None:
        """Have a proxy run that is configured as *way* wants it, or none."""
        runs = self._runs()
        if runs and (self._config != way.config or not way.runs):
            self._stop()
            runs = False
        shipped = (ROOT / "astmanproxy.conf").read_text()
        self.sh(f"cat > {CONF} && chgrp astmanproxy {CONF} && chmod 0640 {CONF}",
                input=f"{shipped}\n{_HOSTS}{way.config}")  # fmt: skip
        self._config = way.config
        if way.before:
            self.sh(way.before)
        if way.runs and not runs:
            before = self._connected()
            self.sh("astmanproxy")
            now = before + len(PBX)
            wait_until(lambda: self._connected() >= now, _COMMAND, "all servers connected")

    def _runs(self) -> bool:
        return self.sh("pgrep -x astmanproxy", check=False).returncode == 0

    def _stop(self) -> None:
        self.sh("pkill -x astmanproxy", check=False)  # one that ends by itself may be gone now
        wait_until(lambda: not self._runs(), _COMMAND, "the end of the proxy")

    def _connected(self) -> int:
        """Return how often the log says that a server is connected."""
        log = Path(f"/proc/{self._first}/root/var/log/astmanproxy/astmanproxy.log")
        return log.read_text().count(": connected (") if log.exists() else 0
