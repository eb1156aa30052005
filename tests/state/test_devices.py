# SPDX-License-Identifier: GPL-2.0-or-later
"""DeviceTable, ContactTable, RegistrationTable: phones, as recorded and as Asterisk lists them."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.state.phones import contacts, devices, registrations
from amiproxy.state.phones.contacts import ContactTable
from amiproxy.state.phones.devices import DeviceTable
from amiproxy.state.phones.registrations import RegistrationTable
from amiproxy.state.table import Query, Standing
from tests.state.replays import fed, give, row, shown, told


@pytest.fixture
def contact_table() -> ContactTable:
    """Return an empty table of contacts."""
    return ContactTable(Standing())


@pytest.fixture
def table(contact_table: ContactTable) -> DeviceTable:
    """Return an empty table of devices."""
    return DeviceTable(contact_table)


def answers(name: str, query: Query) -> list[tuple[Message, ...]]:
    """Return the items of each answer to *query* in the recording *name*."""
    return [each.items for each in told(name) if each.query == query]


def test_devices_extensions_and_presence_meet_in_hints(table: DeviceTable) -> None:
    """One row of a device has its extensions and what its user says of himself."""
    for _ in give(table, "b1_simple_actions"):
        pass

    found = row(table, "devices", "IAX2/phone101").fields
    assert found["extensions"] == ("301@hints",)
    assert (found["presence"], found["presence_subtype"], found["presence_message"]) == (
        "away", "lunch", "Back at two",
    )  # fmt: skip
    assert len(shown(table, "devices", "device")) == 18
    assert table.device_of("hint:301@hints") == "IAX2/phone101"
    assert table.device_of("Local/201@agents/n") == "Local/201@agents"
    assert table.device_of("Custom:agent201") is None


def test_the_custom_device_of_a_member_is_a_phone_by_its_hint(table: DeviceTable) -> None:
    """And is found anew when the hint changes."""
    extension = ("Event: ExtensionStatus", "Exten: 201", "Context: c", "Status: 0")
    fed(table, *extension, "Hint: Custom:DND201&PJSIP/201")
    assert table.device_of("Custom:DND201") == "PJSIP/201"
    fed(table, *extension, "Hint: Custom:DND201&PJSIP/202,CustomPresence:1")
    assert table.device_of("Custom:DND201") == "PJSIP/202"
    fed(table, *extension[:3], "Status: -1")
    assert table.device_of("Custom:DND201") is None
    assert table.device_of("hint:201@c") is None


def test_a_device_state_is_since_its_event(table: DeviceTable) -> None:
    """A repeated state and a list change no since; what a list alone tells has none."""
    fed(table, "Event: DeviceStateChange", "Device: PJSIP/101", "State: INUSE", now=1.0)
    fed(table, "Event: DeviceStateChange", "Device: PJSIP/101", "State: INUSE", now=2.0)
    fed(table, "Event: DeviceStateChange", "Device: nobody", "State: INVALID", now=2.0)
    items = [
        Message.of("Event: DeviceStateChange", "Device: PJSIP/101", "State: INUSE"),
        Message.of("Event: DeviceStateChange", "Device: PJSIP/102", "State: RINGING"),
    ]
    assert table.take_list(devices.DEVICES, items, 3.0) == 1
    assert shown(table, "devices", "device", "state", "since") == [
        ("PJSIP/101", "INUSE", 1.0), ("PJSIP/102", "RINGING", None),
    ]  # fmt: skip
    assert table.take_list(devices.DEVICES, items[1:], 4.0) == 1
    assert table.take_list(devices.DEVICES, items[1:], 5.0) == 0


def test_recorded_states_of_a_phone(table: DeviceTable) -> None:
    """Not in use, ringing, in use; the last event is what is there."""
    for _ in give(table, "pjsip_basic"):
        pass
    last = {
        each.event.get("Device"): each.event.get("State")
        for each in told("pjsip_basic")
        if each.event is not None and each.event.get("Event") == "DeviceStateChange"
    }
    assert set(shown(table, "devices", "device", "state")) >= set(last.items())
    assert row(table, "devices", "PJSIP/101").said.lines == (
        "Event: DeviceStateChange", "Privilege: call,all", "Device: PJSIP/101",
        "State: NOT_INUSE",
    )  # fmt: skip


def test_asterisk_11_tells_devices_by_hints_and_peers(
    table: DeviceTable, contact_table: ContactTable
) -> None:
    """Where DeviceStateList is had, only its devices are there."""
    for _ in give(table, "asterisk11_basic"):
        pass
    fed(contact_table, "Event: PeerStatus", "Peer: SIP/199", "PeerStatus: Unreachable")
    fed(contact_table, "Event: PeerStatus", "Peer: SIP/101", "PeerStatus: Lagged")
    found = shown(table, "devices", "device", "state")
    assert {("SIP/101", "NOT_INUSE"), ("SIP/199", "UNAVAILABLE")} <= set(found)
    assert row(table, "devices", "SIP/101").fields["contacts"] == ("SIP/101",)

    table.take_list(devices.DEVICES, [], 1.0)
    assert shown(table, "devices", "device") == []


def test_presence_by_the_words_of_asterisk_11(table: DeviceTable) -> None:
    """PresenceStatus names the hint; a list sets all presences."""
    hint = ("Exten: 1", "Context: c", "Hint: SIP/1,CustomPresence:1")
    fed(table, "Event: ExtensionStatus", *hint, "Status: 8")
    fed(table, "Event: PresenceStatus", *hint, "Status: dnd", "Message: no")
    fields = ("state", "presence", "presence_message")
    assert shown(table, "devices", *fields) == [("RINGING", "dnd", "no")]
    item = Message.of("Event: PresenceStateChange", "Presentity: CustomPresence:1", "Status: away")
    assert table.take_list(devices.PRESENCES, [item], 1.0) == 1
    assert table.take_list(devices.PRESENCES, [item], 2.0) == 0
    assert shown(table, "devices", *fields) == [("RINGING", "away", None)]
    assert table.take_list(devices.EXTENSIONS, [], 2.0) == 1
    assert shown(table, "devices", *fields) == []


# -- contacts ------------------------------------------------------------------------------------


def test_contacts_come_go_and_come_back(contact_table: ContactTable) -> None:
    """The recording of phones that register: 109 twice."""
    seen = []
    for each, _ in zip(told("pjsip_register"), give(contact_table, "pjsip_register")):
        event = each.event
        if event is not None and event.get("ContactStatus") and event.get("AOR") == "109":
            statuses = shown(contact_table, "contacts", "aor", "status")
            seen.append([status for aor, status in statuses if aor == "109"])
    assert seen == [["NonQualified"], ["Reachable"], [], ["NonQualified"], ["Reachable"]]
    phone = row(contact_table, "contacts", "PJSIP/104/sip:104@127.0.0.1:21104")
    assert phone.fields["device"] == "PJSIP/104"
    assert phone.fields["round_trip"] == 0.000689
    assert phone.said.lines[:2] == ("Event: ContactList", "Privilege: system,all")
    assert phone.said.get("Endpoint") == "104"


def test_contacts_as_asterisk_lists_them(contact_table: ContactTable) -> None:
    """The AOR is in the object's name; 13 has another list, with the words of events."""
    item = Message.of(
        "Event: ContactList", "ObjectType: contact", "ObjectName: 104;@af12", "Endpoint: 104",
        "Uri: sip:104@10.0.0.1", "UserAgent: Phone 3", "ExpirationTime: 5000",
        "Status: Reachable", "RoundtripUsec: 2000",
    )  # fmt: skip
    assert contact_table.take_list(contacts.CONTACTS, [item], 1.0) == 1
    assert shown(
        contact_table, "contacts", "aor", "status", "round_trip", "user_agent", "expires", "since"
    ) == [("104", "Reachable", 0.002, "Phone 3", 5000.0, None)]

    event = ("Event: ContactStatus", "URI: sip:104@10.0.0.1", "AOR: 104", "EndpointName: 104")
    fed(contact_table, *event, "ContactStatus: Unreachable", "RoundtripUsec: 0", now=2.0)
    fed(contact_table, *event, "ContactStatus: Updated", now=3.0)
    assert shown(contact_table, "contacts", "status", "since") == [("Unreachable", 2.0)]
    assert contact_table.take_list(contacts.CONTACTS, [item], 4.0) == 1

    old = Message.of("Event: ContactStatusDetail", "AOR: 104", "URI: sip:104@10.0.0.1",
                     "Status: Reachable", "RegExpire: 6000", "EndpointName: 104")  # fmt: skip
    assert contact_table.take_list(contacts.OLD_CONTACTS, [old], 5.0) == 0
    assert contact_table.take_list(contacts.CONTACTS, [], 6.0) == 1
    assert len(contact_table) == 0


