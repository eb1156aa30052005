# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings: reading them, and replaying them to clients."""

from __future__ import annotations

import time

import pytest

from simulator import recordings
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.recordings import RECORDINGS
from tests.support import ManagerClient


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_are_cut_into_their_messages(name: str) -> None:
    """The joined parts are what the server sent between login and logoff."""
    path = RECORDINGS[name]
    traffic = recordings.read_traffic(path)

    assert b"".join(recordings.split(traffic)) == traffic
    assert traffic in recordings.read(path)
    assert b"Authentication accepted" not in traffic or name.startswith(("a5", "k4", "i1"))


def test_a_recording_reaches_every_client_byte_for_byte() -> None:
    """Even in small pieces."""
    path = RECORDINGS["b10_crlf_injection"]
    with SimulatedAsterisk(behaviour=Behaviour(pieces=7)) as asterisk:
        clients = [ManagerClient(asterisk.port) for _ in range(3)]
        for client in clients:
            client.send("Action: Login", "Username: ampuser", "Secret: AmpSecret", "Events: off")
        asterisk.wait_for_session(3)

        asterisk.replay(path)

        for client in clients:
            client.read_message()
            client.send("Action: Logoff")
            heard = client.read_to_end()
            assert heard.startswith(recordings.read_traffic(path))
            client.close()


def test_a_recording_keeps_its_pace() -> None:
    """At five times its speed, a replay takes a fifth of the time."""
    path = RECORDINGS["c2_originate_async"]
    sent: list[bytes] = []
    start = time.monotonic()

    count = recordings.replay(sent.append, path, speed=5)

    assert 0.15 < time.monotonic() - start < 1.5
    assert b"".join(sent) == recordings.read_traffic(path)
    assert count == len(recordings.split(recordings.read_traffic(path)))


def test_a_recording_can_be_replayed_at_a_rate() -> None:
    """So many messages a second, whatever its own speed."""
    path = RECORDINGS["c2_originate_async"]
    messages = len(recordings.split(recordings.read_traffic(path)))
    start = time.monotonic()

    recordings.replay(lambda _: None, path, rate=messages / 0.2)

    assert 0.1 < time.monotonic() - start < 1.0


def test_a_replay_stops_when_it_is_no_longer_wanted() -> None:
    """It stops between two messages."""
    assert (
        recordings.replay(
            lambda _: None, RECORDINGS["c2_originate_async"], rate=0.1, wanted=lambda: False
        )
        <= 1
    )
