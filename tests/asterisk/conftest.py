# SPDX-License-Identifier: GPL-2.0-or-later
"""A real Asterisk, and connections to its manager."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.asterisk.chroot import default
from tests.asterisk.figures import Figures
from tests.asterisk.instance import Asterisk
from tests.asterisk.world import World
from tests.support import ManagerClient, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.asterisk.chroot import Chroot

# Functions of texts; what is not there is left out.
_MODULES = "".join(
    f"load = func_{name}.so\n" for name in ("base64", "cut", "logic", "strings", "uri")
)
_DIRECTORIES = ("etc", "varlib", "db", "key", "agi", "spool", "run", "log")


class Manager(NamedTuple):
    """Where the manager of an Asterisk listens, and a user with all rights there."""

    port: int
    user: str
    secret: str

    def log_in(self) -> ManagerClient:
        """Return a connection that has logged in."""
        client = ManagerClient(self.port)
        client.read_line()
        answer = client.ask("Action: Login", f"Username: {self.user}", f"Secret: {self.secret}")
        assert answer[0] == "Response: Success"
        return client


def _write(directory: Path, port: int) -> Path:
    """Write the configuration of an Asterisk with few modules; return its main file."""
    for name in _DIRECTORIES:
        (directory / name).mkdir()
    places = "".join(f"ast{name}dir => {directory}/{name}\n" for name in _DIRECTORIES)
    files = {
        "asterisk.conf": f"[directories]\n{places}",
        "modules.conf": f"[modules]\nautoload = no\n{_MODULES}",
        "logger.conf": "[logfiles]\n",
        "manager.conf": (
            f"[general]\nenabled = yes\nbindaddr = 127.0.0.1\nport = {port}\nauthlimit = 1000\n"
            "[tester]\nsecret = secret\nread = all\nwrite = all\n"
        ),
    }
    for name, text in files.items():
        (directory / "etc" / name).write_text(text)
    return directory / "etc" / "asterisk.conf"


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), ManagerClient(port):
        return True
    return False


@pytest.fixture(scope="session")
def chroot() -> Chroot:
    """The chroot with Asterisk in it, which ``make asterisk-test`` has built."""
    one = default()
    # Not in "make test": these tests take minutes.
    if "ASTERISK_CHROOT" not in os.environ or os.geteuid() != 0 or not one.ready:
        pytest.skip("needs the Asterisk that make asterisk-test builds, as root")
    return one


@pytest.fixture(scope="session")
def live(chroot: Chroot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """An Asterisk that runs: all tests share it, so they leave it as it was."""
    with Asterisk(chroot, tmp_path_factory.mktemp("live")) as one:
        yield one


@pytest.fixture(scope="session")
def world(live: Asterisk) -> Iterator[World]:
    """Phones of it, and a direct client that records."""
    with World(live) as one:
        yield one


@pytest.fixture(scope="session")
def figures() -> Iterator[Figures]:
    """What this run compares, for docs/asterisk.md."""
    one = Figures()
    yield one
    one.write()


@pytest.fixture(scope="module")
def manager(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Manager]:
    """The manager of a real Asterisk.

    The environment may name the command that starts it (ASTERISK), for this module, or one
    that runs already (ASTERISK_AMI=PORT:USER:SECRET); else it is that of the chroot, or the
    one that is installed.
    """
    running = os.environ.get("ASTERISK_AMI")
    named = os.environ.get("ASTERISK")
    if running:
        place, user, secret = running.split(":")
        yield Manager(int(place), user, secret)
        return
    if not named and "ASTERISK_CHROOT" in os.environ and default().ready:
        asterisk = request.getfixturevalue("live")
        yield Manager(asterisk.ports.ami, "direct", "secret")
        return
    command = shlex.split(named or "asterisk")
    if shutil.which(command[0]) is None:
        pytest.skip("there is no Asterisk here: make asterisk-test builds one, as root")
    yield from _started(command, tmp_path_factory.mktemp("asterisk"))


def _started(command: list[str], directory: Path) -> Iterator[Manager]:
    """Start an Asterisk with few modules; yield its manager."""
    port = free_port()
    main = _write(directory, port)
    process = subprocess.Popen([*command, "-f", "-C", str(main)], stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: process.poll() is not None or _listens(port), 30)
        assert process.poll() is None, "Asterisk has ended"
        yield Manager(port, "tester", "secret")
    finally:
        process.kill()
        process.wait()
