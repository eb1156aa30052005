# SPDX-License-Identifier: GPL-2.0-or-later
"""Files in directories of others: what is opened, made over, or refused.

User nobody plays the one who runs the proxy, user daemon the one who owns the directory.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.places import Trusted, objection_to, open_to_append
from amiproxy.process.identity import Identity
from tests.conftest import needs_root

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_root

OTHER = pwd.getpwnam("daemon")
_NOBODY = pwd.getpwnam("nobody")
NOBODY = Identity("nobody", _NOBODY.pw_uid, _NOBODY.pw_gid, switch=True)
OWNER = (NOBODY.uid, NOBODY.gid)


@pytest.fixture
def top() -> Iterator[Path]:
    """A directory of root's that all may search."""
    with tempfile.TemporaryDirectory(prefix="astmanproxy-places-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def logs(top: Path) -> Path:
    """A directory of user daemon's, as /var/log/asterisk is user asterisk's."""
    (top / "logs").mkdir()
    os.chown(top / "logs", OTHER.pw_uid, OTHER.pw_gid)
    return top / "logs"


def append(path: Path, who: Identity = NOBODY) -> os.stat_result:
    """Open *path* as a start by root does; return what was opened."""
    fd = who.open_to_append(str(path))
    try:
        os.write(fd, b"x\n")
        return os.fstat(fd)
    finally:
        os.close(fd)


def refusal(path: Path, who: Identity = NOBODY) -> str:
    """Return why *path* is not opened."""
    with pytest.raises(OSError, match=r"Errno") as caught:
        append(path, who)
    return str(caught.value)


def test_a_new_file_belongs_to_proc_user(logs: Path) -> None:
    """Also where only root can make it; others may not read it."""
    info = append(logs / "x.log")

    assert (info.st_uid, info.st_gid, stat.S_IMODE(info.st_mode)) == (*OWNER, 0o640)


@pytest.mark.parametrize("kind", ["link", "hard link", "dangling", "pipe", "device", "directory"])
def test_root_opens_nothing_that_the_owner_of_the_directory_has_put_there(
    top: Path, logs: Path, kind: str
) -> None:
    """Neither is the target written to or made over, nor anything made where a link leads."""
    target, path = top / "target", logs / "x.log"
    target.write_text("root's\n")
    target.chmod(0o600)
    if kind == "link":
        path.symlink_to(target)
    elif kind == "hard link":
        os.link(target, path)
    elif kind == "dangling":
        path.symlink_to(top / "new")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    else:
        path.mkdir()
    before = path.lstat()

    assert refusal(path)

    after = path.lstat()
    assert (after.st_uid, after.st_mode) == (before.st_uid, before.st_mode)
    assert (target.stat().st_uid, target.read_text()) == (0, "root's\n")
    assert not (top / "new").exists()


def test_a_link_of_proc_users_own_directory_leads_nowhere(top: Path) -> None:
    """At SIGHUP the process is that user; but it is not led to a file of another program."""
    own, target = top / "own", top / "target"
    own.mkdir()
    target.write_text("")
    target.chmod(0o666)
    own.chmod(0o777)
    (own / "x.log").symlink_to(target)
    os.link(target, own / "y.log")

    with NOBODY.assumed():
        for name in ("x.log", "y.log"):
            with pytest.raises(OSError, match=r"symbolic link, which is not followed|hard links"):
                open_to_append(str(own / name))
    assert target.read_text() == ""


def test_a_pipe_where_others_may_write_is_no_log(top: Path) -> None:
    """Though proc_user may write to it, and somebody reads it."""
    own = top / "own"
    own.mkdir()
    own.chmod(0o777)
    os.mkfifo(own / "pipe")
    (own / "pipe").chmod(0o666)
    reader = os.open(own / "pipe", os.O_RDONLY | os.O_NONBLOCK)

    assert "it is not a regular file, and everybody may write" in refusal(own / "pipe")
    os.close(reader)


def test_a_link_that_is_put_there_meanwhile_leads_nowhere(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was looked at: as if nothing had been there."""
    own, target = top / "own", top / "target"
    own.mkdir()
    own.chmod(0o777)
    target.write_text("")
    target.chmod(0o666)
    (own / "x.log").symlink_to(target)
    monkeypatch.setattr("amiproxy.basics.places._Walk._stat", lambda _walk, _name: None)

    assert "Too many levels of symbolic links" in refusal(own / "x.log")
    assert target.read_text() == ""


def test_a_sticky_directory_of_another_user_protects_nothing(top: Path) -> None:
    """Its owner may replace what is in it."""
    shared, target = top / "shared", top / "target"
    shared.mkdir()
    target.write_text("")
    (shared / "x.log").symlink_to(target)
    shared.chmod(0o1777)
    assert append(shared / "x.log").st_ino == target.stat().st_ino

    os.chown(shared, OTHER.pw_uid, 0)

    assert "not followed: " in refusal(shared / "x.log")


@pytest.mark.parametrize("absolute", [True, False])
def test_a_directory_that_is_a_link_of_somebody_else_is_not_entered(
    top: Path, logs: Path, absolute: bool
) -> None:
    """No file is made in a directory of root's."""
    (top / "roots").mkdir()
    (logs / "sub").symlink_to(top / "roots" if absolute else "../roots")

    assert "is a symbolic link, which is not followed: " in refusal(logs / "sub" / "x.log")
    assert list((top / "roots").iterdir()) == []


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_a_directory_that_others_may_write_to_is_one_of_others(top: Path, mode: int) -> None:
    """World- or group-writable, sticky as /tmp too."""
    shared = top / "shared"
    shared.mkdir()
    os.chown(shared, 0, OTHER.pw_gid)
    shared.chmod(mode)
    target = top / "target"
    target.write_text("")
    (shared / "x.log").symlink_to(target)
    os.chown(shared / "x.log", OTHER.pw_uid, OTHER.pw_gid, follow_symlinks=False)

    assert "not followed" in refusal(shared / "x.log")
    (shared / "y.log").write_text("")  # root's, made by others for all we know
    assert "root does not write to what others have put there" in refusal(shared / "y.log")
    assert target.stat().st_uid == 0


def test_links_of_root_in_directories_of_root_are_followed(top: Path) -> None:
    """An administrator has moved the logs to another disk."""
    (top / "disk").mkdir()
    (top / "logs").symlink_to("disk")
    (top / "x.log").symlink_to(top / "logs" / "real.log")

    info = append(top / "x.log")

    assert info.st_ino == (top / "disk" / "real.log").stat().st_ino
    assert info.st_uid == NOBODY.uid


def test_a_link_beyond_which_others_may_write_is_judged_there(top: Path, logs: Path) -> None:
    """Root's link to a directory of another user makes nothing of it root's."""
    (top / "x.log").symlink_to(logs / "y.log")
    (logs / "y.log").symlink_to(top / "target")

    assert "not followed" in refusal(top / "x.log")
    assert not (top / "target").exists()


def test_an_old_log_in_a_directory_of_root_is_made_over(top: Path) -> None:
    """As the C program did; but not if it has a second name."""
    (top / "x.log").write_text("old\n")
    (top / "y.log").write_text("old\n")
    os.link(top / "y.log", top / "z.log")

    assert append(top / "x.log").st_uid == NOBODY.uid
    assert (top / "x.log").read_text() == "old\nx\n"
    assert "2 names (hard links)" in refusal(top / "y.log")
    assert (top / "y.log").stat().st_uid == 0


def test_a_log_that_proc_user_may_write_is_opened_in_any_directory(logs: Path) -> None:
    """As after the first start, or made by logrotate."""
    path = logs / "x.log"
    path.write_text("")
    os.chown(path, *OWNER)

    assert append(path).st_uid == NOBODY.uid
    assert path.read_text() == "x\n"


def test_devices_and_open_files_can_be_logs() -> None:
    """/dev/null, and /dev/stdout in a container; nobody is made their owner."""
    before = os.stat("/dev/null")  # noqa: PTH116
    append(Path("/dev/null"))
    assert os.stat("/dev/null").st_uid == before.st_uid  # noqa: PTH116
    with tempfile.TemporaryFile() as file:
        link = Path(f"/proc/self/fd/{file.fileno()}")
        assert append(link).st_uid == 0
        file.seek(0)
        assert file.read() == b"x\n"


def test_a_pipe_without_a_reader_is_not_waited_for(top: Path) -> None:
    """In a directory of root's; with a reader it is a log."""
    os.mkfifo(top / "pipe", 0o600)

    assert "No such device or address" in refusal(top / "pipe")
    reader = os.open(top / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    assert append(top / "pipe").st_uid == 0
    os.close(reader)


def test_a_race_is_lost_by_the_attacker(top: Path, logs: Path) -> None:
    """The file is exchanged for a link while it is being opened, over and over."""
    target, path = top / "target", logs / "x.log"
    target.write_text("")
    pid = os.fork()
    if pid == 0:
        os.setgid(OTHER.pw_gid)
        os.setuid(OTHER.pw_uid)
        while True:
            with contextlib.suppress(OSError):
                (logs / "new").symlink_to(target)
                (logs / "new").rename(path)
                path.unlink(missing_ok=True)
    try:
        for _ in range(2000):
            with contextlib.suppress(OSError):
                append(path)
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert (target.stat().st_uid, target.read_text()) == (0, "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("chown file", "a/b/x.py belongs to user daemon"),
        ("chown b", "a/b belongs to user daemon"),
        ("chown a", "a belongs to user daemon"),
        ("chmod file", "everybody may write to"),
        ("chmod a", "everybody may write to"),
        ("chgrp b", "group daemon may write to"),
        ("sticky b", ""),
        ("link", "belongs to user daemon"),
        ("", ""),
        ("sticky a", ""),
        ("chgrp root", ""),
    ],
)
def test_objections(top: Path, change: str, words: str) -> None:
    """To a file, each directory on the way to it, and where a link leads."""
    path = top / "a" / "b" / "x.py"
    path.parent.mkdir(parents=True)
    path.touch()
    what, _, name = change.partition(" ")
    place = {"file": path, "b": path.parent, "a": path.parent.parent}.get(name, path.parent)
    if what == "chown":
        os.chown(place, OTHER.pw_uid, 0)
    elif what == "chmod":
        place.chmod(0o777)
    elif what == "sticky":
        place.chmod(0o1777)
    elif what == "chgrp":
        os.chown(place, 0, 0 if name == "root" else OTHER.pw_gid)
        place.chmod(0o775)
    elif what == "link":
        path.rename(top / "real.py")
        path.symlink_to("../../real.py")
        os.chown(top / "real.py", OTHER.pw_uid, 0)

    found = objection_to(str(path), Trusted.of_process())

    assert words in found
    assert bool(found) is bool(words)
