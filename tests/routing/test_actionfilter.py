# SPDX-License-Identifier: GPL-2.0-or-later
"""Which actions a client with filters may send, and how they are changed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from tests.routing.support import Client, User

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
def test_every_header_that_names_a_channel_is_checked(action: str, header: str) -> None:
    """In any case, with or without blank, even the second of its name."""
    client = Client(User(channel="Sip/100"))
    rest = ("Channel: SIP/100-1", "ActionID: 1")

    assert client.sends(f"Action: {action}", *rest, f"{header}: {OWN}")
    assert client.sends(f"Action: {action}", *rest, f"{header}: ") is not None
    for line in (f"{header}: {OTHER}", f"{header.upper()}:{OTHER}", f"{header}:   {OTHER}"):
        assert client.sends(f"Action: {action}", *rest, line) is None
        assert client.sends(f"Action: {action}", *rest, f"{header}: {OWN}", line) is None


@pytest.mark.parametrize(
    ("channel", "destination", "own"),
    [
        ("pjsip/100", "PJSIP/100", True),
        ("pjsip/100", "PJSIP/100@trunk", False),
        ("pjsip/100", "PJSIP/1009005550100@trunk/sip:x@y", False),
        ("pjsip/100", "PJSIP/100/sip:5@phone", True),
        ("sip/100", "SIP/100@trunk", False),
        ("sip/100", "SIP/100/5@trunk", False),
        ("iax2/100", "IAX2/100/5@in", True),
        ("iax2/100", "IAX2/100:x@other/5", False),
        ("pjsip/100@company", "PJSIP/100@company", True),
        ("pjsip", "PJSIP/5@trunk", True),
        ("pjsip/", "PJSIP/5@trunk", True),
        ("local/5", "Local/5@in", True),
    ],
)
def test_what_is_dialled_is_the_own_device(channel: str, destination: str, own: bool) -> None:
    """Behind an @ stands the device, and before it what is dialled there."""
    client = Client(User(channel=channel))
    technology, _, device = channel.partition("/")
    begin = f"{technology}/{device or 1}"

    for lines in (
        ("Action: Originate", f"Channel: {destination}", "Exten: 1"),
        ("Action: Originate", f"Channel: {begin}", "Application: Dial", f"Data: {destination}"),
        ("Action: QueueAdd", "Queue: q", f"Interface: {destination}"),
        ("Action: Park", f"Channel: {begin}-1", f"TimeoutChannel: {destination}-0001"),
        ("Action: Park", f"Channel: {begin}-1", f"Channel2: {destination}-0001"),
    ):
        assert (client.sends(*lines) is not None) is own, lines


def test_a_parked_call_comes_back_to_the_own_device() -> None:
    """Nor may it enter another context by a Local channel, or a variable."""
    client = Client(User(out_context="in"))
    park = ("Action: Park", "Channel: SIP/200-1")

    assert client.sends(*park, "TimeoutChannel: Local/5@in-0001;1")
    assert client.sends(*park, "TimeoutChannel: Local/5@other-0001;1") is None
    assert client.sends(*park, "Channel2: Local/5@other") is None
    for user in (User(out_context="in"), User(channel="sip/100")):
        for name in ("BLINDTRANSFER", "__ATTENDEDTRANSFER"):
            lines = ("Action: Setvar", f"Channel: {OWN}", f"Variable: {name}", f"Value: {OTHER}")
            assert Client(user).sends(*lines) is None


@pytest.mark.parametrize("header", ["Variables: PIN", "AllVariables: true"])
def test_a_status_of_everybody_shows_no_variables(header: str) -> None:
    """As Getvar, it has to name a channel."""
    client = Client(User(channel="sip/100"))

    assert client.sends("Action: Status")
    assert client.sends("Action: Status", f"Channel: {OWN}", header)
    assert client.sends("Action: Status", header) is None
    assert client.sends("Action: Status", "Channel:", f"Channel: {OWN}", header) is None


@pytest.mark.parametrize("channel", ["/^SIP.*$/", "/SIP\\/100/", "1795412250.358", "all"])
def test_a_pattern_or_a_unique_id_is_not_an_own_channel(channel: str) -> None:
    """Hangup accepts patterns, and every action accepts unique ids instead of names."""
    assert Client(User(channel="sip/100")).sends("Action: Hangup", f"Channel: {channel}") is None


def test_actions_without_channel_pass_untouched() -> None:
    """Ping and the like, the same message; a text from the own device to itself."""
    for message in (
        Message.of("Action: Ping", "ActionID: 1"),
        Message.of("Action: MessageSend", "To: sip:100", "From: sip:100", "Body: x"),
    ):
        assert SessionFilter(User(channel="sip/100"), "off").outgoing(message) is message


def test_channels_are_free_without_channel_filter() -> None:
    """Whatever else is set."""
    client = Client(User(out_context="out", in_context="in", filters=frozenset(["novar"])))

    assert client.sends("Action: Hangup", f"Channel: {OTHER}")


@pytest.mark.parametrize("header", ["ChannelId", "OtherChannelId"])
def test_an_originate_takes_no_id_of_anothers_channel(header: str) -> None:
    """A made-up id is fine; one that Asterisk made, or a channel's name, is not."""
    client = Client(User(channel="sip/100"))
    client.event("X", "Channel: SIP/100-1", "Uniqueid: made-by-another")
    originate = ("Action: Originate", "Channel: SIP/100")

    assert client.sends(*originate, f"{header}: 6f1c-77")
    for uid in ("1795412250.358", "pbx1-1795412250.358", "SIP/200-1", "made-by-another"):
        assert client.sends(*originate, f"{header}: {uid}") is None


