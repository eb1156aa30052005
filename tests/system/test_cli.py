# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: options, what is printed, exit status, and ``-t``."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import bcrypt
import pytest

from amiproxy import __version__
from tests.conftest import needs_root
from tests.support import PROGRAM
from tests.system.files import Files, run

USERS = "joe=Secret1,sip/1002,internal\n"


@pytest.mark.parametrize("switch", ["-v", "--version", "-dfv"])
def test_version(switch: str) -> None:
    """One line as the C program printed it; exit status 0."""
    done = run(switch)

    assert done.returncode == 0
    assert done.stdout.startswith(f"astmanproxy: Version {__version__}, (C) ")
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


@pytest.mark.parametrize("switch", ["-h", "--help"])
def test_help(switch: str) -> None:
    """Usage on stdout with every option; exit status 0."""
    done = run(switch)

    assert done.returncode == 0
    assert done.stdout.startswith("Usage: astmanproxy ")
    assert "\n       astmanproxy -t | " in done.stdout
    for option in ("-d", "-f", "-g", "-c", "-u", "-p", "-t", "-v", "-h", "--hash-secret"):
        assert f" {option}" in done.stdout


@pytest.mark.parametrize("switches", [["-x"], ["--nosuch"], ["-c"], ["-fx"], ["surplus"]])
def test_an_unknown_option_prints_the_usage(switches: list[str]) -> None:
    """The error on stderr, the usage on stdout; exit status 1."""
    done = run(*switches)

    assert done.returncode == 1
    assert done.stderr.startswith("astmanproxy: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith("Usage: ")


@pytest.mark.parametrize("buffering", ["", "1"])
@pytest.mark.parametrize("switch", ["-t", "-h", "-v", "-x"])
def test_who_reads_what_is_printed_may_stop(tmp_path: Path, switch: str, buffering: str) -> None:
    """``astmanproxy -t | head``: no word of a broken pipe."""
    users = Path(tmp_path, "users")
    users.write_text(USERS)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, PROGRAM, switch, "-c", os.devnull, "-u", users],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": buffering},
        check=False,
    )
    os.close(writing)
    assert done.stderr == (b"astmanproxy: option -x not recognized\n" if switch == "-x" else b"")


def test_hash_secret_prints_a_bcrypt_hash() -> None:
    """Of the secret that was typed."""
    done = run("--hash-secret", stdin="S\u00e9cret!\n")

    assert done.returncode == 0
    assert bcrypt.checkpw("S\u00e9cret!".encode(), done.stdout.strip().encode())
    # Cheap enough for web requests: each of them logs in.
    assert done.stdout.startswith("$2b$10$")


def test_hash_secret_asks_a_terminal_twice_and_without_echo() -> None:
    """So that a typing error is found and nobody sees the secret."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, str(PROGRAM), "--hash-secret"])
    output = b""
    try:
        for _ in range(2):
            asked = output.count(b": ")
            while output.count(b": ") == asked:
                output += os.read(terminal, 1000)
            os.write(terminal, b"Typed1\n")
        while b"$2" not in output or not output.endswith(b"\n"):
            output += os.read(terminal, 1000)
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)

    assert b"Typed1" not in output
    assert bcrypt.checkpw(b"Typed1", output.split()[-1])


@pytest.mark.parametrize("secret", ["", "\n", "x" * 73])
def test_hash_secret_refuses_what_bcrypt_would_cut(secret: str) -> None:
    """Exit status 1."""
    done = run("--hash-secret", stdin=secret)

    assert done.returncode == 1
    assert done.stdout == ""


def test_check_of_good_files_prints_what_users_may_do(files: Files) -> None:
    """In words, without secrets; exit status 0."""
    done = run("-t", *files.write("", USERS))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "joe" in done.stdout
    assert "sip/1002" in done.stdout
    assert "Secret1" not in done.stdout + done.stderr


def test_check_names_every_problem_of_every_file(files: Files) -> None:
    """As FILE:LINE: what is wrong; one does not hide another, and nothing is started."""
    switches = files.write(
        "listenport = x\nhost = a,b\nnosuch = 1\ncertfile = /dev/null\nclientcafile = /dev/null\n"
        "inputformat = nosuch\noutputformat = nosuch\nhandlerdir = /nonexistent\n",
        "=x\n",
    )

    done = run("-t", *switches)

    assert done.returncode == 1
    *lines, last = done.stdout.splitlines()
    assert last == "not ok: the proxy would not start: 9 problems, 1 warning"
    places = sorted(line.split(": ")[0] for line in lines)
    conf, users = switches[1], switches[3]
    assert places == sorted([*(f"{conf}:{line}" for line in (*range(5, 13), 9)), f"{users}:1"])
    assert not (files.dir / "proxy.log").exists()


@needs_root
def test_check_names_user_and_group(files: Files) -> None:
    """Both, if neither can be used."""
    done = run("-t", *files.write("proc_user = root\nproc_group = nosuch\n"))

    lines = done.stdout.splitlines()[1:]  # behind a warning: there is no host line
    assert ["root user" in lines[0], "not a group" in lines[1]] == [True, True]


def test_check_reads_the_certificate(files: Files, certificate: Path) -> None:
    """One that can be used, and one that cannot."""
    good = run("-t", *files.write(f"acceptencryptedconnection = yes\ncertfile = {certificate}\n"))
    bad = run("-t", *files.write("acceptencryptedconnection = yes\ncertfile = /dev/null\n"))

    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1
    assert f"{files.dir}/amp.conf:6: certfile /dev/null: " in bad.stdout
