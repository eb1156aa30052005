# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts: what the filters need to know about one message of an Asterisk.

A message is examined once, by the thread of the server it came from, however many
clients filter it; asking a client is then a handful of set and text operations.
The names of headers come from spec section 8 and from all events recorded from
Asterisk 22, and, for the older ones, from Asterisk 1.2 to 11.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.message import Message

# Parties of an event.  Asterisk 12 and later puts the whole state of each channel
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
    "AgentCalled",  # AgentCalled, before 12
    "BridgedChannel",  # Status, AgentConnect, before 12
    "Channel1",  # Bridge, before 12
    "Channel2",
    "ChannelCalling",  # AgentCalled, before 12
    "Clone",  # Masquerade, before 12
    "ConnectedChannel",  # CoreShowChannelMap
    "Destination",  # Dial, before 12
    "DestinationChannel",  # Cdr
    "From",  # ParkedCall, before 12
    "Interface",  # QueueMember...
    "Location",  # QueueMember..., before 13
    "MemberInterface",
    "Newname",  # Rename
    "Oldname",
    "Original",  # Masquerade, before 12
    "ParkerDialString",  # ParkedCall
    "Source",  # Dial, before 1.6
    "StateInterface",  # QueueMemberStatus
    "TalkingToChan",  # Agents
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
#: lots and holding agents have other types, and make no call of who is in them.
CALL_BRIDGE = "basic"

#: Events that make no call known to who sees them.  A UserEvent holds whatever headers
#: its sender chose, another's unique id too.  A Cdr tells of the past, and in a
#: conference joins people who are no call.
PROVES_NOTHING = frozenset(("cdr", "userevent"))

#: Headers with the context of one party.  They count where there is no Context header:
#: in the DialBegin of an Originate, which has no caller, and in a Cdr.
PARTY_CONTEXT_HEADERS = (
    *(f"{party}Context" for party in _PARTIES if party),
    "DestinationContext",  # Cdr
)

# What Asterisk writes where it knows no id.
_NO_ID = frozenset(("", "<none>", "<unknown>", "<null>", "(null)", "none", "unknown"))

_IGNORED, _CHANNEL, _UNIQUEID, _LINKEDID, _BRIDGE = range(5)
_EVENT, _RESPONSE, _CONTEXT, _PARTY_CONTEXT, _PRIVILEGE, _BRIDGE_TYPE = range(5, 11)


def _kinds() -> dict[str, int]:
    """Return the kind of each header, by its name in lower case and as usually spelled."""
    kinds: dict[str, int] = {}
    for kind, names in (
        # Three of four headers mean nothing here.  To know the usual spelling of
        # the most frequent ones saves the second, lower-case look-up.
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
                "Variable", "Value", "Extension", "Application", "AppData", "Device", "State",
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
        (_RESPONSE, ("Response",)),
        (_CONTEXT, ("Context",)),
        (_PARTY_CONTEXT, PARTY_CONTEXT_HEADERS),
        (_PRIVILEGE, ("Privilege",)),
        (_BRIDGE_TYPE, ("BridgeType",)),
    ):  # fmt: skip
        for name in names:
            kinds[name] = kinds[name.lower()] = kind
    kinds["UniqueID"] = _UNIQUEID  # as Cdr spells it
    return kinds


_KINDS = _kinds()


