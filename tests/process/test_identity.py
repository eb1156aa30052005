# SPDX-License-Identifier: GPL-2.0-or-later
"""The user and group the proxy runs as."""

from __future__ import annotations

import os
import pwd
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process import exposure
from amiproxy.process.exposure import unreadable
from amiproxy.process.identity import Identity, identity
from amiproxy.settings.config import Config
from tests.conftest import needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator

ME = Identity(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid(), switch=False)


@pytest.fixture
def entered() -> Iterator[Path]:
    """A directory that everybody may enter, unlike tmp_path."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-identity-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
def test_rights_are_checked_as_the_user_and_restored(tmp_path: Path) -> None:
    """Root may read a file that user nobody may not."""
    path = tmp_path / "x"
    path.touch(0o600)
    nobody = identity(Config(proc_user="nobody"))
    before = (os.getresuid(), os.getresgid(), os.getgroups())

    assert not nobody.can(os.R_OK, str(path))
    assert nobody.can(os.R_OK, "/etc/passwd")
    assert ME.can(os.R_OK, str(path))
    assert (os.getresuid(), os.getresgid(), os.getgroups()) == before


@needs_root
def test_files_that_sighup_could_not_read_again_are_named(entered: Path) -> None:
    """Those that do not exist, or whose name is empty, are not."""
    path = entered / "x"
    path.touch(0o600)
    nobody = identity(Config(proc_user="nobody"))

    [warning] = unreadable(nobody, ["", str(entered / "none"), "/etc/passwd", str(path)])

    assert warning.startswith(f"{path}: user nobody may not read it")


@needs_root
def test_a_directory_that_proc_user_cannot_enter_is_named(entered: Path) -> None:
    """No right to the file itself would help."""
    directory = entered / "asterisk"
    directory.mkdir(0o750)
    path = directory / "x"
    path.touch(0o644)

    [warning] = unreadable(identity(Config(proc_user="nobody")), [str(path)])

    assert warning.startswith(f"{path}: user nobody may not enter {directory}, so SIGHUP will not")


@needs_root
def test_a_log_that_could_not_be_opened_again_is_named(entered: Path) -> None:
    """As in Asterisk's own directory: root makes it at the first start, and then never again."""
    directory = entered / "asterisk"
    directory.mkdir(0o750)
    nobody = identity(Config(proc_user="nobody"))

    [warning] = exposure.log_out_of_reach(nobody, Config(logfile=str(directory / "x.log")))

    assert warning.startswith(f"logfile: user nobody may not enter {directory}, so SIGHUP cannot")
    assert exposure.log_out_of_reach(nobody, Config(logfile=str(entered / "x.log"))) == []
    assert exposure.log_out_of_reach(nobody, Config(logfile=str(entered / "none/x.log"))) == []
    assert exposure.log_out_of_reach(nobody, Config(logfile="/dev/fd/1")) == []


@needs_root
@pytest.mark.parametrize(("owner", "named"), [("daemon", True), (exposure.ASTERISK, False)])
def test_what_belongs_to_asterisk_is_not_warned_of(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, owner: str, named: bool
) -> None:
    """Packages give /etc/asterisk to its user; whoever runs one could do nothing about it."""
    if owner == exposure.ASTERISK:
        monkeypatch.setattr(exposure, "ASTERISK", "bin")
        owner = "bin"
    path = tmp_path / "x"
    path.touch(0o640)
    entry = pwd.getpwnam(owner)
    os.chown(tmp_path, entry.pw_uid, entry.pw_gid)
    tmp_path.chmod(0o775)

    found = exposure.exposed(identity(Config(proc_user="nobody")), [str(path)])

    assert [f"{path}: others may change it: {tmp_path}" in one for one in found] == [True] * named


def test_a_file_without_secrets_may_be_read_but_not_changed_by_others(tmp_path: Path) -> None:
    """Lists of addresses, authorities: who can change them gets in."""
    path = tmp_path / "acl.conf"
    path.touch()
    path.chmod(0o644)
    assert exposure.exposed(ME, [], [str(path)]) == []
    [found] = exposure.exposed(ME, [str(path)], [str(path)])
    assert "everybody may read it" in found

    path.chmod(0o666)

    [found] = exposure.exposed(ME, [], [str(path)])
    assert found.startswith(f"{path}: others may change it")


@needs_root
def test_a_process_that_is_still_root_is_noticed() -> None:
    """At the last check before clients are served."""
    ME.check()
    with pytest.raises(ConfigError, match="some rights of root are left"):
        identity(Config(proc_user="nobody")).check()
