# SPDX-License-Identifier: GPL-2.0-or-later
"""Unix sockets for clients: whose they are, what they replace, and what is never removed."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import Callable

import pytest

from amiproxy.access.acl import Acl, read_rules
from amiproxy.errors import ConfigError
from amiproxy.process.identity import Identity
from amiproxy.settings.config import Config
from amiproxy.settings.listenerspec import ListenerSpec, ListenLine
from amiproxy.threads.net.door import OWN, Door, bound
from amiproxy.threads.net.inherited import open_doors
from amiproxy.threads.net.unixlistening import file_id, peer_of, remove, try_unix
from tests.conftest import needs_root
from tests.support import free_port, is_listening
from tests.threads.control.support import MYSELF

NOBODY = Identity("nobody", 65534, 65534, switch=True)


def spec_of(path: Path, mode: int = 0o600) -> ListenerSpec:
    """Return the listener of a line."""
    return ListenerSpec(name=f"unix:{path}", path=str(path), mode=mode, place="x.conf:7: ")


def answers(path: Path) -> bool:
    """Return whether somebody listens at *path*."""
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0


def test_its_mode_is_that_of_the_line_whatever_the_umask(tmp_path: Path) -> None:
    """It goes in the end; who connects is known by their user."""
    path = tmp_path / "a.sock"
    for mask, mode in ((0, 0o600), (0o777, 0o660)):
        before = os.umask(mask)
        try:
            door = bound(spec_of(path, mode), MYSELF)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            accepted, _ = door.sock.accept()
            with accepted:
                assert peer_of(accepted) == (f"unix:{os.getuid()}", os.getpid())
        assert door.close() == ""
        assert list(tmp_path.iterdir()) == []


def test_what_an_ended_program_has_left_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    """Not what is alive, no file, and no link; -t says the same and changes nothing."""
    path, text = tmp_path / "a.sock", "there is a file of that name, and no socket"
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(path))
        crashed.listen()
    assert try_unix(spec_of(path), MYSELF) == ""
    door = bound(spec_of(path), MYSELF)
    assert answers(path)

    for attempt in (bound, try_unix):
        with pytest.raises(
            ConfigError, match=r"^x\.conf:7: Cannot bind .*a\.sock: .*\(pid .*\) listens"
        ):
            attempt(spec_of(path), MYSELF)
    assert answers(path)
    door.close()

    makes: list[Callable[[], object]] = [path.touch, lambda: path.symlink_to("no"), path.mkdir]
    for make in makes:
        make()
        before = os.lstat(path)
        for attempt in (bound, try_unix):
            with pytest.raises(ConfigError, match=text):
                attempt(spec_of(path), MYSELF)
        assert os.lstat(path).st_ino == before.st_ino
        path.rmdir() if path.is_dir() else path.unlink()

    nowhere = spec_of(tmp_path / "none" / "a.sock")
    for attempt in (bound, try_unix):
        with pytest.raises(ConfigError, match=f"there is no directory {tmp_path}/none; make it"):
            attempt(nowhere, MYSELF)
    (tmp_path / "file").touch()
    for attempt in (bound, try_unix):
        with pytest.raises(ConfigError, match=f"{tmp_path}/file is no directory; name a path"):
            attempt(spec_of(tmp_path / "file" / "a.sock"), MYSELF)


def test_the_end_leaves_what_is_not_ours_any_more(tmp_path: Path) -> None:
    """Another proxy's, which has taken the name, and one that somebody listens at."""
    path = tmp_path / "a.sock"
    first = bound(spec_of(path), MYSELF)
    path.unlink()
    second = bound(spec_of(path), MYSELF)

    third = path.with_name("b.sock")
    gone = bound(spec_of(third), MYSELF)
    third.unlink()
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(third))

    first.close()
    gone.close()
    remove(str(path), file_id(str(path)))  # alive

    assert answers(path)
    assert third.exists()
    third.unlink()
    assert Door.inherited(second.sock, OWN, spec_of(path)).close() == ""
    assert not path.exists()


def test_a_start_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """What was bound before is given up again."""
    port = free_port()
    lines = (
        ListenLine(path=str(tmp_path / "a.sock")),
        ListenLine(path=str(tmp_path / "none" / "b.sock")),
    )
    with pytest.raises(ConfigError, match="there is no directory"):
        open_doors(Config(listen_address="127.0.0.1", listen_port=port, listen=lines), MYSELF)

    assert list(tmp_path.iterdir()) == []
    assert not is_listening(port)


def test_a_client_there_counts_as_one_of_this_machine() -> None:
    """For the lists of addresses of users; it has none itself."""
    deny = read_rules("deny", "0.0.0.0/0")

    assert Acl((*deny, *read_rules("permit", "127.0.0.1"))).allows("unix:1000")
    assert not Acl((*deny, *read_rules("permit", "10.0.0.0/8"))).allows("unix:1000")
    assert not Acl((*deny, *read_rules("permit", "10.0.0.0/8"))).allows("unix")


@needs_root
def test_root_makes_it_where_the_user_may_not() -> None:
    """For the user, who cannot remove it in the end; never where others may change things."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-test-") as name:
        own, shared = Path(name, "own"), Path(name, "shared")
        Path(name).chmod(0o755)
        for each in (own, shared):
            each.mkdir(0o755)
        os.chown(shared, 5, -1)
        path = own / "a.sock"

        assert try_unix(spec_of(path), NOBODY) == ""
        door = bound(spec_of(path, 0o660), NOBODY)
        found = path.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (65534, 65534, 0o660)
        with NOBODY.assumed():
            assert door.close() == f"the file {path} stays: Permission denied"
        bound(spec_of(path), NOBODY).close()  # the next start replaces it
        assert not path.exists()

        for attempt in (bound, try_unix):
            with pytest.raises(ConfigError, match="others may change its directory"):
                attempt(spec_of(shared / "a.sock"), NOBODY)
        os.chown(shared, 65534, -1)
        door = bound(spec_of(shared / "a.sock"), NOBODY)
        assert (shared / "a.sock").stat().st_uid == 65534
        with NOBODY.assumed():
            assert door.close() == ""
