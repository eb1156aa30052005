# SPDX-License-Identifier: GPL-2.0-or-later
"""Contexts, events without channels, kinds of events and answers, to a filtered client."""

from __future__ import annotations

import dataclasses

import pytest

from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from tests.routing.support import BASIC, Client, User, only


def test_in_context_of_the_golden_session() -> None:
    """Golden session filt_icontext."""
    client = Client(User(in_context="internal"))

    assert client.event("Newexten", "Context: internal", "Channel: SIP/1", "Uniqueid: 1.1")
    assert not client.event("Newexten", "Context: other", "Channel: SIP/2", "Uniqueid: 2.1")
    assert not client.event("NoCtx", "A: b")
    assert client.event("NoCtxUid", "Uniqueid: 9.9")


def test_in_context_counts_case() -> None:
    """Context names are case-sensitive."""
    assert not Client(User(in_context="internal")).event("X", "Context: Internal", "Uniqueid: 1.1")
    assert Client(User(in_context="Internal")).event("X", "Context: Internal", "Uniqueid: 1.1")


def test_a_channel_that_left_the_context_still_ends() -> None:
    """The Hangup of a channel the client saw passes, wherever it is then; no other does."""
    client = Client(User(in_context="in"))
    client.event("Newchannel", "Context: in", "Channel: SIP/1", "Uniqueid: 1.1")
    client.event("Newchannel", "Context: out", "Channel: SIP/2", "Uniqueid: 2.1")

    assert not client.event("Newexten", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")
    assert client.event("Hangup", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")
    assert not client.event("Hangup", "Context: out", "Channel: SIP/2", "Uniqueid: 2.1")


@pytest.mark.parametrize("user", [User(in_context="in"), User(channel="sip/1", in_context="in")])
def test_what_is_replayed_is_in_the_context_as_well(user: User) -> None:
    """Or in none, as a dialled channel is: the name of another is nobody's business."""
    client = Client(user)
    for uid, context in (("1.1", "out"), ("1.2", ""), ("1.3", "in")):
        where = (f"Context: {context}", f"Uniqueid: {uid}")
        assert bool(client.event("Newchannel", "Channel: SIP/2", *where)) is (
            context == "in" and not user.channel
        )

        got = client.event("Newexten", "Context: in", "Channel: SIP/1", f"Uniqueid: {uid}")

        replayed = context == "" or (context == "in" and bool(user.channel))
        assert [text.split(" | ")[0] for text in got] == (
            ["Event: Newchannel"] * replayed + ["Event: Newexten"]
        )


def test_an_event_without_context_makes_no_call_known() -> None:
    """It passes, as in the C program; the withheld Newchannel is not replayed, and the Hangup is withheld."""
    client = Client(User(in_context="in"))
    assert not client.event("Newchannel", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")

    assert len(client.event("OriginateResponse", "Channel: SIP/1", "Uniqueid: 1.1")) == 1
    assert not client.event("Hangup", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")


def test_an_empty_context_is_fine_in_a_known_call_only() -> None:
    """A dialled channel has no context yet, but nor have the channels of others."""
    client = Client(User(in_context="in"))
    client.event("DialBegin", "Context: in", "Uniqueid: 1.1", "DestUniqueid: 1.2")

    assert client.event("Newstate", "Context: ", "Uniqueid: 1.2")
    assert not client.event("Newstate", "Context: ", "Uniqueid: 2.2")


@pytest.mark.parametrize("header", ["DestContext", "DestinationContext", "TransfereeContext"])
def test_without_a_context_those_of_the_parties_count(header: str) -> None:
    """The DialBegin of an Originate has no caller, a Cdr only its destination's context."""
    client = Client(User(in_context="in"))

    assert client.event("X", "Uniqueid: 1.1", f"{header}: in")
    assert client.event("X", "Uniqueid: 1.2", "LocalTwoContext: out", f"{header}: in")
    assert client.event("X", "Uniqueid: 1.3", "Context: in", f"{header}: out")
    assert not client.event("X", "Uniqueid: 1.4", f"{header}: out")
    assert not client.event("X", "Uniqueid: 1.5", "Context: out", f"{header}: in")


def test_channel_and_context_must_both_match() -> None:
    """Two filters pass what both of them pass."""
    client = Client(User(channel="sip/100", in_context="in"))

    assert client.event("X", "Channel: SIP/100-1", "Context: in", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/100-1", "Context: out", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/200-1", "Context: in", "Uniqueid: 2.1")


@pytest.mark.parametrize("user", [User(channel="sip/100"), User(in_context="in")])
def test_more_events_lets_events_without_id_pass(user: User) -> None:
    """Without it they are withheld; another's channel is withheld with it, too."""
    more = dataclasses.replace(user, more_events=True)

    assert not Client(user).event("PeerStatus", "Peer: SIP/200")
    assert Client(more).event("PeerStatus", "Peer: SIP/200")
    assert Client(more).event("BridgeCreate", *BASIC)
    assert not Client(user).event("BridgeCreate", *BASIC)
    assert not Client(User(channel="sip/100", more_events=True)).event("X", "Interface: SIP/200")


def test_an_event_without_id_that_names_the_channel_passes() -> None:
    """QueueMemberStatus of the user's phone is the user's event."""
    assert Client(User(channel="sip/100")).event("QueueMemberStatus", "Interface: SIP/100")


OWN_DEVICE = [
    ("DeviceStateChange", "Device: PJSIP/101", "State: INUSE"),
    ("PeerStatus", "ChannelType: PJSIP", "Peer: PJSIP/101"),
    ("ContactStatus", "AOR: 101", "EndpointName: 101"),
    ("ContactStatus", "AOR: desk", "EndpointName: 101"),
    ("ExtensionStatus", "Exten: 101", "Context: in", "Hint: PJSIP/102&PJSIP/101,Presence:x"),
    ("ChallengeSent", "Privilege: security,all", "Service: PJSIP", "AccountID: 101"),
    ("Some", "Endpoint: 101"),
    ("QueueMemberStatus", "Interface: Local/101@agents", "StateInterface: PJSIP/101"),
]


@pytest.mark.parametrize("event", OWN_DEVICE)
@pytest.mark.parametrize("prefix", ["pjsip/101", "PJSIP/101-"])
def test_an_event_of_the_users_own_device_passes(prefix: str, event: tuple[str, ...]) -> None:
    """Under whatever header: the technology and the name are those of the user's channels."""
    for more in (False, True):
        user = User(channel=prefix, more_events=more)
        other = [line.replace("101", "103") for line in event[1:]]

        assert Client(user).event(*event)
        assert bool(Client(user).event(event[0], *other)) is (
            more and event[0] not in ("ChallengeSent", "QueueMemberStatus")
        )


@pytest.mark.parametrize(
    "event",
    [
        ("DeviceStateChange", "Device: SIP/101"),
        ("DeviceStateChange", "Device: 101"),
        ("PeerStatus", "Peer: IAX2/101"),
        ("SIPQualifyPeerDone", "Peer: 101"),
        ("ChallengeSent", "Service: SIP", "AccountID: 101"),
        ("SuccessfulAuth", "Service: AMI", "AccountID: 101"),
        ("ExtensionStatus", "Hint: PJSIP/102,PJSIP/101"),
        ("PresenceStateChange", "Presentity: PJSIP/101"),
        # A CEL names channels in Peer: in a conference strangers.
        ("CEL", "Channel: PJSIP/102-1", "Uniqueid: 2.1", "Peer: PJSIP/101-00000001"),
        ("ExtensionStatus", "Exten: 101", "Context: out", "Hint: PJSIP/101"),
    ],
)
def test_a_device_of_that_name_alone_is_anothers(event: tuple[str, ...]) -> None:
    """The technology has to be the same, and the event about the device itself."""
    assert not Client(User(channel="pjsip/101", in_context="in")).event(*event)


def test_with_its_hyphen_the_prefix_means_one_device() -> None:
    """Without it a prefix means all that begin so, as for channels."""
    for device in ("PJSIP/1012", "PJSIP/101-desk"):
        assert Client(User(channel="pjsip/101")).event("X", f"Device: {device}")
        assert not Client(User(channel="pjsip/101-")).event("X", f"Device: {device}")


def test_an_event_of_a_device_makes_no_call_known() -> None:
    """A UserEvent says of whom it is, and a bridge in it stays another's."""
    client = Client(User(channel="pjsip/101"))

    assert client.event("UserEvent", "Device: PJSIP/101", "BridgeUniqueid: b1")
    assert not client.event("BridgeDestroy", *BASIC)


@pytest.mark.parametrize("user", [User(channel="pjsip/101"), User(in_context="in")])
def test_more_events_are_never_those_of_the_class_security(user: User) -> None:
    """They tell who logs in from where, with which challenge."""
    more = dataclasses.replace(user, more_events=True)

    for privilege in ("security,all", "Security", "call, security"):
        assert not Client(more).event("ChallengeSent", f"Privilege: {privilege}", "AccountID: 102")
    assert Client(more).event("PeerStatus", "Privilege: system,all", "Peer: PJSIP/102")
    assert Client(more).event("BridgeCreate", "Privilege: call,all", *BASIC)


EVENTS = (
    "Cdr", "CDR", "Bridge", "Link", "BridgeCreate", "BridgeEnter", "BridgeLeave", "BridgeDestroy", "Transfer",
    "BlindTransfer", "AttendedTransfer", "Newchannel", "LocalBridge", "VarSet", "SetVar", "Set", "Foo", "",
)  # fmt: skip
CDR, BRIDGE, TRANSFER = set(EVENTS[:2]), set(EVENTS[2:8]), set(EVENTS[8:11])


@pytest.mark.parametrize(
    ("names", "passes"),
    [
        (["cdronly"], CDR),
        (["brionly"], BRIDGE),
        (["xfronly"], TRANSFER),
        (["cdronly", "xfronly"], CDR | TRANSFER),
        (["cdronly", "brionly", "xfronly"], CDR | BRIDGE | TRANSFER),
        (["novar"], set(EVENTS) - {"VarSet", "SetVar", "Set"}),
        (["cdronly", "novar"], CDR),
        ([], set(EVENTS)),
    ],
)
def test_kinds_of_events(names: list[str], passes: set[str]) -> None:
    """They add up; novar hides Set, SetVar and VarSet (golden session filt_novar)."""
    client = Client(only(*names))

    assert {name for name in EVENTS if client.event(name, "A: b")} == passes
    assert client.filter.active == bool(names)


def test_answers_to_the_client_always_pass() -> None:
    """Even list items of others' channels; these make no call known."""
    user = User(channel="sip/100", in_context="in", filters=frozenset(["cdronly", "novar"]))
    client = Client(user)

    assert client.hears("Response: Success", "ActionID: 1", answer=True)
    assert client.event(
        "Status", "Channel: SIP/200-1", "Uniqueid: 2.1", "Context: out", answer=True
    )
    assert client.event(
        "CoreShowChannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1", answer=True
    )

    assert not client.event("Cdr", "Channel: SIP/200-1", "UniqueID: 2.1")


@pytest.mark.parametrize(
    ("user", "named", "nameless"),
    [
        (User(channel="sip/100"), False, False),
        (User(in_context="in"), False, False),
        (User(channel="sip/100", more_events=True), False, False),
        (only("cdronly"), False, False),
        (only("novar"), True, True),
        (User(), True, True),
    ],
)
def test_answers_to_others(user: User, named: bool, nameless: bool) -> None:
    """Clients filtered by call or kind do not get them, with ActionID or without."""
    answer = ("Response: Success", "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert bool(Client(user).hears(*answer, "ActionID: of another")) is named
    assert bool(Client(user).hears(*answer)) is nameless


def test_the_text_of_an_answer_names_no_channel() -> None:
    """Command output may look like any header."""
    assert not Client(User(channel="sip/100")).hears(
        "Response: Follows", "Event: X", "Channel: SIP/100"
    )


def test_the_proxys_own_messages_pass() -> None:
    """They are never filtered."""
    filtered = SessionFilter(User(channel="sip/100", filters=frozenset(["cdronly"])), "off")
    message = Message.of("ProxyMessage: Proxy Shutting Down", own=True)

    assert filtered.incoming(message, "pbx", answer=False) == (message,)


def test_a_user_without_filters_of_events_has_no_active_filter() -> None:
    """Contexts of actions and accounts withhold no event."""
    user = User(
        out_context="out", accountcode="a", more_events=True, filters=frozenset(["whatever"])
    )

    assert not SessionFilter(user, "enforce").active
    assert Client(user).event("X", "A: b")


def test_what_came_before_the_login_is_withheld() -> None:
    """A message that no call table has noted for filters is not judged by channels it lacks."""
    own = Message.of("Event: X", "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert not SessionFilter(User(channel="sip/100"), "off").incoming(own, "pbx", answer=False)
    assert SessionFilter(only("novar"), "off").incoming(own, "pbx", answer=False)
