# SPDX-License-Identifier: GPL-2.0-or-later
"""The fail2ban filter finds the address of every failed log-in, and no other."""

from __future__ import annotations

import configparser
import logging
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access.auth import claimed_name, failure_line
from amiproxy.access.user import Users
from amiproxy.logs.forms import JsonForm, SyslogForm, TextForm
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FILTER = ROOT / "init/fail2ban/astmanproxy.conf"
JAIL = FILTER.with_name("jail.conf")
NAMES = ["bob", "", 'x" ', '": wrong\nlogin failed from 198.51.100.9 as "x', "caf\xe9", "a" * 400]
# What fail2ban substitutes for <HOST> (an address only, no host names).
HOST = r"(?P<host>(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F:]+)"


def failregex() -> re.Pattern[str]:
    """Return the expression of our filter, for one line of the log."""
    parser = configparser.ConfigParser()
    parser.read(FILTER)
    return re.compile(parser["Definition"]["failregex"].replace("<HOST>", HOST))


FAILREGEX = failregex()


def found(line: str) -> str | None:
    """Return the address fail2ban would ban for *line*, from which it removes the date."""
    match = FAILREGEX.search(f": {line}")
    return match["host"] if match else None


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_the_address_is_found_whatever_the_name(address: str, name: str) -> None:
    """A user name cannot hide the address nor replace it by another."""
    assert found(failure_line(address, name, "wrong secret")) == address


def test_a_client_at_a_unix_socket_is_no_host_to_ban() -> None:
    """The line says which user of this machine it was."""
    line = failure_line("unix:1000", "joe", "wrong user or secret")

    assert line == 'login failed from unix:1000 as "joe": wrong user or secret'
    assert found(line) is None
    # As a name of a host, too, which fail2ban would look up.
    anything = FAILREGEX.pattern.replace(HOST, HOST[:-1] + r"|[\w\-.^_]*\w)")
    assert re.search(anything, f": {line}") is None


@given(st.text(max_size=100))
def test_the_address_is_found_where_the_name_is_withheld(name: str) -> None:
    """A name that nobody has is not in the line, what stands in its place matches."""
    line = failure_line("192.0.2.7", claimed_name(Users(), name), "wrong user or secret")

    assert line == (
        f'login failed from 192.0.2.7 as "an unknown user of {len(name)} characters": '
        "wrong user or secret"
    )
    assert found(line) == "192.0.2.7"


@given(st.text(max_size=100), st.text(max_size=30))
def test_no_name_escapes_its_quotes(name: str, reason: str) -> None:
    """For any name and reason the line is one line and names the client's address."""
    line = failure_line("192.0.2.7", name, reason or "x")

    assert line.isprintable()
    assert line.isascii()
    assert found(line) == "192.0.2.7"


@pytest.mark.parametrize(
    "line",
    [
        'client 192.0.2.7: login failed from 198.51.100.9 as "x": wrong secret',
        "192.0.2.7 logged in as bob",
        "login failed from nowhere",
    ],
)
def test_other_lines_ban_nobody(line: str) -> None:
    """Only the line the proxy writes for a failed log-in matches."""
    assert found(line) is None


def test_the_jail_names_the_filter() -> None:
    """The sample jail uses the filter of this name and the default log file."""
    parser = configparser.ConfigParser()
    parser.read(JAIL)

    assert parser["astmanproxy"]["filter"] == FILTER.stem
    assert parser["astmanproxy"]["logpath"] == "/var/log/astmanproxy/astmanproxy.log"


def as_syslog_writes_it(record: logging.LogRecord) -> bytes:
    """Return *record* as rsyslog has it in its file: with the name of the host."""
    entry = SyslogForm().encode(record).partition(b">")[2]
    return entry[:15] + b" pbx" + entry[15:] + b"\n"


@pytest.mark.skipif(shutil.which("fail2ban-regex") is None, reason="fail2ban is not installed")
@pytest.mark.parametrize(
    "encode",
    [TextForm().encode, JsonForm().encode, as_syslog_writes_it],
    ids=["text", "json", "syslog"],
)
def test_fail2ban_regex_finds_every_form(
    tmp_path: Path, encode: Callable[[logging.LogRecord], bytes]
) -> None:
    """As text, as JSON and in a file of syslog; nobody can make a line look like one."""
    lines = [failure_line(f"192.0.2.{i}", name, "wrong user") for i, name in enumerate(NAMES, 1)]
    forged = f"client 192.0.2.9:1: 'x': {lines[0]}"
    log = tmp_path / "astmanproxy.log"
    made = [
        logging.LogRecord("amiproxy.actions", logging.WARNING, "", 0, "%s", (line,), None)
        for line in [*lines, forged, f'", "message": "{lines[0]}']
    ]
    log.write_bytes(b"".join(map(encode, made)))

    done = subprocess.run(
        ["fail2ban-regex", log, FILTER], capture_output=True, text=True, check=False
    )

    assert f"{len(lines)} matched, 2 missed" in done.stdout


@pytest.mark.skipif(shutil.which("fail2ban-regex") is None, reason="fail2ban is not installed")
def test_fail2ban_regex_finds_every_line(tmp_path: Path) -> None:
    """fail2ban's own tool matches all failed log-ins and no other line."""
    log = tmp_path / "astmanproxy.log"
    lines = [failure_line(f"192.0.2.{i}", name, "wrong secret") for i, name in enumerate(NAMES, 1)]
    stamped = [f"Nov {i:2d} 12:53:0{i}: {line}\n" for i, line in enumerate(lines, 1)]
    log.write_text("".join([*stamped, "Nov 23 12:53:01: 192.0.2.7 logged in as bob\n"]))

    done = subprocess.run(
        ["fail2ban-regex", log, FILTER], capture_output=True, text=True, check=False
    )

    assert f"{len(lines)} matched, 1 missed" in done.stdout
