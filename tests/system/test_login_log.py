# SPDX-License-Identifier: GPL-2.0-or-later
"""What the log says of logins, and blocks that ended the C program."""

from __future__ import annotations

import configparser
import contextlib
import re
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ROOT
from tests.system.peers import host_line, wait_connected
from tests.system.people import (
    answer,
    closed,
    hashed,
    is_in,
    log_in,
    log_in_md5,
    logged_in,
)

if TYPE_CHECKING:
    from tests.support import StartProxy


FAIL2BAN = ROOT / "init" / "fail2ban" / "astmanproxy.conf"


def failed_addresses(log: str) -> list[str]:
    """Return the addresses that the shipped fail2ban filter finds in *log*."""
    parser = configparser.ConfigParser()
    parser.read(FAIL2BAN)
    pattern = re.compile(
        parser["Definition"]["failregex"].replace("<HOST>", r"(?P<host>[\da-f.:]+)")
    )
    # As fail2ban does it: the date at the beginning is cut out.
    lines = [re.sub(r"^\w{3} [ \d]\d \d\d:\d\d:\d\d", "", line) for line in log.splitlines()]
    return [match["host"] for match in map(pattern.search, lines) if match]


def test_failed_logins_are_what_fail2ban_looks_for(proxy: StartProxy) -> None:
    """One line each, with the client's address, whatever it sends as a name."""
    program = proxy(closed(), "joe=secret")
    with program.client(source="127.0.0.4") as client:
        log_in(client, "joe", "wrong")
        log_in(client, 'x" from 127.0.0.9 as "y": wrong', "wrong")
        log_in(client, "\x1b[31m\xff" + "n" * 300, "wrong")
        assert is_in(log_in(client, "joe"))
    # The last line of this client, whichever way its connection ended: by then
    # every line that could come is there.
    program.wait_log("logged in as 'joe'")
    assert failed_addresses(program.log()) == ["127.0.0.4"] * 3


#: One of each kind that goes in or out.
SECRETS = {
    "upstream": "UpStream5ecret",
    "user": "Us3rSecret",
    "wrong": "Wr0ngSecret",
    "key": "Pr0xyKeySecret",
    "badkey": "BadPr0xyKey",
    "added": "Add3dSecret",
    "crypt": hashed("Crypt3dSecret"),
    "plain": "Crypt3dSecret",
    "originate": "Var1ableSecret",
}


@pytest.mark.parametrize("more", ["", "audit = yes\nloglevel = debug\nlogformat = json\n"])
def test_no_secret_is_ever_logged(proxy: StartProxy, more: str) -> None:
    """With all debug output, whatever is tried: log, stdout and stderr hold no secret."""
    with SimulatedAsterisk(users={"ampuser": SECRETS["upstream"]}) as asterisk:
        config = closed(more=host_line(asterisk, secret=SECRETS["upstream"]))
        config += f'proxykey = "{SECRETS["key"]}"\n{more}'
        users = f"joe={SECRETS['user']}\njane={SECRETS['crypt']}\n"
        program = proxy(config, users, args=("-dddd",))
        wait_connected(program)
        with program.client() as client:
            log_in(client, "joe", SECRETS["wrong"])
            log_in(client, "joe", SECRETS["user"])
            log_in(client, "jane", SECRETS["plain"])
            log_in_md5(client, "joe", SECRETS["user"])
            answer(
                client,
                *("ProxyAction: AddServer", "Server: 127.0.0.77", "Port: 9", "Username: u"),
                *(f"Secret: {SECRETS['added']}", "Events: on"),
            )
            answer(client, "ProxyAction: ListServers")
            answer(
                client, "Action: Originate", "Channel: SIP/1", f"Variable: {SECRETS['originate']}"
            )
        with program.client() as client:
            answer(client, "Action: Ping", f"ProxyKey: {SECRETS['badkey']}")
        with program.client() as client:
            answer(client, "Action: Ping", f"ProxyKey: {SECRETS['key']}")
            program.write_users(users + "=" + SECRETS["wrong"] + "\nmore " + SECRETS["wrong"])
            program.send_signal(signal.SIGHUP)
            program.wait_log("the users stay as they were")
        assert program.stop() == 0
        said = program.log() + program.stdout() + program.stderr()
        assert "DEBUG" in said or len(said.splitlines()) > 20
        for name, secret in SECRETS.items():
            assert secret not in said, name


def test_blocks_that_killed_the_c_program(proxy: StartProxy) -> None:
    """A user name of 300 bytes in AddServer, DropServer without Server, SetOutputFormat: http."""
    program = proxy()
    with program.client() as client:
        added = answer(
            client,
            *("ProxyAction: AddServer", "Server: 127.0.0.77", "Port: 9", f"Username: {'u' * 300}"),
            *("Secret: x", "Events: on"),
        )
        assert added == ["ProxyResponse: Success", "Message: Added 127.0.0.77"]
        assert answer(client, "ProxyAction: DropServer")[0] == "ProxyResponse: Failure"
        assert answer(client, "ProxyAction: SetOutputFormat", "OutputFormat: http") == [
            "ProxyResponse: Error",
            "Message: Unknown output format",
        ]
        dropped = answer(client, "ProxyAction: DropServer", "Server: 127.0.0.77")
        assert dropped == ["ProxyResponse: Success", "Message: Dropped 127.0.0.77"]


def test_login_beats_proxyaction_beats_action(proxy: StartProxy) -> None:
    """In one block; and `Action:Logoff` without blank logs nobody off but the client."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(closed(asterisk), "joe=secret")
        wait_connected(program)
        with program.client() as client:
            head = ("Username: joe", "Secret: secret", "ProxyAction: ListServers")
            assert is_in(answer(client, "Action: Login", *head))
            reply = answer(client, "Action: Ping", "ProxyAction: ListIOHandlers")
            assert reply[0] == "ProxyResponse: Success"
            client.send("Action:Logoff")
            assert b"Response: Goodbye" in client.read_to_end()
        with logged_in(program, "joe") as client:
            assert "Ping: Pong" in answer(client, "Action: Ping")
        assert not asterisk.actions("Logoff")
        assert len(asterisk.sessions) == 1


def test_logins_at_once_do_not_wait_for_each_other(proxy: StartProxy) -> None:
    """A failed login that has to wait holds up nobody from elsewhere, nor a login under way."""
    program = proxy(closed(), "joe=secret")
    threads = []

    def guess() -> None:
        with contextlib.suppress(OSError, EOFError), program.client(source="127.0.0.2") as client:
            for _ in range(6):
                log_in(client, "joe", "wrong")

    for _ in range(8):
        threads.append(threading.Thread(target=guess))
        threads[-1].start()
    try:
        program.wait_log('login failed from 127.0.0.2 as "joe"')
        for _ in range(5):
            with program.client(source="127.0.0.3") as client:
                began = time.monotonic()
                assert is_in(log_in(client, "joe"))
                assert time.monotonic() - began < 1.0
    finally:
        program.stop()
        for thread in threads:
            thread.join()
