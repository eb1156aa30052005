# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts: what filters need to know about one message of an Asterisk.

A message is examined once, by the thread of the server it came from, however many
clients filter it; asking for one client is then a few set and text operations.
The names of headers come from spec section 8 and from all events recorded from
Asterisk 22, and, for the older ones, from Asterisk 1.2 to 11.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message

# Parties of an event.  Asterisk 12 and later put the whole state of each channel
# into an event, each header with the party's name in front: DestChannel,
# DestUniqueid, DestLinkedid (main/stasis_channels.c).
_PARTIES = (
    "",
    "Dest",
    "DestTransferer",
    "LocalOne",
    "LocalTwo",
    "OrigTransferer",
    "Parkee",
    "Parker",
    "Replace",
    "Retriever",
    "SecondTransferer",
    "Source",
    "Spyee",
    "Spyer",
    "Src",
    "Target",
    "TransferTarget",
    "Transferee",
    "Transferer",
)

#: Headers of events whose value begins with the name of a channel.
CHANNEL_HEADERS = (
    *(f"{party}Channel" for party in _PARTIES),
    "BridgedChannel",  # Status, AgentConnect, before 12
    "Channel1",  # Bridge, before 12
    "Channel2",
    "ChannelCalling",  # AgentCalled, before 12
    "Clone",  # Masquerade, before 12
    "ConnectedChannel",  # CoreShowChannelMap
    "Destination",  # Dial, before 12
    "DestinationChannel",  # Cdr
    "From",  # ParkedCall, before 12
    "Newname",  # Rename
    "Oldname",
    "Original",  # Masquerade, before 12
    "Source",  # Dial, before 1.6
    "TalkingToChan",  # Agents
)

#: Headers whose value is the device that a channel is made of: ``PJSIP/101``.
INTERFACE_HEADERS = (
    "AgentCalled",  # AgentCalled, before 12
    "Interface",  # QueueMember...
    "Location",  # QueueMember..., before 13
    "MemberInterface",
    "ParkerDialString",  # ParkedCall
    "StateInterface",  # QueueMemberStatus
)

# Headers of events about no channel that name a device, in lower case, and the technology of
# a name that stands there without one: ``AOR: 101`` is PJSIP/101.
_TECHNOLOGIES = {
    "aor": "PJSIP",  # ContactStatus
    "device": "",  # DeviceStateChange
    "endpoint": "PJSIP",
    "endpointname": "PJSIP",  # ContactStatus
    "peer": "SIP",  # PeerStatus; in SIPQualifyPeerDone without the technology
}

#: Headers of events about no channel that say which device they are about.
DEVICE_HEADERS = (
    "AOR",
    "AccountID",  # security events, with the technology in Service: PJSIP, but also AMI
    "Device",
    "Endpoint",
    "EndpointName",
    "Hint",  # ExtensionStatus: SIP/101&SIP/102,CustomPresence:p101
    "Peer",  # also in CEL, which names channels in it, but has a unique id
    "Service",
)

#: Headers whose value is the unique id of one channel.
UNIQUEID_HEADERS = (
    *(f"{party}Uniqueid" for party in _PARTIES),
    "BridgedUniqueid",
    "SwapUniqueid",  # BridgeEnter: the channel that is replaced
    "Uniqueid1",  # Bridge, before 12
    "Uniqueid2",
)

#: Headers whose value is the unique id of the channel a call began with.
LINKEDID_HEADERS = tuple(f"{party}Linkedid" for party in _PARTIES)

#: Headers whose value is the id of a bridge: not the id of a channel.
BRIDGE_HEADERS = (
    "BridgeUniqueid",
    "DestBridgeUniqueid",
    "FromBridgeUniqueid",
    "OrigBridgeUniqueid",
    "SecondBridgeUniqueid",
    "ToBridgeUniqueid",
)

#: BridgeType of the bridges that join the parties of a call.  Conferences, parking
#: lots and holding agents have other types, and join nobody into one call.
CALL_BRIDGE = "basic"

#: Events that make no call known to the client that sees them.  A UserEvent holds
#: whatever headers its sender chose, even another's unique id.  A Cdr is about the
#: past, and in a conference it joins channels that are not one call.
PROVES_NOTHING = frozenset(("cdr", "userevent"))

#: Headers with the context of one party.  They count if there is no Context header:
#: in the DialBegin of an Originate, which has no caller, and in a Cdr.
PARTY_CONTEXT_HEADERS = (
    *(f"{party}Context" for party in _PARTIES if party),
    "DestinationContext",  # Cdr
)