def test_contacts_of_pjsip_conf_are_in_no_list(contact_table: ContactTable) -> None:
    """Events tell of them, and the list does not take them away."""
    fed(contact_table, "Event: ContactStatus", "URI: sip:trunk@x", "AOR: trunk",
        "EndpointName: trunk", "ContactStatus: Reachable")  # fmt: skip
    assert contact_table.take_list(contacts.CONTACTS, [], 1.0) == 0
    assert shown(contact_table, "contacts", "aor", "status") == [("trunk", "Reachable")]


def test_a_late_word_of_a_removed_contact_brings_it_not_back() -> None:
    """When the table is live it is a doubt; a new registration is announced."""
    standing = Standing()
    standing.live = True
    table = ContactTable(standing)
    event = ("Event: ContactStatus", "URI: sip:1@x", "AOR: 1", "EndpointName: 1")
    fed(table, *event, "ContactStatus: Reachable")
    fed(table, *event, "ContactStatus: Removed")
    fed(table, *event, "ContactStatus: Reachable")
    assert (len(table), standing.doubts) == (0, {"contacts"})
    fed(table, *event, "ContactStatus: NonQualified")
    fed(table, *event, "ContactStatus: Reachable")
    assert len(table) == 1


def test_peers_of_iax2(contact_table: ContactTable) -> None:
    """Their list items have no ActionID, and name the user behind the peer."""
    for items in answers("b1_simple_actions", contacts.IAX_PEERS):
        assert contact_table.take_list(contacts.IAX_PEERS, items, 1.0) == 20
    peer = row(contact_table, "contacts", "IAX2/phone108")
    assert peer.fields["status"] == "Reachable"
    assert peer.fields["round_trip"] == 0.003
    assert (peer.fields["registered"], peer.fields["address"]) == (True, "127.0.0.1")
    assert peer.said.get("Peer") == "IAX2/phone108"

    for _ in give(contact_table, "d11_peer_status", 0, 60):
        pass
    assert "Unreachable" in {status for (status,) in shown(contact_table, "contacts", "status")}
    for _ in give(contact_table, "d11_peer_status", 60):
        pass
    assert set(shown(contact_table, "contacts", "status")) == {("Reachable",)}


