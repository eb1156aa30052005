# SPDX-License-Identifier: GPL-2.0-or-later
"""The pid lock file, and who the proxy runs as."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process.identity import Identity, identity
from amiproxy.process.pidfile import PidFile
from amiproxy.settings.config import Config
from tests.conftest import needs_root

ME = Identity(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid(), switch=False)


def test_only_one_holds_it(tmp_path):
    """The other is told the pid."""
    path = tmp_path / "x.pid"
    with PidFile(str(path)):
        assert path.read_text() == f"{os.getpid()}\n"
        with pytest.raises(ConfigError, match=f"already running, pid {os.getpid()} "):
            PidFile(str(path)).prepare(ME)
        with pytest.raises(ConfigError, match=f"already running, pid {os.getpid()} "):
            PidFile(str(path)).acquire()
    assert not path.exists()


def test_a_stale_file_is_removed(tmp_path):
    """Even with our own pid in it, as in a container that begins anew."""
    path = tmp_path / "x.pid"
    path.write_text(f"{os.getpid()}\n")

    PidFile(str(path)).prepare(ME)

    assert not path.exists()


def test_what_is_no_plain_file_is_left_alone(tmp_path):
    """A directory, a pipe, a link that leads elsewhere."""
    target = tmp_path / "target"
    target.write_text("1\n")
    (tmp_path / "link").symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()

    for name in ("link", "pipe", "directory"):
        with pytest.raises(ConfigError, match="Cannot write pid file"):
            PidFile(str(tmp_path / name)).prepare(ME)
    assert target.exists()


def test_release_does_not_mind_that_the_file_has_gone(tmp_path):
    """Or that it is another's by now."""
    path = tmp_path / "x.pid"
    lock = PidFile(str(path))
    with lock:
        path.unlink()
    with lock:
        path.write_text("1\n")
    assert path.read_text() == "1\n"


@needs_root
def test_its_directory_is_made_over_only_if_it_is_ours():
    """One called astmanproxy, or made just now; any other keeps its owner."""
    with tempfile.TemporaryDirectory() as directory:  # tmp_path is out of nobody's reach
        Path(directory).chmod(0o755)
        check_directories(Path(directory))


def check_directories(tmp_path):
    nobody = identity(Config(proc_user="nobody"))
    ours, other = tmp_path / "astmanproxy", tmp_path / "other"
    ours.mkdir()
    other.mkdir()

    PidFile(str(ours / "x.pid")).prepare(nobody)
    PidFile(str(tmp_path / "new" / "x.pid")).prepare(nobody)
    with pytest.raises(ConfigError, match="user nobody may not write in"):
        PidFile(str(other / "x.pid")).prepare(nobody)

    assert ours.owner() == (tmp_path / "new").owner() == "nobody"
    assert other.owner() == "root"


@needs_root
def test_rights_are_asked_for_as_the_user_and_given_back(tmp_path):
    """Root may read what nobody may not."""
    path = tmp_path / "x"
    path.touch(0o600)
    nobody = identity(Config(proc_user="nobody"))
    before = (os.getresuid(), os.getresgid(), os.getgroups())

    assert not nobody.can(os.R_OK, str(path))
    assert nobody.can(os.R_OK, "/etc/passwd")
    assert ME.can(os.R_OK, str(path))
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


@needs_root
def test_a_process_that_is_still_root_is_noticed():
    """The last look before clients are served."""
    ME.check()
    with pytest.raises(ConfigError, match="some rights of root are left"):
        identity(Config(proc_user="nobody")).check()