# What Asterisk writes for an id that it does not know.
_NO_ID = frozenset(("", "<none>", "<unknown>", "<null>", "(null)", "none", "unknown"))

#: Characters of an id that are remembered, twice what Asterisk's have at the most
#: (AST_MAX_PUBLIC_UNIQUEID), and ids of one message that count: one for each header above.
LONGEST_ID = 300
MOST_IDS = 64
_USUAL = 1024  # bytes of messages that need not be looked at for either

# Kinds of headers, and indices of the lists of their values.  The first ones hold ids.
_IGNORED, _UNIQUEID, _LINKEDID, _BRIDGE = range(4)
_EVENT, _CONTEXT, _PARTY_CONTEXT, _CHANNEL, _PRIVILEGE, _BRIDGE_TYPE = range(4, 10)
_INTERFACE, _DEVICE = range(10, 12)
_LAST_ID = _BRIDGE
_LAST_EMPTY = _PARTY_CONTEXT  # of the kinds behind it, empty values do not count


def _kinds() -> dict[str, int]:
    """Return the kind of each header, by its name in lower case and as usually spelled."""
    kinds: dict[str, int] = {}
    for kind, names in (
        # Three of four headers mean nothing here.  The usual spelling of the most
        # frequent ones saves the second look-up, in lower case.
        (
            _IGNORED,
            (
                *(
                    f"{party}{field}"
                    for party in _PARTIES
                    for field in (
                        "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName",
                        "ConnectedLineNum", "ConnectedLineName", "Language", "AccountCode",
                        "Exten", "Priority",
                    )
                ),
                "Variable", "Value", "Extension", "Application", "AppData", "State",
                "Server", "Cause", "Cause-txt", "BridgeTechnology", "BridgeCreator",
                "BridgeName", "BridgeNumChannels", "BridgeVideoSourceMode", "DialStatus",
                "Timestamp", "SystemName", "ChanVariable", "CID-CallingPres",
            ),
        ),
        (_CHANNEL, CHANNEL_HEADERS),
        (_UNIQUEID, UNIQUEID_HEADERS),
        (_LINKEDID, LINKEDID_HEADERS),
        (_BRIDGE, BRIDGE_HEADERS),
        (_EVENT, ("Event",)),
        (_CONTEXT, ("Context",)),
        (_PARTY_CONTEXT, PARTY_CONTEXT_HEADERS),
        (_PRIVILEGE, ("Privilege",)),
        (_BRIDGE_TYPE, ("BridgeType",)),
        (_INTERFACE, INTERFACE_HEADERS),
        (_DEVICE, DEVICE_HEADERS),
    ):  # fmt: skip
        for name in names:
            kinds[name] = kinds[name.lower()] = kind
    kinds["UniqueID"] = _UNIQUEID  # as Cdr spells it
    return kinds


_KINDS = _kinds()


class Facts:
    """What one message says by itself, as far as filters need it.  A value.

    What it means for calls depends on the messages before it: see
    :class:`amiproxy.routing.calltable.Links`.
    """

    # Not a NamedTuple: every filter of every client reads these, and slots are quicker.
    __slots__ = (
        "bridge_type",
        "bridges",
        "channels",
        "contexts",
        "devices",
        "looks",
        "name",
        "own_uid",
        "privilege",
        "response",
        "uids",
    )

    def __init__(
        self, values: Sequence[list[str]], ids: list[str], *, response: bool, large: bool = False
    ) -> None:
        """Take the *values* of each kind of header, and the *ids* of all channels in order.

        Of headers that name devices whole lines are taken.  There may be long ids, or many, in
        a *large* message.
        """
        if large:
            for some in (ids, *values[: _LAST_ID + 1]):
                some[:] = [
                    each if len(each) <= LONGEST_ID else _shortened(each)
                    for each in some[:MOST_IDS]
                ]
        (_, own_uids, _, bridges, events, contexts, party_contexts, channels, privileges, types) = (
            values[:_INTERFACE]
        )
        if values[_INTERFACE]:
            channels += map(_channel_of, values[_INTERFACE])
        #: The event's name in lower case, "" if it is not an event.
        self.name: Final = events[0].lower() if events else ""
        #: Whether it is an answer: Response comes before any Event header.
        self.response: Final = response
        #: Values of all channel headers in lower case, a line feed before each: a prefix
        #: behind a line feed is found by ``in``.  "" if there is none.
        self.channels: Final = "\n" + "\n".join(channels).lower() if channels else ""
        #: Devices named by an event about no channel, as the names of their channels begin,
        #: in lower case, a line feed around each: ``\npjsip/101-\n``.  "" if there is none.
        self.devices: Final = _devices(values[_DEVICE]) if values[_DEVICE] and not ids else ""
        #: Unique ids of all channels named, Linkedids too, each once.
        self.uids: Final = tuple(dict.fromkeys(ids))
        #: The first unique id that is not a Linkedid: whose event it is.
        self.own_uid: Final = own_uids[0] if own_uids else ""
        #: Ids of the bridges named, each once.
        self.bridges: Final = tuple(dict.fromkeys(bridges)) if bridges else ()
        #: Value of BridgeType.
        self.bridge_type: Final = types[0] if types else ""
        #: Value of the first Context header; without one, the parties'.
        self.contexts: Final = tuple(contexts[:1] or party_contexts)
        #: Value of the first Privilege header, as it came.
        self.privilege: Final = privileges[0] if privileges else ""
        #: What event filters have found (routing/looks.py), once one has looked.
        self.looks: dict[object, Any] | None = None


