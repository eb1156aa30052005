# SPDX-License-Identifier: GPL-2.0-or-later
"""make install and make uninstall where something is not as one would have it."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support import ROOT, wait_until
from tests.system.installations import Place, make, run_make, stand_in_python

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """A Python with which an installation takes no time."""
    return stand_in_python(tmp_path / "python", 0)


def test_uninstall_keeps_what_was_edited(tmp_path: Path, python: Path) -> None:
    """And what a package has put there since."""
    there = Place(tmp_path / "root")
    make("install", *there.settings, python=python)
    edited = there.etc / "default/astmanproxy"
    edited.write_text("OPTIONS=-q\n")
    init = there.etc / "init.d/astmanproxy"
    init.write_text("#!/bin/sh\n# A package's.\n")

    said = run_make("uninstall", *there.settings, python=python).stderr

    assert f"{edited} has been changed and stays" in said
    assert f"{init} has been changed and stays" in said
    assert {path for path in there.files() if not path.startswith("etc/asterisk/")} == {
        "etc/default/astmanproxy",
        "etc/init.d/astmanproxy",
    }


@pytest.mark.parametrize("name", ["with blank", "a|b", "a&b", "a%b", "a$$b", "a'b"])
def test_a_prefix_that_start_files_cannot_name_is_refused(
    name: str, tmp_path: Path, python: Path
) -> None:
    """Before anything is installed; a relative one as well."""
    for prefix in (f"{tmp_path}/{name}", "relative"):
        done = run_make("install", f"PREFIX={prefix}", f"SYSCONFDIR={tmp_path}/etc", python=python)
        assert done.returncode != 0
        assert "PREFIX and SYSCONFDIR" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"python"}


def test_a_link_that_leads_nowhere_is_no_place_for_the_program(
    tmp_path: Path, python: Path
) -> None:
    """As the C program may have left it: what it led to is not made."""
    there = Place(tmp_path / "root")
    there.program.parent.mkdir(parents=True)
    there.program.symlink_to(tmp_path / "elsewhere")

    make("install", *there.settings, python=python)

    assert not there.program.is_symlink()
    assert there.program.with_name("astmanproxy-1").is_symlink()
    assert not (tmp_path / "elsewhere").exists()


def test_two_installations_at_once_follow_each_other(tmp_path: Path, python: Path) -> None:
    """The second waits for the first: they share the directory that becomes the program's."""
    there = Place(tmp_path / "root")
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow"
    slow.write_text(
        python.read_text().replace('"-m pip "*) ', f'"-m pip "*) echo >> "{tmp_path}/begun";'
                                   f' cat "{gate}" > "{tmp_path}/none";')
    )  # fmt: skip
    slow.chmod(0o755)
    command = ["make", "-s", "install", f"PYTHON={slow}", *there.settings]
    first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until((tmp_path / "begun").exists)
        with pytest.raises(subprocess.TimeoutExpired):
            subprocess.run(
                ["make", "-s", "install", f"PYTHON={python}", *there.settings],
                cwd=ROOT, stdout=subprocess.DEVNULL, timeout=2, check=False,
            )  # fmt: skip
        assert (there.library / "venv.new").is_dir()
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
