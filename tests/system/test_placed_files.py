# SPDX-License-Identifier: GPL-2.0-or-later
"""The scripts of init/ that `make install` and packages call: edited files, adapted files."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path


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
        ("proc_user = daemon x\nUser=root\nlogfile = /run/astmanproxy/l\n", []),
    ],
    ids=["as shipped", "another user", "another log", "a port of root's", "no name"],
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
