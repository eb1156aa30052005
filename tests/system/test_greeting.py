# SPDX-License-Identifier: GPL-2.0-or-later
"""forcebanner = server: clients are greeted as the Asterisk behind the proxy greets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.replies import BANNER
from tests.system.files import run
from tests.system.peers import PATIENT, BareServer, host_line, wait_connected

if TYPE_CHECKING:
    from tests.support import ProxyProcess, StartProxy
    from tests.system.files import Files


def greeting(program: ProxyProcess) -> str:
    """Return what a new client is greeted with."""
    with program.client(banner=False) as client:
        return client.read_line()


def test_clients_are_greeted_as_their_server_did(proxy: StartProxy) -> None:
    """Libraries choose a dialect by it; before there was any it is ours, and it outlives outages."""
    first = BareServer(banner=b"Asterisk Call Manager/2.10.5\r\n")
    second = BareServer(banner=b"Asterisk Call Manager/\x1b[7m11.0.0\r\n")
    program = proxy(PATIENT + "forcebanner = Server\n" + host_line(first) + host_line(second))
    assert greeting(program) == BANNER

    with second:
        wait_connected(program)
        assert greeting(program) == "Asterisk Call Manager/[7m11.0.0"

        with first:
            wait_connected(program, 2)
            assert greeting(program) == "Asterisk Call Manager/2.10.5"

        program.wait_log(f"{first.port}: closed the connection")
        assert greeting(program) == "Asterisk Call Manager/[7m11.0.0"  # where actions go now

    program.wait_log(f"{second.port}: closed the connection")
    assert greeting(program) == "Asterisk Call Manager/2.10.5"


def test_t_says_what_clients_are_greeted_with(files: Files) -> None:
    """Which is not to be seen in the file."""
    said = run("-t", *files.write("forcebanner = server\n")).stdout

    assert f"greeting: that of the first connected server; until one was connected {BANNER}" in said
