# SPDX-License-Identifier: GPL-2.0-or-later
"""The pid lock file."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process.identity import Identity, identity
from amiproxy.process.options import Options
from amiproxy.process.pidfile import PidFile, prepared_pidfile
from amiproxy.settings.config import Config
from tests.conftest import needs_root

ME = Identity(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid(), switch=False)


def test_only_one_proxy_holds_it(tmp_path: Path) -> None:
    """Another proxy gets an error with the pid."""
    path = tmp_path / "x.pid"
    with PidFile(str(path)):
        assert path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(ConfigError, match=f"already running, pid {os.getpid()} "):
            PidFile(str(path)).prepare(ME)
        with pytest.raises(ConfigError, match=f"already running, pid {os.getpid()} "):
            PidFile(str(path)).acquire()
    assert not path.exists()


def test_a_stale_file_is_removed(tmp_path: Path) -> None:
    """Even with our own pid in it, as in a restarted container."""
    path = tmp_path / "x.pid"
    path.write_text(f"{os.getpid()}\n")

    PidFile(str(path)).prepare(ME)

    assert not path.exists()


def test_a_path_that_is_not_a_regular_file_is_left_alone(tmp_path: Path) -> None:
    """A directory, a pipe, a symbolic link."""
    target = tmp_path / "target"
    target.write_text("1\n")
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()

    for name in ("link", "pipe", "directory"):
        with pytest.raises(ConfigError, match="Cannot write pid file"):
            PidFile(str(tmp_path / name)).prepare(ME)
    assert target.exists()


@pytest.mark.parametrize("text", ["listenport = 1\n", "1\n2\nx", "9" * 90 + " x"])
def test_a_file_that_is_no_pid_file_is_left_alone(tmp_path: Path, text: str) -> None:
    """Named by mistake, as with -p instead of -c."""
    path = tmp_path / "x.conf"
    path.write_text(text)

    with pytest.raises(ConfigError, match="it holds more than a pid"):
        PidFile(str(path)).prepare(ME)

    assert path.read_text() == text


def test_release_ignores_a_file_that_is_gone(tmp_path: Path) -> None:
    """Or that belongs to another process by now."""
    path = tmp_path / "x.pid"
    lock = PidFile(str(path))
    with lock:
        path.unlink()
    with lock:
        path.write_text("1\n")
    assert path.read_text() == "1\n"


@needs_root
def test_its_directory_is_given_away_only_if_it_was_just_made() -> None:
    """One that was there keeps its owner, whatever it is called."""
    with tempfile.TemporaryDirectory() as directory:  # user nobody cannot reach tmp_path
        Path(directory).chmod(0o755)
        check_directories(Path(directory))


def check_directories(tmp_path: Path) -> None:
    """Prepare pid files in directories of each kind."""
    nobody = identity(Config(proc_user="nobody"))
    ours, other = tmp_path / "astmanproxy", tmp_path / "other"
    ours.mkdir()
    other.mkdir()

    PidFile(str(tmp_path / "new" / "x.pid")).prepare(nobody)
    for directory in (ours, other):
        with pytest.raises(ConfigError, match="user nobody may not write in"):
            PidFile(str(directory / "x.pid")).prepare(nobody)

    assert (tmp_path / "new").owner() == "nobody"
    assert ours.owner() == other.owner() == "root"


def test_one_that_is_handed_on_and_no_longer_named_is_let_go(tmp_path: Path) -> None:
    """Or its descriptor, and the lock, would be in each program that is started later."""
    before = os.open(tmp_path / "x.pid", os.O_RDWR | os.O_CREAT)

    assert prepared_pidfile(Config(), Options(foreground=True), ME, before) is None

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(before)
