# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian in a directory, for tests that need another system: what building one takes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
#: Exit status: it cannot be built here, and that is no fault of the tests.
CANNOT = 75
#: A shell in a mount namespace of its own: whatever happens, nothing stays mounted.
SHELL = ("unshare", "--mount", "--propagation", "private", "sh", "-c")
#: In a script: a minimal Debian $suite from $mirror in $root, in which apt-get works.
MINIMAL = """export DEBIAN_FRONTEND=noninteractive LC_ALL=C
rm -rf "$root"
debootstrap --variant=minbase "$suite" "$root" "$mirror"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
"""


class CannotBuildError(Exception):
    """Why there is no such system, and what to do."""


class System(Protocol):
    """A Debian in the directory *path*."""

    suite: str
    path: Path

    @property
    def ready(self) -> bool:
        """Whether it is there."""

    def build(self) -> None:
        """Build it, if it is not there yet; raise CannotBuildError if that cannot be."""


def build_all(systems: Iterable[System], takes: str) -> int:
    """Build those of *systems* that are not there yet; return the exit status.

    *takes*: what building one takes, in words.
    """
    status = 0
    for one in systems:
        if not one.ready:
            print(f"Building Debian {one.suite} in {one.path}: {takes}, once", flush=True)
        try:
            one.build()
        except CannotBuildError as error:
            print(f"Debian {one.suite} is not there: {error}", file=sys.stderr)
            status = CANNOT
    return status


def mirror(variable: str) -> str:
    """Return a mirror of Debian: the one that *variable* names, this machine's, or the usual."""
    named = os.environ.get(variable)
    if named:
        return named
    for line in _output_of("apt-get", "indextargets", "--format", "$(REPO_URI)").split():
        if line.startswith("http") and line.rstrip("/").endswith("/debian"):
            return line
    return MIRROR


def environment() -> dict[str, str]:
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


def require(target: str, *programs: str) -> None:
    """Raise CannotBuildError where make *target* cannot make and enter a system; it needs root."""
    if os.geteuid() != 0:
        raise CannotBuildError(f"only root can make and enter a chroot (sudo make {target})")
    for program in (*programs, "unshare", "chroot", "mount"):
        if shutil.which(program) is None:
            raise CannotBuildError(f"{program} is missing (Debian: apt install debootstrap)")
    may = subprocess.run([*SHELL, "true"], capture_output=True, check=False)
    if may.returncode:
        raise CannotBuildError("this root may not mount (a container without CAP_SYS_ADMIN?)")


def run_logged(log: Path, *command: str) -> None:
    """Run *command*, which builds something, with its output in *log*.

    Raises:
        CannotBuildError: it failed; says the last line of its output.

    """
    with log.open("wb") as out:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment(),
            check=False,
        )
    if done.returncode:
        last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing said"]
        raise CannotBuildError(f"{last[0]} (see {log})")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of the file *path*: one builds, the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
