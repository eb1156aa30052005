# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the log can be opened is found out without making it."""

from __future__ import annotations

import errno
import os
import pwd
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process.identity import Identity, identity
from amiproxy.process.logplace import check_log, log_of_the_unit, way_out
from amiproxy.process.options import Options
from amiproxy.process.pidfile import check_pidfile
from amiproxy.settings.config import Config
from tests.conftest import needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = Identity(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid(), switch=False)


def config(path: Path) -> Config:
    """Return a configuration with that log."""
    return Config(logfile=str(path), where={"logfile": "x.conf:4"})


@pytest.fixture
def entered() -> Iterator[Path]:
    """A directory that everybody may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-log-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_log_that_can_be_is_not_made(tmp_path: Path) -> None:
    """And one that is there is not touched."""
    check_log(config(tmp_path / "x.log"), ME)
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "x.log").write_text("before\n")
    check_log(config(tmp_path / "x.log"), ME)
    assert (tmp_path / "x.log").read_text() == "before\n"


def test_a_log_that_cannot_be_is_told_with_what_to_do(tmp_path: Path) -> None:
    """In the words of the start, which name file and line."""
    begin = "x.conf:4: Unable to open logfile:"
    with pytest.raises(ConfigError) as caught:
        check_log(config(tmp_path / "none" / "x.log"), ME)
    assert str(caught.value) == (
        f"{begin} {tmp_path}/none/x.log! (No such file or directory); make the directory"
        f" {tmp_path}/none, owned by {ME.name}, or name another file"
    )
    with pytest.raises(ConfigError) as caught:
        check_log(config(tmp_path), ME)
    assert str(caught.value) == f"{begin} {tmp_path}! (Is a directory); name a file in it"


@needs_root
def test_a_log_that_only_another_may_write_is_told(entered: Path) -> None:
    """Root makes one in a directory of its own, and writes to no file of others."""
    nobody = identity(Config(proc_user="nobody"))
    check_log(Config(logfile=f"{entered}/x.log"), nobody)
    assert list(entered.iterdir()) == []
    (entered / "x.log").touch(0o600)
    os.chown(entered / "x.log", 12345, 12345)
    os.chown(entered, 12345, 12345)
    with pytest.raises(ConfigError, match="root does not write to what others have put there"):
        check_log(Config(logfile=f"{entered}/x.log"), nobody)


@needs_root
def test_a_log_that_systemd_would_not_open_is_told(entered: Path) -> None:
    """The unit starts as proc_user, so what root may open does not count; /var/log/astmanproxy is made."""
    nobody = identity(Config(proc_user="nobody"))
    config = Config(logfile=f"{entered}/x.log")

    said = log_of_the_unit(config, nobody, booted=str(entered))

    assert "under systemd the proxy will not start" in said
    assert f"may make no file in {entered}" in said
    assert log_of_the_unit(config, nobody, booted="/nonexistent") == ""
    kept = Config(logfile="/var/log/astmanproxy/astmanproxy.log")
    assert log_of_the_unit(kept, nobody, booted=str(entered)) == ""
    os.chown(entered, nobody.uid, nobody.gid)
    assert log_of_the_unit(config, nobody, booted=str(entered)) == ""


@needs_root
@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("secret/x.log", "may not enter {}/secret, which belongs to root (0700): give logfile a"),
        ("open/x.log", "may not write to it, since it belongs to root (0640): chown it to nobody;"),
        ("open/y.log", "may make no file in {}/open, which belongs to root (0755): give logfile a"),
    ],
)
def test_it_is_told_who_may_not_what(entered: Path, log: str, said: str) -> None:
    """And what helps: where logrotate has made the file, its rule is to say whose it is."""
    for name, mode in (("secret", 0o700), ("open", 0o755)):
        (entered / name).mkdir()
        (entered / name).chmod(mode)
    (entered / "open/x.log").touch()
    (entered / "open/x.log").chmod(0o640)

    error = PermissionError(errno.EACCES, "Permission denied")
    text = way_out(f"{entered}/{log}", identity(Config(proc_user="nobody")), error)

    assert text.startswith(f"; user nobody {said.format(entered)}")
    assert ("create 0640 nobody" in text) == (log == "open/x.log")


@needs_root
def test_a_pid_file_that_cannot_be_written_is_told(entered: Path) -> None:
    """As a problem where it is named: there is one in the foreground too then."""
    nobody = identity(Config(proc_user="nobody"))
    path = f"{entered}/x.pid"
    said = f"Cannot write pid file {path}: user nobody may not write in {entered}"

    assert check_pidfile(Config(pidfile=path), Options(), nobody).startswith(said)
    with pytest.raises(ConfigError) as caught:
        check_pidfile(Config(pidfile=path, where={"pidfile": "x.conf:5"}), Options(), nobody)
    assert str(caught.value) == f"x.conf:5: {said}"
    with pytest.raises(ConfigError, match="there is no directory"):
        check_pidfile(Config(), Options(pidfile=f"{entered}/a/b/x.pid"), nobody)


def test_a_pid_file_that_can_be_written_is_not_made(tmp_path: Path) -> None:
    """Nor is its directory, nor is a configuration taken for one."""
    assert check_pidfile(Config(pidfile=f"{tmp_path}/run/x.pid"), Options(), ME) == ""
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "x.pid").write_text("123\n")
    assert check_pidfile(Config(pidfile=f"{tmp_path}/x.pid"), Options(), ME) == ""
    (tmp_path / "x.pid").write_text("listenport = 1\n")
    assert "more than a pid" in check_pidfile(Config(pidfile=f"{tmp_path}/x.pid"), Options(), ME)
