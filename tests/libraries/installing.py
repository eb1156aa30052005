# SPDX-License-Identifier: GPL-2.0-or-later
"""Installing a library from its registry into a directory of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.libraries.catalogue import Library

_HERE = Path(__file__).parent
_GO_CODE = "/usr/share/gocode"  # where Debian's packages put what Go compiles
#: What runs the drivers of a language, and the Debian package that has it.
_INTERPRETERS = {
    "Perl": ("perl", "perl"),
    "Ruby": ("ruby", "ruby"),
    "Node.js": ("node", "nodejs"),
    "PHP": ("php", "php-cli"),
    "Go": ("go", "golang-go"),
    "curl": ("curl", "curl"),
}


class NotInstalled(Exception):
    """A library cannot be had here; the text says why."""


class Ready(NamedTuple):
    """An installed library: its release, and the command that runs its driver."""

    library: Library
    version: str
    command: list[str]
    environment: dict[str, str]


def install(library: Library, directory: Path, drivers: Path = _HERE / "drivers") -> Ready:
    """Install *library* below *directory*, if it is not there yet; its driver is in *drivers*.

    Raises:
        NotInstalled: it cannot be had here, and why.

    """
    install_from = {"pip": _from_pip, "npm": _from_npm, "apt": _from_debian}[library.source]
    name = re.sub("[^-.A-Za-z0-9]+", "-", library.name.replace("::", ""))
    place = directory / f"{library.source}-{name}"
    return install_from(library._replace(driver=str(drivers / library.driver)), place)


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
    return Ready(library, version, [str(python), library.driver], {})


def _from_npm(library: Library, place: Path) -> Ready:
    node = _interpreter(library.language)
    _once(place, ("npm", "install", "--prefix", place, "--no-audit", "--no-fund", library.package))
    version = library.package.rpartition("@")[2]
    modules = {"NODE_PATH": str(place / "node_modules"), "NODE_NO_WARNINGS": "1"}
    return Ready(library, version, [node, library.driver], modules)


def _from_debian(library: Library, place: Path) -> Ready:
    version = _debian_version(library.package)
    if not version:
        if os.geteuid() or shutil.which("apt-get") is None:
            raise NotInstalled(f"Debian: apt install {library.package}")
        _run("apt-get", "install", "--yes", "--no-install-recommends", library.package)
        version = _debian_version(library.package)
    interpreter = _interpreter(library.language)
    if library.language == "Go":
        return Ready(library, version, [_built(interpreter, Path(library.driver), place)], {})
    if library.language == "curl":
        interpreter = sys.executable
    return Ready(library, version, [interpreter, library.driver], {})


def _built(go: str, driver: Path, place: Path) -> str:
    """Return the program that *go* makes in *place* of *driver* and what it shares with others."""
    place.mkdir(parents=True, exist_ok=True)
    shared = ["steps.go", *(["websocket.go"] if driver.stem.endswith("_ws") else [])]
    sources = [str(driver), *(str(driver.with_name(name)) for name in shared)]
    settings = ["GO111MODULE=off", f"GOPATH={_GO_CODE}", f"GOCACHE={place / 'cache'}"]
    _run("env", *settings, go, "build", "-o", place / "driver", *sources)
    return str(place / "driver")


def _debian_version(package: str) -> str:
    """Return which release of *package* is installed, "" for none."""
    form = "-f=${db:Status-Status} ${Version}"
    try:
        state, _, version = _run("dpkg-query", "-W", form, package).partition(" ")
    except NotInstalled:
        return ""
    # As its authors number it: Debian's own part is behind the last dash, "+" or "~", and before ":".
    found = re.fullmatch(r"(?:\d+:)?([^-+~]+)(?:[-+~].*)?", version.strip())
    return found[1] if state == "installed" and found is not None else ""
