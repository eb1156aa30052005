# SPDX-License-Identifier: GPL-2.0-or-later
"""The lists of the simulated Asterisk tell what its events have told."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.simulator.support import logged_in
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient

Headers = dict[str, str]


@pytest.fixture(params=["22", "11"])
def asterisk(request: pytest.FixtureRequest) -> Iterator[SimulatedAsterisk]:
    """One whose phones are quick."""
    technology = "PJSIP" if request.param == "22" else "SIP"
    behaviour = Behaviour(speak=request.param, technology=technology, time_scale=0.02)
    with SimulatedAsterisk(behaviour=behaviour) as one:
        yield one


def read(client: ManagerClient) -> Headers:
    """Return the headers of the next message."""
    return dict(line.partition(": ")[::2] for line in client.read_message())


def listed(asterisk: SimulatedAsterisk, action: str, *headers: str) -> list[Headers]:
    """Return the items of a list."""
    with logged_in(asterisk, "Events: off") as client:
        client.send(f"Action: {action}", "ActionID: x", *headers)
        found = [read(client)]
        assert found[0]["Response"] == "Success", found
        while not found[-1].get("Event", "").endswith("Complete"):
            found.append(read(client))
    return found[1:-1]


def waiting(asterisk: SimulatedAsterisk) -> list[tuple[str, str]]:
    """Return who waits in the queue: place and channel."""
    items = listed(asterisk, "QueueStatus", "Queue: support")
    (queue,) = [one for one in items if one["Event"] == "QueueParams"]
    found = [(one["Position"], one["Channel"]) for one in items if one["Event"] == "QueueEntry"]
    assert queue["Calls"] == str(len(found))
    return found


def events_until(client: ManagerClient, name: str) -> list[Headers]:
    """Return the events up to the first of *name*."""
    found = [read(client)]
    while found[-1]["Event"] != name:
        found.append(read(client))
    return found


def halt_after(asterisk: SimulatedAsterisk, event: bytes, quick: float = 0.02) -> None:
    """Let calls go on only until *event* has been sent."""
    exchange = asterisk.exchange
    publish, exchange.scale = exchange.publish, quick

    def publish_and_halt(*messages: bytes) -> None:
        if any(event in message for message in messages):
            exchange.scale, exchange.publish = 1000.0, publish
        publish(*messages)

    exchange.publish = publish_and_halt


def settle(asterisk: SimulatedAsterisk) -> None:
    """Wait until what the calls do just now is done."""
    done = threading.Event()
    asterisk.pbx.schedule.plan(0.0, done.set)
    assert done.wait(5)


def test_who_waits_in_the_queue_is_told_alike_by_events_and_lists(
    asterisk: SimulatedAsterisk,
) -> None:
    """Two callers have places of their own; one gives up, and the other moves up."""
    with logged_in(asterisk) as client:
        join, leave = ("Join", "Leave") if asterisk.dialect.classic_calls else (
            "QueueCallerJoin", "QueueCallerLeave",
        )  # fmt: skip
        device = asterisk.exchange.technology.queue_caller
        calls, places = [], []
        for number in (1, 2):
            halt_after(asterisk, f"Event: {join}\r".encode())
            calls.append(asterisk.call(device.format(number), "queue", exten="600"))
            joined = events_until(client, join)[-1]
            settle(asterisk)
            places.append((joined["Position"], joined["Count"], joined["Channel"]))
        assert [place[:2] for place in places] == [("1", "1"), ("2", "2")]
        assert waiting(asterisk) == [(place, channel) for place, _, channel in places]

        calls[0].hang_up()
        seen = events_until(client, leave)
        assert seen[-2]["Event"] == "QueueCallerAbandon"
        assert (seen[-1]["Position"], seen[-1]["Count"]) == ("1", "1")
        assert waiting(asterisk) == [("1", places[1][2])]
        calls[1].hang_up()
        events_until(client, leave)
        assert waiting(asterisk) == []


def test_bridges_are_those_of_the_calls() -> None:
    """BridgeList and BridgeInfo name the bridge and who is in it; afterwards it is gone."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0.02, talk=FOREVER)
    with SimulatedAsterisk(behaviour=behaviour) as asterisk:
        call = asterisk.call("PJSIP/101", "answered", exten="102")
        wait_until(lambda: sum(bool(one.bridge) for one in asterisk.exchange.channels) == 2)
        (bridge,) = {one.bridge for one in asterisk.exchange.channels}
        found = {one["BridgeUniqueid"]: one for one in listed(asterisk, "BridgeList")}
        assert found[bridge]["BridgeNumChannels"] == "2"
        assert found[bridge]["BridgeType"] == "basic"
        inside = listed(asterisk, "BridgeInfo", f"BridgeUniqueid: {bridge}")
        names = {one.name for one in asterisk.exchange.channels}
        assert {one["Channel"] for one in inside} == names
        call.hang_up()
        assert call.finished.wait(5)
        assert bridge not in {one["BridgeUniqueid"] for one in listed(asterisk, "BridgeList")}


def test_states_of_phones_are_those_of_their_last_events() -> None:
    """Devices, extensions, members of queues, contacts."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0.02, talk=FOREVER)
    with SimulatedAsterisk(behaviour=behaviour) as asterisk:
        call = asterisk.call("PJSIP/101", "answered", exten="102")
        wait_until(lambda: sum(bool(one.bridge) for one in asterisk.exchange.channels) == 2)
        devices = {one["Device"]: one["State"] for one in listed(asterisk, "DeviceStateList")}
        assert devices["PJSIP/101"] == "INUSE"
        hints = {one["Exten"]: one["StatusText"] for one in listed(asterisk, "ExtensionStateList")}
        assert hints["101"] == "InUse"
        items = listed(asterisk, "QueueStatus", "Queue: one")
        assert [(one["Location"], one["Status"]) for one in items[1:]] == [("PJSIP/101", "2")]
        call.hang_up()
        assert call.finished.wait(5)
        devices = {one["Device"]: one["State"] for one in listed(asterisk, "DeviceStateList")}
        assert devices["PJSIP/101"] == "NOT_INUSE"

        asterisk.exchange.phone(105, "unregister").finished.wait(5)
        contacts = [one["Endpoint"] for one in listed(asterisk, "PJSIPShowContacts")]
        assert "105" not in contacts
        assert len(contacts) == 19
        asterisk.exchange.phone(105, "register").finished.wait(5)
        assert "105" in [one["Endpoint"] for one in listed(asterisk, "PJSIPShowContacts")]


def test_channels_are_told_as_the_last_event_that_names_them() -> None:
    """Also where that is an event of another channel, which tells whom it has dialled."""
    with SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP")) as asterisk:
        with logged_in(asterisk) as client:
            halt_after(asterisk, b"Event: DialBegin\r\nPrivilege: call,all\r\nChannel: ")
            asterisk.call("PJSIP/101", "queue", exten="600")
            dial = read(client)
            while dial["Event"] != "DialBegin" or "Channel" not in dial:
                dial = read(client)
        (item,) = [
            one
            for one in listed(asterisk, "CoreShowChannels")
            if one["Channel"] == dial["DestChannel"]
        ]
        assert item["ConnectedLineNum"] == dial["DestConnectedLineNum"]
