# SPDX-License-Identifier: GPL-2.0-or-later
"""Each generation of the simulated Asterisk answers in its own way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from simulator.behaviour import Behaviour
from simulator.dialects import DIALECTS, actions_of
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.simulator.support import logged_in
from tests.support import ManagerClient, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    #: A message: its lines.
    Lines = list[str]

OLD = ["1.8", "11"]
NEW = ["13", "16", "22"]
SIP_PEER = (
    "Event ActionID Channeltype ObjectName ChanObjectType IPaddress IPport Dynamic Forcerport"
    " VideoSupport TextSupport ACL Status RealtimeDevice"
)


@pytest.fixture
def client(asterisk: SimulatedAsterisk) -> Iterator[ManagerClient]:
    with logged_in(asterisk) as client:
        yield client


def speaks(*generations: str) -> pytest.MarkDecorator:
    """Return a mark that runs a test for each of *generations*."""
    return pytest.mark.parametrize("asterisk", generations, indirect=True)


@pytest.fixture
def asterisk(request: pytest.FixtureRequest) -> Iterator[SimulatedAsterisk]:
    """A simulated Asterisk of the generation that the test names."""
    with SimulatedAsterisk(behaviour=Behaviour(speak=request.param, peers=2)) as server:
        yield server


def listed(client: ManagerClient, name: str, *headers: str) -> list[Lines]:
    """Return the messages of the answer to action *name*."""
    client.send(f"Action: {name}", "ActionID: l", *headers)
    client.send("Action: Ping", "ActionID: end")
    found = []
    while "ActionID: end" not in (message := client.read_message()):
        found.append(message)
    return found


def names(message: Lines) -> str:
    """Return the names of the headers of *message*, in order."""
    return " ".join(line.partition(":")[0] for line in message)


@pytest.mark.parametrize(
    ("asterisk", "banner"),
    [("1.8", "1.1"), ("11", "1.3"), ("13", "2.8.0"), ("16", "5.0.1"), ("22", "11.0.0")],
    indirect=["asterisk"],
)
def test_the_banner_tells_the_generation(asterisk: SimulatedAsterisk, banner: str) -> None:
    """One line, and FullyBooted with the uptime since 16."""
    with ManagerClient(asterisk.port) as client:
        assert client.read_line() == f"Asterisk Call Manager/{banner}"
        client.ask("Action: Login", "Username: ampuser", "Secret: AmpSecret")
        booted = client.read_message()
    assert booted[0] == "Event: FullyBooted"
    assert ("Uptime" in names(booted)) == (float(banner[:3]) >= 5)


@speaks(*OLD, *NEW)
def test_the_settings_tell_the_version(asterisk: SimulatedAsterisk, client: ManagerClient) -> None:
    """That of its generation, which is shown where the proxy tells what is there."""
    answer = client.ask("Action: CoreSettings")

    assert f"AsteriskVersion: {asterisk.dialect.version}" in answer
    assert f"AMIversion: {asterisk.dialect.ami}" in answer


@speaks("16", "22")
def test_output_of_commands_is_in_headers_since_14(client: ManagerClient) -> None:
    """One Output header a line, and an error for a command that does not exist."""
    answer = client.ask("Action: Command", "Command: no such thing")

    assert answer[:2] == ["Response: Error", "Message: Command output follows"]
    assert answer[2].startswith("Output: No such command")


@speaks(*DIALECTS)
def test_lists_end_as_they_did(asterisk: SimulatedAsterisk, client: ManagerClient) -> None:
    """Before 13 some have no EventList, and where there is one the ActionID is last."""
    old = asterisk.pbx.behaviour.speak in OLD
    queue, channels = listed(client, "QueueStatus"), listed(client, "CoreShowChannels")

    assert queue[0] == (
        ["Response: Success", "ActionID: l", "Message: Queue status will follow"]
        if old
        else [
            "Response: Success",
            "ActionID: l",
            "EventList: start",
            "Message: Queue status will follow",
        ]
    )
    assert names(queue[-1]) == "Event ActionID" + ("" if old else " EventList ListItems")
    assert channels[0][2] == "EventList: start"
    assert names(channels[-1]) == (
        "Event EventList ListItems ActionID" if old else "Event ActionID EventList ListItems"
    )


@speaks("11")
def test_the_queue_calls_whole_channels(asterisk: SimulatedAsterisk) -> None:
    """Phones that are its members: of a Local channel there would be both halves."""
    asterisk.call("SIP/100", "queue", talk=FOREVER)
    wait_until(lambda: sum(one.peer is not None for one in asterisk.exchange.channels) == 2)

    assert [one.name.partition("-")[0] for one in asterisk.exchange.channels] == [
        "SIP/100",
        "SIP/201",
    ]


@speaks(*DIALECTS)
def test_channels_are_listed_as_they_were(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """Extension and BridgedChannel before 13, the whole state of the channel since."""
    client.ask("Action: Events", "EventMask: off")
    asterisk.call("SIP/100", talk=FOREVER, exten="200")
    wait_until(lambda: sum(bool(one.bridge or one.peer) for one in asterisk.exchange.channels) == 2)

    shown = listed(client, "CoreShowChannels")[1]
    status = listed(client, "Status")[1]

    if asterisk.pbx.behaviour.speak in OLD:
        assert names(shown) == (
            "Event ActionID Channel UniqueID Context Extension Priority ChannelState"
            " ChannelStateDesc Application ApplicationData CallerIDnum CallerIDname"
            " ConnectedLineNum ConnectedLineName Duration AccountCode BridgedChannel"
            " BridgedUniqueID"
        )
        assert names(status) == (
            "Event Privilege Channel CallerIDNum CallerIDName ConnectedLineNum ConnectedLineName"
            " Accountcode ChannelState ChannelStateDesc Context Extension Priority Seconds"
            " BridgedChannel BridgedUniqueid Uniqueid ActionID"
        )
        assert f"BridgedChannel: {asterisk.exchange.channels[1].name}" in shown
        assert "Extension: 200" in status
    else:
        assert names(shown).endswith("Linkedid Application ApplicationData Duration BridgeId")
        assert "Privilege: Call" in status
        assert names(status).endswith("Seconds ActionID")


@pytest.mark.parametrize(
    ("asterisk", "member"),
    [
        ("1.8", "Queue Name Location Membership Penalty CallsTaken LastCall Status Paused"),
        (
            "11",
            (
                "Queue Name Location StateInterface Membership Penalty CallsTaken LastCall InCall"
                " Status Paused"
            ),
        ),
        (
            "16",
            (
                "Queue Name Location StateInterface Membership Penalty CallsTaken LastCall"
                " LastPause InCall Status Paused PausedReason Wrapuptime"
            ),
        ),
    ],
    indirect=["asterisk"],
)
def test_queue_members_have_the_headers_of_their_time(client: ManagerClient, member: str) -> None:
    """Each generation added some."""
    found = [one for one in listed(client, "QueueStatus") if one[0] == "Event: QueueMember"]

    assert {names(one) for one in found} == {f"Event {member} ActionID"}


@speaks("1.8", "16")
def test_sip_peers_are_those_of_chan_sip(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """Of Asterisk 1.8 to 20."""
    peers = listed(client, "SIPpeers")

    assert len(peers) == 4
    if asterisk.pbx.behaviour.speak == "1.8":
        assert names(peers[1]) == SIP_PEER
    else:
        assert names(peers[1]).endswith("RealtimeDevice Description Accountcode")


@speaks(*DIALECTS)
def test_only_actions_of_the_generation_exist(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """SIPpeers went with chan_sip, PJSIP came with 13, Filter with 10."""
    client.ask("Action: Events", "EventMask: off")
    speak = asterisk.pbx.behaviour.speak
    for name in ("SIPpeers", "PJSIPShowEndpoints", "Filter"):
        answer = listed(client, name, "Operation: Add", "Filter: x")[0]
        exists = actions_of(speak)[name.lower()][1] != "-"
        assert any("Invalid/unknown command" in line for line in answer) != exists, name


@speaks(*OLD, "13", "16")
def test_list_commands_names_the_actions_and_their_classes(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """As the table of actions has them."""
    rows = re.findall(r"(\w+): .*\(Priv: (.*)\)", "\n".join(listed(client, "ListCommands")[0]))

    expected = {
        name: set() if classes == "none" else {*classes.split(","), "all"}
        for name, classes in actions_of(asterisk.pbx.behaviour.speak).values()
        if classes != "-"
    }
    assert {name: set(classes.split(",")) - {"<none>"} for name, classes in rows} == expected


@speaks(*DIALECTS)
def test_the_database_answers_as_it_did(asterisk: SimulatedAsterisk, client: ManagerClient) -> None:
    """A value is a list of one; 1.8 does not say where the list ends."""
    speak = asterisk.pbx.behaviour.speak
    assert (
        client.ask("Action: DBGet", "Family: f", "Key: k")[1] == "Message: Database entry not found"
    )
    client.ask("Action: DBPut", "Family: f", "Key: k", "Val: v: 1")

    found = listed(client, "DBGet", "Family: f", "Key: k")

    assert found[1] == ["Event: DBGetResponse", "Family: f", "Key: k", "Val: v: 1", "ActionID: l"]
    ends = {"1.8": [], "11": [["Event: DBGetComplete", "ActionID: l"]]}
    assert found[2:] == ends.get(
        speak,
        [["Event: DBGetComplete", "ActionID: l", "EventList: Complete", "ListItems: 1"]],
    )


@speaks("11", "22")
def test_user_events_repeat_their_action_before_12(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """As in the recordings of Asterisk 11: Action, then ActionID."""
    client.send("Action: UserEvent", "ActionID: u", "UserEvent: Mine", "Key: value")
    event = client.read_until("Event: UserEvent")

    action = ["Action: UserEvent"] if asterisk.pbx.behaviour.speak == "11" else []
    assert event[2:] == ["UserEvent: Mine", *action, "ActionID: u", "Key: value"]


@pytest.mark.parametrize("speak", ["13", "16"])
def test_events_have_no_headers_of_later_generations(speak: str) -> None:
    """MES in RTCP since 22, LoginTime of members since 22, the video mode of bridges since 16."""
    behaviour = Behaviour(speak=speak, technology="PJSIP", time_scale=0, talk=0.0)
    with SimulatedAsterisk(behaviour=behaviour) as asterisk, logged_in(asterisk) as client:
        assert asterisk.call("PJSIP/101", exten="102").finished.wait(10)
        client.send("Action: Logoff")
        said = client.read_to_end().decode("latin-1")

    assert "Event: RTCPSent" in said
    assert not re.search(r"(?m)^(MES|LoginTime): ", said)
    assert ("BridgeVideoSourceMode" in said) == (speak == "16")
