# SPDX-License-Identifier: GPL-2.0-or-later
"""A filtered client gets what the simple reference of spec section 8 gives it."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from tests.routing.reference_filter import ReferenceFilter, ReferenceServer
from tests.routing.support import User

#: An event: its name, and its headers.
Event = tuple[str, list[tuple[str, str]]]

CHANNEL = st.sampled_from(["SIP/100-1", "sip/100-2", "SIP/200-1", "Local/5@in-1;1", "IAX2/x-1", ""])
UID = st.sampled_from(["1.1", "1.2", "1.3", "1.4", "1.5", "<unknown>"])
CONTEXT = st.sampled_from(["in", "out", "In", ""])
BRIDGE = st.sampled_from(["b1", "b2"])

ONE = st.tuples(
    st.sampled_from(
        [
            "Newchannel",
            "Newstate",
            "Hangup",
            "VarSet",
            "Newexten",
            "Cdr",
            "CEL",
            "UserEvent",
            "BlindTransfer",
        ]
    ),
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["Channel", "Interface", "DestChannel"]), CHANNEL),
            st.tuples(
                st.sampled_from(
                    ["Uniqueid", "UniqueID", "Linkedid", "DestUniqueid", "DestLinkedid"]
                ),
                UID,
            ),
            st.tuples(st.sampled_from(["Context", "DestContext", "DestinationContext"]), CONTEXT),
        ),
        max_size=4,
    ),
)
CALL = st.builds(
    lambda name, channel, uid, link, context: (
        name,
        [("Channel", channel), ("Uniqueid", uid), ("Linkedid", link)]
        + ([("Context", context)] if context else []),
    ),
    st.sampled_from(
        ["Newchannel", "Newchannel", "Newstate", "Newexten", "Hangup", "VarSet", "Cdr", "CEL"]
    ),
    CHANNEL,
    UID,
    UID,
    st.sampled_from(["", "", "in", "out"]),
)
DIAL = st.builds(
    lambda name, a, u, b, v: (
        name,
        [("Channel", a), ("Uniqueid", u), ("DestChannel", b), ("DestUniqueid", v)],
    ),
    st.sampled_from(["Dial", "DialBegin", "Bridge"]),
    CHANNEL,
    UID,
    CHANNEL,
    UID,
)
BRIDGED = st.builds(
    lambda name, bridge, kind, channel, uid: (
        name,
        [("BridgeUniqueid", bridge), ("BridgeType", kind)]
        + (
            [("Channel", channel), ("Uniqueid", uid)]
            if name in ("BridgeEnter", "BridgeLeave")
            else []
        ),
    ),
    st.sampled_from(["BridgeCreate", "BridgeEnter", "BridgeEnter", "BridgeLeave", "BridgeDestroy"]),
    BRIDGE,
    st.sampled_from(["basic", "base"]),
    CHANNEL,
    UID,
)
DEVICE = st.builds(
    lambda name, headers: (name, headers),
    st.sampled_from(["DeviceStateChange", "ContactStatus", "ExtensionStatus", "ChallengeSent"]),
    st.lists(
        st.one_of(
            st.tuples(
                st.sampled_from(["Device", "Peer", "AOR", "AccountID", "Hint", "EndpointName"]),
                st.sampled_from(["SIP/100", "SIP/200", "SIP/100&SIP/2,x", "PJSIP/9", "9", ""]),
            ),
            st.tuples(st.just("Privilege"), st.sampled_from(["call,all", "security,all"])),
            st.tuples(st.just("Service"), st.sampled_from(["SIP", "PJSIP", "AMI"])),
            st.tuples(st.just("Uniqueid"), UID),
            st.tuples(st.just("Context"), CONTEXT),
        ),
        max_size=4,
        unique_by=lambda header: header[0],
    ),
)
STREAM = st.lists(
    st.tuples(
        st.sampled_from(["one", "one", "two"]),
        st.one_of(CALL, CALL, DIAL, BRIDGED, ONE, DEVICE),
        st.integers(0, 19),
    ),
    max_size=25,
)
USER = st.builds(
    User,
    channel=st.sampled_from(["", "sip/100", "SIP/", "local/5@in", "sip/100-", "pjsip/9"]),
    in_context=st.sampled_from(["", "", "in"]),
    more_events=st.booleans(),
    filters=st.frozensets(st.sampled_from(["cdronly", "brionly", "xfronly", "novar"]), max_size=2),
)


def message_of(event: Event, number: int) -> Message:
    """Return *event* as a message that differs from all others by its *number*."""
    name, headers = event
    lines = [f"{header}: {value}" for header, value in headers]
    return Message.of(f"Event: {name}", *lines, f"Number: {number}")


@settings(max_examples=200)
@given(user=USER, stream=STREAM)
@example(
    user=User(channel="SIP/", in_context="", more_events=False, filters=frozenset()),
    stream=[
        ("one", ("DeviceStateChange", []), 5),
        ("two", ("UserEvent", []), 9),
        ("one", ("DeviceStateChange", [("Peer", "9")]), 1),
    ],
)
def test_a_filtered_client_gets_what_the_reference_says(
    user: User, stream: list[tuple[str, Event, int]]
) -> None:
    """Random users, random streams of two servers: message by message the same."""
    filtered = SessionFilter(user, "off")
    reference = ReferenceFilter(user)
    tables = {"one": CallTable(), "two": CallTable()}
    servers = {"one": ReferenceServer(), "two": ReferenceServer()}
    for number, (scope, event, luck) in enumerate(stream):
        message = message_of(event, number)
        answer = luck == 0
        tables[scope].note(message)

        got = [m.raw for m in filtered.incoming(message, scope, answer)]

        servers[scope].begin(message.raw)
        assert got == reference.incoming(servers[scope], message.raw, scope, answer), message.lines
        servers[scope].end(message.raw)


@given(user=USER, stream=STREAM)
def test_a_filter_that_is_not_active_withholds_nothing(
    user: User, stream: list[tuple[str, Event, int]]
) -> None:
    """A session whose filter says so need not ask it."""
    filtered = SessionFilter(user, "off")
    table = CallTable()
    got = []
    for number, (_, event, _) in enumerate(stream):
        message = message_of(event, number)
        table.note(message)
        got.append(filtered.incoming(message, "one", False))

    if not filtered.active:
        assert all(len(messages) == 1 for messages in got)
