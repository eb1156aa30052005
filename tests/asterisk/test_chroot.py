# SPDX-License-Identifier: GPL-2.0-or-later
"""Where no chroot can be built, the operator is told why; none of this builds one."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import debian
from tests.asterisk import chroot
from tests.asterisk.chroot import Chroot
from tests.debian import CANNOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the environment says that the chroot is: there is none."""
    monkeypatch.setenv("ASTERISK_CHROOT", str(tmp_path / "chroot"))
    return tmp_path / "chroot"


def test_who_is_not_root_is_told_so(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit status says that nothing is wrong with the tests."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert chroot.main([]) == CANNOT
    assert "only root" in capsys.readouterr().err
    assert not place.exists()


def test_a_missing_program_is_named(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what to install."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", str(place.parent))

    assert chroot.main([]) == CANNOT
    assert "debootstrap is missing (Debian: apt install debootstrap)" in capsys.readouterr().err


def test_a_build_that_fails_leaves_no_chroot(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the last line of its log is, and where the log is."""
    monkeypatch.setattr(debian, "require", lambda *_: None)
    monkeypatch.setattr(chroot, "_SHELL", ("sh", "-c"))
    monkeypatch.setattr(chroot, "_BUILD", 'echo "E: no way to $3"; mkdir "$1"; exit 1')
    monkeypatch.setenv("ASTERISK_MIRROR", "http://mirror.invalid/debian")

    assert chroot.main([]) == CANNOT
    said = capsys.readouterr().err
    assert "E: no way to http://mirror.invalid/debian" in said
    assert f"see {place}.log" in said
    assert not Chroot(place).ready


def test_only_a_finished_build_has_the_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interrupted one has left is removed first."""
    monkeypatch.setattr(debian, "require", lambda *_: None)
    monkeypatch.setattr(chroot, "_SHELL", ("sh", "-c"))
    monkeypatch.setattr(
        chroot, "_BUILD", 'rm -r "$1" && mkdir -p "$1/usr/sbin" && touch "$1/usr/sbin/asterisk"'
    )
    place.with_name("chroot.building").mkdir()

    assert chroot.main(["--quiet"]) == CANNOT
    assert chroot.main([]) == 0
    assert chroot.main(["--quiet"]) == 0


def test_the_mirror_is_that_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of Debian itself, not of its security updates; else the usual one."""

    def said(text: str) -> None:
        monkeypatch.setattr(
            subprocess,
            "run",
            lambda *_, **__: subprocess.CompletedProcess([], 0, stdout=text),
        )

    monkeypatch.delenv("ASTERISK_MIRROR", raising=False)
    said("http://deb.example/debian-security/\nhttp://near.example/debian/\n")
    assert debian.mirror("ASTERISK_MIRROR") == "http://near.example/debian/"
    said("http://archive.example/ubuntu/\n")
    assert debian.mirror("ASTERISK_MIRROR") == debian.MIRROR
