# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings: reading them, and replaying them to clients."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from simulator import recordings
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import ROOT, ManagerClient

if TYPE_CHECKING:
    from pathlib import Path

DATA = ROOT / "tests/data"
ALL = sorted(DATA.glob("*.s2c.ami*"))


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name.partition(".")[0])
def test_recordings_are_cut_into_their_messages(path: Path) -> None:
    """The joined parts are what the server sent between login and logoff."""
    traffic = recordings.read_traffic(path)

    assert b"".join(recordings.split(traffic)) == traffic
    assert traffic in recordings.read(path)
    assert b"Authentication accepted" not in traffic or path.name.startswith(("a5", "k4", "i1"))


def test_a_recording_reaches_every_client_byte_for_byte() -> None:
    """Even in small pieces."""
    path = DATA / "b10_crlf_injection.s2c.ami"
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
    path = DATA / "c2_originate_async.s2c.ami"
    sent: list[bytes] = []
    start = time.monotonic()

    count = recordings.replay(sent.append, path, speed=5)

    assert 0.15 < time.monotonic() - start < 1.5
    assert b"".join(sent) == recordings.read_traffic(path)
    assert count == len(recordings.split(recordings.read_traffic(path)))


def test_a_recording_can_be_replayed_at_a_rate() -> None:
    """So many messages a second, whatever its own speed."""
    path = DATA / "c2_originate_async.s2c.ami"
    messages = len(recordings.split(recordings.read_traffic(path)))
    start = time.monotonic()

    recordings.replay(lambda _: None, path, rate=messages / 0.2)

    assert 0.1 < time.monotonic() - start < 1.0


def test_a_replay_stops_when_it_is_no_longer_wanted() -> None:
    """It stops between two messages."""
    assert recordings.replay(lambda _: None, ALL[-1], rate=0.1, wanted=lambda: False) <= 1