class Facts:
    """What filters need to know about one message.

    The fields up to ``bridge_type`` are what the message says by itself;
    ``live``, ``learn``, ``ends`` and ``replay`` are refined by
    :meth:`amiproxy.routing.calltable.CallTable.note`, which knows what came before.
    Nothing changes a Facts once a client was asked.
    """

    __slots__ = (
        "bridge_type",
        "bridges",
        "channels",
        "channels_text",
        "contexts",
        "ends",
        "hangup_uid",
        "learn",
        "live",
        "name",
        "own_uid",
        "privilege",
        "replay",
        "response",
        "uids",
    )

    name: str  #: the event's name in lower case, "" if it is no event
    response: bool  #: an answer: Response comes before any Event header
    channels: tuple[str, ...]  #: values of all channel headers, in lower case
    channels_text: str  #: the same, a line feed before each: prefixes are found by ``in``
    uids: tuple[str, ...]  #: unique ids of all channels named, Linkedids too, each once
    own_uid: str  #: the first unique id that is no Linkedid: whose event it is
    bridges: tuple[str, ...]  #: ids of the bridges named, each once
    bridge_type: str  #: value of BridgeType
    contexts: tuple[str, ...]  #: value of the first Context header; without one, the parties'
    hangup_uid: str  #: the channel that is gone with this message, or ""
    privilege: str  #: value of the first Privilege header, as it came
    live: tuple[str, ...]  #: the ids which, known to a client, let the message pass
    learn: tuple[str, ...]  #: the ids a client knows once it got the message
    ends: tuple[str, ...]  #: the ids nobody needs to know any longer after it
    #: For ids in ``learn``: what a client that does not know the id gets first.
    replay: tuple[tuple[str, tuple[Message, ...]], ...]


def facts_of(message: Message) -> Facts:
    """Return the facts of *message*, examined on first use and kept with it.

    Whether the sender is to be trusted is not known here: *message* comes from an
    Asterisk, be it repeating what a client said (UserEvent).
    """
    facts = message.facts
    if isinstance(facts, Facts):
        return facts
    facts = message.facts = _examine(message)
    return facts


def _examine(message: Message) -> Facts:
    """Read *message* in one pass."""
    name = ""
    own_uid = ""
    bridge_type = ""
    privilege = ""
    context: tuple[str, ...] = ()
    party_contexts: list[str] = []
    event = response = False
    channels: list[str] = []
    uids: list[str] = []
    bridges: list[str] = []
    kinds = _KINDS
    for line in message.lines:
        header, colon, value = line.partition(":")
        kind = kinds.get(header)
        if kind is None:
            kind = kinds.get(header.lower(), _IGNORED)
        if not kind or not colon:  # not kind: _IGNORED
            continue
        value = value.lstrip(" ")
        if kind == _CHANNEL:
            if value:
                channels.append(value.lower())
        elif kind == _UNIQUEID:
            if value not in _NO_ID:
                own_uid = own_uid or value
                uids.append(value)
        elif kind == _LINKEDID:
            if value not in _NO_ID:
                uids.append(value)
        elif kind == _EVENT:
            # UserEvent repeats what its sender wrote, be it "Event:" or
            # "Response:"; the first line is Asterisk's own.
            if not event:
                event = True
                name = value.lower()
        elif kind == _RESPONSE:
            if not event:
                # Whatever follows is no event, and may be raw command output.
                response = True
                break
        elif kind == _CONTEXT:
            context = context or (value,)
        elif kind == _PARTY_CONTEXT:
            party_contexts.append(value)
        elif kind == _PRIVILEGE:
            privilege = privilege or value
        elif kind == _BRIDGE:
            if value not in _NO_ID:
                bridges.append(value)
        else:
            bridge_type = bridge_type or value
    facts = Facts()
    facts.name = name
    facts.response = response
    facts.channels = tuple(channels)
    facts.channels_text = "\n" + "\n".join(channels)
    facts.uids = named = tuple(dict.fromkeys(uids))
    facts.own_uid = own_uid
    facts.bridges = between = tuple(dict.fromkeys(bridges)) if bridges else ()
    facts.bridge_type = bridge_type
    facts.contexts = context or tuple(party_contexts)
    facts.privilege = privilege
    facts.hangup_uid = ""
    facts.live = named or between
    facts.learn = named if name not in PROVES_NOTHING else ()
    facts.ends = facts.replay = ()
    if name == "bridgeenter" and bridge_type == CALL_BRIDGE:
        facts.learn = named + between
    elif name == "hangup":
        facts.hangup_uid = own_uid
        facts.ends = (own_uid,) if own_uid else ()
    elif name == "bridgedestroy":
        facts.ends = between
    return facts
