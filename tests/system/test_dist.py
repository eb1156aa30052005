# SPDX-License-Identifier: GPL-2.0-or-later
"""Source distribution and wheel: what is in them."""

from __future__ import annotations

import email
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from amiproxy import __version__
from tests.support import ROOT
from tests.system.installations import once

if TYPE_CHECKING:
    from pathlib import Path

STEM = f"astmanproxy-{__version__}"

# As pip and others ask for them (PEP 517).
_BUILD = """
import sys
from setuptools import build_meta
out = sys.argv[1]  # setuptools changes sys.argv
build_meta.build_sdist(out)
build_meta.build_wheel(out)
"""


def listed() -> set[str]:
    """Return the files of this version; skip the test outside of a repository."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this is no git repository")
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="session")
def built() -> Path:
    """A directory with both."""
    return once("dist", build) / "out"


def build(top: Path) -> None:
    """Build both below *top*, from a copy, as building leaves files behind."""
    tools, copy, out = top / "tools", top / "copy", top / "out"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-compile",
    ]
    done = subprocess.run(
        [*pip, "--target", tools, "setuptools>=77"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("the package index cannot be reached")
    for file in listed():
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file)
    out.mkdir()
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _BUILD, str(out)],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(tools)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def test_the_source_distribution_is_the_repository(built: Path) -> None:
    """So make install, make demo and make test work from it."""
    with tarfile.open(built / f"{STEM}.tar.gz") as archive:
        names = {member.name for member in archive if member.isfile()}

    found = {name.partition("/")[2] for name in names}
    made = {name for name in found if name.split("/")[0] in ("PKG-INFO", "astmanproxy.egg-info")}

    assert listed() - found == {".gitignore"}
    assert found - made - listed() == {"setup.cfg"}


def test_the_wheel_holds_what_the_program_needs(built: Path) -> None:
    """Modules, formats, manual pages and sample files; neither tests nor tools."""
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    data = f"{STEM}.data/data"

    assert names == {
        "astmanproxy.py",
        *(name for name in listed() if name.startswith("amiproxy/")),
        *(f"{data}/lib/astmanproxy/handlers/{p.name}" for p in ROOT.glob("handlers/*.py")),
        *(f"{data}/share/man/man{p.suffix[1]}/{p.name}" for p in ROOT.glob("man/*.[0-9]")),
        f"{data}/share/doc/astmanproxy/astmanproxy.conf",
        f"{data}/share/doc/astmanproxy/astmanproxy.users",
    }


def test_the_wheel_says_what_it_is(built: Path) -> None:
    """As indexes and pip read it; `make dist` has twine look at it."""
    with zipfile.ZipFile(built / f"{STEM}-py3-none-any.whl") as wheel:
        names = [PurePosixPath(name) for name in wheel.namelist()]
        metadata = email.message_from_bytes(
            next(wheel.read(str(name)) for name in names if name.name == "METADATA")
        )

    assert metadata["Version"] == __version__
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata["Requires-Python"] == ">=3.9"
    assert "GPL-2.0-or-later" in (metadata["License-Expression"], metadata["License"])
    assert {name.name for name in names} >= {"entry_points.txt", "LICENSE"}
    needed = {text.split(";")[0] for text in metadata.get_all("Requires-Dist", [])}
    assert {
        "bcrypt>=3.2",
        "h11>=0.16",
        "lockfile>=0.12.2",
        "python-daemon>=2.3",
        "websockets>=10.4",
    } <= needed
