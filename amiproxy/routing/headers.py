# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of headers of events that say whose an event is: data.

They come from spec section 8 and from all events recorded from Asterisk 22 and 11, and, for
the other old ones, from Asterisk 1.2 to 11.
"""

from __future__ import annotations

#: Parties of an event.  Asterisk 12 and later put the whole state of each channel
#: into an event, each header with the party's name in front: DestChannel,
#: DestUniqueid, DestLinkedid (main/stasis_channels.c).
PARTIES = (
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
CHANNELS = (
    *(f"{party}Channel" for party in PARTIES),
    "BridgedChannel",  # Status, AgentConnect, before 12
    "Channel1",  # Bridge, before 12
    "Channel2",
    "ChannelCalling",  # AgentCalled, before 12
    "Clone",  # Masquerade, before 12
    "ConnectedChannel",  # CoreShowChannelMap
    "Destination",  # Dial, before 12
    "DestinationChannel",  # Cdr
    "Newname",  # Rename
    "Oldname",
    "Original",  # Masquerade, before 12
    "Source",  # Dial, before 1.6
    "TalkingToChan",  # Agents
)

#: In a ParkedCall before 12 the parker's channel, in RTCPReceived an address.
SENDER = "From"

#: Headers whose value is the device that a channel is made of: ``PJSIP/101``.
INTERFACES = (
    "AgentCalled",  # AgentCalled, before 12
    "Interface",  # QueueMember...
    "Location",  # QueueMember..., before 13
    "MemberInterface",
    "ParkerDialString",  # ParkedCall
    "StateInterface",  # QueueMemberStatus
)

#: Headers of events about no channel that say which device they are about.
DEVICES = (
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
UNIQUEIDS = (
    *(f"{party}Uniqueid" for party in PARTIES),
    "BridgedUniqueid",
    "SwapUniqueid",  # BridgeEnter: the channel that is replaced
    "Uniqueid1",  # Bridge, before 12
    "Uniqueid2",
)

#: Headers whose value is the unique id of the channel a call began with.
LINKEDIDS = tuple(f"{party}Linkedid" for party in PARTIES)

#: Headers whose value is the id of a bridge: not the id of a channel.
BRIDGES = (
    "BridgeUniqueid",
    "DestBridgeUniqueid",
    "FromBridgeUniqueid",
    "OrigBridgeUniqueid",
    "SecondBridgeUniqueid",
    "ToBridgeUniqueid",
)

#: Headers with the context of one party.  They count if there is no Context header:
#: in the DialBegin of an Originate, which has no caller, and in a Cdr.
PARTY_CONTEXTS = (
    *(f"{party}Context" for party in PARTIES if party),
    "DestinationContext",  # Cdr
)

#: Three of four headers say nothing of the kind.  Those that are frequent, as they are usually
#: spelled, need not be looked up in lower case.
IGNORED = (
    *(
        f"{party}{field}"
        for party in PARTIES
        for field in (
            "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
            "ConnectedLineName", "Language", "AccountCode", "Exten", "Priority",
        )
    ),
    "Variable", "Value", "Extension", "Application", "AppData", "State", "Server", "Cause",
    "Cause-txt", "BridgeTechnology", "BridgeCreator", "BridgeName", "BridgeNumChannels",
    "BridgeVideoSourceMode", "DialStatus", "Timestamp", "SystemName", "ChanVariable",
    "CID-CallingPres",
)  # fmt: skip
