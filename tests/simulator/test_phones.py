# SPDX-License-Identifier: GPL-2.0-or-later
"""Phones of the simulated Asterisk: what lists of them say, and what they do besides calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulator.orders import FOREVER
from tests.simulator.support import logged_in
from tests.support import ManagerClient, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

pytestmark = pytest.mark.asterisk(technology="PJSIP", peers=3, time_scale=0)


@pytest.fixture
def client(asterisk: SimulatedAsterisk) -> Iterator[ManagerClient]:
    with logged_in(asterisk) as client:
        yield client


# As an Asterisk 22.10.1 answered with one phone registered.
LISTS = {
    "PJSIPShowEndpoints": (
        "EndpointList",
        (
            "ObjectType ObjectName Transport Aor Auths OutboundAuths Contacts DeviceState"
            " ActiveChannels"
        ),
    ),
    "PJSIPShowAors": (
        "AorList",
        (
            "ObjectType ObjectName MinimumExpiration DefaultExpiration QualifyTimeout Qualify2xxOnly"
            " Mailboxes SupportPath RemoveUnavailable VoicemailExtension MaxContacts"
            " AuthenticateQualify Contacts MaximumExpiration QualifyFrequency RemoveExisting"
            " OutboundProxy"
        ),
    ),
    "PJSIPShowContacts": (
        "ContactList",
        (
            "ObjectType ObjectName ViaAddr QualifyTimeout Qualify2xxOnly CallId RegServer PruneOnBoot"
            " Path Endpoint ViaPort AuthenticateQualify Uri QualifyFrequency UserAgent ExpirationTime"
            " OutboundProxy Status RoundtripUsec"
        ),
    ),
    "PJSIPShowRegistrationInboundContactStatuses": (
        "ContactStatusDetail",
        (
            "AOR URI UserAgent RegExpire ViaAddress CallID Status RoundtripUsec EndpointName ID"
            " AuthenticateQualify OutboundProxy Path QualifyFrequency QualifyTimeout Qualify2xxOnly"
        ),
    ),
}


@pytest.mark.parametrize("action", LISTS)
def test_lists_of_pjsip_phones_have_the_headers_of_real_ones(
    client: ManagerClient, action: str
) -> None:
    """In the same order, one item for each phone."""
    event, names = LISTS[action]
    answer = client.ask(f"Action: {action}", "ActionID: l")
    items = [client.read_message() for _ in range(3)]
    end = client.read_message()

    assert answer[:3] == ["Response: Success", "ActionID: l", "EventList: start"]
    for item in items:
        assert item[:2] == [f"Event: {event}", "ActionID: l"]
        assert " ".join(line.partition(":")[0] for line in item[2:]) == names
    assert end == [f"Event: {event}Complete", "ActionID: l", "EventList: Complete", "ListItems: 3"]


def test_endpoints_tell_their_calls(asterisk: SimulatedAsterisk, client: ManagerClient) -> None:
    """DeviceState and ActiveChannels follow the calls."""
    client.ask("Action: Events", "EventMask: off")
    asterisk.call("PJSIP/101", talk=FOREVER, exten="102")
    wait_until(lambda: len(asterisk.exchange.channels) == 2)
    client.ask("Action: PJSIPShowEndpoints")

    states = [client.read_message()[-2:] for _ in range(3)]

    assert states == [
        ["DeviceState: In use", "ActiveChannels: 1"],
        ["DeviceState: In use", "ActiveChannels: 1"],
        ["DeviceState: Not in use", "ActiveChannels: 0"],
    ]


def test_members_of_the_queue_are_the_phones(client: ManagerClient) -> None:
    """Interface and state interface name PJSIP devices."""
    client.ask("Action: QueueStatus")
    client.read_message()
    member = client.read_message()

    assert "Location: PJSIP/103" in member
    assert "StateInterface: PJSIP/103" in member


def test_a_phone_that_is_asked_for_says_it_is_there(client: ManagerClient) -> None:
    """PJSIPQualify: the answer, then ContactStatus."""
    assert client.ask("Action: PJSIPQualify", "Endpoint: 999")[0] == "Response: Error"
    assert client.ask("Action: PJSIPQualify", "Endpoint: 102")[1] == (
        "Message: Endpoint found, will qualify"
    )

    status = client.read_until("Event: ContactStatus")

    assert "URI: sip:102@127.0.0.1:21102" in status
    assert {"AOR: 102", "EndpointName: 102", "ContactStatus: Reachable"} <= set(status)


def test_a_phone_registers_and_leaves(asterisk: SimulatedAsterisk, client: ManagerClient) -> None:
    """Contact, peer, device and queue member change with it."""
    asterisk.exchange.phone(103, "register")
    assert "PeerStatus: Reachable" in client.read_until("Event: PeerStatus")
    assert "State: NOT_INUSE" in client.read_until("Event: DeviceStateChange")
    assert "StateInterface: PJSIP/103" in client.read_until("Event: QueueMemberStatus")

    asterisk.exchange.phone(103, "unregister")
    assert "Peer: PJSIP/103" in client.read_until("Event: PeerStatus")
    assert "State: UNAVAILABLE" in client.read_until("Event: DeviceStateChange")
    assert "ContactStatus: Removed" in client.read_until("Event: ContactStatus")


def test_phones_register_between_calls_that_come_by_themselves(
    asterisk: SimulatedAsterisk, client: ManagerClient
) -> None:
    """Calls, contacts, queues and voicemail."""
    asterisk.exchange.keep_calling(100)

    for event in ("ContactStatus", "QueueCallerJoin", "PeerStatus"):
        client.read_until(f"Event: {event}")
    client.read_until(lambda message: "Application: VoiceMail" in message)
    assert all(one.name.startswith("PJSIP/") for one in asterisk.exchange.channels)


@pytest.mark.asterisk(technology="SIP", speak="11")
def test_phones_of_chan_sip_have_no_such_events(asterisk: SimulatedAsterisk) -> None:
    """Their registrations were not recorded."""
    with pytest.raises(ValueError, match="no register of SIP phones"):
        asterisk.exchange.phone(101, "register")
