# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls in the simulated Asterisk: Originate, Hangup, and what everybody hears."""

from __future__ import annotations

import re

import pytest

from simulator.behaviour import Behaviour
from simulator.calls import OUTCOMES
from simulator.dialects import DIALECTS
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.simulator.support import logged_in
from tests.support import ManagerClient, wait_until

pytestmark = pytest.mark.asterisk(time_scale=0.1)


@pytest.fixture
def client(asterisk):
    with logged_in(asterisk) as client:
        yield client


def header(message: list[str], name: str) -> str:
    """Return the first value of a header."""
    return next((line[len(name) + 2 :] for line in message if line.startswith(f"{name}: ")), "")


def over(asterisk: SimulatedAsterisk) -> bool:
    """Tell whether a call was and is no more."""
    return bool(asterisk.exchange.begun) and not asterisk.exchange.channels


def all_said(client: ManagerClient) -> list[list[str]]:
    """Log off, and return all messages before the goodbye."""
    client.send("Action: Logoff")
    text = client.read_to_end().decode("latin-1")
    return [part.split("\r\n") for part in text.split("\r\n\r\n")][:-2]


def test_an_async_originate_is_answered_at_once_and_again_when_decided(asterisk, client):
    """The response first, OriginateResponse with the ActionID when the phone answers."""
    answer = client.ask(
        "Action: Originate", "ActionID: o", "Channel: SIP/100", "Async: true",
        "Context: internal", "Exten: 200", 'CallerID: "Ann" <100>',
    )  # fmt: skip

    assert answer == [
        "Response: Success",
        "ActionID: o",
        "Message: Originate successfully queued",
    ]
    result = client.read_until("Event: OriginateResponse")
    assert header(result, "ActionID") == "o"
    assert header(result, "Response") == "Success"
    assert header(result, "Channel").startswith("SIP/100-")
    assert header(result, "CallerIDNum") == "100"


@pytest.mark.parametrize(("channel", "reason"), [("busy", "5"), ("never", "3")])
def test_a_failed_originate_tells_why(client, channel, reason):
    """Busy and no answer have their reasons."""
    client.send(
        "Action: Originate", f"Channel: Local/{channel}@legs/n", "Async: 1", "Timeout: 50",
        "Exten: 1", "ActionID: f",
    )  # fmt: skip
    result = client.read_until("Event: OriginateResponse")

    assert header(result, "Response") == "Failure"
    assert header(result, "Reason") == reason
    assert header(result, "Channel") == f"Local/{channel}@legs/n"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["Channel: SIP/1"], "Originate successfully queued"),
        (["Channel: SIP/busy"], "Originate failed"),
        (["Channel: SIP/never", "Timeout: 50"], "Originate failed"),
        (["Channel: NoTech/1"], "Originate failed"),
        (["Channel: SIP/1", "Exten: none"], "Extension does not exist."),
        ([], "Channel not specified"),
    ],
)
def test_a_synchronous_originate_tells_the_outcome(client, lines, text):
    """Its one response comes when it is decided; there is no OriginateResponse."""
    client.send("Action: Originate", *lines)
    answer = client.read_until(lambda message: message[0].startswith("Response"))

    assert answer[1] == f"Message: {text}"
    assert not any(message[0] == "Event: OriginateResponse" for message in all_said(client))


def test_a_synchronous_originate_holds_the_whole_session_up(asterisk, client):
    """No answer and no event while the phone rings; others hear all (recording b7)."""
    with logged_in(asterisk) as other:
        client.send("Action: Originate", "Channel: SIP/never", "Timeout: 1000", "ActionID: o")
        client.send("Action: Ping", "ActionID: p")
        other.read_until("Event: Newchannel")
        asterisk.event("Custom")

        assert client.is_silent(0.05)
        assert header(client.read_message(), "ActionID") == "o"
        assert client.read_message()[0] == "Event: Newchannel"
        assert client.read_until("Event: Custom")
        assert client.read_until("ActionID: p")