def test_a_unique_id_must_be_known_to_the_client() -> None:
    """QueueLog and UserEvent may name calls the client sees, and no others."""
    client = Client(User(channel="sip/100"))
    client.event("X", "Channel: SIP/100-1", "Uniqueid: 1.1")

    assert client.sends("Action: QueueLog", "Queue: q", "Uniqueid: 1.1")
    assert client.sends("Action: QueueLog", "Queue: q", "Uniqueid: 2.1") is None
    assert client.sends("Action: UserEvent", "UserEvent: x", "Linkedid: 2.1") is None


@pytest.mark.parametrize("action", ["DAHDIHangup", "DAHDITransfer", "DAHDIDNDon"])
def test_a_dahdi_channel_is_named_by_its_number(action: str) -> None:
    """These actions need no class: only the channel filter protects another's call."""
    assert Client(User(channel="sip/100")).sends(f"Action: {action}", "DAHDIChannel: 3") is None
    client = Client(User(channel="DAHDI/3-"))
    assert client.sends(f"Action: {action}", "DAHDIChannel: 3")
    assert client.sends(f"Action: {action}", "DAHDIChannel: 31") is None


def test_a_bridge_must_belong_to_an_own_call() -> None:
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
    for more in ("X: y", "Channel:", f"Channel: {OWN}"):
        assert client.sends("Action: BridgeDestroy", "BridgeUniqueid: other", more) is None
        assert client.sends("Action: BridgeInfo", "BridgeUniqueid: other", more) is None
    kick = ("Action: BridgeKick", "BridgeUniqueid: other")
    assert client.sends(*kick, f"Channel: {OWN}")
    assert client.sends(*kick, "Channel:") is None
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
def test_what_asterisk_would_read_differently_is_refused(raw: bytes) -> None:
    """For Asterisk a bare LF ends a line, and a NUL a line or the message."""
    for user in (User(channel="sip/100"), User(out_context="in")):
        assert isinstance(SessionFilter(user, "off").outgoing(Message(raw)), str)


@given(st.binary(max_size=60), st.sampled_from(["off", "allow", "allowwith", "enforce"]))
def test_any_action_is_passed_or_refused(noise: bytes, local: str) -> None:
    """Noise raises nothing, and another's channel never passes beside it."""
    filtered = SessionFilter(User(channel="sip/100", out_context="in", accountcode="a"), local)

    filtered.outgoing(Message(b"Action: Originate\r\n" + noise + b"\r\n\r\n"))
    beside = Message(b"Channel: SIP/200\r\n" + noise + b"\r\n\r\n")
    assert isinstance(filtered.outgoing(beside), str)


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
def test_filterlocal(channel: str) -> None:
    """Golden sessions filterlocal_off and filterlocal_allow, and the two others."""
    rest = ("Exten: 1", "ActionID: 1")
    user = User(channel="sip/100", out_context="internal")
    for local, wanted in zip(("allow", "allowwith", "enforce"), LOCALS[channel]):
        got = Client(user, local).sends("Action: Originate", f"Channel: {channel}", *rest)
        assert got == (wanted and ["Action: Originate", f"Channel: {wanted}", *rest]), local

    off = Client(user, "off").sends("Action: Originate", f"Channel: {channel}", *rest)
    assert (off is not None) == (channel == "SIP/100")


