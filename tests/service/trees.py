# SPDX-License-Identifier: GPL-2.0-or-later
"""Trees of Debian with systemd and what the proxy needs: built once, then kept as they are.

``python -m tests.service.trees`` builds those that are not there yet, and says in one line what
is missing where that cannot be (exit status 75).  The environment says where they are
(SERVICE_TREES, a directory), and may name a mirror (SERVICE_MIRROR), and the suites of Debian
that are wanted (SERVICE_SUITES, with blanks between them).
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests import debian
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: systemd 252, 257, and the newest.
SUITES = ("bookworm", "trixie", "sid")
#: Beside a minimal Debian: systemd as init; what "make install" needs; what works with the log.
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-venv", "make",
            "ca-certificates", "openssl", "iproute2", "procps", "logrotate", "fail2ban")  # fmt: skip
#: Where, inside, the packages of Python that the proxy needs are: the tests need no network.
WHEELS = "opt/wheels"

_SYSTEM = f"""set -e
root=$1; suite=$2; mirror=$3; shift 3
{debian.MINIMAL}chroot "$root" apt-get install -y --no-install-recommends "$@"
chroot "$root" apt-get clean
# A machine that is booted for a test has neither terminals nor days.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer logrotate.timer getty.target console-getty.service fail2ban.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
"""
#: The way to the package index is that of this machine; wheels depend on the Python inside.
_WHEELS = """set -e
root=$1; requirements=$2
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
certificates=/etc/ssl/certs/ca-certificates.crt
test ! -f "$certificates" || cat "$certificates" >> "$root$certificates"
rm -rf "$root/opt/wheels" "$root/opt/requirements"
cp -R "$requirements" "$root/opt/requirements"
wheels() {
  PIP_CERT=$certificates PIP_FIND_LINKS= PIP_CONFIG_FILE=/dev/null chroot "$root" \
    /tmp/venv/bin/python -m pip download --quiet --only-binary :all: --dest /opt/wheels "$@"
}
chroot "$root" python3 -m venv --clear /tmp/venv
wheels --require-hashes -r /opt/requirements/install.txt
# It has no wheel for the newest Python at first.
wheels --require-hashes -r /opt/requirements/re2.txt || echo "no google-re2"
rm -r "$root/tmp/venv"
"""


class Tree:
    """The tree of the Debian *suite* in the directory *top*; it may not be there yet."""

    #: What make builds it for.
    TARGET = "service-test"

    def __init__(self, suite: str, top: Path) -> None:
        self.suite = suite
        self.path = top / suite

    @property
    def ready(self) -> bool:
        """Whether it is built, from what these tests want today."""
        return not self._lacking()

    def build(self) -> None:
        """Build what is not there yet; raise CannotBuildError if that cannot be."""
        if self.ready:
            return
        debian.require(self.TARGET, "debootstrap", "nsenter")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with debian.locked(self._beside("lock")):
            for step in self._lacking():
                debian.run_logged(
                    self._beside("log"), *debian.SHELL, step.script, "sh", *step.arguments
                )
                self._beside(step.name).write_text(step.digest)

    def _lacking(self) -> list[Step]:
        """Return the steps that are to be taken; after one that was, all those behind it."""
        steps = self._steps()
        for i, step in enumerate(steps):
            stamp = self._beside(step.name)
            if not stamp.is_file() or stamp.read_text() != step.digest:
                return steps[i:]
        return []

    def _steps(self) -> list[Step]:
        mirror = debian.mirror("SERVICE_MIRROR")
        pins = ROOT / "requirements"
        texts = [(pins / name).read_text() for name in ("install.txt", "re2.txt")]
        return [
            make_step("system", _SYSTEM, [str(self.path), self.suite, mirror, *PACKAGES], PACKAGES),
            make_step("wheels", _WHEELS, [str(self.path), str(pins)], texts),
        ]

    def _beside(self, name: str) -> Path:
        return self.path.with_name(f"{self.suite}.{name}")


class Step(NamedTuple):
    """A part of a build: a script with *arguments*; *digest* changes when it would do otherwise."""

    name: str
    script: str
    arguments: list[str]
    digest: str


def make_step(name: str, script: str, arguments: list[str], depends: Iterable[str]) -> Step:
    digest = hashlib.sha256("\0".join([script, *depends]).encode()).hexdigest()
    return Step(name, script, arguments, digest)


def wanted() -> list[Tree]:
    """Return the trees that the environment asks for."""
    named = os.environ.get("SERVICE_TREES")
    top = Path(named) if named else Path.home() / ".cache/astmanproxy/service"
    return [Tree(suite, top) for suite in suites()]


def suites() -> Sequence[str]:
    """Return the suites of Debian that the environment asks for."""
    return os.environ.get("SERVICE_SUITES", "").split() or SUITES


def main() -> int:
    """Build what is not there yet; return the exit status."""
    return debian.build_all(wanted(), "two minutes, 400 MB")


if __name__ == "__main__":
    sys.exit(main())