def facts_of(message: Message) -> Facts:
    """Return the facts of *message*, examined on first use and kept with it.

    *message* comes from an Asterisk; that it may repeat what a client wrote
    (UserEvent) is left to the caller.
    """
    facts = message.facts
    if type(facts) is Facts:
        return facts
    # All headers are sorted by kind, in one pass.  The first one of a name counts: a
    # UserEvent repeats what its sender wrote, even "Event:" and "Response:", but its
    # first line is Asterisk's own.
    values: tuple[list[str], ...] = ([], [], [], [], [], [], [], [], [], [], [], [])
    ids: list[str] = []
    if not message.raw.startswith(b"Event: ") and _is_response(message):
        # The rest is not an event's, and may be the raw output of a command.
        facts = message.facts = Facts(values, ids, response=True)
        return facts
    _sort(message.lines, values, ids)
    large = len(message.raw) > _USUAL
    facts = message.facts = Facts(values, ids, response=False, large=large)
    return facts


def _sort(lines: Sequence[str], values: Sequence[list[str]], ids: list[str]) -> None:
    """Add to *values* those of the headers in *lines*, by kind, and to *ids* those of channels."""
    kinds, no_ids = _KINDS, _NO_ID
    for line in lines:
        header, colon, value = line.partition(":")
        kind = kinds.get(header)
        if kind is None:
            kind = kinds.get(header.lower(), 0)
        if not kind or not colon:  # not kind: _IGNORED
            continue
        value = value.lstrip(" ")
        if kind <= _LAST_ID:
            if value in no_ids:
                continue
            if kind != _BRIDGE:
                ids.append(value)
        elif not value and kind > _LAST_EMPTY:
            continue
        values[kind].append(line if kind == _DEVICE else value)


def _channel_of(device: str) -> str:
    """Return how the names of the channels of *device* begin: ``Local/5@x/n`` has Local/5@x-."""
    options = device.find("/", device.find("/") + 1)
    return f"{device if options < 0 else device[:options]}-"


def _devices(lines: list[str]) -> str:
    """Return the devices that *lines* name: see :attr:`Facts.devices`."""
    headers = [
        (name.lower(), value.lstrip(" "))
        for name, _, value in [line.partition(":") for line in lines]
    ]
    service = next((value for name, value in headers if name == "service"), "")
    found: list[str] = []
    for name, value in headers:
        if name == "hint":
            found += value.partition(",")[0].split("&")
        elif name == "accountid":
            found.append(f"{service}/{value}")
        elif name != "service":
            found.append(value if "/" in value else f"{_TECHNOLOGIES[name]}/{value}")
    return "\n" + "".join([f"{_channel_of(device)}\n" for device in found]).lower()


def _shortened(value: str) -> str:
    """Return what stands for the long id *value*, and for no other."""
    return hashlib.sha256(value.encode("latin-1", "backslashreplace")).hexdigest()


def _is_response(message: Message) -> bool:
    """Return whether a Response header comes before any Event header."""
    for line in message.lines:
        name, colon, _ = line.partition(":")
        kind = name.lower()
        if colon and kind in ("event", "response"):
            return kind == "response"
    return False
