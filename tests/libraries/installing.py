# SPDX-License-Identifier: GPL-2.0-or-later
"""Installing a library from its registry into a directory of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.libraries.catalogue import Library

_DRIVERS = Path(__file__).parent / "drivers"
#: What runs the drivers of a language, and the Debian package that has it.
_INTERPRETERS = {"Perl": ("perl", "perl"), "Ruby": ("ruby", "ruby"), "Node.js": ("node", "nodejs")}


class NotInstalled(Exception):
    """A library cannot be had here; the text says why."""


class Ready(NamedTuple):
    """An installed library: its release, and the command that runs its driver."""

    library: Library
    version: str
    command: list[str]
    environment: dict[str, str]


def install(library: Library, directory: Path) -> Ready:
    """Install *library* below *directory*, if it is not there yet.

    Raises:
        NotInstalled: it cannot be had here, and why.

    """
    install_from = {"pip": _from_pip, "npm": _from_npm, "apt": _from_debian}[library.source]
    return install_from(library, directory / f"{library.source}-{library.name.replace(':', '')}")


def _run(*command: str | Path) -> str:
    """Return what *command* prints.

    Raises:
        NotInstalled: it fails.

    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotInstalled(f"{command[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise NotInstalled(f"{Path(command[0]).name}: {' '.join(last)[:200]}")
    return done.stdout


def _interpreter(language: str) -> str:
    program, package = _INTERPRETERS[language]
    found = shutil.which(program)
    if found is None:
        raise NotInstalled(f"{program} is missing (Debian: apt install {package})")
    return found


def _once(place: Path, *commands: tuple[str | Path, ...]) -> None:
    """Run *commands*, which install into the directory *place*, unless they have done so before.

    Raises:
        NotInstalled: one of them fails.

    """
    done = place / "installed"
    if done.exists():
        return
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for command in commands:
        _run(*command)
    done.touch()


def _from_pip(library: Library, place: Path) -> Ready:
    python = place / "bin" / "python"
    _once(
        place,
        (sys.executable, "-m", "venv", place),
        (python, "-m", "pip", "install", "--quiet", library.package),
    )
    version = library.package.rpartition("==")[2]
    return Ready(library, version, [str(python), str(_DRIVERS / library.driver)], {})


def _from_npm(library: Library, place: Path) -> Ready:
    node = _interpreter(library.language)
    _once(place, ("npm", "install", "--prefix", place, "--no-audit", "--no-fund", library.package))
    version = library.package.rpartition("@")[2]
    modules = {"NODE_PATH": str(place / "node_modules"), "NODE_NO_WARNINGS": "1"}
    return Ready(library, version, [node, str(_DRIVERS / library.driver)], modules)


def _from_debian(library: Library, _: Path) -> Ready:
    version = _debian_version(library.package)
    if not version:
        if os.geteuid() or shutil.which("apt-get") is None:
            raise NotInstalled(f"Debian: apt install {library.package}")
        _run("apt-get", "install", "--yes", "--no-install-recommends", library.package)
        version = _debian_version(library.package)
    interpreter = _interpreter(library.language)
    return Ready(library, version, [interpreter, str(_DRIVERS / library.driver)], {})


def _debian_version(package: str) -> str:
    """Return which release of *package* is installed, "" for none."""
    form = "-f=${db:Status-Status} ${Version}"
    try:
        state, _, version = _run("dpkg-query", "-W", form, package).partition(" ")
    except NotInstalled:
        return ""
    # As its authors number it: Debian's own part is behind the last dash.
    return version.strip().rpartition("-")[0] if state == "installed" else ""
