# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that others can reach: the program started as root is not led to harm by them."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

import pytest

from tests.conftest import needs_root
from tests.support import wait_until
from tests.system.files import Files, run

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.system.daemons import Daemon

pytestmark = needs_root

OTHER = pwd.getpwnam("daemon").pw_uid


@pytest.mark.parametrize("kind", ["link", "hard link", "directory link"])
def test_root_does_not_follow_where_logfile_leads(daemon: Daemon, kind: str) -> None:
    """In a directory of another user: the target keeps its owner and its content."""
    target = daemon.dir / "log-target" / "amp.log"
    target.parent.mkdir()
    target.write_text("root's\n")
    os.chown(daemon.log_dir, OTHER, 0)
    if kind == "link":
        daemon.log.symlink_to(target)
    elif kind == "hard link":
        os.link(target, daemon.log)
    else:
        (daemon.log_dir / "sub").symlink_to(target.parent)
        daemon.log = daemon.log_dir / "sub" / "amp.log"
        daemon.configure()

    done = daemon.run()

    assert done.returncode == 1
    assert f"Unable to open logfile: {daemon.log}! (" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (target.stat().st_uid, target.read_text()) == (0, "root's\n")


def test_sighup_does_not_follow_a_link_either(daemon: Daemon) -> None:
    """The old log goes on."""
    pid = daemon.start()
    target = daemon.dir / "target"
    target.write_text("")
    target.chmod(0o666)
    moved = daemon.log.rename(daemon.log_dir / "amp.log.1")
    daemon.log.symlink_to(target)

    os.kill(pid, 1)

    wait_until(lambda: "cannot reopen log: " in moved.read_text())
    assert "is a symbolic link, which is not followed" in moved.read_text()
    assert target.read_text() == ""


@pytest.mark.parametrize("holds", ["amp.conf", None])
def test_a_directory_called_astmanproxy_keeps_its_owner(daemon: Daemon, holds: str | None) -> None:
    """Only one that the program has just made is given to proc_user."""
    daemon.run_dir.mkdir()
    if holds:
        (daemon.run_dir / holds).write_text("")

    done = daemon.run()

    assert done.returncode == 1
    assert f"user nobody may not write in {daemon.run_dir}; give it" in done.stderr
    assert (daemon.run_dir.stat().st_uid, daemon.dir.stat().st_uid) == (0, 0)


def test_no_directory_is_made_where_others_can_exchange_it(daemon: Daemon) -> None:
    """It would be made over to proc_user, whichever stands there by then."""
    outer = daemon.dir / "outer"
    outer.mkdir()
    os.chown(outer, OTHER, 0)

    done = daemon.run("-p", str(outer / "astmanproxy" / "amp.pid"))

    assert done.returncode == 1
    assert "root makes no directory there: " in done.stderr
    assert list(outer.iterdir()) == []


@pytest.mark.parametrize("file", ["old log", "new log", "pid file"])
def test_who_may_change_the_configuration_gets_nothing_of_root(daemon: Daemon, file: str) -> None:
    """Root gives proc_user neither a file nor a directory among its own because they say so."""
    top = daemon.dir / "etc"
    top.mkdir()
    old = top / "passwd"
    old.write_text("root's\n")
    line = {"old log": f"logfile = {old}", "new log": f"logfile = {top}/x.sh",
            "pid file": f"pidfile = {top}/x.d/amp.pid"}[file]  # fmt: skip
    daemon.configure(f"{line}\n")
    os.chown(daemon.config, OTHER, -1)

    done = daemon.run()

    assert done.returncode == 1
    text = f"root gives nothing away there, as others may have said so: {daemon.config} belongs to"
    assert text in done.stderr
    assert list(top.iterdir()) == [old]
    assert (old.stat().st_uid, old.read_text()) == (0, "root's\n")


