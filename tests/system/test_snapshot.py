# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyAction Snapshot of the running program: a wall board that was away is whole again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from simulator.orders import FOREVER
from tests.support import wait_until
from tests.system.peers import PATIENT

if TYPE_CHECKING:
    from simulator.server import SimulatedAsterisk
    from tests.support import ManagerClient
    from tests.system.peers import Stage

pytestmark = [
    pytest.mark.stage(PATIENT + "state = yes\nautofilter = unique\noutputformat = json\n"),
    pytest.mark.asterisk(technology="PJSIP", time_scale=0.05, talk=FOREVER),
]

Row = dict[str, str]


def read(client: ManagerClient) -> Row:
    """Return the next message, which is a line."""
    found = json.loads(client.read_to(b"\n"))
    assert isinstance(found, dict)
    return found


def snapshot(client: ManagerClient) -> tuple[dict[str, str], Row]:
    """Return the states of channels by name, and how the server is."""
    client.send("ProxyAction: Snapshot", "Of: channels", "ActionID: s")
    channels: dict[str, str] = {}
    server: Row = {}
    while (row := read(client)).get("Event") != "ProxySnapshotComplete":
        if row.get("Event") == "ProxyServer":
            server = row
        elif row.get("Event") == "ProxyChannel":
            channels[row["Name"]] = row["State"]
    return channels, server


def live(asterisk: SimulatedAsterisk) -> dict[str, str]:
    """Return the same of the channels there are."""
    states = {"0": "down", "4": "ring", "5": "ringing", "6": "up"}
    return {one.name: states[one.headers["ChannelState"]] for one in asterisk.exchange.channels}


def test_a_board_that_asks_is_told_all_and_what_changes_then(stage: Stage) -> None:
    """In JSON; from a call on, by its end, to what is left after Asterisk was restarted."""
    asterisk = stage.asterisk
    calls = [asterisk.call(f"PJSIP/{one}", "answered", exten=str(one + 1)) for one in (101, 103)]
    wait_until(lambda: sum(bool(each.bridge) for each in asterisk.exchange.channels) == 4)
    with stage.program.client() as client:
        channels, server = snapshot(client)
        assert server["State"] == "live"
        assert channels == live(asterisk)
        assert len(channels) == 4

        calls[0].hang_up()
        ended: set[str] = set()
        while len(ended) < 2:
            event = read(client)
            if event["Event"] == "Hangup":
                ended.add(event["Channel"])
        assert channels.keys() - ended == live(asterisk).keys()
        assert snapshot(client)[0] == live(asterisk)

        asterisk.shutdown(restart=True)
        wait_until(lambda: snapshot(client)[1]["State"] == "lost")
        assert len(snapshot(client)[0]) == 2  # as it was, and said to be lost
        asterisk.start()
        wait_until(lambda: snapshot(client)[1]["State"] == "live", 15)
        assert snapshot(client)[0] == {}
