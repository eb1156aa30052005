# SPDX-License-Identifier: GPL-2.0-or-later
"""What passes to and from a client with the filters of spec section 8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.facts import CHANNEL_HEADERS, LINKEDID_HEADERS, UNIQUEID_HEADERS
from tests.routing.support import User


def only(*names):
    """Return a user with the *filters* of these *names*."""
    return User(filters=frozenset(names))


class Client:
    """One filtered client of one Asterisk, ``pbx``, and of others."""

    def __init__(self, user, local="off", **limits):
        self.filter = SessionFilter(user, local, **limits)
        self.tables = {}

    def event(self, name, *lines, scope="pbx", answer=False):
        """Let *scope* say an event; return what the client gets, as texts."""
        return self.says(f"Event: {name}", *lines, scope=scope, answer=answer)

    def says(self, *lines, scope="pbx", answer=False):
        """Let *scope* say *lines*; return what the client gets, as texts without line ends."""
        message = Message.of(*lines)
        self.tables.setdefault(scope, CallTable()).note(message)
        return [" | ".join(got.lines) for got in self.filter.incoming(message, scope, answer)]

    def sends(self, *lines):
        """Return the lines of the action that goes to Asterisk, or None."""
        message = self.filter.outgoing(Message.of(*lines))
        return message and list(message.lines)


# --- From Asterisk: channel ----------------------------------------------------------


@pytest.mark.parametrize("channel", ["SIP/aBc-1", "sip/abc", "SIP/ABCDE"])
def test_a_channel_is_a_prefix_in_any_case(channel):
    """Golden session filt_channel_lower."""
    assert Client(User(channel="sIp/AbC")).event("X", f"Channel: {channel}", "Uniqueid: 1.1")


@pytest.mark.parametrize("channel", ["SIP/ab-1", "XSIP/abc", "", "Local/SIP/abc"])
def test_another_channel_is_withheld(channel):
    """A prefix stands at the beginning."""
    assert not Client(User(channel="sip/abc")).event("X", f"Channel: {channel}", "Uniqueid: 1.1")


SPEC_HEADERS = """
    Channel Channel1 Channel2 Source Destination DestinationChannel ChannelCalling DestChannel
    BridgedChannel TransfererChannel OrigTransfererChannel TransfereeChannel
    TransferTargetChannel SpyerChannel SpyeeChannel LocalOneChannel LocalTwoChannel
    ParkeeChannel Interface
"""


@pytest.mark.parametrize("header", [*SPEC_HEADERS.split(), *CHANNEL_HEADERS])
def test_every_channel_header_counts(header):
    """Any of them may name the user's channel, in any case, beside another's."""
    client = Client(User(channel="sip/100"))

    assert client.event("X", "Channel: SIP/200-1", f"{header.upper()}: SIP/100-1")
    assert client.event("X", "Channel: SIP/200-1", f"{header}:SIP/100-1")
    assert not client.event("X", "Channel: SIP/200-1", f"{header}: SIP/300-1")


@pytest.mark.parametrize(
    "header",
    [
        "Uniqueid", "UniqueID", "Uniqueid1", "Uniqueid2", "SrcUniqueID", "DestUniqueID", "DestUniqueid",
        *UNIQUEID_HEADERS, *LINKEDID_HEADERS,
    ],
)  # fmt: skip
def test_every_unique_id_is_remembered_and_known_again(header):
    """An id that came with the user's channel makes events of it pass, whichever header it is in."""
    client = Client(User(channel="sip/100"))
    assert not client.event("X", f"{header}: 2.1")

    assert client.event("Dial", "Channel: SIP/100-1", f"{header}: 2.1")

    assert client.event("X", "Channel: SIP/200-1", f"{header}: 2.1")
    assert client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.2")


def test_an_event_of_an_unknown_id_without_channel_is_withheld():
    """C lets it pass, and makes the id known: a leak (spec: one header must match)."""
    client = Client(User(channel="sip/100"))

    assert not client.event("X", "Uniqueid: 2.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")