@pytest.mark.parametrize("local", ["off", "allow", "allowwith", "enforce"])
def test_filterlocal_is_for_originate_alone(local: str) -> None:
    """Golden sessions: Redirect of a Local channel is refused; so is what may not be an Originate."""
    client = Client(User(channel="sip/100", out_context="internal"), local)

    assert client.sends("Action: Redirect", "Channel: Local/5@internal") is None
    assert client.sends("Action: Hangup", "Action: Originate", "Channel: Local/5@internal") is None
    assert (
        client.sends("Action: Originate", "Channel: SIP/100", "ExtraChannel: Local/5@internal")
        is None
    )


def test_filterlocal_without_out_context() -> None:
    """There is nothing to compare with or to put in: refused."""
    for local in ("allowwith", "enforce"):
        client = Client(User(channel="sip/100"), local)
        assert client.sends("Action: Originate", "Channel: Local/5") is None
        assert client.sends("Action: Originate", "Channel: Local/5@x") is None


def test_an_own_local_channel_stays() -> None:
    """A user whose channel is ``local/5@x`` may use it like any own channel."""
    for local in ("off", "allow", "allowwith", "enforce"):
        client = Client(User(channel="local/5@x", out_context="internal"), local)
        assert client.sends("Action: Originate", "Channel: Local/5@x") == [
            "Action: Originate",
            "Channel: Local/5@x",
        ]


@pytest.mark.parametrize("header", ["Context", "CONTEXT", "ExtraContext"])
def test_another_context_is_refused(header: str) -> None:
    """Case counts, capitals match (in the C program never), and every header is checked."""
    client = Client(User(out_context="Internal"))

    assert client.sends("Action: Redirect", f"{header}: Internal")
    assert client.sends("Action: Redirect", f"{header}: ")
    assert client.sends("Action: Redirect")
    assert client.sends("Action: Redirect", f"{header}: internal") is None
    assert client.sends("Action: Redirect", f"{header}: Internal", f"{header}:other") is None


def test_in_context_does_not_apply_to_actions() -> None:
    """Golden session filt_icontext."""
    assert Client(User(in_context="internal")).sends(
        "Action: Originate", "Channel: SIP/1", "Context: other"
    )


def test_every_originate_is_on_the_users_account() -> None:
    """Added at the end, or overwritten in its place."""
    client = Client(User(accountcode="mine"))

    assert client.sends("Action: originate", "Channel: SIP/1") == [
        "Action: originate", "Channel: SIP/1", "Account: mine",
    ]  # fmt: skip
    assert client.sends("Action: Originate", "account: x", "ActionID: 1", "Account: y") == [
        "Action: Originate", "account: mine", "ActionID: 1", "Account: mine",
    ]  # fmt: skip
    # For Asterisk the first one counts, even if empty.
    assert client.sends("Action: Originate", "Account:") == ["Action: Originate", "Account: mine"]


def test_other_actions_are_on_the_users_account_if_on_any() -> None:
    """Nothing is added to them; the client's own message never changes."""
    filtered = SessionFilter(User(accountcode="mine"), "off")
    ping = Message.of("Action: Ping")
    redirect = Message.of("Action: Foo", "Account: x")

    assert filtered.outgoing(ping) is ping
    assert filtered.outgoing(redirect) == Message.of("Action: Foo", "Account: mine")
    assert redirect == Message.of("Action: Foo", "Account: x")


def test_events_keep_their_account() -> None:
    """The C program overwrites it in events too, for other clients as well."""
    client = Client(User(accountcode="mine", filters=frozenset(["novar"])))

    assert client.event("X", "Account: theirs") == ["Event: X | Account: theirs"]
