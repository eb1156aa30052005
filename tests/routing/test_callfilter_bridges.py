# SPDX-License-Identifier: GPL-2.0-or-later
"""Bridges link calls, and a client that sees a call late gets its beginning first."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from tests.routing.support import BASIC, Client, User

CONFERENCE = ("BridgeUniqueid: b1", "BridgeType: base")


@pytest.mark.parametrize("own_first", [True, False])
def test_a_bridge_links_two_calls(own_first: bool) -> None:
    """Two unrelated calls become one, in whichever order they enter."""
    client = Client(User(channel="sip/100"))
    client.event("Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")
    client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 2.1")
    own = ("BridgeEnter", *BASIC, "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")
    other = ("BridgeEnter", *BASIC, "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 2.1")

    got = []
    for event in (own, other) if own_first else (other, own):
        got += client.event(*event)

    assert "Event: Newchannel | Channel: SIP/200-1 | Uniqueid: 2.1 | Linkedid: 2.1" in got
    assert client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert client.event("BridgeDestroy", *BASIC)
    assert not client.event("BridgeDestroy", *BASIC)


def test_a_conference_links_nobody() -> None:
    """Its other channels stay hidden, and so does the bridge itself."""
    client = Client(User(channel="sip/100"))

    assert not client.event("BridgeEnter", *CONFERENCE, "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert client.event("BridgeEnter", *CONFERENCE, "Channel: SIP/100-1", "Uniqueid: 1.1")
    assert not client.event("BridgeLeave", *CONFERENCE, "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("BridgeDestroy", *CONFERENCE)


def test_a_channel_that_left_the_bridge_before_is_not_linked() -> None:
    """One that hung up is not linked either."""
    client = Client(User(channel="sip/100"))
    for uid in ("2.1", "3.1"):
        client.event("BridgeEnter", *BASIC, "Channel: SIP/200-1", f"Uniqueid: {uid}")
    client.event("BridgeLeave", *BASIC, "Channel: SIP/200-1", "Uniqueid: 2.1")
    client.event("Hangup", "Channel: SIP/200-1", "Uniqueid: 3.1")

    client.event("BridgeEnter", *BASIC, "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert not client.event("X", "Uniqueid: 2.1")
    assert not client.event("X", "Uniqueid: 3.1")


def test_the_replay_of_the_golden_session() -> None:
    """Golden session filt_replay, message by message."""
    client = Client(User(channel="sip/100"))
    new100 = ("Newchannel", "Channel: SIP/100-01", "Uniqueid: 1.1", "State: Down", "Server: h")
    new200 = ("Newchannel", "Channel: SIP/200-01", "Uniqueid: 2.1", "State: Down", "Server: h")
    up200 = ("Newstate", "Channel: SIP/200-01", "Uniqueid: 2.1", "State: Up", "Server: h")
    dial = (
        "Dial",
        "Channel: SIP/100-01",
        "Destination: SIP/200-01",
        "UniqueID: 1.1",
        "DestUniqueID: 2.1",
    )
    bridge = (
        "Bridge",
        "Channel1: SIP/100-01",
        "Channel2: SIP/200-01",
        "Uniqueid1: 1.1",
        "Uniqueid2: 2.1",
    )
    hangup = ("Hangup", "Channel: SIP/200-01", "Uniqueid: 2.1")

    def text(event: tuple[str, ...]) -> str:
        return " | ".join((f"Event: {event[0]}", *event[1:]))

    assert client.event(*new100) == [text(new100)]
    assert client.event(*new200) == []
    assert client.event(*up200) == []
    assert client.event(*dial) == [text(new200), text(up200), text(dial)]
    assert client.event(*bridge) == [text(bridge)]
    assert client.event(*hangup) == [text(hangup)]
    assert client.event(*hangup) == []


def test_only_the_latest_state_is_replayed() -> None:
    """Of a call without any Newstate only the Newchannel is replayed."""
    client = Client(User(channel="sip/100"))
    client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1")
    client.event("Newchannel", "Channel: SIP/300-1", "Uniqueid: 3.1")
    client.event("Newstate", "Channel: SIP/200-1", "Uniqueid: 2.1", "State: Ring")
    client.event("Newstate", "Channel: SIP/200-1", "Uniqueid: 2.1", "State: Up")

    got = client.event("DialBegin", "Channel: SIP/100-1", "Uniqueid: 2.1", "DestUniqueid: 3.1")

    assert got[:-1] == [
        "Event: Newchannel | Channel: SIP/200-1 | Uniqueid: 2.1",
        "Event: Newstate | Channel: SIP/200-1 | Uniqueid: 2.1 | State: Up",
        "Event: Newchannel | Channel: SIP/300-1 | Uniqueid: 3.1",
    ]


def test_an_outgoing_leg_shows_the_leg_it_comes_from() -> None:
    """Its Newchannel names the first leg as Linkedid: that one's Newchannel comes before."""
    client = Client(User(channel="sip/100"))
    first = ("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 2.1")
    assert client.event(*first) == []

    got = client.event("Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1")

    assert [line.split(" | ")[1] for line in got] == ["Channel: SIP/200-1", "Channel: SIP/100-1"]


def test_a_late_client_gets_newchannel_before_newstate() -> None:
    """After a login during the call the state is the message itself, and not sent twice."""
    client = Client(User(channel="sip/100"))
    table = client.tables["pbx"] = CallTable()
    table.note(Message.of("Event: Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1"))
    table.note(Message.of("Event: Newstate", "Channel: SIP/100-1", "Uniqueid: 1.1", "State: Ring"))

    got = client.event("Newstate", "Channel: SIP/100-1", "Uniqueid: 1.1", "State: Up")

    assert got == [
        "Event: Newchannel | Channel: SIP/100-1 | Uniqueid: 1.1",
        "Event: Newstate | Channel: SIP/100-1 | Uniqueid: 1.1 | State: Up",
    ]


def test_each_client_has_its_own_replay() -> None:
    """What one client was sent does not count for another."""
    table = CallTable()
    table.note(Message.of("Event: Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1"))
    dial = Message.of("Event: Dial", "Channel: SIP/100-1", "Uniqueid: 1.1", "DestUniqueID: 2.1")
    table.note(dial)

    for user in (User(channel="sip/100"), User(channel="sip/10")):
        filtered = SessionFilter(user, "off")
        assert len(filtered.incoming(dial, "pbx", answer=False)) == 2
        assert len(filtered.incoming(dial, "pbx", answer=False)) == 1


def test_a_client_of_some_kinds_only_gets_no_replay() -> None:
    """But its calls are followed, so that the other leg's event is known as its own."""
    client = Client(User(channel="sip/100", filters=frozenset(["brionly"])))
    assert not client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("DialBegin", "Channel: SIP/100-1", "Uniqueid: 1.1", "DestUniqueid: 2.1")

    assert len(client.event("BridgeEnter", "Channel: SIP/200-1", "Uniqueid: 2.1")) == 1
    assert not client.event("BridgeEnter", "Channel: SIP/300-1", "Uniqueid: 3.1")


def test_a_variable_that_is_withheld_makes_no_call_known() -> None:
    """Otherwise the replay would be lost with it."""
    client = Client(User(channel="sip/100", filters=frozenset(["novar"])))
    client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("VarSet", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1")

    assert len(client.event("X", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1")) == 2
