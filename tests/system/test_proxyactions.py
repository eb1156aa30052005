# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyActions of the running program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import (
    PATIENT,
    is_response,
    value,
)
from tests.system.people import answer

if TYPE_CHECKING:
    from tests.support import ManagerClient, StartProxy
    from tests.system.peers import Stage


def test_listsessions_and_listservers_tell_who_is_there(
    stage: Stage, client: ManagerClient
) -> None:
    """Newest client first, then the servers; no secret in it."""
    program, asterisk = stage
    with program.client() as newest:
        answer(newest, "ProxyAction: SetOutputFormat", "OutputFormat: standard")
        listed = answer(newest, "ProxyAction: ListSessions", "ActionID: s")
        assert listed == [
            "ProxyResponse: Success",
            *[
                "ProxyClientSession: 127.0.0.1",
                "ProxyClientActionID: ",
                "ProxyClientInputHandler: standard",
                "ProxyClientOutputHandler: standard",
            ]
            * 2,
            "ProxyServerSession: 127.0.0.1",
            "ActionID: s",
        ]
        assert answer(newest, "proxyaction: LISTSERVERS") == [
            "ProxyResponse: Success",
            f"ProxyListServer I: 127.0.0.1 H: 127.0.0.1 U: ampuser P: {asterisk.port} E: on ",
        ]


def test_listiohandlers_names_every_format(client: ManagerClient) -> None:
    """One line each way."""
    lines = answer(client, "ProxyAction: ListIOHandlers")

    assert lines[0] == "ProxyResponse: Success"
    assert {"InputHandler: standard", "InputHandler: xml", "InputHandler: http"} <= set(lines)
    assert {"OutputHandler: standard", "OutputHandler: xml", "OutputHandler: csv"} <= set(lines)


def test_setoutputformat_answers_in_the_new_format_and_refuses_unknown_ones(
    stage: Stage, client: ManagerClient
) -> None:
    """An unknown one changes nothing; nor does http, which is input only."""
    for name in ("nosuch", "http", "", "../standard"):
        lines = answer(client, "ProxyAction: SetOutputFormat", f"OutputFormat: {name}")
        assert lines[0] == "ProxyResponse: Error"
    client.send("ProxyAction: SetOutputFormat", "OutputFormat: XML", "ActionID: f")
    lines = client.read_message()
    assert lines[0] == "<AsteriskManagerProxyOutput>"
    assert ' <OutputFormat Value="xml"/>' in lines
    client.send("ProxyAction: SetOutputFormat", "OutputFormat: standard")
    assert client.read_until(is_response) == ["ProxyResponse: Success", "OutputFormat: standard"]


def test_addserver_and_dropserver(stage: Stage, client: ManagerClient) -> None:
    """Added last, once; dropped; told why not."""
    program, _ = stage
    with SimulatedAsterisk("127.0.0.9") as other:
        add = [
            "ProxyAction: AddServer",
            "Server: 127.0.0.9",
            f"Port: {other.port}",
            "Username: ampuser",
            "Secret: AmpSecret",
            "Events: on",
        ]
        assert answer(client, *add, "ActionID: a") == [
            "ProxyResponse: Success",
            "Message: Added 127.0.0.9",
            "ActionID: a",
        ]
        other.wait_for_session()
        wait_until(
            lambda: "Ping: Pong" in answer(client, "Action: Ping", "Server: 127.0.0.9"), what="it"
        )
        assert value(answer(client, "Action: Ping"), "Server") == "127.0.0.1"
        listed = answer(client, "ProxyAction: ListServers")
        assert [line.split()[2] for line in listed[1:3]] == ["127.0.0.1", "127.0.0.9"]
        assert any(" H: 127.0.0.9 " in line for line in listed)
        assert "Message: Could not add 127.0.0.9" in answer(client, *add)
        assert len(other.sessions) == 1
        assert answer(client, "ProxyAction: DropServer", "Server: 127.0.0.9") == [
            "ProxyResponse: Success",
            "Message: Dropped 127.0.0.9",
        ]
        other.wait_for_action("Logoff")
        other.wait_until(lambda: not other.connections)
        assert answer(client, "Action: Ping", "Server: 127.0.0.9") == [
            "Response: Error",
            "Message: Server 127.0.0.9 is not connected",
        ]
        assert other.accepted == 1
    assert "AmpSecret" not in program.log()


@pytest.mark.parametrize("host", ["no such host", "nosuch.invalid", "x" * 900])
def test_addserver_of_a_host_that_has_no_address_fails(client: ManagerClient, host: str) -> None:
    """The resolver is asked at once."""
    lines = [f"Server: {host}", "Port: 1", "Username: u", "Secret: s", "Events: on"]

    assert answer(client, "ProxyAction: AddServer", *lines)[0] == "ProxyResponse: Failure"


def test_a_user_name_of_any_length_in_addserver_harms_nothing(client: ManagerClient) -> None:
    """The C program died of one with 300 bytes."""
    lines = ["Server: 127.0.0.8", "Port: 1", f"Username: {'u' * 900}", "Secret: s", "Events: on"]
    assert answer(client, "ProxyAction: AddServer", *lines)[0] == "ProxyResponse: Success"
    assert answer(client, "ProxyAction: DropServer", "Server: 127.0.0.8")[0].endswith("Success")


def test_without_a_needed_login_every_proxyaction_is_refused(proxy: StartProxy) -> None:
    """Only Logoff, Login and Challenge are served."""
    program = proxy(PATIENT + "authrequired = yes\n", "joe=secret\n")
    with program.client() as client:
        for name in (
            *("ListSessions", "ListServers", "ListIOHandlers", "SetOutputFormat"),
            *("SetAutoFilter", "AddServer", "DropServer", "Nonsense"),
        ):
            lines = answer(client, f"ProxyAction: {name}", "OutputFormat: xml", "Server: 127.0.0.1")
            assert lines == ["ProxyResponse: Error", "Message: Action Filtered"]
        assert answer(client, "ProxyAction: Logoff") == [
            "Response: Goodbye",
            "Message: Thanks for all the fish.",
        ]