def test_ids_end_with_their_hangup():
    """The Hangup passes, what follows does not, another id of the call still does."""
    client = Client(User(channel="sip/100"))
    client.event("Dial", "Channel: SIP/100-1", "Uniqueid: 1.1", "DestUniqueid: 2.1")

    assert client.event("Hangup", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("Hangup", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("X", "Channel: SIP/300-1", "Uniqueid: 3.1", "Linkedid: 2.1")
    assert client.event("X", "Channel: SIP/300-1", "Uniqueid: 3.1", "Linkedid: 1.1")


def test_a_gone_channel_is_not_remembered_anew():
    """The Cdr after the Hangup, or a Linkedid of those who stay, keep no memory alive."""
    client = Client(User(channel="sip/100"))
    client.event("Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")
    client.event("Hangup", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")

    assert client.event("Cdr", "Channel: SIP/100-1", "UniqueID: 1.1")
    assert client.event("X", "Channel: SIP/100-2", "Uniqueid: 1.2", "Linkedid: 1.1")

    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 1.1")


def test_unique_ids_of_two_servers_are_two():
    """Two Asterisks may give the same id; one that is lost forgets only its own."""
    client = Client(User(channel="sip/100"))
    client.event("X", "Channel: SIP/100-1", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 1.1", scope="other")
    client.event("X", "Channel: SIP/100-1", "Uniqueid: 1.1", scope="other")

    client.filter.forget("pbx")
    client.filter.forget("never seen")

    assert not client.event("X", "Uniqueid: 1.1")
    assert client.event("X", "Uniqueid: 1.1", scope="other")


@pytest.mark.parametrize("value", ["", "<unknown>", "<none>", "none"])
def test_what_stands_for_no_id_links_nobody(value):
    """A failed OriginateResponse has ``Uniqueid: <unknown>``."""
    client = Client(User(channel="sip/100"))
    client.event("OriginateResponse", "Channel: SIP/100", f"Uniqueid: {value}")

    assert not client.event("OriginateResponse", "Channel: SIP/200", f"Uniqueid: {value}")


def test_the_memory_is_bounded_and_the_oldest_goes():
    """Of ids whose Hangup never comes the oldest are dropped, per server."""
    client = Client(User(channel="sip/100"), most_ids=3)
    for number in range(5):
        client.event("X", "Channel: SIP/100-1", f"Uniqueid: {number}.1")

    assert not client.event("X", "Uniqueid: 1.1")
    assert client.event("X", "Uniqueid: 2.1")
    assert client.event("X", "Uniqueid: 4.1")


def test_a_user_event_opens_no_call():
    """Its sender chose the headers: his own channel beside another's unique id."""
    client = Client(User(channel="sip/100"))

    assert client.event(
        "UserEvent", "Channel: SIP/100", "Uniqueid: 2.1", "Event: Hangup", "Response: Success"
    )

    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")


# --- From Asterisk: bridges ----------------------------------------------------------

BASIC = ("BridgeUniqueid: b1", "BridgeType: basic")
CONFERENCE = ("BridgeUniqueid: b1", "BridgeType: base")


@pytest.mark.parametrize("own_first", [True, False])
def test_a_bridge_links_two_calls(own_first):
    """Two calls that were nothing to each other are one, in whichever order they enter."""
    client = Client(User(channel="sip/100"))
    client.event("Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")
    client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 2.1")
    own = ("BridgeEnter", *BASIC, "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")
    other = ("BridgeEnter", *BASIC, "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 2.1")

    got = []
    for event in (own, other) if own_first else (other, own):
        got += client.event(*event)

    assert "Event: Newchannel | Channel: SIP/200-1 | Uniqueid: 2.1 | Linkedid: 2.1" in got
    assert client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert client.event("BridgeDestroy", *BASIC)
    assert not client.event("BridgeDestroy", *BASIC)


def test_a_conference_links_nobody():
    """Who else is in it is nobody's business, nor is the bridge itself."""
    client = Client(User(channel="sip/100"))

    assert not client.event("BridgeEnter", *CONFERENCE, "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert client.event("BridgeEnter", *CONFERENCE, "Channel: SIP/100-1", "Uniqueid: 1.1")
    assert not client.event("BridgeLeave", *CONFERENCE, "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("BridgeDestroy", *CONFERENCE)


def test_who_left_the_bridge_before_is_not_linked():
    """Nor who is gone altogether."""
    client = Client(User(channel="sip/100"))
    for uid in ("2.1", "3.1"):
        client.event("BridgeEnter", *BASIC, "Channel: SIP/200-1", f"Uniqueid: {uid}")
    client.event("BridgeLeave", *BASIC, "Channel: SIP/200-1", "Uniqueid: 2.1")
    client.event("Hangup", "Channel: SIP/200-1", "Uniqueid: 3.1")

    client.event("BridgeEnter", *BASIC, "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert not client.event("X", "Uniqueid: 2.1")
    assert not client.event("X", "Uniqueid: 3.1")


# --- From Asterisk: the replay -------------------------------------------------------


def test_the_replay_of_the_golden_session():
    """Golden session filt_replay, message by message."""
    client = Client(User(channel="sip/100"))
    new100 = ("Newchannel", "Channel: SIP/100-01", "Uniqueid: 1.1", "State: Down", "Server: h")
    new200 = ("Newchannel", "Channel: SIP/200-01", "Uniqueid: 2.1", "State: Down", "Server: h")
    up200 = ("Newstate", "Channel: SIP/200-01", "Uniqueid: 2.1", "State: Up", "Server: h")
    dial = (
        "Dial",
        "Channel: SIP/100-01",
        "Destination: SIP/200-01",
        "UniqueID: 1.1",
        "DestUniqueID: 2.1",
    )
    bridge = (
        "Bridge",
        "Channel1: SIP/100-01",
        "Channel2: SIP/200-01",
        "Uniqueid1: 1.1",
        "Uniqueid2: 2.1",
    )
    hangup = ("Hangup", "Channel: SIP/200-01", "Uniqueid: 2.1")

    def text(event):
        return " | ".join((f"Event: {event[0]}", *event[1:]))

    assert client.event(*new100) == [text(new100)]
    assert client.event(*new200) == []
    assert client.event(*up200) == []
    assert client.event(*dial) == [text(new200), text(up200), text(dial)]
    assert client.event(*bridge) == [text(bridge)]
    assert client.event(*hangup) == [text(hangup)]
    assert client.event(*hangup) == []


def test_only_the_latest_state_is_replayed():
    """And a call without any Newstate has its Newchannel alone replayed."""
    client = Client(User(channel="sip/100"))
    client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1")
    client.event("Newchannel", "Channel: SIP/300-1", "Uniqueid: 3.1")
    client.event("Newstate", "Channel: SIP/200-1", "Uniqueid: 2.1", "State: Ring")
    client.event("Newstate", "Channel: SIP/200-1", "Uniqueid: 2.1", "State: Up")

    got = client.event("DialBegin", "Channel: SIP/100-1", "Uniqueid: 2.1", "DestUniqueid: 3.1")

    assert got[:-1] == [
        "Event: Newchannel | Channel: SIP/200-1 | Uniqueid: 2.1",
        "Event: Newstate | Channel: SIP/200-1 | Uniqueid: 2.1 | State: Up",
        "Event: Newchannel | Channel: SIP/300-1 | Uniqueid: 3.1",
    ]


def test_an_outgoing_leg_brings_the_leg_it_comes_from():
    """Its Newchannel names the first leg as Linkedid: that one's Newchannel comes before."""
    client = Client(User(channel="sip/100"))
    first = ("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 2.1")
    assert client.event(*first) == []

    got = client.event("Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1")

    assert [line.split(" | ")[1] for line in got] == ["Channel: SIP/200-1", "Channel: SIP/100-1"]


def test_a_late_client_gets_newchannel_before_newstate():
    """Who logged in during the call: the state is the message itself, and not sent twice."""
    client = Client(User(channel="sip/100"))
    table = client.tables["pbx"] = CallTable()
    table.note(Message.of("Event: Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1"))
    table.note(Message.of("Event: Newstate", "Channel: SIP/100-1", "Uniqueid: 1.1", "State: Ring"))

    got = client.event("Newstate", "Channel: SIP/100-1", "Uniqueid: 1.1", "State: Up")

    assert got == [
        "Event: Newchannel | Channel: SIP/100-1 | Uniqueid: 1.1",
        "Event: Newstate | Channel: SIP/100-1 | Uniqueid: 1.1 | State: Up",
    ]


def test_each_client_has_its_own_replay():
    """What one was sent does not count for the other."""
    table = CallTable()
    table.note(Message.of("Event: Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1"))
    dial = Message.of("Event: Dial", "Channel: SIP/100-1", "Uniqueid: 1.1", "DestUniqueID: 2.1")
    table.note(dial)

    for user in (User(channel="sip/100"), User(channel="sip/10")):
        filtered = SessionFilter(user, "off")
        assert len(filtered.incoming(dial, "pbx", answer=False)) == 2
        assert len(filtered.incoming(dial, "pbx", answer=False)) == 1


def test_who_wants_some_kinds_only_gets_no_replay():
    """But his calls are followed, so that the other leg's event is known as his."""
    client = Client(User(channel="sip/100", filters=frozenset(["brionly"])))
    assert not client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("DialBegin", "Channel: SIP/100-1", "Uniqueid: 1.1", "DestUniqueid: 2.1")

    assert len(client.event("BridgeEnter", "Channel: SIP/200-1", "Uniqueid: 2.1")) == 1
    assert not client.event("BridgeEnter", "Channel: SIP/300-1", "Uniqueid: 3.1")


def test_a_variable_that_is_withheld_makes_no_call_known():
    """Else the replay would be lost with it."""
    client = Client(User(channel="sip/100", filters=frozenset(["novar"])))
    client.event("Newchannel", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("VarSet", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1")

    assert len(client.event("X", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 2.1")) == 2


# --- From Asterisk: contexts, more_events, kinds, answers ----------------------------


def test_in_context_of_the_golden_session():
    """Golden session filt_icontext."""
    client = Client(User(in_context="internal"))

    assert client.event("Newexten", "Context: internal", "Channel: SIP/1", "Uniqueid: 1.1")
    assert not client.event("Newexten", "Context: other", "Channel: SIP/2", "Uniqueid: 2.1")
    assert not client.event("NoCtx", "A: b")
    assert client.event("NoCtxUid", "Uniqueid: 9.9")


def test_in_context_counts_case():
    """Context names are case-sensitive."""
    assert not Client(User(in_context="internal")).event("X", "Context: Internal", "Uniqueid: 1.1")
    assert Client(User(in_context="Internal")).event("X", "Context: Internal", "Uniqueid: 1.1")


def test_a_channel_that_left_the_context_still_ends():
    """The Hangup of a channel the client saw passes, wherever it is then; no other does."""
    client = Client(User(in_context="in"))
    client.event("Newchannel", "Context: in", "Channel: SIP/1", "Uniqueid: 1.1")
    client.event("Newchannel", "Context: out", "Channel: SIP/2", "Uniqueid: 2.1")

    assert not client.event("Newexten", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")
    assert client.event("Hangup", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")
    assert not client.event("Hangup", "Context: out", "Channel: SIP/2", "Uniqueid: 2.1")


def test_a_call_that_comes_into_the_context_is_shown_whole():
    """Its Newchannel was elsewhere, and comes now."""
    client = Client(User(in_context="in"))
    assert not client.event("Newchannel", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")

    assert len(client.event("Newexten", "Context: in", "Channel: SIP/1", "Uniqueid: 1.1")) == 2


def test_an_event_without_context_opens_no_call():
    """It passes, as in C; the Newchannel that was withheld stays withheld, and so its Hangup."""
    client = Client(User(in_context="in"))
    assert not client.event("Newchannel", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")

    assert len(client.event("OriginateResponse", "Channel: SIP/1", "Uniqueid: 1.1")) == 1
    assert not client.event("Hangup", "Context: out", "Channel: SIP/1", "Uniqueid: 1.1")


def test_an_empty_context_is_fine_in_a_known_call_only():
    """A dialled channel has none yet; so have the channels of others."""
    client = Client(User(in_context="in"))
    client.event("DialBegin", "Context: in", "Uniqueid: 1.1", "DestUniqueid: 1.2")

    assert client.event("Newstate", "Context: ", "Uniqueid: 1.2")
    assert not client.event("Newstate", "Context: ", "Uniqueid: 2.2")


@pytest.mark.parametrize("header", ["DestContext", "DestinationContext", "TransfereeContext"])
def test_without_a_context_those_of_the_parties_count(header):
    """The DialBegin of an Originate has no caller, a Cdr only its destination's context."""
    client = Client(User(in_context="in"))

    assert client.event("X", "Uniqueid: 1.1", f"{header}: in")
    assert client.event("X", "Uniqueid: 1.2", "LocalTwoContext: out", f"{header}: in")
    assert client.event("X", "Uniqueid: 1.3", "Context: in", f"{header}: out")
    assert not client.event("X", "Uniqueid: 1.4", f"{header}: out")
    assert not client.event("X", "Uniqueid: 1.5", "Context: out", f"{header}: in")


def test_channel_and_context_have_both_to_fit():
    """Two filters let pass what both let pass."""
    client = Client(User(channel="sip/100", in_context="in"))

    assert client.event("X", "Channel: SIP/100-1", "Context: in", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/100-1", "Context: out", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/200-1", "Context: in", "Uniqueid: 2.1")


@pytest.mark.parametrize("filtered", [{"channel": "sip/100"}, {"in_context": "in"}])
def test_more_events_lets_events_without_id_pass(filtered):
    """Withheld without it; another's channel stays withheld with it."""
    assert not Client(User(**filtered)).event("PeerStatus", "Peer: SIP/200")
    assert Client(User(**filtered, more_events=True)).event("PeerStatus", "Peer: SIP/200")
    assert Client(User(**filtered, more_events=True)).event("BridgeCreate", *BASIC)
    assert not Client(User(**filtered)).event("BridgeCreate", *BASIC)
    assert not Client(User(channel="sip/100", more_events=True)).event("X", "Interface: SIP/200")


def test_an_event_without_id_that_names_the_channel_passes():
    """QueueMemberStatus of one's own phone is one's own."""
    assert Client(User(channel="sip/100")).event("QueueMemberStatus", "Interface: SIP/100")


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
def test_kinds_of_events(names, passes):
    """They add up; novar takes Set, SetVar and VarSet; without ids (golden session filt_novar)."""
    client = Client(only(*names))

    assert {name for name in EVENTS if client.event(name, "A: b")} == passes
    assert client.filter.active == bool(names)


def test_answers_to_the_client_always_pass():
    """Whatever they are, list items of others' channels too; these open no call."""
    user = User(channel="sip/100", in_context="in", filters=frozenset(["cdronly", "novar"]))
    client = Client(user)

    assert client.says("Response: Success", "ActionID: 1", answer=True)
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
        (User(channel="sip/100", more_events=True), False, True),
        (only("cdronly"), False, False),
        (only("novar"), True, True),
        (User(), True, True),
    ],
)
def test_answers_to_others(user, named, nameless):
    """Withheld from who is filtered by call or kind; those without ActionID count as events."""
    answer = ("Response: Success", "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert bool(Client(user).says(*answer, "ActionID: of another")) is named
    assert bool(Client(user).says(*answer)) is nameless


def test_command_output_names_no_channel():
    """Whatever stands in the text of an answer."""
    assert not Client(User(channel="sip/100")).says(
        "Response: Follows", "Event: X", "Channel: SIP/100"
    )


def test_the_proxys_own_messages_pass():
    """They are never filtered."""
    filtered = SessionFilter(User(channel="sip/100", filters=frozenset(["cdronly"])), "off")
    message = Message.of("ProxyMessage: Proxy Shutting Down", own=True)

    assert filtered.incoming(message, "pbx", answer=False) == (message,)


def test_who_has_no_filter_of_events_is_not_active():
    """Contexts of actions and accounts withhold no event."""
    user = User(
        out_context="out", accountcode="a", more_events=True, filters=frozenset(["whatever"])
    )

    assert not SessionFilter(user, "enforce").active
    assert Client(user).event("X", "A: b")


# --- To Asterisk: channels -----------------------------------------------------------

OWN, OTHER = "SIP/100-1", "SIP/200-1"


@pytest.mark.parametrize(
    ("action", "header"),
    [
        ("Originate", "Channel"),
        ("Hangup", "Channel"),
        ("Redirect", "ExtraChannel"),
        ("Bridge", "Channel1"),
        ("Bridge", "Channel2"),
        ("Park", "TimeoutChannel"),
        ("Park", "AnnounceChannel"),
        ("QueueAdd", "Interface"),
        ("QueueAdd", "StateInterface"),
        ("QueueWithdrawCaller", "Caller"),
        ("AOCMessage", "ChannelPrefix"),
        ("Foo", "DestChannel"),
    ],
)
def test_every_header_that_names_a_channel_is_checked(action, header):
    """In any case, with or without blank, be it the second of its name."""
    client = Client(User(channel="Sip/100"))
    rest = ("Channel: SIP/100-1", "ActionID: 1")

    assert client.sends(f"Action: {action}", *rest, f"{header}: {OWN}")
    assert client.sends(f"Action: {action}", *rest, f"{header}: ") is not None
    for line in (f"{header}: {OTHER}", f"{header.upper()}:{OTHER}", f"{header}:   {OTHER}"):
        assert client.sends(f"Action: {action}", *rest, line) is None
        assert client.sends(f"Action: {action}", *rest, f"{header}: {OWN}", line) is None


@pytest.mark.parametrize("channel", ["/^SIP.*$/", "/SIP\\/100/", "1795412250.358", "all"])
def test_a_pattern_or_a_unique_id_is_no_channel_of_ones_own(channel):
    """Hangup takes patterns, every action takes unique ids instead of names."""
    assert Client(User(channel="sip/100")).sends("Action: Hangup", f"Channel: {channel}") is None


def test_actions_without_channel_pass_untouched():
    """Ping and the like; the very message.  Who a text is from is no channel."""
    for message in (
        Message.of("Action: Ping", "ActionID: 1"),
        Message.of("Action: MessageSend", "To: sip:200", "From: sip:100", "Body: x"),
    ):
        assert SessionFilter(User(channel="sip/100"), "off").outgoing(message) is message


def test_channels_are_free_without_channel_filter():
    """Whatever else is set."""
    client = Client(User(out_context="out", in_context="in", filters=frozenset(["novar"])))

    assert client.sends("Action: Hangup", f"Channel: {OTHER}")


@pytest.mark.parametrize("header", ["ChannelId", "OtherChannelId"])
def test_an_originate_takes_no_id_of_anothers_channel(header):
    """An id of one's own making is fine; what Asterisk made, or a channel's name, is not."""
    client = Client(User(channel="sip/100"))
    client.event("X", "Channel: SIP/100-1", "Uniqueid: made-by-another")
    originate = ("Action: Originate", "Channel: SIP/100")

    assert client.sends(*originate, f"{header}: 6f1c-77")
    for uid in ("1795412250.358", "pbx1-1795412250.358", "SIP/200-1", "made-by-another"):
        assert client.sends(*originate, f"{header}: {uid}") is None


def test_a_unique_id_must_be_known_to_the_client():
    """QueueLog and UserEvent may name calls the client sees, and no others."""
    client = Client(User(channel="sip/100"))
    client.event("X", "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert client.sends("Action: QueueLog", "Queue: q", "Uniqueid: 1.1")
    assert client.sends("Action: QueueLog", "Queue: q", "Uniqueid: 2.1") is None
    assert client.sends("Action: UserEvent", "UserEvent: x", "Linkedid: 2.1") is None


@pytest.mark.parametrize("action", ["DAHDIHangup", "DAHDITransfer", "DAHDIDNDon"])
def test_a_dahdi_channel_is_named_by_its_number(action):
    """These actions need no class: only the channel filter stands before another's call."""
    assert Client(User(channel="sip/100")).sends(f"Action: {action}", "DAHDIChannel: 3") is None
    client = Client(User(channel="DAHDI/3-"))
    assert client.sends(f"Action: {action}", "DAHDIChannel: 3")
    assert client.sends(f"Action: {action}", "DAHDIChannel: 31") is None


def test_a_bridge_must_be_that_of_a_call_of_ones_own():
    """BridgeDestroy needs no class, and hangs up whoever is in the bridge."""
    client = Client(User(channel="sip/100"))
    client.event(
        "BridgeEnter",
        "BridgeUniqueid: own",
        "BridgeType: basic",
        "Channel: SIP/100-1",
        "Uniqueid: 1.1",
    )

    assert client.sends("Action: BridgeDestroy", "BridgeUniqueid: own")
    assert client.sends("Action: BridgeDestroy", "BridgeUniqueid: other") is None
    kick = ("Action: BridgeKick", "BridgeUniqueid: other")
    assert client.sends(*kick, f"Channel: {OWN}")
    assert client.sends(*kick, f"Channel: {OTHER}") is None
    assert Client(User(out_context="in")).sends(*kick)


@pytest.mark.parametrize(
    "raw",
    [
        b"Action: Ping\r\nX: y\nChannel: SIP/200\r\n\r\n",
        b"Action: Ping\r\nX: y\n\nAction: Hangup\r\n\r\n",
        b"Action: Ping\r\n\0\r\nAction: Hangup\r\n\r\n",
        b"Action: Ping\r\nChannel: SIP/100\0\r\n\r\n",
    ],
)
def test_what_asterisk_would_read_otherwise_is_refused(raw):
    """To it a bare LF ends a line, and a NUL a line or the message."""
    for user in (User(channel="sip/100"), User(out_context="in")):
        assert SessionFilter(user, "off").outgoing(Message(raw)) is None


@given(st.binary(max_size=60), st.sampled_from(["off", "allow", "allowwith", "enforce"]))
def test_any_action_is_passed_or_refused(noise, local):
    """Noise raises nothing, and another's channel never passes beside it."""
    filtered = SessionFilter(User(channel="sip/100", out_context="in", accountcode="a"), local)

    filtered.outgoing(Message(b"Action: Originate\r\n" + noise + b"\r\n\r\n"))
    assert filtered.outgoing(Message(b"Channel: SIP/200\r\n" + noise + b"\r\n\r\n")) is None


# --- To Asterisk: Local channels -----------------------------------------------------

LOCALS = {
    # channel: what goes to Asterisk for allow, allowwith, enforce; None: refused
    "Local/5@internal": ("Local/5@internal", "Local/5@internal", "Local/5@internal"),
    "Local/5@other": ("Local/5@other", None, "Local/5@internal"),
    "Local/5@Internal": ("Local/5@Internal", None, "Local/5@internal"),
    "Local/": ("Local/", None, "Local/@internal"),
    "local/@internal": ("local/@internal", "local/@internal", "local/@internal"),
    "Local/5": ("Local/5", None, "Local/5@internal"),
    "Local/5@internal/n": ("Local/5@internal/n", "Local/5@internal/n", "Local/5@internal/n"),
    "Local/5@other/n": ("Local/5@other/n", None, "Local/5@internal/n"),
    # Asterisk takes it for 5, without context, options n@internal.
    "Local/5/n@internal": ("Local/5/n@internal", None, None),
    "Local/5@internal@other": ("Local/5@internal@other", None, "Local/5@internal"),
    "LocalX/5@internal": (None, None, None),
    "SIP/100": ("SIP/100", "SIP/100", "SIP/100"),
    "SIP/200": (None, None, None),
}


@pytest.mark.parametrize("channel", LOCALS)
def test_filterlocal(channel):
    """Golden sessions filterlocal_off and filterlocal_allow, and the two others."""
    rest = ("Exten: 1", "ActionID: 1")
    user = User(channel="sip/100", out_context="internal")
    for local, wanted in zip(("allow", "allowwith", "enforce"), LOCALS[channel]):
        got = Client(user, local).sends("Action: Originate", f"Channel: {channel}", *rest)
        assert got == (wanted and ["Action: Originate", f"Channel: {wanted}", *rest]), local

    off = Client(user, "off").sends("Action: Originate", f"Channel: {channel}", *rest)
    assert (off is not None) == (channel == "SIP/100")


@pytest.mark.parametrize("local", ["off", "allow", "allowwith", "enforce"])
def test_filterlocal_is_for_originate_alone(local):
    """Golden sessions: Redirect of a Local channel is refused; so is what may not be an Originate."""
    client = Client(User(channel="sip/100", out_context="internal"), local)

    assert client.sends("Action: Redirect", "Channel: Local/5@internal") is None
    assert client.sends("Action: Hangup", "Action: Originate", "Channel: Local/5@internal") is None
    assert (
        client.sends("Action: Originate", "Channel: SIP/100", "ExtraChannel: Local/5@internal")
        is None
    )


def test_filterlocal_without_out_context():
    """There is nothing to compare with, or to put in: refused."""
    for local in ("allowwith", "enforce"):
        client = Client(User(channel="sip/100"), local)
        assert client.sends("Action: Originate", "Channel: Local/5") is None
        assert client.sends("Action: Originate", "Channel: Local/5@x") is None


def test_a_local_channel_of_ones_own_stays():
    """Who was given ``local/5@x`` by the administrator may use it as any own channel."""
    for local in ("off", "allow", "allowwith", "enforce"):
        client = Client(User(channel="local/5@x", out_context="internal"), local)
        assert client.sends("Action: Originate", "Channel: Local/5@x") == [
            "Action: Originate",
            "Channel: Local/5@x",
        ]


# --- To Asterisk: contexts and accounts ----------------------------------------------


@pytest.mark.parametrize("header", ["Context", "CONTEXT", "ExtraContext"])
def test_another_context_is_refused(header):
    """Case-sensitive, capitals match (C: never), every header counts."""
    client = Client(User(out_context="Internal"))

    assert client.sends("Action: Redirect", f"{header}: Internal")
    assert client.sends("Action: Redirect", f"{header}: ")
    assert client.sends("Action: Redirect")
    assert client.sends("Action: Redirect", f"{header}: internal") is None
    assert client.sends("Action: Redirect", f"{header}: Internal", f"{header}:other") is None


def test_in_context_refuses_no_action():
    """Golden session filt_icontext."""
    assert Client(User(in_context="internal")).sends(
        "Action: Originate", "Channel: SIP/1", "Context: other"
    )


def test_every_originate_is_on_the_users_account():
    """Added at the end, or overwritten in its place."""
    client = Client(User(accountcode="mine"))

    assert client.sends("Action: originate", "Channel: SIP/1") == [
        "Action: originate", "Channel: SIP/1", "Account: mine",
    ]  # fmt: skip
    assert client.sends("Action: Originate", "account: x", "ActionID: 1", "Account: y") == [
        "Action: Originate", "account: mine", "ActionID: 1", "Account: mine",
    ]  # fmt: skip
    # To Asterisk the first one counts, be it empty.
    assert client.sends("Action: Originate", "Account:") == ["Action: Originate", "Account: mine"]


def test_other_actions_are_on_the_users_account_if_on_any():
    """Nothing is added to them; the client's message itself never changes."""
    filtered = SessionFilter(User(accountcode="mine"), "off")
    ping = Message.of("Action: Ping")
    redirect = Message.of("Action: Foo", "Account: x")

    assert filtered.outgoing(ping) is ping
    assert filtered.outgoing(redirect) == Message.of("Action: Foo", "Account: mine")
    assert redirect == Message.of("Action: Foo", "Account: x")


def test_events_keep_their_account():
    """C overwrites it in events too, for other clients as well."""
    client = Client(User(accountcode="mine", filters=frozenset(["novar"])))

    assert client.event("X", "Account: theirs") == ["Event: X | Account: theirs"]
