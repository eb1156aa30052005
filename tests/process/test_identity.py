# SPDX-License-Identifier: GPL-2.0-or-later
"""The user and group the proxy runs as."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process.exposure import unreadable
from amiproxy.process.identity import Identity, identity
from amiproxy.settings.config import Config
from tests.conftest import needs_root

if TYPE_CHECKING:
    from pathlib import Path

ME = Identity(pwd.getpwuid(os.geteuid()).pw_name, os.geteuid(), os.getegid(), switch=False)


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
def test_files_that_sighup_could_not_read_again_are_named(tmp_path: Path) -> None:
    """Those that do not exist, or whose name is empty, are not."""
    path = tmp_path / "x"
    path.touch(0o600)
    nobody = identity(Config(proc_user="nobody"))

    [warning] = unreadable(nobody, ["", str(tmp_path / "none"), "/etc/passwd", str(path)])

    assert warning.startswith(f"{path}: user nobody may not read it")


@needs_root
def test_a_process_that_is_still_root_is_noticed() -> None:
    """At the last check before clients are served."""
    ME.check()
    with pytest.raises(ConfigError, match="some rights of root are left"):
        identity(Config(proc_user="nobody")).check()
