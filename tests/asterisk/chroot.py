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

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("asterisk", "sip-tester", "asterisk-core-sounds-en-gsm")
MIRROR = "http://deb.debian.org/debian"
#: Where, inside, the directory of who runs a program is.
HOME = "/srv"
#: Exit status: it cannot be built here, and that is no fault of the tests.
CANNOT = 75

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
_BUILD = """set -e
root=$1; mirror=$2; shift 2
export DEBIAN_FRONTEND=noninteractive LC_ALL=C
debootstrap --variant=minbase sid "$root" "$mirror"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
chroot "$root" apt-get install -y --no-install-recommends "$@"
chroot "$root" apt-get clean
"""
#: A shell in a mount namespace of its own.
_SHELL = ("unshare", "--mount", "--propagation", "private", "sh", "-c")


class CannotBuildError(Exception):
    """Why there is no chroot, and what to do."""


class Chroot:
    """The chroot in the directory *path*, which may not be there yet."""

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
        _require_what_building_needs()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(self.path.with_name(f"{self.path.name}.lock")):
            if not self.ready:
                self._build()

    def _build(self) -> None:
        growing = self.path.with_name(f"{self.path.name}.building")
        log = self.path.with_name(f"{self.path.name}.log")
        shutil.rmtree(growing, ignore_errors=True)
        with log.open("wb") as out:
            done = subprocess.run(
                [*_SHELL, _BUILD, "sh", str(growing), mirror(), *PACKAGES],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=_environment(),
                check=False,
            )
        if done.returncode:
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing said"]
            raise CannotBuildError(f"Debian sid could not be installed: {last[0]} (see {log})")
        growing.rename(self.path)


def mirror() -> str:
    """Return a mirror of Debian: the one that is named, this machine's, or the usual one."""
    named = os.environ.get("ASTERISK_MIRROR")
    if named:
        return named
    for line in _output_of("apt-get", "indextargets", "--format", "$(REPO_URI)").split():
        if line.startswith("http") and line.rstrip("/").endswith("/debian"):
            return line
    return MIRROR


def _environment() -> dict[str, str]:
    """Return the environment of a build: with the proxy that this machine's apt uses."""
    found = dict(os.environ)
    asked = _output_of("apt-config", "shell", "P", "Acquire::http::Proxy")
    proxy = asked.partition("=")[2].strip().strip("'")
    if proxy and proxy != "DIRECT":
        found.setdefault("http_proxy", proxy)
    return found


def _output_of(*command: str) -> str:
    """Return what *command* prints, "" where there is no such program."""
    with contextlib.suppress(OSError):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout
    return ""


def _require_what_building_needs() -> None:
    if os.geteuid() != 0:
        raise CannotBuildError("only root can make and enter a chroot (sudo make asterisk-test)")
    for program in ("debootstrap", "unshare", "chroot", "mount"):
        if shutil.which(program) is None:
            raise CannotBuildError(f"{program} is missing (Debian: apt install debootstrap)")
    may = subprocess.run([*_SHELL, "true"], capture_output=True, check=False)
    if may.returncode:
        raise CannotBuildError("this root may not mount (a container without CAP_SYS_ADMIN?)")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of the file *path*: one builds, the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def default() -> Chroot:
    """Return the chroot that the environment names, or the one in the user's cache."""
    named = os.environ.get("ASTERISK_CHROOT")
    return Chroot(Path(named) if named else Path.home() / ".cache/astmanproxy/asterisk")


def main(arguments: list[str]) -> int:
    """Build it if needed, or (``--quiet``) tell whether it is there; return the exit status."""
    one = default()
    if "--quiet" in arguments:
        return 0 if one.ready else CANNOT
    try:
        if not one.ready:
            print(f"Building Debian sid with Asterisk in {one.path}: two minutes, 600 MB, once")
        one.build()
    except CannotBuildError as error:
        print(f"There is no Asterisk to ask: {error}", file=sys.stderr)
        return CANNOT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
