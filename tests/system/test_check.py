# SPDX-License-Identifier: GPL-2.0-or-later
"""``astmanproxy -t`` and the start agree, and what nobody can have meant is named."""

from __future__ import annotations

import re
import socket

import pytest

from tests.certificates import Authority
from tests.conftest import needs_root
from tests.support import ROOT
from tests.system.files import Files, keep_private, run

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


def test_what_is_hardly_meant_is_warned_of(files: Files) -> None:
    """By -t, all of it at once; its last line counts it, and the proxy would start with it."""
    keep_private(Authority().expired("pbx.example").write(files.dir / "old.pem"))
    switches = files.write(
        f"host = nosuch.invalid, 1, u, s, on\ncertfile = {files.dir}/old.pem\nlistenaddress = *\n",
        "\njoe=s,,,,,pbx9\nann=$2b$10$rubbish\n",
    )
    done = run("-t", *switches)

    assert done.returncode == 0, done.stdout
    for said in (
        "amp.conf:5: host: nosuch.invalid has no address now",
        f"amp.conf:6: certfile {files.dir}/old.pem: its certificate has expired on ",
        "amp.conf:7: listenaddress: who can reach port",
        "amp.users:2: user joe: no host line names the server pbx9",
        "amp.users:3: user ann cannot log in",
        "user ann: cannot log in",
    ):
        assert said in done.stdout
    assert done.stdout.endswith("ok, 5 warnings\n")


@needs_root
def test_a_wrong_user_does_not_hide_who_may_read_the_files(files: Files) -> None:
    """One problem does not hide another."""
    switches = files.write(f"{HOST}proc_user = nosuchuser\n")
    files.users.chmod(0o644)

    done = run("-t", *switches)

    assert done.returncode == 1
    assert "getpwnam(nosuchuser) failed" in done.stdout
    assert f"{files.users}: everybody may read it, secrets and all" in done.stdout


def test_a_log_in_that_nobody_can_pass_is_warned_of(files: Files) -> None:
    """It said that every log-in succeeds."""
    done = run("-t", *files.write(f"{HOST}authrequired = yes\n"))

    assert done.returncode == 0
    assert "amp.conf:6: authrequired: nobody can log in" in done.stdout
    assert "succeeds" not in done.stdout


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("logfile = {dir}/none/x.log\n", "amp.conf:5: Unable to open logfile: {dir}/none/x.log!"),
        ("listenaddress = 192.0.2.77\n", "amp.conf:5: Cannot bind to listener socket!"),
        ("listenport = {port}\n", "amp.conf:5: Cannot bind to listener socket!"),
        ("listenport = 1234 5\n", 'amp.conf:5: listenport: without its blanks this is "12345"'),
        ("authrequierd = yes\n", "amp.conf:5: unknown key authrequierd; is authrequired meant?"),
        ("pidfile = {dir}/amp.conf\n", "Cannot write pid file {dir}/amp.conf: "),
        (
            "controlsocket = {dir}/amp.conf\n",
            "amp.conf:5: Cannot make control socket {dir}/amp.conf",
        ),
    ],
)
def test_what_would_stop_the_start_is_found_before(files: Files, config: str, said: str) -> None:
    """With the words of the start, and its exit status."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        known = {"dir": files.dir, "port": other.getsockname()[1]}
        switches = files.write(config.format(**known))
        checked, started = run("-t", *switches), run("-f", *switches)

    assert (checked.returncode, started.returncode) == (1, 1)
    assert said.format(**known) in checked.stdout
    assert said.format(**known) in started.stderr
    assert checked.stdout.splitlines()[-1].startswith("not ok: the proxy would not start: ")


def test_the_log_says_that_no_asterisk_is_named(files: Files) -> None:
    """So it is installed, and everything else looks well."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        # So that it ends by itself.
        done = run("-f", *files.write(f"listenport = {other.getsockname()[1]}\n"))

    assert done.returncode == 1
    assert "no host line names an Asterisk" in files.log.read_text()


@pytest.mark.parametrize("switch", ["-u", "-p", "logfile", "handlerdir"])
def test_a_directory_that_one_may_not_look_at_is_told_of(switch: str, files: Files) -> None:
    """As where a user may not enter it; it is no failure of the program."""
    hidden = f"{files.dir}/{'x' * 300}"
    inside = f"{hidden}/below/file"
    switches = files.write(f"{HOST}{switch} = {inside}\n" if switch[0] != "-" else HOST)
    if switch[0] == "-":
        switches = [*switches, switch, inside]

    done = run("-t", *switches)

    assert (done.returncode, done.stderr) == (1, "")
    assert hidden in done.stdout
    assert done.stdout.splitlines()[-1].startswith("not ok: ")
