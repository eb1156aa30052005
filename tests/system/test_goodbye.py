# SPDX-License-Identifier: GPL-2.0-or-later
"""A script that asks and logs off in one go gets all its answers, then the goodbye."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.system.peers import QUICK, host_line, wait_connected

if TYPE_CHECKING:
    from tests.support import StartProxy

MODES = ["off", "unique"]
LOGOFFS = ["Action: Logoff\r\n\r\n", "ProxyAction: Logoff\r\n\r\n"]
GOODBYE = b"Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("logoff", LOGOFFS)
def test_answers_come_before_the_goodbye(proxy: StartProxy, mode: str, logoff: str) -> None:
    """As with Asterisk, which answers in order: a log-off overtakes nothing."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + f"autofilter = {mode}\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as client:
            client.send_raw(
                "Action: Ping\r\nActionID: 1\r\n\r\n"
                "Action: IAXpeers\r\nActionID: 2\r\n\r\n"
                "Action: Originate\r\nActionID: 3\r\nChannel: Local/busy@legs\r\n"
                "Context: flow\r\nExten: 1\r\nPriority: 1\r\n\r\n" + logoff
            )
            said = client.read_to_end()

    assert said.endswith(GOODBYE)
    places = [said.index(mark) for mark in (b"Ping: Pong", b"PeerlistComplete", b"ActionID: 3")]
    assert places == sorted(places)
    assert b"Originate failed" in said
    assert not asterisk.actions("Logoff") or asterisk.actions("Logoff") == [
        b"Action: Logoff\r\n\r\n"  # the proxy's own, at its end
    ]


@pytest.mark.parametrize("mode", MODES)
def test_an_action_that_is_never_answered_holds_no_goodbye_up_for_long(
    proxy: StartProxy, mode: str
) -> None:
    """IAXnetstats answers with nothing: a Ping behind it tells that nothing will come."""
    with SimulatedAsterisk() as asterisk:
        asterisk.answer("IAXnetstats", b"\r\n")
        program = proxy(QUICK + f"autofilter = {mode}\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as client:
            client.send_raw("Action: IAXnetstats\r\nActionID: 1\r\n\r\n" + LOGOFFS[0])

            assert client.read_to_end(timeout=20) == GOODBYE


@pytest.mark.parametrize("mode", MODES)
def test_the_goodbye_comes_behind_an_answer_that_has_no_end(proxy: StartProxy, mode: str) -> None:
    """FAXStats of 22: an event follows, and nothing that says it was the last."""
    with SimulatedAsterisk() as asterisk:
        asterisk.answer(
            "FAXStats",
            b"Response: Success\r\nActionID: {ActionID}\r\nMessage: FAXStats event will follow\r\n"
            b"\r\nEvent: FAXStats\r\nActionID: {ActionID}\r\nFailedFaxes: 0\r\n\r\n",
        )
        program = proxy(QUICK + f"autofilter = {mode}\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as client:
            client.send_raw("Action: FAXStats\r\n\r\n" + LOGOFFS[0])

            said = client.read_to_end(timeout=20)

    assert said == (
        b"Response: Success\r\nMessage: FAXStats event will follow\r\nServer: 127.0.0.1\r\n\r\n"
        b"Event: FAXStats\r\nFailedFaxes: 0\r\nServer: 127.0.0.1\r\n\r\n" + GOODBYE
    )


def test_what_follows_a_refusal_does_not_cost_its_reason(proxy: StartProxy) -> None:
    """A client that goes on sending behind malformed XML still reads the error."""
    program = proxy(QUICK + "inputformat = xml\n")
    with program.client(banner=False) as client:
        client.send_raw(b"this is no XML\r\n\r\n" + b"x" * 300_000)

        assert b"Invalid XML Input" in client.read_to_end()
