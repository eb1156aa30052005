# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk goes and comes back under load; its clients stay."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import PATIENT, Collector, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from tests.support import ManagerClient, StartProxy

CLIENTS = 8
RESTARTS = 20
FILLING = "x" * 300


def test_clients_survive_twenty_restarts_of_asterisk_and_see_no_half_message(
    proxy: StartProxy,
) -> None:
    """However Asterisk goes, clients stay, events resume, and messages are whole."""
    with contextlib.ExitStack() as stack:
        asterisk = stack.enter_context(SimulatedAsterisk())
        program = proxy(PATIENT + "retrylongest = 0.1\nautofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        clients = [stack.enter_context(program.client()) for _ in range(CLIENTS)]
        collectors = [stack.enter_context(Collector(client)) for client in clients]
        over, quiet = threading.Event(), threading.Lock()
        loaders = [
            threading.Thread(target=_tell, args=(asterisk, quiet, over)),
            threading.Thread(target=_ask, args=(clients, over)),
        ]
        for thread in loaders:
            thread.start()
        try:
            for number in range(1, RESTARTS + 1):
                _restart(asterisk, quiet, number)
                wait_connected(program, number + 1)
                asterisk.wait_for_session(timeout=10)
                asterisk.event("UserEvent", UserEvent=f"Round{number}end", Last="yes")
                for collector in collectors:
                    collector.wait_for(b"UserEvent: Round%dend\r\n" % number)
        finally:
            over.set()
            for thread in loaders:
                thread.join()
        for client in clients:
            client.send("Action: Ping", "ActionID: the-last")
        for collector in collectors:
            collector.wait_for(b"ActionID: the-last\r\n")
        wait_until(lambda: all(c.data.endswith(b"\r\n\r\n") for c in collectors))
        assert not any(collector.ended for collector in collectors)

    for collector in collectors:
        assert whole_events(collector.data) > RESTARTS


def whole_events(data: bytes) -> int:
    """Return how many UserEvents are in *data*, having looked at each of its messages."""
    events = 0
    for message in data.split(b"\r\n\r\n")[:-1]:
        lines = message.decode().split("\r\n")
        assert lines[0].startswith(("Event: ", "Response: "))
        if lines[0] == "Event: UserEvent":
            events += 1
            assert lines[-2:] == ["Last: yes", "Server: 127.0.0.1"]
        elif lines[0] == "Response: Error":
            assert "Message: Server 127.0.0.1 is not connected" in lines or (
                "Message: No Asterisk server connected" in lines
            )
        elif lines[0] == "Response: Success":
            assert "Ping: Pong" in lines
    return events


def _tell(asterisk: SimulatedAsterisk, quiet: threading.Lock, over: threading.Event) -> None:
    """Send events without pause."""
    number = 0
    while not over.is_set():
        with quiet:
            for _ in range(20):
                number += 1
                asterisk.event("UserEvent", UserEvent="Load", N=number, Filling=FILLING, Last="yes")
        over.wait(0.005)


def _ask(clients: list[ManagerClient], over: threading.Event) -> None:
    """Let every client ask something, again and again."""
    while not over.is_set():
        for number, client in enumerate(clients):
            client.send("Action: Ping", f"ActionID: {number}")
        over.wait(0.01)


def _restart(asterisk: SimulatedAsterisk, quiet: threading.Lock, number: int) -> None:
    """Let Asterisk go, a different way each time, and come back."""
    if number % 4 == 0:
        asterisk.shutdown(restart=True)
    elif number % 4 == 1:
        half = b"Event: UserEvent\r\nUserEvent: Half\r\nFilling: "
        # Nothing may be said behind the half message but the end.
        asterisk.faults.mute = True
        with quiet:
            asterisk.flush()
            asterisk.half_a_message(half)
        asterisk.faults.mute = False
    elif number % 4 == 2:
        asterisk.stop(reset=True)
    else:
        asterisk.stop()
    if number % 4 != 1:
        asterisk.start()


def test_an_action_under_way_when_asterisk_goes_is_answered_with_an_error(
    proxy: StartProxy,
) -> None:
    """Nobody waits for an answer that cannot come."""
    with SimulatedAsterisk() as asterisk:
        asterisk.answer("CoreShowChannels", lambda _: None)
        program = proxy(PATIENT + "autofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as client, program.client() as other:
            client.send("Action: CoreShowChannels", "ActionID: 1")
            asterisk.wait_for_action("CoreShowChannels")
            asterisk.drop_sessions()

            assert client.read_until(is_response) == [
                "Response: Error",
                "ActionID: 1",
                "Message: Server 127.0.0.1 is not connected",
                "CarriedOut: perhaps",
            ]
            wait_connected(program, 2)
            other.send("Action: Ping", "ActionID: 2")
            assert other.read_until(is_response)[1] == "ActionID: 2"
