# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections to Asterisk in rare conditions: no descriptors, odd values, a dead peer."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from tests.system.peers import (
    PATIENT,
    BareServer,
    Collector,
    Stage,
    host_line,
    is_response,
    wait_connected,
)

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import StartProxy

pytestmark = pytest.mark.stage(PATIENT + "maxline = 10000\n")


def test_a_stalled_client_without_descriptors_left_costs_nobody_the_server(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """What the first stalled client needs was opened at the start, so nothing fails."""
    program = proxy(PATIENT + host_line(asterisk), open_files=48)
    wait_connected(program)
    with contextlib.ExitStack() as stack:
        slow, reader = (stack.enter_context(program.client()) for _ in range(2))
        for _ in range(60):
            stack.enter_context(program.client(banner=False))
        program.wait_log("the last descriptors are for servers and files")
        with Collector(reader) as fine:
            for number in range(100):
                asterisk.event("UserEvent", UserEvent="x" * 100_000, N=number)
            fine.wait_for(b"N: 99\r\n")
        slow.read_until(lambda lines: "N: 99" in lines)

        asterisk.drop_sessions()
        program.wait_log("; trying again in")
    wait_connected(program, 2)
    assert "bug in the proxy" not in program.log()


def test_a_keepalive_over_the_limit_of_the_kernel_still_connects(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """TCP_KEEPIDLE accepts up to 32767 seconds."""
    program = proxy(PATIENT + "keepalive = 40000\n" + host_line(asterisk))

    wait_connected(program)


def test_an_originate_made_asynchronous_does_not_hide_a_dead_asterisk(proxy: StartProxy) -> None:
    """Only a synchronous Originate is a reason for Asterisk to be silent."""
    with BareServer() as server:
        program = proxy(PATIENT + "keepalive = 0.2\n" + host_line(server))
        wait_connected(program)
        with program.client() as client:
            client.send(
                *("Action: Originate", "Channel: Local/1@x", "Timeout: 3600000"),
                *("Exten: 1", "Context: x", "Priority: 1"),
            )

            assert "Response: Error" in client.read_until(is_response)
        program.wait_log("a Ping was not answered")


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.9", "9" * 5000), ("\xff\xfe", "5038"), ("nowhere.invalid", "5038")]
)
def test_a_server_that_cannot_be_added_is_answered_with_a_failure(
    stage: Stage, host: str, port: str
) -> None:
    """A port of 5000 digits, a name that the resolver cannot look up."""
    with stage.program.client() as client:
        client.send(
            *("ProxyAction: AddServer", f"Server: {host}", f"Port: {port}"),
            *("Username: u", "Secret: s", "Events: on"),
        )

        assert client.read_until(is_response)[0] == "ProxyResponse: Failure"
