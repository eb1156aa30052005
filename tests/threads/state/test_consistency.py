# SPDX-License-Identifier: GPL-2.0-or-later
"""A snapshot and the events behind it are the next snapshot: nothing is missing, nothing twice."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.threads.state import looking
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import ManagerClient, wait_until
from tests.threads.state.support import Item, Program, read, rows

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def program() -> Iterator[Program]:
    """A proxy before an Asterisk with many short calls."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0.2)
    with SimulatedAsterisk(behaviour=behaviour) as asterisk, Program(asterisk) as program:
        asterisk.exchange.keep_calling(20)
        wait_until(lambda: len(asterisk.exchange.channels) > 10)
        yield program


class Board:
    """What a client makes of a snapshot and of events, without the proxy's own code."""

    def __init__(self, client: ManagerClient) -> None:
        self.client = client
        self.channels: dict[str, tuple[str, str]] = {}
        self.devices: dict[str, str] = {}
        self.callers: set[tuple[str, str]] = set()
        self.events = 0

    def snapshot(self) -> Board:
        """Ask for a snapshot; take the events before it; return it as another board."""
        self.client.send("ProxyAction: Snapshot", "ActionID: snap")
        while (first := read(self.client)).get("ActionID") != "snap":
            self.take(first)
        found = [first]
        while found[-1].get("Event") != "ProxySnapshotComplete":
            found.append(read(self.client))
            assert found[-1].get("ActionID") == "snap", "nothing comes in between"
        assert rows(found, "ProxyServer")["pbx1"]["State"] == "live"
        other = Board(self.client)
        other.id = first["ProxyEventID"]
        for one in rows(found, "ProxyChannel").values():
            other.channels[one["Uniqueid"]] = one["StateNumber"], one.get("Bridge", "")
        other.devices = {key: one["State"] for key, one in rows(found, "ProxyDevice").items()}
        callers = rows(found, "ProxyCaller").values()
        other.callers = {(one["Queue"], one["Uniqueid"]) for one in callers}
        return other

    id = ""

    def read_for(self, seconds: float) -> None:
        """Take the events of that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.take(read(self.client))

    def take(self, event: Item) -> None:
        """Take an event."""
        self.events += 1
        uniqueid, name = event.get("Uniqueid", ""), event["Event"]
        state, bridge = self.channels.get(uniqueid, ("", ""))
        if name in ("Newchannel", "Newstate"):
            self.channels[uniqueid] = event["ChannelState"], bridge
        elif name == "BridgeEnter":
            self.channels[uniqueid] = state, event["BridgeUniqueid"]
        elif name == "BridgeLeave":
            self.channels[uniqueid] = state, ""
        elif name == "Hangup":
            self.channels.pop(uniqueid, None)
        elif name == "DeviceStateChange":
            self.devices[event["Device"]] = event["State"]
        elif name == "QueueCallerJoin":
            self.callers.add((event["Queue"], uniqueid))
        elif name == "QueueCallerLeave":
            self.callers.discard((event["Queue"], uniqueid))


def test_a_snapshot_and_what_follows_are_the_next_snapshot(program: Program) -> None:
    """While calls begin, are answered, and end."""
    with program.client() as client:
        board = Board(client).snapshot()
        assert board.channels
        for _ in range(6):
            board.read_for(0.3)
            events = board.events
            after = board.snapshot()
            assert board.channels == after.channels
            assert board.callers == after.callers
            assert {key: board.devices[key] for key in after.devices} == after.devices
            assert events > 20
            board = after


def test_the_id_of_a_snapshot_is_where_to_resume(program: Program) -> None:
    """Another connection gets from there on the same events, none before."""
    with program.client() as client:
        board = Board(client).snapshot()
        client.send("ProxyAction: SetEventIDs", "EventIDs: on")
        ours: list[str] = []
        while len(ours) < 60:
            item = read(client)
            if "Event" in item:
                ours.append(_written(item))
    program.followers.there()
    with program.client() as other:
        other.send("ProxyAction: Resume", f"Since: {board.id}")
        theirs: list[str] = []
        resumed = False
        while len(theirs) < 60:
            item = read(other)
            if item.get("ProxyResponse") == "Success":
                resumed = True
            elif resumed:
                theirs.append(_written(item))
    assert theirs == ours


def test_the_answer_stands_behind_the_last_event_that_it_has_in_it(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the picture takes: by the numbers of events, and by what they say."""
    made = looking.pictures

    def late(*given: Any) -> Any:
        time.sleep(0.1)
        return made(*given)

    monkeypatch.setattr(looking, "pictures", late)
    with program.client() as client:
        client.ask("ProxyAction: SetEventIDs", "EventIDs: on")
        for _ in range(3):
            client.send("ProxyAction: Snapshot", "ActionID: snap", "Of: channels")
            last = {}
            while (item := read(client)).get("ActionID") != "snap":
                last = item
            assert item["ProxyEventID"] == last["ProxyEventID"]
            there = set()
            while item.get("Event") != "ProxySnapshotComplete":
                item = read(client)
                there.add(item.get("Uniqueid"))
            for number in range(1, 40):
                item = read(client)
                assert _number(item["ProxyEventID"]) == _number(last["ProxyEventID"]) + number
                if item["Event"] == "Newchannel":
                    assert item["Uniqueid"] not in there
                    there.add(item["Uniqueid"])
                elif item["Event"] == "Hangup":
                    assert item["Uniqueid"] in there
                    there.remove(item["Uniqueid"])


def _number(event_id: str) -> int:
    return int(event_id.rpartition("-")[2], 36)


def _written(item: Item) -> str:
    return "|".join(f"{name}={text}" for name, text in item.items() if name != "ProxyEventID")
