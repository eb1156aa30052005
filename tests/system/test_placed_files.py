# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts of init/ that `make install` and packages call: edited files, adapted files."""

from __future__ import annotations

import grp
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Placed:
    """A file that init/place puts below *top*, and its record."""

    def __init__(self, top: Path) -> None:
        self.file = top / "astmanproxy"
        self.new = top / "astmanproxy.new"
        self.record = top / "record"

    def put(self, text: str) -> str:
        """Put *text* there; return what is said of it."""
        command: list[Path | str] = [ROOT / "init/place", "-m", "0755", self.file, self.record]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        return done.stderr

    def take(self) -> str:
        """Take it away; return what is said of it."""
        command: list[Path | str] = [ROOT / "init/place", "--remove", self.file, self.record]
        return subprocess.run(command, capture_output=True, text=True, check=True).stderr


@pytest.fixture
def placed(tmp_path: Path) -> Placed:
    return Placed(tmp_path)


def test_a_file_that_nobody_has_edited_is_replaced(placed: Placed) -> None:
    """With its mode; nothing is left beside it, and nothing is said."""
    assert placed.put("one\n") == ""
    assert placed.put("two\n") == ""

    assert placed.file.read_text() == "two\n"
    assert placed.file.stat().st_mode & 0o777 == 0o755
    assert {path.name for path in placed.file.parent.iterdir()} == {"astmanproxy", "record"}


def test_an_edited_file_stays_and_the_new_one_is_beside_it(placed: Placed) -> None:
    """It is said once for each new version, not at each run."""
    placed.put("one\n")
    placed.file.write_text("mine\n")

    assert "astmanproxy has been changed and stays as it is" in placed.put("two\n")
    assert (placed.file.read_text(), placed.new.read_text()) == ("mine\n", "two\n")
    placed.new.unlink()
    assert placed.put("two\n") == ""
    assert not placed.new.exists()
    assert placed.put("three\n") != ""
    assert placed.new.read_text() == "three\n"


def test_a_file_of_somebody_else_stays_too(placed: Placed) -> None:
    """As an init script that came with the C program; once it is as ours, it is ours."""
    placed.file.write_text("C's\n")

    assert "stays as it is" in placed.put("one\n")
    placed.new.rename(placed.file)
    assert placed.put("two\n") == ""
    assert placed.file.read_text() == "two\n"


def test_logrotate_does_not_read_the_new_one(tmp_path: Path) -> None:
    """It takes every file of its directory, and fails where two name the same log."""
    logrotate = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin")
    if not logrotate:
        pytest.skip("logrotate is not installed")
    rule = f"{tmp_path}/a.log {{\n  daily\n  missingok\n}}\n"
    directory = tmp_path / "logrotate.d"
    directory.mkdir()
    one = Placed(directory)
    one.record = tmp_path / "record"
    one.file.write_text(f"# Mine.\n{rule}")
    one.file.chmod(0o644)
    conf = tmp_path / "logrotate.conf"
    conf.write_text(f"include {directory}\n")
    conf.chmod(0o644)

    assert f"the new one is {one.new}.disabled" in one.put(rule)

    done = subprocess.run(
        [logrotate, "-d", "-s", tmp_path / "state", conf],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "error" in done.stderr) == (0, False), done.stderr
    assert len(list(directory.iterdir())) == 2


def test_what_is_taken_away_is_what_was_put_there(placed: Placed) -> None:
    """An edited file stays, which is said; the new one beside it goes."""
    placed.put("one\n")
    assert placed.take() == ""
    assert not placed.file.exists()

    placed.put("one\n")
    placed.file.write_text("mine\n")
    placed.put("two\n")
    assert "astmanproxy has been changed and stays" in placed.take()
    assert placed.file.read_text() == "mine\n"
    assert not placed.new.exists()


