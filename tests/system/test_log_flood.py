# SPDX-License-Identifier: GPL-2.0-or-later
"""Nobody fills the log, or hides in it what an administrator or fail2ban must see."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import TYPE_CHECKING, Callable

import pytest

from tests.system.peers import QUICK, host_line, wait_connected

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess, StartProxy


USERS = "[joe]\nsecret = x\nread = call\nwrite = call\n"


def refused_blocks(program: ProxyProcess) -> None:
    """Ask as fast as possible for what is refused."""
    with program.client() as client:
        client.ask("Action: Login", "Username: joe", "Secret: x")
        client.send_raw("Action: DBPut\r\n\r\n" * 5000 + "Action: Logoff\r\n\r\n")
        assert client.read_to_end().count(b"Response: Error") == 5000


def malformed_blocks(program: ProxyProcess) -> None:
    """Send what is no action."""
    with program.client() as client:
        client.send_raw(f"{'x' * 2000}\r\n\r\n" * 1000 + "Action: Logoff\r\n\r\n")
        client.read_to_end()


def visits(program: ProxyProcess) -> None:
    """Connect and close."""
    for _ in range(500):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", program.port), 10).close()


@pytest.mark.parametrize("flood", [refused_blocks, malformed_blocks, visits])
def test_a_client_cannot_fill_the_log(
    proxy: StartProxy, asterisk: SimulatedAsterisk, flood: Callable[[ProxyProcess], None]
) -> None:
    """Lines are left out and counted; the server's, and those about others, are there."""
    # However many of the visitors have not quite left, the next client is let in.
    strict = QUICK + "authrequired = yes\nauthtimeout = 100\nauthlimit = 0\n"
    program = proxy(strict + host_line(asterisk), USERS)
    wait_connected(program)

    flood(program)
    with program.client() as client:
        client.send("Action: Login", "Username: bob", "Secret: wrong")
        client.read_message()
    asterisk.drop_sessions()
    wait_connected(program, 2)
    with program.client(source="127.0.0.2"):
        program.wait_log("Connection received from 127.0.0.2")
    program.wait_log("login failed from 127.0.0.1 as ")
    program.stop()

    log = program.log()
    assert len(log) < 40_000
    found = re.findall(
        r": log: (\d+) further lines (?:about|of warnings about) clients at 127.0.0.1 left out\n",
        log,
    )
    assert sum(map(int, found)) > 250
    assert "; trying again in" in log
