# SPDX-License-Identifier: GPL-2.0-or-later
"""WaitEvent on the running program: how it ends, and what may wait behind it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ProxyProcess
from tests.system.peers import PATIENT, Stage, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.server import SimulatedAsterisk
    from tests.support import StartProxy


def test_a_half_close_ends_the_waitevent_and_the_rest_is_answered(stage: Stage) -> None:
    """Asterisk does the same: the end of the input ends the WaitEvent."""
    with stage.program.client() as client:
        client.send("Action: WaitEvent", "Timeout: 60", "ActionID: w")
        client.send("Action: Ping", "ActionID: p")
        client.half_close()

        data = client.read_to_end()

    assert data.index(b"Event: WaitEventComplete\r\nActionID: w\r\n") < data.index(b"Ping: Pong")


@pytest.fixture(scope="module")
def both(asterisk: SimulatedAsterisk, certificate: Path) -> Iterator[ProxyProcess]:
    """A proxy with and without TLS."""
    pem = f"acceptencryptedconnection = yes\nsslclienthellotimeout = 50\ncertfile = {certificate}\n"
    with ProxyProcess(PATIENT + pem + host_line(asterisk)) as program:
        wait_connected(program)
        yield program


@pytest.mark.parametrize("tls", [False, True])
def test_the_next_action_ends_the_waitevent(both: ProxyProcess, tls: Any) -> None:
    """At once, as at Asterisk (action_waitevent); both are answered in order."""
    with both.client(tls=tls) as client:
        client.send("Action: WaitEvent", "Timeout: 60", "ActionID: w")
        client.send("Action: Ping", "ActionID: p")
        while client.is_silent():  # what was in the packet of the WaitEvent does not end it
            client.send("Action: Ping")

        waited, pong = (client.read_until(is_response) for _ in range(2))

    assert waited == [
        "Response: Success",
        "ActionID: w",
        "Message: Waiting for Event completed.",
    ]
    assert "ActionID: p" in pong


def test_blocks_behind_waitevents_are_bounded_in_all(
    proxy: StartProxy, asterisk: SimulatedAsterisk
) -> None:
    """The bound (maxblock) does not begin anew with each WaitEvent."""
    program = proxy(PATIENT + "maxblock = 5000\n" + host_line(asterisk))
    wait_connected(program)
    block = b"Action: WaitEvent\r\nTimeout: 0.05\r\n\r\n"
    with program.client() as client:
        client.send_raw(block)

        with contextlib.suppress(EOFError, ConnectionError):
            for _ in range(20):
                client.send_raw(block * 50)
                client.read_until("Event: WaitEventComplete")

    program.wait_log("bytes behind a WaitEvent (maxblock)")
