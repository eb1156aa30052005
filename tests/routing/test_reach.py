# SPDX-License-Identifier: GPL-2.0-or-later
"""What each action reaches, and on whose account calls are: the user's own."""

from __future__ import annotations

import pytest

from amiproxy.asterisk.actions import EVERYBODY, REACH, READS
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


@pytest.mark.parametrize(
    ("action", "header"),
    [(name, header) for name, one in REACH.items() for header in one.devices],
)
def test_a_device_is_named_as_the_channel_is(action: str, header: str) -> None:
    """Mailbox, agent or endpoint 100 is that of SIP/100."""
    client = Client(User(channel="sip/100"))

    assert client.sends(f"Action: {action}", f"{header}: 100@default")
    assert client.sends(f"Action: {action}", f"{header}: 200") is None
    assert client.sends(f"Action: {action}", f"{header}: 100", f"{header}: 200") is None
    assert client.sends(f"Action: {action}") is None
    assert Client(User(channel="sip/100-")).sends(f"Action: {action}", f"{header}: 1001") is None


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
