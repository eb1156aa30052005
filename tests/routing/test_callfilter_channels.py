# SPDX-License-Identifier: GPL-2.0-or-later
"""Which events pass to a client with a channel filter, and which ids it gets to know."""

from __future__ import annotations

import pytest

from amiproxy.routing import headers
from amiproxy.routing.callfilter import MAX_ENDED
from tests.routing.support import Client, User, only


@pytest.mark.parametrize("channel", ["SIP/aBc-1", "sip/abc", "SIP/ABCDE"])
def test_a_channel_is_a_prefix_in_any_case(channel: str) -> None:
    """Golden session filt_channel_lower."""
    assert Client(User(channel="sIp/AbC")).event("X", f"Channel: {channel}", "Uniqueid: 1.1")


@pytest.mark.parametrize("channel", ["SIP/ab-1", "XSIP/abc", "", "Local/SIP/abc"])
def test_another_channel_is_withheld(channel: str) -> None:
    """The prefix must be at the beginning."""
    assert not Client(User(channel="sip/abc")).event("X", f"Channel: {channel}", "Uniqueid: 1.1")


SPEC_HEADERS = """
    Channel Channel1 Channel2 Source Destination DestinationChannel ChannelCalling DestChannel
    BridgedChannel TransfererChannel OrigTransfererChannel TransfereeChannel
    TransferTargetChannel SpyerChannel SpyeeChannel LocalOneChannel LocalTwoChannel
    ParkeeChannel Interface
"""


@pytest.mark.parametrize("header", [*SPEC_HEADERS.split(), *headers.CHANNELS, *headers.INTERFACES])
def test_every_channel_header_counts(header: str) -> None:
    """Any of them may name the user's channel, in any case, beside another's."""
    client = Client(User(channel="sip/100"))

    assert client.event("X", "Channel: SIP/200-1", f"{header.upper()}: SIP/100-1")
    assert client.event("X", "Channel: SIP/200-1", f"{header}:SIP/100-1")
    assert not client.event("X", "Channel: SIP/200-1", f"{header}: SIP/300-1")


@pytest.mark.parametrize(
    "header",
    [
        "Uniqueid", "UniqueID", "Uniqueid1", "Uniqueid2", "SrcUniqueID", "DestUniqueID", "DestUniqueid",
        *headers.UNIQUEIDS, *headers.LINKEDIDS,
    ],
)  # fmt: skip
def test_every_unique_id_is_remembered_and_known_again(header: str) -> None:
    """An id that came with the user's channel makes events of it pass, whichever header it is in."""
    client = Client(User(channel="sip/100"))
    assert not client.event("X", f"{header}: 2.1")

    assert client.event("Dial", "Channel: SIP/100-1", f"{header}: 2.1")

    assert client.event("X", "Channel: SIP/200-1", f"{header}: 2.1")
    assert client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.2")


def test_an_event_of_an_unknown_id_without_channel_is_withheld() -> None:
    """The C program lets it pass and makes the id known: a leak (spec: one header must match)."""
    client = Client(User(channel="sip/100"))

    assert not client.event("X", "Uniqueid: 2.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")


