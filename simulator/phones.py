# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that list phones: IAX2 and SIP peers, PJSIP endpoints and their contacts.

There are as many of each as ``Behaviour.peers`` tells, from 101 on (SIP: 1001).
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from simulator.replies import error, id_line, listing, success

if TYPE_CHECKING:
    from simulator.pbx import Pbx
    from simulator.protocol import Action


def iax_peers(pbx: Pbx, action: Action) -> bytes:
    """List IAX2 peers; as in Asterisk, the entries have no ActionID."""
    items = [
        [
            "Event: PeerEntry",
            "Channeltype: IAX2",
            f"ObjectName: phone{number}/phone{number}",
            "ChanObjectType: peer",
            "IPaddress: 127.0.0.1",
            "IPport: 4570",
            "Dynamic: yes",
            "Trunk: no",
            "Encryption: no",
            "Status: OK (1 ms)",
            "Description: ",
        ]
        for number in _numbers(pbx)
    ]
    return listing(action, "Peer status list will follow", items, "PeerlistComplete")


def sip_peers(pbx: Pbx, action: Action) -> bytes:
    """List SIP peers, as chan_sip did."""
    items = [
        [
            "Event: PeerEntry",
            *id_line(action),
            "Channeltype: SIP",
            f"ObjectName: {900 + number}",
            "ChanObjectType: peer",
            "IPaddress: 127.0.0.1",
            "IPport: 5060",
            "Dynamic: yes",
            "AutoForcerport: no",
            "Forcerport: no",
            "AutoComedia: no",
            "Comedia: no",
            "VideoSupport: no",
            "TextSupport: no",
            "ACL: no",
            "Status: OK (1 ms)",
            "RealtimeDevice: no",
            "Description: ",
            "Accountcode: ",
        ]
        for number in _numbers(pbx)
    ]
    return listing(action, "Peer status list will follow", items, "PeerlistComplete")


def endpoints(pbx: Pbx, action: Action) -> bytes:
    """List PJSIP endpoints, as res_pjsip/pjsip_configuration.c does."""
    items = [
        [
            "Event: EndpointList",
            *id_line(action),
            "ObjectType: endpoint",
            f"ObjectName: {number}",
            "Transport: transport-udp",
            f"Aor: {number}",
            f"Auths: {number}",
            "OutboundAuths: ",
            f"Contacts: {number}/{_uri(number)},",
            f"DeviceState: {'In use' if calls else 'Not in use'}",
            f"ActiveChannels: {calls}",
        ]
        for number in _numbers(pbx)
        for calls in [_calls(pbx, number)]
    ]
    text = "A listing of Endpoints follows, presented as EndpointList events"
    return listing(action, text, items, "EndpointListComplete")


def aors(pbx: Pbx, action: Action) -> bytes:
    """List PJSIP addresses of record, as res_pjsip/location.c does."""
    items = [
        [
            "Event: AorList",
            *id_line(action),
            "ObjectType: aor",
            f"ObjectName: {number}",
            "MinimumExpiration: 20",
            "DefaultExpiration: 300",
            "QualifyTimeout: 2.000000",
            "Qualify2xxOnly: false",
            "Mailboxes: ",
            "SupportPath: false",
            "RemoveUnavailable: false",
            "VoicemailExtension: ",
            "MaxContacts: 2",
            "AuthenticateQualify: false",
            f"Contacts: {number}/{_uri(number)}",
            "MaximumExpiration: 7200",
            "QualifyFrequency: 20",
            "RemoveExisting: true",
            "OutboundProxy: ",
        ]
        for number in _numbers(pbx)
    ]
    text = "A listing of AORs follows, presented as AorList events"
    return listing(action, text, items, "AorListComplete")


def contacts(pbx: Pbx, action: Action) -> bytes:
    """List the contacts of PJSIP phones, as res_pjsip/pjsip_options.c does."""
    expires = int(time.time()) + 300
    items = [
        [
            "Event: ContactList",
            *id_line(action),
            "ObjectType: contact",
            f"ObjectName: {number};@{number:032x}",
            "ViaAddr: 127.0.0.1",
            "QualifyTimeout: 2.000000",
            "Qualify2xxOnly: false",
            f"CallId: {number:016x}@phone",
            "RegServer: ",
            "PruneOnBoot: no",
            "Path: ",
            f"Endpoint: {number}",
            f"ViaPort: 21{number}",
            "AuthenticateQualify: no",
            f"Uri: {contact['Uri']}",
            "QualifyFrequency: 20",
            "UserAgent: phone",
            f"ExpirationTime: {expires}",
            "OutboundProxy: ",
            f"Status: {contact['Status']}",
            f"RoundtripUsec: {contact['RoundtripUsec']}",
        ]
        for number, contact in _contacts(pbx)
    ]
    if not items:
        return error(action, "No Contacts found")
    text = "A listing of Contacts follows, presented as ContactList events"
    return listing(action, text, items, "ContactListComplete")


def contact_statuses(pbx: Pbx, action: Action) -> bytes:
    """List the state of each registered contact, as res_pjsip_registrar.c does."""
    expires = int(time.time()) + 300
    items = [
        [
            "Event: ContactStatusDetail",
            *id_line(action),
            f"AOR: {number}",
            f"URI: {contact['Uri']}",
            "UserAgent: phone",
            f"RegExpire: {expires}",
            f"ViaAddress: 127.0.0.1:21{number}",
            f"CallID: {number:016x}@phone",
            f"Status: {contact['Status']}",
            f"RoundtripUsec: {contact['RoundtripUsec']}",
            f"EndpointName: {number}",
            f"ID: {number};@{number:032x}",
            "AuthenticateQualify: 0",
            "OutboundProxy: ",
            "Path: ",
            "QualifyFrequency: 20",
            "QualifyTimeout: 2.000",
            "Qualify2xxOnly: 0",
        ]
        for number, contact in _contacts(pbx)
    ]
    text = "Following are ContactStatusEvents for each Inbound registration"
    return listing(action, text, items, "ContactStatusDetailComplete")


def qualify(pbx: Pbx, action: Action) -> bytes:
    """Ask a PJSIP phone whether it is there; ContactStatus tells what it says."""
    name = action.get("Endpoint")
    if not name:
        return error(action, "Endpoint parameter missing.")
    if name not in map(str, _numbers(pbx)):
        return error(action, f"Unable to retrieve endpoint {name}")
    if pbx.exchange.has_phone_events:
        pbx.exchange.phone(name, "qualify")
    return success(action, "Endpoint found, will qualify")


def _numbers(pbx: Pbx) -> range:
    return range(101, 101 + pbx.behaviour.peers)


def _contacts(pbx: Pbx) -> list[tuple[int, dict[str, str]]]:
    """Return the contacts there are, by the numbers of their phones."""
    found = pbx.exchange.present.contacts()
    return sorted((int(number), contact) for number, contact in found.items())


def _uri(number: int) -> str:
    return f"sip:{number}@127.0.0.1:21{number}"


def _calls(pbx: Pbx, number: int) -> int:
    """Return how many channels phone *number* has."""
    return sum(one.name.startswith(f"PJSIP/{number}-") for one in pbx.exchange.channels)
