# SPDX-License-Identifier: GPL-2.0-or-later
"""A chroot of Debian sid with Asterisk and sipp: built once, then kept, and never written to.

``python -m tests.asterisk.chroot`` builds it where there is none yet, and says in one line what
is missing where that cannot be (exit status 75).  The environment says where it is
(ASTERISK_CHROOT), and may name a mirror (ASTERISK_MIRROR); without, it is that of this
machine's apt.

Each program in it has a mount namespace of its own, in which the chroot is read-only and has
/proc and /dev: whatever happens, nothing stays mounted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests import debian
from tests.debian import CANNOT

PACKAGES = ("asterisk", "sip-tester", "asterisk-core-sounds-en-gsm")
#: Where, inside, the directory of who runs a program is.
HOME = "/srv"

_RUN = """set -e
root=$1; home=$2; shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$home" "$root/srv"
exec chroot "$root" "$@"
"""
_BUILD = f"""set -e
root=$1; suite=$2; mirror=$3; shift 3
{debian.MINIMAL}printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get install -y --no-install-recommends "$@"
chroot "$root" apt-get clean
"""
_SHELL = debian.SHELL


class Chroot:
    """The chroot in the directory *path*, which may not be there yet."""

    suite = "sid"

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def ready(self) -> bool:
        """Whether it is built: a build ends with giving the directory its name."""
        return (self.path / "usr/sbin/asterisk").exists()

    def command(self, home: Path, *argv: str) -> list[str]:
        """Return what runs *argv* inside, where the directory *home* is /srv.

        The process that is started becomes the program: its id is the program's.
        """
        return [*_SHELL, _RUN, "sh", str(self.path), str(home), *argv]

    def user(self, name: str) -> tuple[int, int]:
        """Return the ids of user and group of the user *name* in there."""
        for line in (self.path / "etc/passwd").read_text().splitlines():
            fields = line.split(":")
            if fields[0] == name:
                return int(fields[2]), int(fields[3])
        raise LookupError(name)

    def build(self) -> None:
        """Build it, if it is not there yet; raise CannotBuildError if that cannot be."""
        if self.ready:
            return
        debian.require("asterisk-test", "debootstrap")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with debian.locked(self.path.with_name(f"{self.path.name}.lock")):
            if not self.ready:
                self._build()

    def _build(self) -> None:
        growing = self.path.with_name(f"{self.path.name}.building")
        log = self.path.with_name(f"{self.path.name}.log")
        arguments = [str(growing), self.suite, debian.mirror("ASTERISK_MIRROR"), *PACKAGES]
        debian.run_logged(log, *_SHELL, _BUILD, "sh", *arguments)
        growing.rename(self.path)


def default() -> Chroot:
    """Return the chroot that the environment names, or the one in the user's cache."""
    named = os.environ.get("ASTERISK_CHROOT")
    return Chroot(Path(named) if named else Path.home() / ".cache/astmanproxy/asterisk")


def main(arguments: list[str]) -> int:
    """Build it if needed, or (``--quiet``) tell whether it is there; return the exit status."""
    one = default()
    if "--quiet" in arguments:
        return 0 if one.ready else CANNOT
    return debian.build_all([one], "with Asterisk, two minutes, 600 MB")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
