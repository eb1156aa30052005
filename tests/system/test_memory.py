# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory is bounded, whatever an Asterisk sends that is not to be trusted."""

from __future__ import annotations

from typing import Callable

import psutil
import pytest

from tests.support import StartProxy, wait_until
from tests.system.peers import PATIENT, BareServer, Collector, host_line, wait_connected

USERS = "joe=secret,SIP/1001\n"

MEGABYTES = 1024 * 1024


def channels(number: int) -> bytes:
    """Return a Newchannel of 4 MB."""
    head = b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/1001-%d\r\n" % number
    return head + b"Uniqueid: 1.%d\r\nX: " % number + b"x" * 4 * MEGABYTES + b"\r\n\r\n"


def ids(number: int) -> bytes:
    """Return a Newchannel with an id of 4 MB."""
    head = b"Event: Newchannel\r\nPrivilege: call,all\r\nChannel: SIP/1001-%d\r\n" % number
    return head + b"Uniqueid: %d." % number + b"1" * 4 * MEGABYTES + b"\r\n\r\n"


@pytest.mark.parametrize("part", [channels, ids])
def test_what_is_kept_of_calls_is_bounded(proxy: StartProxy, part: Callable[[int], bytes]) -> None:
    """By bytes as well as by number; a client that filters by calls is logged in."""
    with BareServer() as server:
        program = proxy(PATIENT + host_line(server), USERS)
        wait_connected(program)
        link = server.wait_link()
        with program.client() as client:
            client.ask("Action: Login", "Username: joe", "Secret: secret")
            process = psutil.Process(program.pid)
            with Collector(client) as reader:
                end = b"Event: Hangup\r\nPrivilege: call,all\r\nChannel: SIP/1001-%d.end\r\n\r\n"
                for number in range(15):
                    link.sendall(part(number) + end % number)
                    reader.wait_for(b"SIP/1001-%d.end" % number)
                    if number == 1:
                        before = process.memory_info().rss

                wait_until(lambda: process.memory_info().rss - before < 45 * MEGABYTES)
