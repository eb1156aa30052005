# SPDX-License-Identifier: GPL-2.0-or-later
"""make rpm: what the package for Fedora holds. tests/packages installs it, as far as Debian can."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.system.installations import files_below, once, said_without_tools

#: What rpm prints of a file: path, owner and group, rights, and what kind of file it is.
_DUMP = "[%{FILENAMES} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEMODES:perms} %{FILEFLAGS:fflags}\n]"


def need(*programs: str) -> None:
    """Skip the test where one of *programs* is missing."""
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing")


@pytest.fixture(scope="session")
def rpm() -> Path:
    """The package, of version 3.4.5."""
    need("rpmbuild", "rpm2cpio", "cpio")
    return once("rpm", build) / "astmanproxy-3.4.5-1.noarch.rpm"


@pytest.fixture(scope="session")
def tree(rpm: Path) -> Path:
    """The files of the package."""
    return rpm.parent / "tree"


def build(top: Path) -> None:
    """Build the package and unpack it below *top*; nothing is left in the repository."""
    before = {path.name for path in ROOT.iterdir()}
    (top / ".rpmmacros").write_text("%_binary_payload w.ufdio\n")  # not compressed
    command = ["make", "-s", "rpm", f"OUT={top}", "VERSION=3.4.5"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "HOME": str(top)}, check=True)
    assert {path.name for path in ROOT.iterdir()} == before
    (top / "tree").mkdir()
    with (top / "astmanproxy-3.4.5-1.noarch.rpm").open("rb") as file:
        archive = subprocess.run(["rpm2cpio"], stdin=file, capture_output=True, check=True)
    subprocess.run(["cpio", "-id", "--quiet"], input=archive.stdout, cwd=top / "tree", check=True)


def query(rpm: Path, *arguments: str) -> list[str]:
    """Return the lines that rpm prints of the package."""
    done = subprocess.run(
        ["rpm", "-qp", *arguments, rpm], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_it_holds_the_program_and_all_formats(tree: Path) -> None:
    """Each module and handler, compiled, and nothing of tests or tools."""
    share = tree / "usr/share/astmanproxy"

    for name in ("amiproxy", "handlers"):
        assert files_below(share / name) == files_below(ROOT / name)
        for source in share.glob(f"{name}/**/*.py"):
            assert list(source.parent.glob(f"__pycache__/{source.stem}.*.pyc")), source
    assert {path.name for path in share.iterdir()} == {
        "amiproxy", "astmanproxy.py", "__pycache__", "handlers", "init",
    }  # fmt: skip


def test_it_holds_what_make_install_installs(tree: Path) -> None:
    """Unit, socket, user, manual pages, completion, documentation; a System V script it does not."""
    found = files_below(tree)

    assert {
        "etc/asterisk/astmanproxy.conf",
        "etc/asterisk/astmanproxy.users",
        "etc/default/astmanproxy",
        "etc/fail2ban/filter.d/astmanproxy.conf",
        "usr/lib/systemd/system/astmanproxy.service",
        "usr/lib/systemd/system/astmanproxy@.service",
        "usr/lib/systemd/system/astmanproxy.socket",
        "usr/lib/sysusers.d/astmanproxy.conf",
        "usr/lib/tmpfiles.d/astmanproxy.conf",
        "usr/share/bash-completion/completions/astmanproxy",
        "usr/share/zsh/site-functions/_astmanproxy",
    } <= found
    names = {Path(path).name.replace(".gz", "") for path in found}
    assert {p.name for p in (*ROOT.glob("man/*.[0-9]"), *ROOT.glob("docs/*.md"))} <= names
    for name in found:
        if name.startswith(("etc/", "usr/lib/")):
            assert "/usr/local" not in (tree / name).read_text(), name


def test_secrets_are_for_the_proxy_alone_and_edited_files_stay(rpm: Path) -> None:
    """As rpm's database will have it: owner, rights, and what an upgrade does not replace."""
    of = {line.split(" ")[0]: line.split(" ")[1:] for line in query(rpm, "--qf", _DUMP)}

    for name in ("astmanproxy.conf", "astmanproxy.users"):
        assert of[f"/etc/asterisk/{name}"] == ["root:astmanproxy", "-rw-r-----", "cn"]
    assert of["/var/log/astmanproxy"] == ["astmanproxy:astmanproxy", "drwxr-x---", ""]
    for name in ("/etc/default/astmanproxy", "/etc/fail2ban/filter.d/astmanproxy.conf"):
        assert of[name] == ["root:root", "-rw-r--r--", "cn"]
    assert "g" in of["/etc/logrotate.d/astmanproxy"][2]


def test_it_needs_the_packages_of_setup_py(rpm: Path) -> None:
    """By Fedora's names, in the versions that setup.py wants."""
    assert {
        "python3 >= 3.9", "python3-bcrypt >= 3.2", "python3-daemon >= 2.3",
        "python3-h11 >= 0.16", "python3-lockfile", "python3-websockets >= 10.4",
    } <= set(query(rpm, "--requires"))  # fmt: skip
    assert "python3dist(google-re2)" in query(rpm, "--recommends")


def test_rpmlint_has_nothing_to_say(rpm: Path) -> None:
    """But for what packaging/rpm/rpmlint.toml gives reasons for."""
    need("rpmlint")

    done = subprocess.run(
        ["rpmlint", "-c", ROOT / "packaging/rpm/rpmlint.toml", rpm],
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 packages and 0 specfiles checked; 0 errors, 0 warnings" in done.stdout, done.stdout


@pytest.mark.parametrize("kind", ["prein", "postin", "preun", "postun", "posttrans"])
def test_its_scripts_are_well_written(rpm: Path, kind: str) -> None:
    """As shellcheck sees them: they run as root."""
    need("shellcheck")
    script = "\n".join(query(rpm, "--qf", f"%{{{kind}}}"))

    done = subprocess.run(
        ["shellcheck", "-s", "sh", "--severity", "style", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )

    assert script
    assert done.stdout == ""


def test_what_it_takes_to_build_it_is_named(tmp_path: Path) -> None:
    """Not a message of some tool inside."""
    said = said_without_tools(ROOT / "packaging/rpm/build", tmp_path)

    assert said == (
        "rpmbuild is missing (Fedora: dnf install rpm-build python3; Debian: apt install rpm python3)\n"
    )


def test_a_version_that_rpm_does_not_take_is_named(tmp_path: Path) -> None:
    """Before anything is built."""
    done = subprocess.run(
        [ROOT / "packaging/rpm/build", tmp_path, "2.0-rc1"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == '"2.0-rc1" is no version that rpm takes (no dash, say)\n'
