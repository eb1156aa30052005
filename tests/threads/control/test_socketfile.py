# SPDX-License-Identifier: GPL-2.0-or-later
"""The file of the control socket: whose it is, and what it may replace."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process.identity import Identity
from amiproxy.threads.control.client import UnreachableError, ask
from amiproxy.threads.control.socketfile import connect, open_socket
from tests.conftest import needs_root
from tests.threads.control.support import MYSELF


def test_it_is_ours_alone_and_goes_in_the_end(tmp_path: Path) -> None:
    """Whatever the umask says."""
    path = tmp_path / "c.sock"
    before = os.umask(0)
    try:
        made = open_socket(str(path), MYSELF)
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    connect(str(path), 10).close()
    made.close()
    assert list(tmp_path.iterdir()) == []


def test_one_that_a_crash_left_behind_is_replaced(tmp_path: Path) -> None:
    """Nobody listens there any more."""
    path = str(tmp_path / "c.sock")
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(path)
        crashed.listen()

    made = open_socket(path, MYSELF)

    connect(path, 10).close()
    made.close()


def test_one_of_a_running_proxy_stays(tmp_path: Path) -> None:
    """And it is still the other one's when the start has failed."""
    path = str(tmp_path / "c.sock")
    first = open_socket(path, MYSELF)

    with pytest.raises(ConfigError, match="another proxy answers there"):
        open_socket(path, MYSELF)

    connect(path, 10).close()
    first.close()


def test_a_file_that_is_no_socket_stays(tmp_path: Path) -> None:
    """It may be a configuration that was named by mistake."""
    path = tmp_path / "c.sock"
    path.write_text("precious")

    with pytest.raises(ConfigError, match="there is a file of that name"):
        open_socket(str(path), MYSELF)

    assert path.read_text() == "precious"


def test_a_link_to_a_socket_stays(tmp_path: Path) -> None:
    """It is no socket, wherever it leads."""
    (tmp_path / "c.sock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(ConfigError, match="there is a file of that name"):
        open_socket(str(tmp_path / "c.sock"), MYSELF)


def test_the_end_leaves_the_socket_of_another_proxy(tmp_path: Path) -> None:
    """One that has been started since, after somebody removed ours."""
    path = tmp_path / "c.sock"
    first = open_socket(str(path), MYSELF)
    path.unlink()
    second = open_socket(str(path), MYSELF)

    first.close()

    connect(str(path), 10).close()
    second.close()


def test_paths_may_be_longer_than_the_kernel_takes(tmp_path: Path) -> None:
    """A socket's address has 107 bytes (unix(7)); the current directory stays."""
    directory = tmp_path / ("d" * 100)
    directory.mkdir()
    here = os.getcwd()  # noqa: PTH109

    made = open_socket(str(directory / "c.sock"), MYSELF)

    connect(str(directory / "c.sock"), 10).close()
    made.close()
    assert list(directory.iterdir()) == []
    assert os.getcwd() == here  # noqa: PTH109


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    """With whom it should belong to."""
    with pytest.raises(ConfigError, match=f"no directory {tmp_path}/run; make it, and chown it to"):
        open_socket(str(tmp_path / "run" / "c.sock"), MYSELF)


@needs_root
def test_root_makes_it_as_the_user_the_proxy_runs_as() -> None:
    """So root's rights put nothing where others may write; and others may not use it."""
    nobody = Identity("nobody", 65534, 65534, switch=True)
    other = Identity("games", 5, 60, switch=True)
    with tempfile.TemporaryDirectory(prefix="astmanproxy-control-") as name:
        directory = Path(name, "own")
        directory.mkdir()
        Path(name).chmod(0o755)
        path = str(directory / "c.sock")
        with pytest.raises(ConfigError, match=f"user nobody may not write in {directory}; name a"):
            open_socket(path, nobody)
        os.chown(directory, 65534, 65534)

        made = open_socket(path, nobody)

        assert Path(path).stat().st_uid == 65534
        with other.assumed(), pytest.raises(UnreachableError, match="user games may not use") as no:
            ask(path, "version", timeout=10)
        with nobody.assumed():
            connect(path, 10).close()
        made.close()
    assert no.value.is_running
