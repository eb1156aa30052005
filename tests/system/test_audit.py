# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit: who asked what that changes something, and how it ended."""

from __future__ import annotations

import json
import re
import signal
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import PATIENT, BareServer, host_line, is_response, wait_connected
from tests.system.people import logged_in

if TYPE_CHECKING:
    from tests.support import ManagerClient, ProxyProcess, StartProxy
    from tests.system.peers import Stage

USERS = (
    "[joe]\nsecret = x\nread = all\nwrite = all\nproxyactions = AddServer, DropServer, operator\n"
    "[ann]\nsecret = x\nread = call\nwrite = call\n"
)
pytestmark = pytest.mark.stage(PATIENT + "audit = yes\nautofilter = unique\n", users=USERS)

ORIGINATE = (
    "Action: Originate", "Channel: Local/5@default", "Exten: 200", "Context: default",
    "Priority: 1", "Variable: PIN=S3cret",
)  # fmt: skip


def asked(client: ManagerClient, *lines: str) -> list[str]:
    """Send *lines*, and return the answer."""
    client.send(*lines)
    return client.read_until(is_response)


HEAD = "audit: user=joe address=127.0.0.1 action="


def of(user: str, program: ProxyProcess) -> list[str]:
    """Return the audit lines about *user*."""
    return [line for line in audit(program) if f"user={user} " in line]


def audit(program: ProxyProcess) -> list[str]:
    """Return the audit lines, without their times and their milliseconds."""
    lines = re.findall(r"^.{15}: (audit: .*) ms=\d+$", program.log(), re.MULTILINE)
    return [re.sub(r"(?<=server=127.0.0.1:)\d+", "PORT", line) for line in lines]


def test_one_line_for_each_action_that_changes_something(stage: Stage) -> None:
    """With user, address, what it acts on, server and result; no secret, nothing that reads."""
    with logged_in(stage.program, "joe", "x") as client:
        asked(client, "Action: Ping")
        asked(client, *ORIGINATE, "Async: true")
        asked(client, "Action: Setvar", "Channel: SIP/nosuch", "Variable: A", "Value: S3cret")
        asked(client, "Action: Hangup", "Channel: SIP/nosuch", "Server: elsewhere")
    wait_until(lambda: len(of("joe", stage.program)) == 3, what="three lines")

    # The client may go on before the line of what was answered is there.
    hangup, originate, setvar = sorted(of("joe", stage.program))
    assert originate == (
        f"{HEAD}Originate channel=Local/5@default exten=200 context=default priority=1"
        " variable=PIN server=127.0.0.1:PORT result=Success"
    )
    assert setvar.startswith(f"{HEAD}Setvar channel=SIP/nosuch variable=A server=127.0.0.1:PORT")
    assert 'result="Error: ' in setvar
    assert hangup == (
        f"{HEAD}Hangup channel=SIP/nosuch server=elsewhere"
        ' result="Error: Server elsewhere is not connected"'
    )
    assert "S3cret" not in stage.program.log()


def test_what_is_refused_is_audited_too(stage: Stage) -> None:
    """With the reason, in the words of the log."""
    with logged_in(stage.program, "ann", "x") as client:
        asked(client, "Action: DBPut", "Family: pins", "Key: 101", "Val: S3cret")

    stage.program.wait_log("user=ann")
    [line] = of("ann", stage.program)
    assert line.startswith(
        'audit: user=ann address=127.0.0.1 action=DBPut family=pins key=101 result="refused: '
    )
    assert "S3cret" not in line


def test_what_changes_the_proxy_is_audited_too(stage: Stage) -> None:
    """AddServer and DropServer; not what concerns a client's own session."""
    with logged_in(stage.program, "joe", "x") as client:
        asked(client, "ProxyAction: SetAutoFilter", "AutoFilter: on")
        asked(client, "ProxyAction: DropServer", "Server: nosuch")
        asked(client, "ProxyAction: KickUser", "Username: nobody")
        asked(client, "ProxyAction: ShowClients")
    stage.program.wait_log("action=KickUser")

    assert not any("SetAutoFilter" in line for line in audit(stage.program))
    assert "ShowClients" not in stage.program.log()
    dropped, kicked = audit(stage.program)[-2:]
    assert dropped == (
        f"{HEAD}DropServer server=nosuch"
        ' result="Failure: Cannot Drop Server nosuch, Does Not Exist"'
    )
    assert kicked.startswith(f'{HEAD}KickUser username=nobody result="Failure: ')


def test_a_synchronous_originate_ends_with_its_call(stage: Stage) -> None:
    """What the client is told is what the audit says, and how long it took."""
    with logged_in(stage.program, "joe", "x") as client:
        said = asked(client, *ORIGINATE, "Account: held")
    stage.program.wait_log("account=held")

    [line] = [line for line in audit(stage.program) if "account=held" in line]
    assert f"result={said[0].split()[1]}" in line.replace('"', "")


def test_an_answer_that_never_comes_ends_with_the_connection(proxy: StartProxy) -> None:
    """The line tells who asked last when Asterisk went down."""

    def leave(link: socket.socket) -> None:
        link.recv(1000)
        link.close()

    with BareServer(script=leave) as server:
        program = proxy(PATIENT + "audit = yes\nlogformat = json\n" + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.send(*ORIGINATE)
            program.wait_log("is not connected")
    [said] = [each for each in map(json.loads, program.log().splitlines()) if "ms" in each]
    assert said["module"] == "audit"
    assert (said["user"], said["address"]) == ("-", "127.0.0.1")
    assert said["header_channel"] == ("Local/5@default")
    assert said["result"].endswith("is not connected")


def test_it_is_off_unless_asked_for_and_sighup_turns_it_on(proxy: StartProxy) -> None:
    """For what is asked from then on."""
    with SimulatedAsterisk() as asterisk:
        config = PATIENT + host_line(asterisk)
        program = proxy(config)
        wait_connected(program)
        with program.client() as client:
            asked(client, "Action: Hangup", "Channel: SIP/1")
            assert "audit: " not in program.log()
            program.write_config(config + "audit = yes\n")
            program.send_signal(signal.SIGHUP)
            program.wait_log("changed: audit")
            asked(client, "Action: Hangup", "Channel: SIP/2")
            program.wait_log("channel=SIP/2")
    assert "channel=SIP/1" not in program.log()


def test_what_never_went_up_is_audited_too(proxy: StartProxy) -> None:
    """Its client had left before its turn came, behind a call; the call itself is under way."""
    with BareServer(script=lambda link: link.recv(1000)) as server:
        program = proxy(PATIENT + "audit = yes\n" + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.send(*ORIGINATE)
            client.send("Action: Hangup", "Channel: SIP/1")
            wait_until(lambda: server.links, what="the connection")
            client.send("ProxyAction: ListServers")
            client.read_until(is_response)
            reset = struct.pack("ii", 1, 0)
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        program.wait_log("not sent: the client left")

        [line] = audit(program)
    assert line.endswith('action=Hangup channel=SIP/1 result="not sent: the client left"')
