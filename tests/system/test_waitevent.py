# SPDX-License-Identifier: GPL-2.0-or-later
"""WaitEvent on the running program: how it ends, and what may wait behind it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tests.system.peers import PATIENT, Stage, host_line, wait_connected

if TYPE_CHECKING:
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
