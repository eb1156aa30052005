# SPDX-License-Identifier: GPL-2.0-or-later
"""displayconnects: whether the log tells who connects and leaves."""

from __future__ import annotations

import re
import signal
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support import ProxyProcess, StartProxy

#: What a client may cause that needs nobody's attention.
USUAL = re.compile(r"Connection received|client .* left$|reset|Broken pipe|as 'joe'", re.MULTILINE)


def check_health(program: ProxyProcess) -> None:
    """Connect and leave as load balancers do: close, or reset, with and without the banner."""
    for banner in (True, False):
        program.client(banner=banner).close()
        with program.client(banner=banner) as check:
            check.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_health_checks_are_not_logged_where_connects_are_not(proxy: StartProxy) -> None:
    """What goes wrong still is; a user's own setting precedes, and SIGHUP changes it."""
    users = "joe=secret\n[ann]\nsecret=secret\ndisplayconnects=yes\n"
    program = proxy("displayconnects = no\n", users)
    check_health(program)
    with program.client() as client:
        for name in ("joe", "ann", "eve"):
            client.ask("Action: Login", f"Username: {name}", "Secret: secret")
            client.take()

    log = program.wait_log("wrong user or secret")
    assert "logged in as 'ann'" in log
    assert USUAL.findall(log) == []

    program.write_config("")
    program.send_signal(signal.SIGHUP)
    program.wait_log("reread permissions")
    check_health(program)
    program.wait_log(" left\n")
    assert "Connection received from 127.0.0.1" in program.log()


def test_what_general_says_precedes(proxy: StartProxy) -> None:
    """As with the limits of the users file."""
    program = proxy("displayconnects = yes\n", "[general]\ndisplayconnects = no\n")
    check_health(program)
    with program.client() as client:
        client.send_raw(b"\x16\x03\x01")

        log = program.wait_log("TLS on a connection")

    assert USUAL.findall(log) == []
