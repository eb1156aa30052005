# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes at start: one line on stderr, exit status 1, before the daemon detaches."""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.process.identity import identity
from amiproxy.settings.conffile import load_config
from tests.conftest import needs_root
from tests.support import PROGRAM, wait_until
from tests.system.files import Files, run

if TYPE_CHECKING:
    from pathlib import Path


def split_pem(certificate: Path) -> tuple[str, str]:
    """Return the key and the certificate of a file."""
    text = certificate.read_text()
    start = text.index("-----BEGIN PRIVATE KEY")
    return text[start:], text[:start]


def test_an_unusable_certificate_stops_the_start(files: Files, certificate: Path) -> None:
    """With the reason: missing, no key, no certificate, garbage (C went on without TLS)."""
    key, cert = split_pem(certificate)
    path = files.dir / "cert.pem"
    switches = files.write(f"certfile = {path}\n")
    for content, reason in (
        (None, "No such file or directory"),
        (cert, "no private key"),
        (key, "no certificate"),
        (key + cert.replace("M", "N"), "is damaged"),
    ):
        if content is not None:
            path.write_text(content)

        done = run("-f", *switches)

        assert done.returncode == 1
        assert done.stderr.startswith(f"{switches[1]}:5: certfile {path}: ")
        assert reason in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("mode", [[], ["-f"], ["-d"]])
@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ("listenport = x\n", "amp.conf:5: listenport: "),
        ("host = 10.1.2.3,5038,Joe,TopSecret\n", "amp.conf:5: host: server spec incomplete"),
        ("logfile = /nonexistent/x.log\n", "amp.conf:5: Unable to open logfile: /nonexistent/x.log!"),
        ("inputformat = nosuch\n", "amp.conf:5: inputformat: there is no input handler 'nosuch'"),
        ("outputformat = http\n", "amp.conf:5: outputformat: there is no output handler 'http'"),
        ("handlerdir = /nonexistent\n", "amp.conf:5: handlerdir: /nonexistent is not a directory"),
        ("listenaddress = 192.0.2.1\n", "amp.conf:5: Cannot bind to listener socket! 192.0.2.1 port "),
        ("pidfile = /nonexistent/a/b.pid\n", "Cannot write pid file /nonexistent/a/b.pid: "),
    ],
)  # fmt: skip
def test_a_start_that_fails_says_so_in_one_line(
    files: Files, mode: list[str], config: str, complaint: str
) -> None:
    """On stderr, with exit status 1, before it detaches."""
    pidfile = [] if "pidfile" in config else ["-p", str(files.pidfile)]

    done = run(*mode, *pidfile, *files.write(config))

    assert done.returncode == 1
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
    assert "TopSecret" not in done.stderr
    assert not files.pidfile.exists()


@pytest.mark.parametrize("mode", [[], ["-f"]])
def test_a_missing_file_stops_the_start(files: Files, mode: list[str]) -> None:
    """In the words of the C program; as a daemon too, where it exited with 0."""
    no_config = run(*mode, "-c", str(files.dir / "none.conf"), "-u", "/dev/null")
    no_users = run(*mode, "-p", str(files.pidfile), *files.write("", None))

    assert (no_config.returncode, no_users.returncode) == (1, 1)
    assert no_config.stderr == f"Unable to open config file: {files.dir}/none.conf!\n"
    assert no_users.stderr == f"Unable to open permissions file: {files.dir}/amp.users!\n"


@pytest.mark.parametrize("mode", [[], ["-f"]])
def test_a_taken_port_stops_the_start(files: Files, mode: list[str]) -> None:
    """Before anything is sent to Asterisk."""
    with socket.create_server(("127.0.0.1", 0)) as asterisk, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        config = f"listenport = {port}\n"
        config += f"host = 127.0.0.1, {asterisk.getsockname()[1]}, u, s, on\n"

        done = run(*mode, "-p", str(files.pidfile), *files.write(config))

        assert done.returncode == 1
        assert f"Cannot bind to listener socket! 127.0.0.1 port {port}: " in done.stderr
        asterisk.settimeout(0.1)
        with pytest.raises(socket.timeout):
            asterisk.accept()


def test_a_port_that_an_ended_program_keeps_is_waited_for(files: Files) -> None:
    """The C program does not say SO_REUSEADDR: its connections keep the port for a minute."""
    with socket.socket() as program:
        program.bind(("127.0.0.1", 0))
        program.listen()
        port = program.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        program.accept()[0].close()
    reset = struct.pack("ii", 1, 0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)

    command = [sys.executable, str(PROGRAM), "-f", *files.write(f"listenport = {port}\n")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as started:
        try:
            assert started.stderr is not None
            assert f"amp.conf:5: port {port} is kept by" in started.stderr.readline()
            client.close()
            wait_until(lambda: "Proxy Started" in files.log.read_text())
        finally:
            started.terminate()
    assert started.returncode == 0
    assert "trying again for up to 60 s" in files.log.read_text()


@needs_root
def test_an_unusable_user_or_group_stops_the_start(files: Files) -> None:
    """Root above all; -t and a start say the same."""
    complaint = "amp.conf:5: getpwnam(root) returned root user; aborting!"
    for mode in ([], ["-f"], ["-t"]):
        done = run(*mode, *files.write("proc_user = root\n"))

        assert done.returncode == 1
        assert complaint in done.stderr + done.stdout


@needs_root
@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("proc_user = nosuchuser", "amp.conf:5: getpwnam(nosuchuser) failed"),
        ("proc_user = ", "amp.conf:5: proc_user is not set"),
        ("proc_group = nosuchgroup", "amp.conf:5: getgrnam(nosuchgroup) failed"),
        ("proc_group = root", "amp.conf:5: group root is refused"),
    ],
)
def test_a_user_or_group_is_refused(files: Files, line: str, complaint: str) -> None:
    """Before anything is opened."""
    files.write(f"{line}\n")
    config, _ = load_config(str(files.config), str(files.dir))

    with pytest.raises(ConfigError, match=re.escape(complaint)):
        identity(config)


@needs_root
def test_a_pid_directory_the_user_may_not_write_in_stops_the_start(files: Files) -> None:
    """The user has to remove the file in the end."""
    done = run("-p", str(files.dir / "own.pid"), *files.write(""))

    assert done.returncode == 1
    assert "user nobody may not write in" in done.stderr
