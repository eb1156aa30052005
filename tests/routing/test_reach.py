# SPDX-License-Identifier: GPL-2.0-or-later
"""What each action reaches, and on whose account calls are: the user's own."""

from __future__ import annotations

import pytest

from amiproxy.asterisk.actions import DEVICES, EVERYBODY, REACH, READS
from amiproxy.routing.classes import ALL
from amiproxy.web.origin import READ_ONLY
from tests.routing.support import AGI, GETVAR, ORIGINATE, SETVAR, Client, User


@pytest.mark.parametrize(
    "lines",
    [
        (*ORIGINATE, "Variable: CHANNEL(accountcode)=evil"),
        (*ORIGINATE, "Variable: A=1,CDR( AccountCode )=evil"),
        (*ORIGINATE, "variable:CDR(account\\code)=evil"),
        (*ORIGINATE, 'Variable: A=1|CHANNEL("accountcode")=evil'),
        (*ORIGINATE, "Variable: __ACCOUNTCODE=evil"),
        (*ORIGINATE, "Variable: CHANNEL(${X})=evil"),
        (*ORIGINATE, "Variable: CDR_PROP(disable)=1"),
        (*ORIGINATE, "Variable: CHANNEL(amaflags)=omit"),
        (*ORIGINATE, "Application: Set", "Data: CHANNEL(accountcode)=evil"),
        (*ORIGINATE, "Application: Set", "Data: CHANNEL(${X})=evil"),
        (*ORIGINATE, "Application: NoCDR"),
        (*ORIGINATE, "Application: SetAccount", "Data: evil"),
        (*ORIGINATE, "Application: ForkCDR"),
        (*SETVAR, "Variable: CHANNEL(accountcode)", "Value: evil"),
        (*SETVAR, "Variable: CHANNEL(peeraccount)", "Value: evil"),
        (*SETVAR, "Variable: CDR(accountcode,l)", "Value: evil"),
        (*AGI, "Command: SET VARIABLE CHANNEL(accountcode) evil"),
        (*AGI, "Command: EXEC NoCDR"),
        (*AGI, "Command: EXEC Set CHANNEL(${X})=evil"),
    ],
)
def test_nothing_undoes_the_account(lines: tuple[str, ...]) -> None:
    """A variable, function or application by which a call would be on another account."""
    assert Client(User(accountcode="mine")).sends(*lines) is None
    assert Client(User(channel="sip/100", accountcode="mine")).sends(*lines) is None


def test_the_account_can_be_read() -> None:
    """By Getvar and Status; other variables can be set."""
    client = Client(User(accountcode="mine"))

    assert client.sends(*GETVAR, "Variable: CHANNEL(accountcode)")
    assert client.sends("Action: Status", "Variables: CDR(accountcode)")
    assert client.sends(*SETVAR, "Variable: CDR(userfield)", "Value: ${X}")


@pytest.mark.parametrize("action", [name for name, one in REACH.items() if one.kind == EVERYBODY])
def test_an_action_on_what_is_everybodys_is_refused(action: str) -> None:
    """To a user who may act only on some channels; a context does not matter to it."""
    assert Client(User(channel="sip/100")).sends(f"Action: {action}") is None
    assert Client(User(out_context="in")).sends(f"Action: {action}")


@pytest.mark.parametrize("action", ["DBGet", "dbGetTree"])
def test_the_database_is_nobodys_own(action: str) -> None:
    """It holds passwords; who has the class system may read it by the function DB as well."""
    for user in (User(channel="sip/100"), User(out_context="in")):
        assert Client(user).sends(f"Action: {action}", "Family: AMPUSER") is None
    assert Client(User(channel="sip/100", write=ALL)).sends(f"Action: {action}", "Family: x")
    assert Client(User(accountcode="mine")).sends(f"Action: {action}", "Family: x")


@pytest.mark.parametrize("action", [name for name, one in REACH.items() if one.needed])
def test_an_action_that_means_everybodys_needs_a_name(action: str) -> None:
    """Without it, or with an empty one, it would be about all."""
    headers = [f"{name}: " for name in REACH[action].needed]

    assert Client(User(channel="sip/100")).sends(f"Action: {action}") is None
    assert Client(User(channel="sip/100")).sends(f"Action: {action}", *headers) is None


