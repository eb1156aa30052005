# SPDX-License-Identifier: GPL-2.0-or-later
"""Debians to install packages in, and to build them in: built once, then kept as they are.

``python -m tests.packages.trees deb`` (or ``rpm``, ``image``) builds those that are not there
yet, and says in one line what is missing where that cannot be (exit status 75).  The environment
says where they are (PACKAGE_TREES, a directory), and may name a mirror (SERVICE_MIRROR), and the suites of Debian
that are wanted (SERVICE_SUITES, with blanks between them).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import debian
from tests.service.trees import Step, Tree, make_step, suites
from tests.support import ROOT

#: What the package depends on, and logrotate: there to be installed without network.
NEEDED = ("python3", "python3-bcrypt", "python3-daemon", "python3-h11", "python3-lockfile",
          "python3-websockets", "ucf",
          "logrotate")  # fmt: skip
SYSTEM = ("systemd", "systemd-sysv", "dbus", "iproute2")
#: What rpm's package needs, for rpm itself does not know what Debian's has installed.
RPM = (*SYSTEM, "rpm", "logrotate", "python3", "python3-bcrypt", "python3-daemon", "python3-h11",
       "python3-lockfile", "python3-websockets")  # fmt: skip
TOOLS = ("python3", "dpkg-dev", "debhelper", "dh-python", "lintian")

_BARE = f"""set -e
root=$1; suite=$2; mirror=$3; needed=$4; shift 4
{debian.MINIMAL}apt() {{ chroot "$root" apt-get -y --no-install-recommends "$@"; }}
apt install "$@"
apt clean
apt install --download-only $needed
# A machine that is booted for a test has neither terminals nor days.
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \\
    fstrim.timer logrotate.timer getty.target console-getty.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
"""
_TOOLS = f"""set -e
root=$1; suite=$2; mirror=$3; shift 3
{debian.MINIMAL}chroot "$root" apt-get -y --no-install-recommends install "$@"
chroot "$root" apt-get clean
"""
_BASE = """set -e
root=$1; suite=$2; mirror=$3
rm -rf "$root"
LC_ALL=C debootstrap --variant=minbase "$suite" "$root" "$mirror"
"""
_RUN = """set -e
root=$1; source=$2; out=$3; shift 3
mkdir -p "$root/src" "$root/out"
mount --bind "$source" "$root/src"
mount --bind "$out" "$root/out"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \\
  LC_ALL=C.UTF-8 HOME=/root "$@"
"""


class Bare(Tree):
    """A Debian with systemd and nothing else; the packages of NEEDED are in apt's cache."""

    TARGET = "deb-test"

    def _steps(self) -> list[Step]:
        first = [str(self.path), self.suite, debian.mirror("SERVICE_MIRROR")]
        return [
            make_step(
                "bare", _BARE, [*first, " ".join(NEEDED), *SYSTEM], depends=[*NEEDED, *SYSTEM]
            )
        ]


class Builder(Tree):
    """A Debian in which a package is built and looked at."""

    TARGET = "deb-test"

    def _steps(self) -> list[Step]:
        first = [str(self.path), self.suite, debian.mirror("SERVICE_MIRROR")]
        return [make_step("tools", _TOOLS, [*first, *TOOLS], depends=TOOLS)]

    def run(self, out: Path, *argv: str, source: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """Run *argv* in there, with *source* as /src and the directory *out* as /out."""
        return subprocess.run(
            [*debian.SHELL, _RUN, "sh", str(self.path), str(source), str(out), *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def build_deb(self, out: Path, version: str, source: Path = ROOT) -> Path:
        """Build the package of *source* into the directory *out*; return its file."""
        done = self.run(out, "/src/packaging/debian/build", "/out", version, source=source)
        assert done.returncode == 0, done.stdout + done.stderr
        return out / f"astmanproxy_{version}_all.deb"


class Rpm(Builder):
    """A Debian with systemd, rpm, and what the proxy needs: to build the package and to install it."""

    TARGET = "rpm-test"

    def _steps(self) -> list[Step]:
        first = [str(self.path), self.suite, debian.mirror("SERVICE_MIRROR")]
        return [make_step("rpm", _BARE, [*first, "", *RPM], depends=RPM)]

    def build_rpm(self, out: Path, version: str, source: Path = ROOT) -> Path:
        """Build the package of *source* into the directory *out*; return its file."""
        done = self.run(out, "/src/packaging/rpm/build", "/out", version, source=source)
        assert done.returncode == 0, done.stdout + done.stderr
        return out / f"astmanproxy-{version}-1.noarch.rpm"


class Base(Tree):
    """A Debian with nothing, not even systemd: what an image starts from."""

    TARGET = "image-test"

    def _steps(self) -> list[Step]:
        first = [str(self.path), self.suite, debian.mirror("SERVICE_MIRROR")]
        return [make_step("base", _BASE, first, depends=())]


def bare() -> list[Bare]:
    """Return the bare Debians that the environment asks for."""
    return [Bare(suite, _top() / "bare") for suite in suites()]


def builders() -> list[Builder]:
    """Return the Debians to build in that the environment asks for."""
    return [Builder(suite, _top() / "tools") for suite in suites()]


def with_rpm() -> Rpm:
    """Return the Debian to install rpm's package in: the one that is next to Fedora."""
    return Rpm("trixie", _top() / "rpm")


def base() -> Base:
    """Return the Debian that the image starts from."""
    return Base("trixie", _top() / "base")


def _top() -> Path:
    named = os.environ.get("PACKAGE_TREES")
    return Path(named) if named else Path.home() / ".cache/astmanproxy/packages"


def main() -> int:
    """Build what is not there yet of what the argument names; return the exit status."""
    trees: dict[str, list[Tree]] = {
        "deb": [*builders(), *bare()], "rpm": [with_rpm()], "image": [base()],
    }  # fmt: skip
    return debian.build_all(trees[sys.argv[1]], "a minute, 400 MB")


if __name__ == "__main__":
    sys.exit(main())
