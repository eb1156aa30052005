# SPDX-License-Identifier: GPL-2.0-or-later
"""Which answers a client sees with autofilter off and on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.system.peers import (
    PATIENT,
    BareServer,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
)
from tests.system.people import answer

if TYPE_CHECKING:
    from tests.support import ManagerClient, StartProxy
    from tests.system.peers import Stage


def test_with_autofilter_off_everybody_sees_every_answer(
    stage: Stage, client: ManagerClient
) -> None:
    """With the ActionID that its asker gave."""
    program, _ = stage
    with program.client() as other:
        answer(other, "ProxyAction: ListServers")
        mine = answer(client, "Action: Ping", "ActionID: shared")
        assert other.read_until(is_response) == mine
        assert "ActionID: shared" in mine


def test_with_autofilter_on_a_client_sees_only_its_last_actionid(proxy: StartProxy) -> None:
    """Before it has sent one it sees all; then answers only, and events with the id."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + "autofilter = on\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as one, program.client() as two:
            for client in (one, two):
                answer(client, "ProxyAction: ListServers")
            asterisk.event("UserEvent", UserEvent="All")
            one.read_until("UserEvent: All")
            assert value(answer(one, "Action: Ping", "ActionID: a"), "ActionID") == "a"
            asterisk.event("UserEvent", UserEvent="Hidden")
            answer(two, "Action: Ping", "ActionID: b")
            one.send("Action: CoreShowChannels", "ActionID: c")
            assert one.read_message()[1] == "ActionID: c"
            assert one.read_message()[0] == "Event: CoreShowChannelsComplete"
            one.send("Action: UserEvent", "UserEvent: Mine", "ActionID: d")
            assert one.read_message()[0] == "Response: Success"
            assert "UserEvent: Mine" in one.read_message()
            assert answer(one, "ProxyAction: SetAutoFilter", "AutoFilter: off")[1].endswith("0")
            asterisk.event("UserEvent", UserEvent="Seen")
            one.read_until("UserEvent: Seen")
            assert answer(one, "ProxyAction: SetAutoFilter", "AutoFilter: unique")[1].endswith("2")
            answer(one, "Action: Ping", "ActionID: d")
            assert b"-d\r\n" in asterisk.actions("Ping")[-1]


def test_an_answer_that_is_late_is_for_its_owner_only(proxy: StartProxy) -> None:
    """Whoever changes to unique while an answer is under way still gets it."""
    with BareServer() as server:
        program = proxy(PATIENT + "autofilter = unique\n" + host_line(server))
        link = server.wait_link()
        wait_connected(program)
        with program.client() as client:
            client.send("Action: Ping", "ActionID: 1")
            wire = value(read_block(link), "ActionID")
            answer(client, "ProxyAction: SetAutoFilter", "AutoFilter: off")
            link.sendall(f"Response: Success\r\nActionID: {wire}\r\nPing: Pong\r\n\r\n".encode())
            assert "ActionID: 1" in client.read_until(is_response)


def test_asterisk_in_shutdown_answers_errors_and_they_reach_who_asked(proxy: StartProxy) -> None:
    """Recording k3: the connection is kept, its answers are passed on."""
    faults = Faults()
    with SimulatedAsterisk(faults=faults) as asterisk:
        program = proxy(PATIENT + "autofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        faults.shutting_down = True
        with program.client() as client:
            assert "Message: Asterisk is shutting down" in answer(client, "Action: Ping")
            asterisk.event("UserEvent", UserEvent="StillHere")
            client.read_until("UserEvent: StillHere")


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("u=s,,,,,,,novar", "Foo"),
        ("u=s,,,,,,,cdronly", "Cdr"),
        ("u=s,,,,acc", "VarSet"),
        ("u=s,,,,,127.0.0.1", "VarSet"),
    ],
)
def test_a_user_whose_filters_ask_for_no_calls_sees_events_without_ids(
    proxy: StartProxy, line: str, seen: Any
) -> None:
    """Golden session filt_novar: nobody else needs calls to be kept, and still events come."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(PATIENT + "authrequired = yes\n" + host_line(asterisk), line + "\n")
        wait_connected(program)
        with program.client() as client:
            login = ("Action: Login", "Username: u", "Secret: s")
            assert answer(client, *login)[0] == "Response: Success"
            assert client.read_message()[0] == "Event: FullyBooted"
            for name in ("VarSet", "Foo", "Cdr"):
                asterisk.event(name, A="b")
            assert client.read_message()[0] == f"Event: {seen}"
