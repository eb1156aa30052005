# SPDX-License-Identifier: GPL-2.0-or-later
"""Which Asterisk an action goes to, and which actions are too long to go."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import (
    PATIENT,
    host_line,
    is_response,
    value,
    wait_connected,
)
from tests.system.people import answer, is_served

if TYPE_CHECKING:
    from tests.support import ManagerClient, StartProxy
    from tests.system.peers import Stage


def test_the_server_header_chooses_by_name_address_and_port(proxy: StartProxy) -> None:
    """Two on one address by their ports; any case; else the first of the file."""
    with (
        SimulatedAsterisk("127.0.0.1") as one,
        SimulatedAsterisk("127.0.0.1") as two,
        SimulatedAsterisk("127.0.0.3") as three,
    ):
        lines = [host_line(one, host="LocalHost"), host_line(two, host="localhost")]
        program = proxy("".join([PATIENT, *lines, host_line(three)]))
        wait_connected(program, 3)
        with program.client() as client:
            for name, target in (
                ("LOCALHOST", one),
                ("127.0.0.1", one),
                (f"localhost:{one.port}", one),
                (f"localhost:{two.port}", two),
                (f"127.0.0.1:{two.port}", two),
                ("127.0.0.3", three),
                (f"127.0.0.3:{three.port}", three),
            ):
                before = len(target.received)
                pong = answer(client, "Action: Ping", f"Server: {name}")
                assert "Ping: Pong" in pong, name
                assert len(target.received) == before + 1
            assert "Server: 127.0.0.3" in answer(client, "Action: Ping", "Server: 127.0.0.3")
            assert "Server: localhost" in answer(client, "Action: Ping")
            one.stop()
            wait_until(
                lambda: "Ping: Pong" in answer(client, "Action: Ping") and two.actions("Ping"),
                what="the second takes over",
            )
            for name in ("nosuch", "10.1.2.3", f"127.0.0.1:{one.port}"):
                assert answer(client, "Action: Ping", f"Server: {name}", "ActionID: e") == [
                    "Response: Error",
                    "ActionID: e",
                    f"Message: Server {name} is not connected",
                ]


def test_without_any_server_actions_are_errors_and_proxyactions_work(proxy: StartProxy) -> None:
    """No host line at all."""
    program = proxy(PATIENT)
    with program.client() as client:
        assert client.ask("Action: Ping", "ActionID: 1") == [
            "Response: Error",
            "ActionID: 1",
            "Message: No Asterisk server connected",
        ]
        assert client.ask("Action: Ping", "Server: x")[1] == "Message: Server x is not connected"
        assert client.ask("ProxyAction: ListServers") == ["ProxyResponse: Success"]
    with program.client() as again:
        assert again.ask("ProxyAction: ListSessions")[0] == "ProxyResponse: Success"


@pytest.mark.parametrize(
    ("block", "fine"),
    [
        ("Action: Ping\r\nActionID: l\r\nX: " + "y" * 1019, True),
        ("Action: Ping\r\nActionID: l\r\nX: " + "y" * 1020, False),
        ("Action: Ping\r\nActionID: l\r\nX: " + "y" * 100_000, False),
        ("Action: Ping\r\nActionID: l" + "\r\nX: y" * 126, True),
        ("Action: Ping\r\nActionID: l" + "\r\nX: y" * 127, False),
        ("Action: Ping\r\nActionID: l" + "\r\nX: y" * 5000, False),
    ],
)
def test_what_asterisk_would_cut_is_refused_with_an_error_that_says_so(
    stage: Stage, client: ManagerClient, block: Any, fine: Any
) -> None:
    """1022 bytes a line and 128 headers; the client stays and is served on."""
    _, asterisk = stage

    client.send_raw(block + "\r\n\r\n")

    lines = client.read_until(is_response)
    assert lines[0] == ("Response: Success" if fine else "Response: Error")
    assert len(asterisk.received) == fine
    if not fine:
        assert str(value(lines, "Message")).endswith(
            ("line too long", "Too many lines in message or allocation failure")
        )
    assert "Ping: Pong" in answer(client, "Action: Ping")


def test_one_endless_line_is_refused_and_ends_nothing(stage: Stage, client: ManagerClient) -> None:
    """The C program died of 256 KB."""
    program, asterisk = stage
    with program.client() as flood, contextlib.suppress(OSError):
        for _ in range(100):
            flood.send_raw(b"x" * 65536)
        flood.send_raw(b"\r\n\r\n")
        assert flood.read_until(is_response)[0] == "Response: Error"
    assert is_served(client, asterisk)
