# SPDX-License-Identifier: GPL-2.0-or-later
"""What a review of the core found, on the running program: each once went wrong."""

from __future__ import annotations

import contextlib

import pytest

from simulator.server import SimulatedAsterisk
from tests.system.peers import PATIENT, host_line, wait_connected


@pytest.fixture
def asterisk():
    with SimulatedAsterisk() as server:
        yield server


def test_who_half_closes_during_a_waitevent_gets_all_answers(proxy, asterisk):
    """The end of the input ends the WaitEvent, as in Asterisk; what was sent is answered."""
    program = proxy(PATIENT + host_line(asterisk))
    wait_connected(program)
    with program.client() as client:
        client.send("Action: WaitEvent", "Timeout: 60", "ActionID: w")
        client.send("Action: Ping", "ActionID: p")
        client.half_close()

        data = client.read_to_end()

    assert data.index(b"Event: WaitEventComplete\r\nActionID: w\r\n") < data.index(b"Ping: Pong")


def test_one_waitevent_after_the_other_keeps_no_heap_of_blocks(proxy, asterisk):
    """What comes behind WaitEvents is bounded in all, not anew for each (it grew for ever)."""
    program = proxy(PATIENT + "maxblock = 5000\n" + host_line(asterisk))
    wait_connected(program)
    block = b"Action: WaitEvent\r\nTimeout: 0.2\r\n\r\n"
    with program.client() as client:
        client.send_raw(block)

        with contextlib.suppress(EOFError, ConnectionError):
            for _ in range(20):
                client.send_raw(block * 50)
                client.read_until("Event: WaitEventComplete")

    assert "bytes behind a WaitEvent (maxblock)" in program.log()
