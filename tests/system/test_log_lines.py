# SPDX-License-Identifier: GPL-2.0-or-later
"""What the log says of how clients get in and out, and of servers that are lost."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import PATIENT, QUICK, BareServer, host_line, wait_connected
from tests.system.people import answer, closed, logged_in

if TYPE_CHECKING:
    import socket

    from tests.support import StartProxy


def test_who_gets_in_without_a_user_leaves_a_line(proxy: StartProxy) -> None:
    """By the proxy key, or because no users are defined; unless displayconnects is off."""
    program = proxy(PATIENT + "proxykey = k\n")
    with program.client() as client:
        answer(client, "ProxyAction: ListServers", "ProxyKey: k")
        answer(client, "Action: Login", "Username: x", "Secret: y")
    program.wait_log(": gave the proxy key\n")
    program.wait_log(": logged in; no users are defined\n")

    hidden = proxy(PATIENT + "displayconnects = no\n")
    with hidden.client() as client:
        answer(client, "Action: Login", "Username: x", "Secret: y")
    assert "logged in" not in hidden.log()


def test_an_action_without_a_login_leaves_a_line(proxy: StartProxy) -> None:
    """It says why it was refused."""
    program = proxy(closed(), "joe=secret")
    with program.client() as client:
        answer(client, "Action: CoreShowChannels")

        answer(client, "ProxyAction: ListServers")

    program.wait_log(": action 'coreshowchannels' refused: not logged in\n")
    program.wait_log(": ProxyAction 'listservers' refused: not logged in\n")


def test_a_dropped_client_is_described(proxy: StartProxy) -> None:
    """How long it was there, who it was, and what it still waited for."""
    filling = b"Event: Filling\r\nPrivilege: user,all\r\nText: %s\r\n\r\n" % (b"x" * 4000)
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + "clientwritetimeout = 100\n" + host_line(asterisk), "joe=secret")
        wait_connected(program)
        with logged_in(program, "joe"):
            asterisk.send(filling, times=2500)
            program.wait_log(": dropped")
    said = r"took nothing for 100 ms, \d+ bytes wait: dropped after \d+ s, logged in as 'joe'; "
    counters = r"0 actions unanswered, \d+ bytes sent, \d+ received"
    assert re.search(rf"client 127\.0\.0\.1:\d+ {said}{counters}\n", program.log())


def test_a_lost_server_is_described(proxy: StartProxy) -> None:
    """How long it was connected, and how many actions have no answer; not where it never was."""

    def leave(link: socket.socket) -> None:
        link.recv(1000)
        link.close()

    with BareServer(script=leave) as server:
        program = proxy(PATIENT + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.send("Action: Hangup", "Channel: SIP/1")
            program.wait_log(" (it was connected for 0 s; 1 actions unanswered)\n")
        server.stop()
        wait_until(lambda: "cannot connect: " in program.log(), what="a failed try")
    line = next(line for line in program.log().splitlines() if "cannot connect: " in line)
    assert "connected for" not in line
