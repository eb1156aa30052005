# SPDX-License-Identifier: GPL-2.0-or-later
"""``astmanproxy -t`` and the start agree, and what nobody can have meant is named."""

from __future__ import annotations

import os
import re
import socket
from typing import TYPE_CHECKING

import pytest

from tests.certificates import Authority
from tests.support import ROOT
from tests.system.files import Files, keep_private, run

if TYPE_CHECKING:
    from pathlib import Path

HOST = "host = 127.0.0.1, 1, u, s, on\n"


def test_good_files_end_with_ok(files: Files) -> None:
    """And a summary of what would run stands before it; nothing is made."""
    done = run("-t", *files.write(HOST, "joe=Secret1\n"))

    *lines, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr, last) == (0, "", "ok")
    assert any(line.startswith("listens on 127.0.0.1 port ") for line in lines)
    assert any(f", log {files.log}" in line for line in lines)
    assert any(line.startswith("server 127.0.0.1 port 1: ") for line in lines)
    assert any(line.startswith("user joe: ") for line in lines)
    assert sorted(path.name for path in files.dir.iterdir()) == ["amp.conf", "amp.users"]


def test_the_shipped_files_say_what_is_left_to_do(files: Files) -> None:
    """To name an Asterisk: the line is there as an example."""
    files.write()
    text = (ROOT / "astmanproxy.conf").read_text()
    text = text.replace("/var/log/astmanproxy/", f"{files.dir}/")
    files.config.write_text(re.sub("(?m)^proc_user = .*", "proc_user = nobody", text))

    done = run("-t", "-c", str(files.config), "-u", str(files.users))

    assert done.returncode == 0
    assert f"{files.config}: no host line names an Asterisk" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("ok, ")


@pytest.mark.parametrize(
    ("config", "users", "said"),
    [
        ("authrequired = yes\n", "", "amp.conf:6: authrequired: nobody can log in"),
        ("host = nosuch.invalid, 1, u, s, on\n", "", "amp.conf:6: host: nosuch.invalid has no"),
        ("", "\njoe=s,,,,,pbx9\n", "amp.users:2: user joe: no host line names the server pbx9"),
        ("", "joe=$2b$10$rubbish\n", "amp.users:1: user joe cannot log in"),
        ("listenaddress = *\n", "joe=s\n", "amp.conf:6: listenaddress: who can reach port"),
        ("certfile = {dir}/old.pem\n", "", "amp.conf:6: certfile {dir}/old.pem: its certificate has"),
        ("certfile = {dir}/open.pem\n", "", "{dir}/open.pem: everybody may read it, secrets and all"),
    ],
)  # fmt: skip
def test_what_is_hardly_meant_is_warned_of(
    files: Files, config: str, users: str, said: str
) -> None:
    """By -t, whose last line counts the warnings; the proxy starts with it."""
    for name in ("old", "open"):
        (files.dir / f"{name}.pem").touch()
        keep_private(Authority().expired("pbx.example").write(files.dir / f"{name}.pem"))
    (files.dir / "open.pem").chmod(0o644)
    done = run("-t", *files.write(HOST + config.format(dir=files.dir), users))

    assert done.returncode == 0, done.stdout
    assert said.format(dir=files.dir) in done.stdout
    assert done.stdout.splitlines()[-1].startswith("ok, ")
    if "rubbish" in users:
        assert "may send" not in done.stdout


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("logfile = {dir}/none/x.log\n", "amp.conf:5: Unable to open logfile: {dir}/none/x.log!"),
        ("logfile = {dir}\n", "amp.conf:5: Unable to open logfile: {dir}! (Is a directory)"),
        ("listenaddress = 192.0.2.77\n", "amp.conf:5: Cannot bind to listener socket!"),
        ("listenport = {port}\n", "amp.conf:5: Cannot bind to listener socket!"),
        ("listenport = 1234 5\n", 'amp.conf:5: listenport: without its blanks this is "12345"'),
        ("authrequierd = yes\n", "amp.conf:5: unknown key authrequierd; is authrequired meant?"),
        ("pidfile = {dir}/amp.conf\n", "Cannot write pid file {dir}/amp.conf: "),
        (
            "controlsocket = {dir}/amp.conf\n",
            "amp.conf:5: Cannot make control socket {dir}/amp.conf",
        ),
        ("controlsocket = {dir}/none/x\n", "amp.conf:5: Cannot make control socket {dir}/none/x: "),
        ("handlerdir = {dir}/none\n", "amp.conf:5: handlerdir: {dir}/none is not a directory"),
        ("proc_group = nosuchgroup\n", "amp.conf:5: getgrnam(nosuchgroup) failed"),
        ("host = 127.0.0.1, 1, u, s#c, on\n", "put a blank before it, or the secret in quotes"),
    ],
)
def test_what_would_stop_the_start_is_found_before(files: Files, config: str, said: str) -> None:
    """With the words of the start, and its exit status."""
    if "proc_group" in config and os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    with socket.create_server(("127.0.0.1", 0)) as other:
        known = {"dir": files.dir, "port": other.getsockname()[1]}
        switches = files.write(config.format(**known))
        checked, started = run("-t", *switches), run(*switches)

    assert (checked.returncode, started.returncode) == (1, 1)
    assert said.format(**known) in checked.stdout
    assert said.format(**known) in started.stderr
    assert checked.stdout.splitlines()[-1].startswith("not ok: the proxy would not start: ")


def test_a_start_says_that_no_asterisk_is_named(files: Files, tmp_path: Path) -> None:
    """On stderr and in the log: so it is installed, and everything looks well."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        # So that it ends by itself.
        done = run("-f", *files.write(f"listenport = {other.getsockname()[1]}\n"))

    assert done.returncode == 1
    assert "no host line names an Asterisk" in files.log.read_text()