def test_a_name_may_have_any_character(tmp_path: Path) -> None:
    """What was put elsewhere is not forgotten for it."""
    top = tmp_path / "a|b[c.d*"
    top.mkdir()
    one = Placed(top)
    other = Placed(top)
    other.file = top / "other"

    for text in ("one\n", "two\n"):
        assert one.put(text) == ""
        assert other.put(text) == ""


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("proc_user = astmanproxy\nlogfile = /var/log/astmanproxy/astmanproxy.log\n", []),
        (
            "proc_user = daemon\nlogfile = /var/log/astmanproxy/astmanproxy.log\n",
            ["User=daemon", "Group=daemon"],
        ),
        ("proc_user = astmanproxy\nlogfile = /var/log/pbx/l\n", ["ReadWritePaths=-/var/log/pbx"]),
        (
            "proc_user = astmanproxy\nlogfile = /run/astmanproxy/l\nlistenport = 80\n",
            ["AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"],
        ),
        (
            ("proc_user = astmanproxy\nlogfile = /run/astmanproxy/l\nlistenport = 1234\n"
            "listen = *, 5039, tls=yes\nListen = ::1, 443, tls=yes ; HTTPS\n"),
            ["AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE"],
        ),
        (
            ("proc_user = astmanproxy\nlogfile = /run/astmanproxy/l\nlistenport = no\n"
            "listen = *, 5039 ; not 1, 80\nlisten = unix:/x, mode=0660\n"),
            [],
        ),
        ("proc_user = daemon x\nUser=root\nlogfile = /run/astmanproxy/l\n", []),
        (
            "proc_user = daemon\nproc_group = 0\nlogfile = /run/astmanproxy/l\n",
            ["User=daemon", "Group=daemon"],
        ),
        (
            "proc_user = daemon\nproc_group = nosuchgroup\nlogfile = /run/astmanproxy/l\n",
            ["User=daemon", "Group=daemon"],
        ),
        ("proc_user = 2\nlogfile = /run/astmanproxy/l\n", []),
        ("proc_user = astmanproxy\nlogfile = /l\n", ["ReadWritePaths=-/"]),
    ],
    ids=["as shipped", "another user", "another log", "a port of root's", "one of a listen line", "no port of root's", "no name",
         "root's group", "no group, as C's sample has it on Debian", "numbers are no names", "a log at the top"],
)  # fmt: skip
def test_the_unit_is_adapted_to_the_configuration(
    lines: str, expected: list[str], tmp_path: Path
) -> None:
    """What it names otherwise; what is no name of a user does not get into a file of root's."""
    conf = tmp_path / "astmanproxy.conf"
    conf.write_text(lines)

    done = subprocess.run(
        [ROOT / "init/adapt", "unit", conf], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[2:] == expected


def test_a_log_with_a_blank_in_its_name_is_not_another(tmp_path: Path) -> None:
    """The blank is not left out: that would be a directory of somebody else's."""
    conf = tmp_path / "astmanproxy.conf"
    conf.write_text('proc_user = daemon\nlogfile = "/var/log/my pbx/l"\n')

    for what in ("unit", "logrotate"):
        done = subprocess.run(
            [ROOT / "init/adapt", what, conf], capture_output=True, text=True, check=True
        )
        assert "mypbx" not in done.stdout
        assert "/var/log/my pbx/l" in done.stderr


def test_included_files_count(tmp_path: Path) -> None:
    """As the program reads them."""
    (tmp_path / "more.conf").write_text("proc_user = daemon\nlistenport = 80\n")
    conf = tmp_path / "astmanproxy.conf"
    conf.write_text("proc_user = bin\nlogfile = /run/astmanproxy/l\ninclude = more.conf\n")
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/astmanproxy.py" "$@"\n')
    program.chmod(0o755)

    done = subprocess.run(
        [ROOT / "init/adapt", "unit", conf],
        env={**os.environ, "ASTMANPROXY": str(program)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout.splitlines()[2:] == [
        "User=daemon", "Group=daemon",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
    ]  # fmt: skip


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-admit-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="groups of users are root's to change")
@pytest.mark.parametrize(
    ("owner", "group", "joined"),
    [("games", "games", True), ("root", "games", True), ("root", "shadow", False), ("root", "adm", False)],
)  # fmt: skip
@pytest.mark.parametrize("link", [False, True], ids=["directory", "link"])
def test_only_a_group_of_another_program_is_joined(
    owner: str, group: str, joined: bool, link: bool, reachable: Path
) -> None:
    """Not one that gives rights over the machine; the directory may be a link."""
    if group not in {each.gr_name for each in grp.getgrall()}:
        pytest.skip(f"there is no group {group}")
    directory = reachable / "asterisk"
    directory.mkdir(mode=0o750)
    shutil.chown(directory, owner, group)
    if link:
        (reachable / "link").symlink_to(directory)
        directory = reachable / "link"
    file = directory / "astmanproxy.conf"
    file.touch(mode=0o644)
    tools = reachable / "tools"
    tools.mkdir()
    (tools / "usermod").write_text(f'#!/bin/sh\necho "$@" >> "{reachable}/said"\n')
    (tools / "usermod").chmod(0o755)

    done = subprocess.run(
        [ROOT / "init/admit", "daemon", file],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    said = (reachable / "said").read_text() if (reachable / "said").exists() else ""
    assert said == (f"-a -G {group} daemon\n" if joined else "")
    assert ("cannot read" in done.stderr) or joined