def test_ids_end_with_their_hangup() -> None:
    """The Hangup passes, what follows does not, another id of the call still does."""
    client = Client(User(channel="sip/100"))
    client.event("Dial", "Channel: SIP/100-1", "Uniqueid: 1.1", "DestUniqueid: 2.1")

    assert client.event("Hangup", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("Hangup", "Channel: SIP/200-1", "Uniqueid: 2.1")
    assert not client.event("X", "Channel: SIP/300-1", "Uniqueid: 3.1", "Linkedid: 2.1")
    assert client.event("X", "Channel: SIP/300-1", "Uniqueid: 3.1", "Linkedid: 1.1")


def test_a_gone_channel_is_not_remembered_anew() -> None:
    """Neither a Cdr nor a CEL after the Hangup makes it known again."""
    client = Client(User(channel="sip/100"))
    client.event("Newchannel", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")
    client.event("Hangup", "Channel: SIP/100-1", "Uniqueid: 1.1", "Linkedid: 1.1")

    assert client.event("Cdr", "Channel: SIP/100-1", "UniqueID: 1.1")
    assert client.event("CEL", "Channel: SIP/100-1", "UniqueID: 1.1", "LinkedID: 1.1")

    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 1.1")
    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1", "Linkedid: 1.1")


def call(client: Client, name: str, phone: int, linkedid: str = "100.1") -> list[str]:
    """Let the channel of a *phone* have the event *name*; return what the client gets."""
    ids = (f"Uniqueid: {phone}.1", f"Linkedid: {linkedid}")
    return client.event(name, f"Channel: SIP/{phone}-1", *ids)


def test_a_call_goes_on_until_its_last_channel_is_gone() -> None:
    """A blind transfer: the Linkedid alone says whose the new channel is, until its DialBegin."""
    client = Client(User(channel="sip/100"))
    assert call(client, "Newchannel", 100)
    assert call(client, "Newchannel", 200)
    assert call(client, "Hangup", 100)
    assert call(client, "Newchannel", 300)
    assert call(client, "Hangup", 200)
    assert client.filter.knows("100.1")

    assert call(client, "Hangup", 300)

    assert not client.filter.knows("100.1")
    assert not call(client, "Newchannel", 400)


def test_a_call_that_another_was_joined_to_ends_with_its_last_channel() -> None:
    """Then the Linkedid of a channel changes; what a CEL says of that may be old."""
    client = Client(User(channel="sip/100"))
    call(client, "Newchannel", 100, "90.1")
    call(client, "VarSet", 100, "80.1")
    assert (client.filter.knows("90.1"), client.filter.knows("80.1")) == (False, True)
    call(client, "CEL", 100, "90.1")
    call(client, "Hangup", 100, "80.1")

    assert not any(client.filter.knows(uid) for uid in ("80.1", "100.1"))
    # In Asterisk 11 nothing but the CEL has a Linkedid.
    assert client.event("CEL", "Channel: SIP/100-2", "UniqueID: 100.2", "LinkedID: 70.1")
    assert client.event("CEL", "Channel: SIP/300-2", "UniqueID: 300.2", "LinkedID: 70.1")
    assert client.event("Newchannel", "Channel: SIP/300-2", "UniqueID: 300.2")


@pytest.mark.parametrize("name", ["Cdr", "CEL"])
def test_a_late_cdr_or_cel_of_an_own_call_passes(name: str) -> None:
    """Of each of its channels; of no other call, and of no other Asterisk."""
    client = Client(User(channel="sip/100"))
    for event in ("Newchannel", "Hangup"):
        for phone in (100, 200):
            call(client, event, phone)
        call(client, event, 300, "300.1")
    late = (name, "Channel: SIP/200-1", "UniqueID: 200.1")

    assert client.event(*late)
    assert client.event(name, "Channel: SIP/201-1", "UniqueID: 201.1", "LinkedID: 100.1")
    assert not client.event(name, "Channel: SIP/300-1", "UniqueID: 300.1", "LinkedID: 300.1")
    assert not client.event(*late, scope="other")
    assert not client.event("VarSet", *late[1:])
    assert not client.filter.knows("200.1")
    client.filter.forget("pbx")
    assert not client.event(*late)


def test_a_late_cdr_obeys_context_and_kinds() -> None:
    """As an early one does."""
    for user, context, passes in (
        (User(channel="sip/100", in_context="in"), "in", True),
        (User(channel="sip/100", in_context="in"), "out", False),
        (User(channel="sip/100", in_context="in"), "", True),
        (only("cdronly"), "in", True),
        (User(channel="sip/100", filters=frozenset(["cdronly"])), "in", True),
        (User(channel="sip/100", filters=frozenset(["xfronly"])), "in", False),
    ):
        client = Client(user)
        for event in ("Newchannel", "Hangup"):
            for phone in (100, 200):
                call(client, event, phone)
        late = ("Channel: SIP/200-1", "UniqueID: 200.1", f"DestinationContext: {context}")

        assert bool(client.event("Cdr", *late)) is passes, (user, context)


def test_calls_that_have_ended_are_remembered_within_bounds() -> None:
    """The oldest are forgotten first."""
    client = Client(User(channel="sip/100"))
    for number in range(MAX_ENDED + 1):
        for event in ("Newchannel", "Hangup"):
            client.event(event, "Channel: SIP/100-1", f"Uniqueid: {number}.1")

    assert not client.event("Cdr", "Channel: SIP/200-1", "UniqueID: 0.1")
    assert client.event("Cdr", "Channel: SIP/200-1", "UniqueID: 1.1")


def test_the_same_unique_id_of_two_servers_means_two_channels() -> None:
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
def test_a_placeholder_for_an_unknown_id_links_nobody(value: str) -> None:
    """A failed OriginateResponse has ``Uniqueid: <unknown>``."""
    client = Client(User(channel="sip/100"))
    client.event("OriginateResponse", "Channel: SIP/100", f"Uniqueid: {value}")

    assert not client.event("OriginateResponse", "Channel: SIP/200", f"Uniqueid: {value}")


def test_the_memory_is_bounded_and_the_oldest_id_is_forgotten() -> None:
    """Of ids whose Hangup never comes the oldest are dropped, per server."""
    client = Client(User(channel="sip/100"), most_ids=3)
    for number in range(5):
        client.event("X", "Channel: SIP/100-1", f"Uniqueid: {number}.1")

    assert not client.event("X", "Uniqueid: 1.1")
    assert client.event("X", "Uniqueid: 2.1")
    assert client.event("X", "Uniqueid: 4.1")


def test_a_user_event_makes_no_call_known() -> None:
    """Its sender chose the headers: its own channel beside another's unique id."""
    client = Client(User(channel="sip/100"))

    assert client.event(
        "UserEvent", "Channel: SIP/100", "Uniqueid: 2.1", "Event: Hangup", "Response: Success"
    )

    assert not client.event("X", "Channel: SIP/200-1", "Uniqueid: 2.1")
