# SPDX-License-Identifier: GPL-2.0-or-later
"""Restarts, shutdown and faults of the simulated Asterisk."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.simulator.support import SECRET, USER, logged_in
from tests.support import ManagerClient, wait_until


def test_it_restarts_on_its_port(asterisk: SimulatedAsterisk) -> None:
    """Clients are disconnected, and new ones can connect to the same port, 20 times."""
    port = asterisk.port
    for _ in range(20):
        with logged_in(asterisk) as client:
            asterisk.restart()
            assert client.read_to_end() == b""
    assert asterisk.port == port
    with logged_in(asterisk):
        assert len(asterisk.wait_for_session(1)) == 1


def test_shutdown_is_announced(asterisk: SimulatedAsterisk) -> None:
    """As during core stop now: an event, then the end."""
    with logged_in(asterisk) as client:
        asterisk.shutdown(restart=True)

        assert client.read_message() == [
            "Event: Shutdown",
            "Privilege: system,all",
            "Shutdown: Cleanly",
            "Restart: True",
        ]
        assert client.read_to_end() == b""


def test_it_can_accept_and_stay_silent(asterisk: SimulatedAsterisk) -> None:
    """No banner, no answer, no end; the session ends when the client leaves."""
    asterisk.faults.silent = True
    with ManagerClient(asterisk.port) as client:
        client.send("Action: Login", USER, SECRET)
        assert client.is_silent(0.1)
    wait_until(lambda: asterisk.connections == [])


def test_it_can_close_at_once(asterisk: SimulatedAsterisk) -> None:
    """Right after accept, without a byte."""
    asterisk.faults.close_on_accept = True
    with ManagerClient(asterisk.port) as client:
        assert client.read_to_end() == b""


def test_it_can_reset_at_once(asterisk: SimulatedAsterisk) -> None:
    """Right after accept, with a RST."""
    asterisk.faults.reset_on_accept = True
    with pytest.raises(ConnectionResetError), ManagerClient(asterisk.port) as client:
        client.sock.recv(1)


def test_it_can_reset_sessions(asterisk: SimulatedAsterisk) -> None:
    """In the middle of a session."""
    with logged_in(asterisk) as client:
        asterisk.drop_sessions(reset=True)

        with pytest.raises(ConnectionResetError):
            client.sock.recv(1)


def test_it_can_send_garbage_in_place_of_the_banner() -> None:
    """Any bytes."""
    with (
        SimulatedAsterisk(faults=Faults(garbage=b"\0\xffSSH-2.0\n")) as asterisk,
        ManagerClient(asterisk.port) as client,
    ):
        client.send("Action: Logoff")
        assert client.read_to_end().startswith(b"\0\xffSSH-2.0\n")


def test_it_can_end_in_the_middle_of_a_message(asterisk: SimulatedAsterisk) -> None:
    """Half a message, then the end."""
    with logged_in(asterisk) as client:
        asterisk.half_a_message()

        assert client.read_to_end() == b"Event: Newchannel\r\nChannel: SIP/1"


def test_a_login_can_be_slow(asterisk: SimulatedAsterisk) -> None:
    """The answer comes after ``login_delay``."""
    asterisk.faults.login_delay = 0.2
    start = time.monotonic()
    with logged_in(asterisk):
        assert time.monotonic() - start >= 0.2


def test_a_login_can_be_refused_with_any_text(asterisk: SimulatedAsterisk) -> None:
    """Even with the connection kept open."""
    asterisk.faults.login_error = "Go away"
    asterisk.faults.keep_refused = True
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        for _ in range(2):
            answer = client.ask("Action: Login", USER, SECRET)
            assert answer == ["Response: Error", "Message: Go away"]


def test_a_login_can_remain_unanswered(asterisk: SimulatedAsterisk) -> None:
    """The login is read, and nothing is sent."""
    asterisk.faults.mute_login = True
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        client.send("Action: Login", USER, SECRET)
        asterisk.wait_for_action("Login")
        assert client.is_silent(0.05)


def test_actions_can_remain_unanswered(asterisk: SimulatedAsterisk) -> None:
    """Events are still sent."""
    with logged_in(asterisk) as client:
        asterisk.faults.mute = True
        client.send("Action: Ping")
        asterisk.wait_for_action("Ping")

        asterisk.event("Newchannel")

        assert client.read_message()[0] == "Event: Newchannel"


def test_actions_can_remain_unread(asterisk: SimulatedAsterisk) -> None:
    """Nothing is read from the socket, and events are still sent."""
    with logged_in(asterisk) as client:
        asterisk.faults.deaf = True
        asterisk.event("Newchannel")
        client.read_message()
        client.send("Action: Ping")

        assert client.is_silent(0.05)
        assert asterisk.actions("Ping") == []


def test_every_action_is_refused_while_it_shuts_down(asterisk: SimulatedAsterisk) -> None:
    """As during core stop gracefully, even Ping (recording k3)."""
    asterisk.faults.shutting_down = True
    with ManagerClient(asterisk.port) as client:
        client.read_line()
        assert client.ask("Action: Login", USER, SECRET)[0] == "Response: Success"
        client.read_message()
        assert client.ask("Action: Ping")[1] == "Message: Asterisk is shutting down"


def test_nothing_is_left_when_it_stops() -> None:
    """No session, no thread, no descriptor."""
    before = threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        with SimulatedAsterisk() as asterisk, logged_in(asterisk):
            asterisk.call("SIP/100")
    assert (threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))) == before
