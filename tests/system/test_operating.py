# SPDX-License-Identifier: GPL-2.0-or-later
"""The operator's commands as ProxyActions, for users to whom they are given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess, wait_until
from tests.system.peers import PATIENT, host_line, value, wait_connected

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ManagerClient
    from tests.system.peers import Stage

USERS = """\
joe=secret
[boss]
secret = secret
read = all
write = all
proxyactions = operator
[kicker]
secret = secret
read = all
write = all
proxyactions = all, kick
"""
pytestmark = pytest.mark.stage(PATIENT + "authrequired = yes\n", users=USERS)

REFUSED = ["ProxyResponse: Error", "Message: Action Filtered"]


def logged_in(program: ProxyProcess, user: str) -> ManagerClient:
    """Return a client of *user* that hears no events."""
    client = program.client()
    client.ask("Action: Login", f"Username: {user}", "Secret: secret", "Events: off")
    return client


def ask(client: ManagerClient, *lines: str) -> list[str]:
    """Return the answer to the ProxyAction of *lines*."""
    client.send(*lines)
    return client.read_until(lambda message: message[0].startswith("ProxyResponse: "))


def test_a_client_is_kicked_by_its_number(stage: Stage) -> None:
    """As ShowClients shows it: each client is a row of JSON."""
    with logged_in(stage.program, "boss") as boss, logged_in(stage.program, "joe") as joe:
        shown = ask(boss, "ProxyAction: ShowClients", "ActionID: 7")
        assert (shown[0], shown[-1]) == ("ProxyResponse: Success", "ActionID: 7")
        rows = [json.loads(line.partition(": ")[2]) for line in shown[1:-1]]
        (number,) = [row["number"] for row in rows if row["user"] == "joe"]

        done = ask(boss, "ProxyAction: Kick", f"Session: {number}")

        assert done[0] == "ProxyResponse: Success"
        assert done[1].startswith("Line: kicked client 127.0.0.1:")
        joe.read_to_end()
        again = ask(boss, "ProxyAction: Kick", f"Session: {number}")
        assert again == ["ProxyResponse: Failure", f"Message: there is no client '{number}'"]
        lacking = ask(boss, "ProxyAction: Kick")
        assert lacking == ["ProxyResponse: Failure", "Message: Session is missing"]
    stage.program.wait_log("(user 'boss'): kick ")


def test_all_does_not_mean_them(stage: Stage) -> None:
    """Who was given everything before there were any does not get them with an upgrade."""
    with logged_in(stage.program, "joe") as joe, logged_in(stage.program, "kicker") as kicker:
        assert ask(joe, "ProxyAction: Shutdown") == REFUSED
        assert ask(joe, "ProxyAction: ShowClients") == REFUSED
        assert ask(kicker, "ProxyAction: Reload") == REFUSED
        assert ask(kicker, "ProxyAction: ListServers")[0] == "ProxyResponse: Success"
        assert ask(kicker, "ProxyAction: Kick")[1] == "Message: Session is missing"


def test_where_no_users_are_defined_nobody_has_them(asterisk: SimulatedAsterisk) -> None:
    """However open it is otherwise."""
    with ProxyProcess(host_line(asterisk), "") as program, program.client() as client:
        assert ask(client, "ProxyAction: Shutdown") == REFUSED
        assert ask(client, "ProxyAction: ListServers")[0] == "ProxyResponse: Success"


def test_a_server_is_paused_and_the_level_of_the_log_set(stage: Stage) -> None:
    """Arguments are headers; one that is optional may be missing."""
    with logged_in(stage.program, "boss") as boss, logged_in(stage.program, "joe") as joe:
        paused = ask(boss, "ProxyAction: PauseServer", f"Server: {stage.asterisk.host}")
        assert value(paused, "Line") == f"asterisk@127.0.0.1:{stage.asterisk.port}: paused"
        joe.send("Action: Ping", "ActionID: 1")
        assert joe.is_silent()

        assert ask(boss, "ProxyAction: ResumeServer")[0] == "ProxyResponse: Success"

        assert joe.read_until("ActionID: 1")[0] == "Response: Success"
        assert ask(boss, "ProxyAction: LogLevel", "Level: loud")[0] == "ProxyResponse: Failure"
        level = ask(boss, "ProxyAction: LogLevel", "Level: debug", "Module: control")
        assert level == ["ProxyResponse: Success", "Line: logged is from: info, control debug"]


def test_the_proxy_is_reloaded_and_ended(asterisk: SimulatedAsterisk) -> None:
    """What is wrong with a file is the failure's text; the answer comes before the end."""
    with ProxyProcess(host_line(asterisk), USERS) as program:
        wait_connected(program)
        with logged_in(program, "boss") as boss:
            program.write_users("=x\n")
            failed = ask(boss, "ProxyAction: Reload")
            assert failed[0] == "ProxyResponse: Failure"
            assert f"problem: {program.users_file}:" in failed[1]
            program.write_users(USERS)
            assert "Line: reread permissions" in ask(boss, "ProxyAction: Reload")

            assert ask(boss, "ProxyAction: Shutdown")[0] == "ProxyResponse: Success"
            wait_until(lambda: program.process.poll() == 0)