def test_peers_of_chan_sip(contact_table: ContactTable) -> None:
    """Registered and Unregistered are no reachability; each technology has its own list."""
    peer = ("Event: PeerStatus", "ChannelType: SIP", "Peer: SIP/101")
    fed(contact_table, *peer, "PeerStatus: Registered", "Address: 10.0.0.1:5060")
    fed(contact_table, *peer, "PeerStatus: Reachable", "Time: 12")
    fed(contact_table, "Event: PeerStatus", "Peer: IAX2/1", "PeerStatus: Reachable")
    fields = ("device", "status", "registered", "round_trip", "address")
    assert shown(contact_table, "contacts", *fields)[0] == (
        "SIP/101", "Reachable", True, 0.012, "10.0.0.1:5060",
    )  # fmt: skip
    fed(contact_table, *peer, "PeerStatus: Unregistered")
    assert shown(contact_table, "contacts", *fields)[0] == ("SIP/101", None, False, 0.012, None)

    item = Message.of("Event: PeerEntry", "Channeltype: SIP", "ObjectName: 102",
                      "IPaddress: -none-", "Dynamic: yes", "Status: UNKNOWN")  # fmt: skip
    assert contact_table.take_list(contacts.SIP_PEERS, [item], 2.0) == 2
    assert [fields[:3] for fields in shown(contact_table, "contacts", *fields)] == [
        ("IAX2/1", "Reachable", None), ("SIP/102", None, False),
    ]  # fmt: skip


# -- registrations -------------------------------------------------------------------------------


def test_registrations() -> None:
    """By events, and by the list of each technology, which alone says that one is gone."""
    table = RegistrationTable(Standing())
    for name in ("k4_boot", "pjsip_callee_bye"):
        for _ in give(table, name):
            pass
    assert len(table) == 21
    trunk = row(
        table, "registrations",
        "PJSIP/sip:asttrunk@127.0.0.1:21170/sip:127.0.0.1:21170",
    )  # fmt: skip
    assert trunk.fields["status"] == "Registered"
    assert trunk.said.lines[:2] == ("Event: RegistryEntry", "Privilege: system,all")

    item = Message.of(
        "Event: OutboundRegistrationDetail", "ObjectName: trunk", "Status: Registered",
        "ClientUri: sip:asttrunk@127.0.0.1:21170", "ServerUri: sip:127.0.0.1:21170",
    )  # fmt: skip
    assert table.take_list(registrations.PJSIP, [item], 2.0) == 0
    assert table.take_list(registrations.IAX, [], 2.0) == 20
    sip = ("Event: RegistryEntry", "Host: sip.example", "Username: 7", "Domain: example",
           "RegistrationTime: 50")  # fmt: skip
    item = Message.of(*sip, "State: Registered")
    assert table.take_list(registrations.SIP, [item], 3.0) == 1
    assert row(table, "registrations", "SIP/7/sip.example").fields["since"] == 50.0
    fed(table, "Event: Registry", "ChannelType: SIP", "Username: 7", "Domain: sip.example",
        "Status: Rejected", "Cause: 403", now=4.0)  # fmt: skip
    found = row(table, "registrations", "SIP/7/sip.example").fields
    assert (found["status"], found["since"], found["cause"]) == ("Rejected", 4.0, "403")
    assert table.take_list(registrations.SIP, [item], 5.0) == 1