@pytest.mark.parametrize("speak", DIALECTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("channel", ["Local/201@phones/n", "PJSIP/201"])
def test_every_call_is_whole(speak, outcome, channel):
    """Each channel that begins ends, nothing is left to fill in, ids are new each time."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak=speak, time_scale=0, talk=0.0)) as asterisk,
        logged_in(asterisk) as client,
    ):
        for _ in range(2):
            call = asterisk.call(channel, outcome, exten="300", timeout=0.0)
            assert call.finished.wait(10)
        said = all_said(client)

    begun = [header(message, "Uniqueid") for message in said if message[0] == "Event: Newchannel"]
    ended = [header(message, "Uniqueid") for message in said if message[0] == "Event: Hangup"]
    assert begun
    assert sorted(begun) == sorted(ended) == sorted(set(begun))
    assert not [line for message in said for line in message if re.search(r"\$[a-z]", line)]
    if channel.startswith("PJSIP") and outcome != "queue":  # agents are Local channels
        assert not [message for message in said if message[0] == "Event: LocalBridge"]


def test_variables_of_an_originate_are_told(client):
    """Repeated headers and lists of them: one VarSet each."""
    client.send(
        "Action: Originate", "Channel: SIP/1", "Async: yes", "Variable: A=1,B=x y", "Variable: C=",
    )  # fmt: skip
    heard = [client.read_until("Event: VarSet") for _ in range(3)]

    assert [(header(one, "Variable"), header(one, "Value")) for one in heard] == [
        ("A", "1"),
        ("B", "x y"),
        ("C", ""),
    ]


def test_ids_and_account_of_an_originate_are_taken(client):
    """ChannelId is the unique id of the call; Account is in its events."""
    client.send(
        "Action: Originate", "Channel: SIP/1", "Async: yes", "ChannelId: mine-1", "Account: acc",
    )  # fmt: skip
    begun = client.read_until("Event: Newchannel")

    assert header(begun, "Uniqueid") == "mine-1"
    assert header(begun, "AccountCode") == "acc"


def test_live_channels_are_listed_and_can_be_hung_up(asterisk, client):
    """CoreShowChannels, Status, Getvar, Setvar and Hangup know the same channels."""
    client.ask("Action: Events", "EventMask: off")
    asterisk.call("SIP/100", talk=FOREVER, exten="200")
    wait_until(lambda: sum(bool(one.bridge) for one in asterisk.exchange.channels) == 2)
    name = asterisk.exchange.channels[0].name

    assert client.ask("Action: CoreShowChannels")[2] == "Message: Channels will follow"
    listed = client.read_message()
    assert header(listed, "Channel") == name
    assert header(listed, "ChannelStateDesc") == "Up"
    assert header(listed, "Application") == "Dial"
    client.read_until("ListItems: 2")
    client.ask("Action: Status", f"Channel: {name}")
    assert client.read_message()[0] == "Event: Status"
    client.read_message()
    client.ask("Action: Setvar", f"Channel: {name}", "Variable: V", "Value: 1")
    assert client.ask("Action: Getvar", f"Channel: {name}", "Variable: V")[2] == "Value: 1"
    assert client.ask("Action: Hangup", f"Channel: {name}")[1] == "Message: Channel Hungup"
    wait_until(lambda: over(asterisk))
    assert client.ask("Action: Hangup", f"Channel: {name}")[1] == "Message: No such channel"


def test_all_channels_can_be_hung_up_by_a_pattern(asterisk, client):
    """The answer is a list of those hung up."""
    client.ask("Action: Events", "EventMask: off")
    for _ in range(3):
        asterisk.call("Local/stay@legs", talk=FOREVER)
    wait_until(lambda: sum(bool(one.bridge) for one in asterisk.exchange.channels) == 6)

    client.ask("Action: Hangup", "Channel: /^Local/")

    assert client.read_until("Event: ChannelsHungupListComplete")[-1] == "ListItems: 12"
    wait_until(lambda: over(asterisk))


def test_calls_go_on_by_themselves(asterisk, client):
    """``keep_calling`` gives calls of every kind, queues and agents among them."""
    asterisk.exchange.keep_calling(200)

    client.read_until("Event: QueueCallerJoin")
    client.read_until("Event: AgentConnect")
    client.read_until("Event: DialBegin")


def test_calls_in_the_old_way_have_dial_and_bridge_events():
    """Before Asterisk 12: Dial with SubEvent, Bridge with Channel1 and Channel2."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak="1.8", time_scale=0)) as asterisk,
        logged_in(asterisk) as client,
    ):
        asterisk.call("SIP/100", exten="200")

        dial = client.read_until("Event: Dial")
        bridge = client.read_until("Event: Bridge")
        assert header(dial, "SubEvent") == "Begin"
        assert header(bridge, "Channel1").startswith("SIP/100-")
        assert header(bridge, "Channel2").startswith("SIP/200-")