#: Header, values that name what belongs to PJSIP/101, and such that do not.
NAMED = {
    "Agent": (["101"], ["103"]),
    "AOR": (["101"], ["103"]),
    "Device": (["PJSIP/101"], ["101", "PJSIP/103"]),
    "Destination": (["pjsip:101", "PJSIP/101-00000001"], ["pjsip:103", "101", "sip:101"]),
    "Endpoint": (["101"], ["103", "SIP/101", "101,103", "all"]),
    "From": (
        ["101", "pjsip:101", "sip:101@pbx", '"Joe" <sip:101@pbx;user=phone>', "<101>"],
        ["103", "sip:103@pbx", '"101" <sip:103>', "<sip:103> <sip:101>", "sip:x@101", ">101"],
    ),
    "Line": ([], ["101", "PJSIP/103"]),
    "Mailbox": (["101", "101@default"], ["103@default", "101,103", "101&103", "/^1.*$/", "@101"]),
    "Member": (["PJSIP/101"], ["101", "PJSIP/103", "Local/101@agents"]),
    "Peer": ([], ["101", "103"]),
    "To": (
        ["pjsip:101", "PJSIP:101"],
        ["pjsip:103", "sip:101", "101", "pjsip:101/sip:x@pbx", "pjsip:101@pbx", "pjsip:sip:101"],
    ),
    "ToMailbox": (["101@default"], ["103@default"]),
    "URI": ([], ["sip:101@pbx"]),
}


def test_every_header_that_names_a_device_is_tried() -> None:
    """A new one gets a line."""
    assert sorted(map(str.lower, NAMED)) == sorted(DEVICES)


@pytest.mark.parametrize("header", NAMED)
@pytest.mark.parametrize("action", ["PJSIPNotify", "MessageSend", "MailboxCount", "OfAModule"])
def test_a_device_is_named_as_the_channel_is(action: str, header: str) -> None:
    """Under whatever header, in whatever action: 101 has to be that of PJSIP/101."""
    own, others = NAMED[header]
    for prefix in ("pjsip/101", "PJSIP/101-"):
        client = Client(User(channel=prefix))
        for value in own:
            assert client.sends(f"Action: {action}", f"{header}: {value}")
            assert client.sends(f"Action: {action}", f"{header.upper()}:{value}", f"{header}: ")
        for value in others:
            assert client.sends(f"Action: {action}", f"{header}: {value}") is None
            lines = [f"{header}: {one}" for one in (*own, value)]
            assert client.sends(f"Action: {action}", *lines) is None
    assert Client(User(out_context="in")).sends(f"Action: {action}", f"{header}: 103")


def test_with_its_hyphen_the_prefix_means_one_device() -> None:
    """Without it a prefix means all that begin so, as for channels."""
    for lines in (
        ("Action: PJSIPQualify", "Endpoint: 1012"),
        ("Action: MWIUpdate", "Mailbox: 1012@default"),
        ("Action: MessageSend", "To: pjsip:1012"),
    ):
        assert Client(User(channel="pjsip/101")).sends(*lines)
        assert Client(User(channel="pjsip/101-")).sends(*lines) is None


def test_a_technology_alone_has_all_of_its_devices() -> None:
    """And none of another's; mailboxes and agents have none."""
    for prefix in ("sip", "sip/"):
        client = Client(User(channel=prefix))
        assert client.sends("Action: SIPqualifypeer", "Peer: 200")
        assert client.sends("Action: AgentLogoff", "Agent: 200")
        assert client.sends("Action: PJSIPQualify", "Endpoint: 200") is None


def test_headers_of_a_user_event_are_the_senders_own() -> None:
    """Programs that read it know what To and From mean; a channel is checked as ever."""
    client = Client(User(channel="pjsip/101"))
    event = ("Action: UserEvent", "UserEvent: Chat", "From: joe", "To: pjsip:103", "Device: x")

    assert client.sends(*event) == list(event)
    assert client.sends(*event, "Channel: PJSIP/103-1") is None


def test_two_channels_in_one_header() -> None:
    """An ampersand would call another's device as well."""
    for name in ("Channel", "Interface"):
        assert (
            Client(User(channel="sip/100")).sends("Action: Foo", f"{name}: SIP/100&SIP/2") is None
        )


def test_what_a_link_may_lead_to_changes_nothing() -> None:
    """All of it is marked as reading."""
    assert {REACH[name].kind for name in READ_ONLY} == {READS}


def test_a_user_with_a_context_alone_sets_no_variable_of_everybody() -> None:
    """The dialplan may go on in a context that a global variable names."""
    client = Client(User(out_context="in"))

    assert client.sends("Action: Setvar", "Variable: X", "Value: 1") is None
    assert client.sends("Action: Setvar", "Channel: SIP/9-1", "Variable: X", "Value: 1")
    assert client.sends("Action: Getvar", "Variable: X")


def test_two_actions_in_one_are_refused() -> None:
    """What was checked for one would be carried out as the other."""
    for user in (User(channel="sip/100"), User(out_context="in")):
        client = Client(user)
        assert client.sends("Action: Ping", "Action: Hangup", "Channel: SIP/100-1") is None
        assert client.sends("Action:", "Action: Ping")
        assert client.sends("Action: ping", "Action: Ping")
