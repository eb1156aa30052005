# SPDX-License-Identifier: GPL-2.0-or-later
"""make deb: what the Debian package holds. tests/packages installs it in real Debians."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT
from tests.system.installations import files_below, once, said_without_tools

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


@pytest.fixture(scope="session")
def tree() -> Path:
    """The files of the package, of version 3.4.5; its control files are in DEBIAN."""
    for program in ("dpkg-buildpackage", "dh", "dh_python3"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing (Debian: dpkg-dev, debhelper, dh-python)")
    return once("deb", build) / "tree"


def build(top: Path) -> None:
    """Build the package and unpack it below *top*; nothing is left in the repository."""
    before = {path.name for path in ROOT.iterdir()}
    environment = {**os.environ, "DPKG_DEB_COMPRESSOR_TYPE": "none"}  # as much work as all else
    command = ["make", "-s", "deb", f"OUT={top}", "VERSION=3.4.5"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    assert {path.name for path in ROOT.iterdir()} == before
    package = top / "astmanproxy_3.4.5_all.deb"
    subprocess.run(["dpkg-deb", "-R", package, top / "tree"], check=True)


def test_it_holds_the_program_and_all_formats(tree: Path) -> None:
    """Each module and handler, and nothing of tests or tools."""
    share = tree / "usr/share/astmanproxy"

    for name in ("amiproxy", "handlers"):
        assert files_below(share / name) == files_below(ROOT / name)
    assert {path.name for path in share.iterdir()} == {
        "amiproxy", "astmanproxy.py", "etc", "handlers", "init",
    }  # fmt: skip
    program = (tree / "usr/sbin/astmanproxy").read_text()
    assert program.startswith("#!/usr/bin/python3 -I\n")
    assert '"/usr/share/astmanproxy"' in program


def test_it_holds_what_make_install_installs(tree: Path) -> None:
    """Unit, socket, System V script, user, manual pages, completion, documentation."""
    found = files_below(tree)

    assert {
        "etc/init.d/astmanproxy",
        "etc/fail2ban/filter.d/astmanproxy.conf",
        "usr/lib/systemd/system/astmanproxy.service",
        "usr/lib/systemd/system/astmanproxy@.service",
        "usr/lib/systemd/system/astmanproxy.socket",
        "usr/lib/sysusers.d/astmanproxy.conf",
        "usr/lib/tmpfiles.d/astmanproxy.conf",
        "usr/share/astmanproxy/etc/astmanproxy.conf",
        "usr/share/astmanproxy/etc/astmanproxy.users",
        "usr/share/bash-completion/completions/astmanproxy",
        "usr/share/zsh/vendor-completions/_astmanproxy",
        "usr/share/doc/astmanproxy/README.md",
        *(f"usr/share/man/man{p.suffix[1]}/{p.name}.gz" for p in ROOT.glob("man/*.[0-9]")),
        *(f"usr/share/doc/astmanproxy/docs/{path.name}" for path in ROOT.glob("docs/*.md")),
    } <= found
    for name in found:
        if name.startswith(("etc/", "usr/lib/")):
            assert "/usr/local" not in (tree / name).read_text(), name


def test_it_needs_packages_that_debian_12_has(tree: Path) -> None:
    """With these versions tests/packages tests it."""
    control = dict(
        line.split(": ", 1)
        for line in (tree / "DEBIAN/control").read_text().splitlines()
        if ": " in line and line[0] != " "
    )

    assert control["Version"] == "3.4.5"
    assert control["Architecture"] == "all"
    assert {
        "python3:any", "python3-bcrypt (>= 3.2)", "python3-daemon (>= 2.3)",
        "python3-h11 (>= 0.14)", "python3-lockfile", "python3-websockets (>= 10.4)", "ucf",
    } <= set(control["Depends"].split(", "))  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_scripts_are_well_written(name: str) -> None:
    """As shellcheck sees it: they run as root."""
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is missing")
    script = ROOT / "packaging/debian" / name

    done = subprocess.run(
        ["shellcheck", "--severity", "style", "--exclude", "SC1091", script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout == ""


def test_what_it_takes_to_build_it_is_named(tmp_path: Path) -> None:
    """Not a message of some tool inside."""
    said = said_without_tools(ROOT / "packaging/debian/build", tmp_path)

    assert said == (
        "dpkg-buildpackage is missing (Debian: apt install dpkg-dev debhelper dh-python)\n"
    )