def handler(directory: Path) -> Path:
    """Write a handler into *directory* that leaves a trace when it is run."""
    directory.mkdir()
    path = directory / "own.py"
    path.write_text(f"open({str(directory.parent / 'trace')!r}, 'w').close()\n"
                    "def write(message):\n    return b''\n")  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("what", "mode"),
    [
        ("owner", ["-f"]),
        ("owner", []),
        *(
            (what, ["-t"])
            for what in ("owner", "mode", "file", "parent", "byte code", "linked file")
        ),
    ],
)
def test_handlers_that_others_can_change_are_not_run(
    files: Files, what: str, mode: list[str]
) -> None:
    """Not as root, at start or by -t: the error names what is whose."""
    path = handler(files.dir / "handlers")
    given = {"owner": path.parent, "file": path, "parent": files.dir}.get(what)
    if given:
        os.chown(given, OTHER, 0)
    elif what == "mode":
        path.parent.chmod(0o777)
    elif what == "byte code":
        (path.parent / "__pycache__").mkdir(mode=0o777)
        (path.parent / "__pycache__").chmod(0o777)
    else:
        path.rename(files.dir / "real.py")
        path.symlink_to(files.dir / "real.py")
        os.chown(files.dir / "real.py", OTHER, 0)

    done = run(*mode, "-p", str(files.pidfile), *files.write(f"handlerdir = {path.parent}\n"))

    assert done.returncode == 1
    assert "amp.conf:5: handlerdir: not run, because others may change it: " in (
        done.stdout + done.stderr
    )
    assert not (files.dir / "trace").exists()


def test_handlers_of_root_are_run(files: Files) -> None:
    """By -t too, which looks for mistakes in them."""
    path = handler(files.dir / "handlers")

    assert run("-t", *files.write(f"handlerdir = {path.parent}\n")).returncode == 0
    assert (files.dir / "trace").exists()


_UNREAD = (
    "user nobody may not read it, so SIGHUP will not read it again, and under systemd the proxy"
    " will not start; chgrp it"
)


@pytest.mark.parametrize(
    ("name", "mode", "uid", "words"),
    [
        ("users", 0o644, 0, "everybody may read it, secrets and all"),
        ("users", 0o600, 0, _UNREAD),
        ("config", 0o644, 0, "everybody may read it, secrets and all"),
        ("config", 0o666, 0, "others may change it: everybody may write to "),
        ("config", 0o640, OTHER, "others may change it: "),
        ("config", 0o660, 0, "others may change it: group daemon may write to "),
        ("config", 0o600, 0, _UNREAD),
    ],
)
def test_files_with_the_wrong_rights_are_warned_of(
    daemon: Daemon, name: str, mode: int, uid: int, words: str
) -> None:
    """At start, on stderr and in the log, and by -t; the proxy starts, as the C program did."""
    path: Path = getattr(daemon, name)
    if mode == 0o660:
        os.chown(path, uid, pwd.getpwnam("daemon").pw_gid)
    else:
        os.chown(path, uid, -1)
    path.chmod(mode)

    checked, done = daemon.run("-t"), daemon.run()

    assert (checked.returncode, done.returncode) == (0, 0)
    for text in (checked.stdout, done.stderr, daemon.log.read_text()):
        assert f"{path}: {words}" in text


def test_a_list_of_authorities_that_proc_user_cannot_read_is_named(
    files: Files, certificate: Path
) -> None:
    """SIGHUP reads it again, and each connection to a server does."""
    ca = files.dir / "ca.pem"
    ca.write_bytes(certificate.read_bytes())
    ca.chmod(0o600)
    own = f"acceptencryptedconnection = yes\nacceptunencryptedconnection = no\ncertfile = {ca}\n"

    done = run("-t", *files.write(f"{own}clientcafile = {ca}\nsslverify = yes\nsslcafile = {ca}\n"))

    assert done.returncode == 0, done.stdout
    assert done.stdout.count(f"{ca}: user nobody may not read it") == 1


@pytest.mark.parametrize("arguments", [[], ["-t"]])
def test_a_start_in_a_directory_that_is_gone(daemon: Daemon, arguments: list[str]) -> None:
    """Works, where no path is relative; where one is, the error says what to do."""

    def start(*command: str) -> subprocess.CompletedProcess[str]:
        script = 'mkdir "$0/gone" && cd "$0/gone" && rmdir "$0/gone" && exec "$@"'
        return daemon.run_command(["sh", "-c", script, str(daemon.dir), *command])

    relative = start(*daemon.command[:2], "-c", "amp.conf", *arguments)
    assert (relative.returncode, "Traceback" in relative.stderr) == (1, False)
    assert "amp.conf: the current directory is gone; give an absolute path" in relative.stderr

    daemon.configure("certfile = own.pem\n")
    within = start(*daemon.command, *arguments)
    assert within.returncode == 1
    assert "certfile: the current directory is gone" in within.stdout + within.stderr

    daemon.configure()
    assert start(*daemon.command, *arguments).returncode == 0
