# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls in the simulated Asterisk: Originate, Hangup, and the events of calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.dialects import DIALECTS
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from simulator.technologies import OUTCOMES
from tests.simulator.support import logged_in
from tests.support import ManagerClient, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.asterisk(time_scale=0.1)


WHERE = ["Exten: 1", "Context: default", "Priority: 1"]


@pytest.fixture
def client(asterisk: SimulatedAsterisk) -> Iterator[ManagerClient]:
    with logged_in(asterisk) as client:
        yield client


def header(message: list[str], name: str) -> str:
    """Return the first value of a header."""
    return next((line[len(name) + 2 :] for line in message if line.startswith(f"{name}: ")), "")


def calls_ended(asterisk: SimulatedAsterisk) -> bool:
    """Return whether there has been a call and none is left."""
    return bool(asterisk.exchange.begun) and not asterisk.exchange.channels


def log_off(client: ManagerClient) -> list[list[str]]:
    """Log off; return all messages before the goodbye."""
    client.send("Action: Logoff")
    text = client.read_to_end().decode("latin-1")
    return [part.split("\r\n") for part in text.split("\r\n\r\n")][:-2]


def test_an_async_originate_is_answered_at_once_and_by_an_event(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """The response comes first, OriginateResponse with the ActionID when the phone answers."""
    answer = client.ask(
        "Action: Originate", "ActionID: o", "Channel: SIP/100", "Async: true",
        "Context: internal", "Exten: 200", "Priority: 1", 'CallerID: "Ann" <100>',
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
def test_a_failed_originate_has_its_reason(
    client: ManagerClient, channel: str, reason: str
) -> None:
    """5 for busy, 3 for no answer."""
    client.send(
        "Action: Originate", f"Channel: Local/{channel}@legs/n", "Async: 1", "Timeout: 50",
        *WHERE, "ActionID: f",
    )  # fmt: skip
    result = client.read_until("Event: OriginateResponse")

    assert header(result, "Response") == "Failure"
    assert header(result, "Reason") == reason
    assert header(result, "Channel") == f"Local/{channel}@legs/n"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["Channel: SIP/1", *WHERE], "Originate successfully queued"),
        (["Channel: SIP/busy", *WHERE], "Originate failed"),
        (["Channel: SIP/never", "Timeout: 50", *WHERE], "Originate failed"),
        (["Channel: NoTech/1", "Application: Echo"], "Originate failed"),
        (["Channel: SIP/1", "Exten: none", *WHERE[1:]], "Extension does not exist."),
        (
            ["Channel: SIP/1", *WHERE[:2]],
            "Originate with 'Exten' requires 'Context' and 'Priority'",
        ),
        (
            ["Channel: SIP/1", *WHERE[1:]],
            "Originate with 'Exten' requires 'Context' and 'Priority'",
        ),
        (["Channel: SIP", *WHERE], "Invalid channel"),
        (["Channel: SIP/1", *WHERE, "Timeout: soon"], "Invalid timeout"),
        (["Channel: SIP/1", *WHERE[:2], "Priority: first"], "Invalid priority"),
        ([], "Channel not specified"),
    ],
)
def test_a_synchronous_originate_is_answered_with_its_outcome(
    client: ManagerClient, lines: list[str], text: str
) -> None:
    """There is one response, when the outcome is known, and no OriginateResponse."""
    client.send("Action: Originate", *lines)
    answer = client.read_until(lambda message: message[0].startswith("Response"))

    assert answer[1] == f"Message: {text}"
    assert not any(message[0] == "Event: OriginateResponse" for message in log_off(client))


def test_a_synchronous_originate_blocks_its_session(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """No answer and no event while the phone rings; other sessions get all (recording b7)."""
    with logged_in(asterisk) as other:
        client.send(
            "Action: Originate", "Channel: SIP/never", "Timeout: 1000", "ActionID: o", *WHERE
        )
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
def test_every_call_is_whole(speak: str, outcome: str, channel: str) -> None:
    """Each channel that begins ends, all placeholders are filled in, ids are new each time."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(speak=speak, time_scale=0, talk=0.0)) as asterisk,
        logged_in(asterisk) as client,
    ):
        for _ in range(2):
            call = asterisk.call(channel, outcome, exten="300", timeout=0.0)
            assert call.finished.wait(10)
        said = log_off(client)

    begun = [header(message, "Uniqueid") for message in said if message[0] == "Event: Newchannel"]
    ended = [header(message, "Uniqueid") for message in said if message[0] == "Event: Hangup"]
    assert begun
    assert sorted(begun) == sorted(ended) == sorted(set(begun))
    assert not [line for message in said for line in message if re.search(r"\$[a-z]", line)]
    if channel.startswith("PJSIP") and outcome != "queue":  # agents are Local channels
        assert not [message for message in said if message[0] == "Event: LocalBridge"]


def test_each_variable_of_an_originate_has_a_varset(client: ManagerClient) -> None:
    """In repeated headers and in lists."""
    client.send(
        "Action: Originate", "Channel: SIP/1", "Async: yes", "Variable: A=1,B=x y", "Variable: C=", *WHERE,
    )  # fmt: skip
    heard = [client.read_until("Event: VarSet") for _ in range(3)]

    assert [(header(one, "Variable"), header(one, "Value")) for one in heard] == [
        ("A", "1"),
        ("B", "x y"),
        ("C", ""),
    ]


def test_ids_and_account_of_an_originate_are_used(client: ManagerClient) -> None:
    """ChannelId is the unique id of the call; Account is in its events."""
    client.send(
        "Action: Originate", "Channel: SIP/1", "Async: yes", "ChannelId: mine-1", "Account: acc", *WHERE,
    )  # fmt: skip
    begun = client.read_until("Event: Newchannel")

    assert header(begun, "Uniqueid") == "mine-1"
    assert header(begun, "AccountCode") == "acc"


def test_live_channels_are_listed_and_can_be_hung_up(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
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
    wait_until(lambda: calls_ended(asterisk))
    assert client.ask("Action: Hangup", f"Channel: {name}")[1] == "Message: No such channel"


def test_all_channels_can_be_hung_up_by_a_pattern(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """The answer is a list of those hung up."""
    client.ask("Action: Events", "EventMask: off")
    for _ in range(3):
        asterisk.call("Local/stay@legs", talk=FOREVER)
    wait_until(lambda: sum(bool(one.bridge) for one in asterisk.exchange.channels) == 6)

    client.ask("Action: Hangup", "Channel: /^Local/")

    assert client.read_until("Event: ChannelsHungupListComplete")[-1] == "ListItems: 12"
    wait_until(lambda: calls_ended(asterisk))


def test_calls_can_begin_by_themselves(asterisk: SimulatedAsterisk, client: ManagerClient) -> None:
    """``keep_calling`` begins calls of every kind, with queues and agents."""
    asterisk.exchange.keep_calling(200)

    client.read_until("Event: QueueCallerJoin")
    client.read_until("Event: AgentConnect")
    client.read_until("Event: DialBegin")


def test_calls_before_asterisk_12_have_dial_and_bridge_events() -> None:
    """Dial with SubEvent, Bridge with Channel1 and Channel2."""
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
