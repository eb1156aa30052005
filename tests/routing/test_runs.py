# SPDX-License-Identifier: GPL-2.0-or-later
"""What a user with a channel or context may have Asterisk run: their own calls, no others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.asterisk import applications
from amiproxy.routing.classes import ALL
from tests.routing.support import AGI, GETVAR, ORIGINATE, SETVAR, Client, User

CALLER = User(channel="sip/100", out_context="in")

#: Applications that may run on an own channel, with data that is no channel of others.
HARMLESS = {*applications.HARMLESS.names, *applications.SOUNDS.names, *applications.DTMF.names}

#: Application and data that reach others' channels, or go on elsewhere.
REACHING = [
    ("ChanSpy", "SIP/9999"),
    ("chanspy", "SIP/9999,q"),
    ("ExtenSpy", "100@other"),
    ("Pickup", "SIP/9999"),
    ("PickupChan", "SIP/9999"),
    ("SoftHangup", "SIP/9999"),
    ("ChannelRedirect", "SIP/9999,evil,s,1"),
    ("Bridge", "SIP/9999"),
    ("BridgeAdd", "SIP/9999"),
    ("DISA", "no-password,evil"),
    ("Goto", "evil,s,1"),
    ("GotoIf", "1?evil,s,1"),
    ("GotoIfTime", "*,*,*,*?evil,s,1"),
    ("Gosub", "evil,s,1"),
    ("GosubIf", "1?evil,s,1"),
    ("Macro", "evil"),
    ("Transfer", "SIP/9999"),
    ("FollowMe", "boss"),
    ("Queue", "support"),
    ("Page", "SIP/9999"),
    ("Park", ""),
    ("ParkedCall", "default,701"),
    ("VoiceMail", "9999"),
    ("Directory", "default,evil"),
    ("ConfBridge", "1"),
    ("MeetMe", "1"),
    ("WaitExten", "10"),
    ("Read", "TRANSFER_CONTEXT"),
    ("Set", "TRANSFER_CONTEXT=evil"),
    ("SendDTMF", "1234,,,SIP/9999-1"),
    ("SendDTMF", '"1,",,,SIP/9999-1'),
    ("SendDTMF", "1\\,,,,SIP/9999-1"),
    ("Dial", "SIP/9999"),
    ("Dial", "SIP/100&SIP/9999"),
    ("Dial", "Local/5@evil"),
    ("Dial", "SIP/100,30,G(evil^s^1)"),
    ("Dial", "SIP/100,30,rU(evil)"),
    ("Dial", "SIP/100,30,F(evil^s^1)"),
    ("Dial", "SIP/100,30,M(evil)"),
    ("Dial", "SIP/100,30,b(evil^s^1)"),
    ("Dial", "SIP/100|30|g|M(evil)"),
    ("Dial", "${EVIL}"),
    ("Playback", "/etc/shadow"),
    ("Playback", "beep&../../x"),
    ("Playback", "\\/etc/shadow"),
    ("Playback", '"/etc/shadow"'),
    ("Playback", ".\\./x"),
    ("Playback", "http:\\//10.0.0.1/x.wav"),
    ("Dial", "SIP/100\\&SIP/9999"),
    ("Dial", '"SIP/100","30,G(evil^s^1)"'),
    ("Playback", "http://10.0.0.1/x.wav"),
    ("Stasis", "evil"),
    ("NoSuchApplication", ""),
    ("Noop", "${IMPORT(SIP/9999-1,X)}"),
    ("Noop", "${GLOBAL(x)}"),
    ("Noop", "${CHAN${X}NELS()}"),
]


@pytest.mark.parametrize(("application", "data"), REACHING)
def test_an_application_that_reaches_others_is_refused(application: str, data: str) -> None:
    """In an Originate and in the EXEC of an AGI, in any case."""
    client = Client(CALLER)

    for name in (application, application.upper(), f" {application} "):
        assert client.sends(*ORIGINATE, f"Application: {name}", f"Data: {data}") is None
    assert client.sends(*AGI, f"Command: EXEC {application} {data}") is None
    assert client.sends(*AGI, f'Command: exec "{application}" "{data}"') is None
    assert Client(User()).sends(*ORIGINATE, f"Application: {application}", f"Data: {data}")


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("Playback", "beep"),
        ("playback", "custom/hello&beep,noanswer"),
        ("Echo", ""),
        ("Wait", "5"),
        ("MusicOnHold", "default"),
        ("Answer", ""),
        ("SayDigits", "123"),
        ("Dial", "SIP/100"),
        ("Dial", "SIP/100-x&SIP/100,30,r"),
        ("SendDTMF", "1234"),
        ("SendDTMF", "1234,,,SIP/100-1"),
        ("NoOp", "${CALLERID(num)} calls"),
    ],
)
def test_an_application_on_the_own_channel_passes(application: str, data: str) -> None:
    """What acts on the channel alone."""
    client = Client(CALLER)

    assert client.sends(*ORIGINATE, f"Application: {application}", f"Data: {data}")
    assert client.sends(*AGI, f"Command: EXEC {application} {data}")


def test_every_application_is_harmless_or_refused() -> None:
    """Without data, those of the rows that say so, and no others."""
    client = Client(CALLER)
    every = {name for row in applications.ROWS for name in row.names}

    passing = {name for name in every if client.sends(*ORIGINATE, f"Application: {name}")}
    assert passing == HARMLESS


def test_the_context_of_a_dial_for_a_user_with_a_context_alone() -> None:
    """Any device, but no Local channel of another context; the same in a queue."""
    client = Client(User(out_context="in"))
    dial = (*ORIGINATE, "Application: Dial")

    assert client.sends(*dial, "Data: SIP/9999")
    assert client.sends(*dial, "Data: Local/5@in/n")
    assert client.sends(*dial, "Data: SIP/1&Local/5@evil") is None
    assert client.sends(*dial, "Data: local/5") is None
    for channel, allowed in (("Local/5@in", True), ("Local/5@evil", False), ("Local/5", False)):
        originate = client.sends("Action: Originate", f"Channel: {channel}", "Exten: 1")
        queue = client.sends("Action: QueueAdd", "Queue: q", f"Interface: {channel}")
        assert (originate is not None) is (queue is not None) is allowed, channel
    own = Client(User(channel="local/", out_context="in"))
    for channel, allowed in (("Local/5@in", True), ("Local/5@evil", False), ("Local/5", False)):
        originate = own.sends("Action: Originate", f"Channel: {channel}", "Exten: 1")
        dialled = own.sends(
            *ORIGINATE[:1], "Channel: Local/1@in", "Application: Dial", f"Data: {channel}"
        )
        assert (originate is not None) is (dialled is not None) is allowed, channel
    assert own.sends("Action: Hangup", "Channel: Local/5@evil-0001;1")
    moved = Client(User(out_context="in"), "enforce")
    assert moved.sends("Action: Originate", "Channel: Local/5@evil") == [
        "Action: Originate", "Channel: Local/5@in",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        (*SETVAR, "Variable: TRANSFER_CONTEXT", "Value: evil"),
        (*SETVAR, "Variable: __TRANSFER_CONTEXT", "Value: evil"),
        (*SETVAR, "Variable: transfer_context", "Value: evil"),
        (*SETVAR, 'Variable: "TRANSFER"_CONTEXT', "Value: evil"),
        (*SETVAR, "Variable: GOTO_ON_BLINDXFR", "Value: evil^s^1"),
        (*SETVAR, "Variable: FORWARD_CONTEXT", "Value: evil"),
        (*SETVAR, "Variable: CONNECTED_LINE_SEND_SUB", "Value: evil,s,1"),
        (*SETVAR, "Variable: REDIRECTING_SEND_SUB_ARGS", "Value: x"),
        (*SETVAR, "Variable: DYNAMIC_FEATURES", "Value: x"),
        (*SETVAR, "Variable: PARKINGDYNCONTEXT", "Value: evil"),
        (*SETVAR, "Variable: CHANNEL(hangup_handler_push)", "Value: evil,s,1"),
        (*SETVAR, "Variable: CHANNEL(after_bridge_goto)", "Value: evil,s,1"),
        (*SETVAR, "Variable: CHANNEL(pickupgroup)", "Value: 1"),
        (*SETVAR, "Variable: SHARED(x,SIP/9999)", "Value: 1"),
        (*SETVAR, "Variable: EXPORT(SIP/9999-1,X)", "Value: 1"),
        (*SETVAR, "Variable: GLOBAL(x)", "Value: 1"),
        (*SETVAR, "Variable: ARRAY(TRANSFER_CONTEXT)", "Value: evil"),
        (*SETVAR, "Variable: QUEUE_MEMBER(q,paused,SIP/9999)", "Value: 1"),
        (*SETVAR, "Variable: DEVICE_STATE(Custom:x)", "Value: BUSY"),
        ("Action: Setvar", "Variable: X", "Value: 1"),
        ("Action: Setvar", "Channel:", "Channel: SIP/100-1", "Variable: X", "Value: 1"),
        ("Action: Getvar", "Variable: X"),
        ("Action: Getvar", "Channel:", "Variable: X"),
        (*GETVAR, "Variable: IMPORT(SIP/9999-1,SECRET)"),
        (*GETVAR, "Variable: import(SIP/9999-1,SECRET)"),
        (*GETVAR, "Variable: SHARED(x,SIP/9999-1)"),
        (*GETVAR, "Variable: MASTER_CHANNEL(x)"),
        (*GETVAR, "Variable: CHANNELS()"),
        (*GETVAR, "Variable: GLOBAL(x)"),
        (*GETVAR, "Variable: LEN(GLOBAL(x))"),
        (*GETVAR, "Variable: HINT(9999@evil)"),
        (*GETVAR, "Variable: DB(a/b)"),
        (*GETVAR, "Variable: PARK_GET_CHANNEL(701,default)"),
        (*GETVAR, "Variable: CUT(GLOBAL(x),-,1)"),
        (*GETVAR, "Variable: SOME_NEW_FUNCTION(SIP/9999)"),
        ("Action: Status", "Channel: SIP/100-1", "Variables: X,GLOBAL(x)"),
        ("Action: Status", "Variables: IMPORT(SIP/9999,x)"),
        (*ORIGINATE, "Exten: 1", "Variable: A=1,TRANSFER_CONTEXT=evil"),
        (*ORIGINATE, "Exten: 1", "Variable: A=1|TRANSFER_CONTEXT=evil"),
        (*ORIGINATE, "Exten: 1", "variable:_TRANSFER_CONTEXT=evil"),
        (*ORIGINATE, "Exten: 1", "Variable: A=1", "Variable: TRANSFER\\_CONTEXT=evil"),
        (*ORIGINATE, "Exten: 1", "Variable: GLOBAL(x)=1"),
        (*ORIGINATE, "Exten: 1", "Variable: CHANNEL( hangup_handler_push )=evil,s,1"),
        (*ORIGINATE, "Exten: ${GLOBAL(x)}"),
        (*ORIGINATE, "Exten: 1", "Variable: " + "CALLERID(num)=1," * 64 + "X=1"),
        ("Action: PlayDTMF", "Channel: SIP/100-1", "Digit: #", "Receive: true"),
        (*SETVAR, "Variable: GROUP(trunk)", "Value: 1"),
        (*AGI, "Command: SET CONTEXT evil"),
        (*AGI, "Command: SET CONTEXT IN"),
        (*AGI, "Command: GOSUB evil s 1"),
        (*AGI, "Command: CHANNEL STATUS SIP/9999-1"),
        (*AGI, "Command: HANGUP SIP/9999-1"),
        (*AGI, "Command: GET FULL VARIABLE ${X} SIP/9999-1"),
        (*AGI, "Command: GET VARIABLE GLOBAL(x)"),
        (*AGI, "Command: SET VARIABLE TRANSFER_CONTEXT evil"),
        (*AGI, "Command: STREAM FILE /etc/x 1"),
        (*AGI, "Command: DATABASE GET a b"),
        (*AGI, "Command: NEWCOMMAND x"),
        (*AGI, "Command: EXEC"),
    ],
)
def test_a_variable_or_command_that_reaches_others_is_refused(lines: tuple[str, ...]) -> None:
    """In any spelling that Asterisk reads so."""
    assert Client(CALLER).sends(*lines) is None


@pytest.mark.parametrize(
    "lines",
    [
        (*SETVAR, "Variable: X", "Value: ${Y}"),
        (*SETVAR, "Variable: __CRM_ID", "Value: 5"),
        (*SETVAR, "Variable: CALLERID(name)", "Value: Joe (sales)"),
        (*SETVAR, "Variable: CHANNEL(language)", "Value: de"),
        (*SETVAR, "Variable: CDR(userfield)", "Value: x"),
        (*GETVAR, "Variable: X"),
        (*GETVAR, "Variable: CHANNEL(state)"),
        (*GETVAR, "Variable: LEN(CALLERID(num))"),
        ("Action: Status", "Channel: SIP/100-1", "Variables: X,CHANNEL(state)"),
        (*ORIGINATE, "Exten: 1", "Variable: A=1,CALLERID(name)=Joe (sales),B=2"),
        (*ORIGINATE, "Exten: 1", "Variable: PJSIP_HEADER(add,X-Y)=z"),
        (*ORIGINATE, "Exten: 1", "CallerID: Joe (sales) <100>"),
        ("Action: PlayDTMF", "Channel: SIP/100-1", "Digit: #", "Receive: no"),
        (*AGI, "Command: SET CONTEXT in"),
        (*AGI, "Command: GOSUB in s 1"),
        (*AGI, "Command: CHANNEL STATUS"),
        (*AGI, "Command: HANGUP SIP/100-1"),
        (*AGI, "Command: GET FULL VARIABLE ${CALLERID(num)}"),
        (*AGI, "Command: SET VARIABLE X 1"),
        (*AGI, 'Command: STREAM FILE beep ""'),
        (*AGI, "Command: SAY DIGITS 123 #"),
        ("Action: MessageSend", "To: sip:100", "Body: ${GLOBAL(x)} IMPORT(a,b)"),
        ("Action: UserEvent", "UserEvent: x", "Text: ${GLOBAL(x)}"),
        ("Action: UserEvent", "UserEvent: x", "Variable: GLOBAL(x)=1", "Receive: y"),
    ],
)
def test_ordinary_variables_and_commands_pass(lines: tuple[str, ...]) -> None:
    """They act on the own channel."""
    assert Client(CALLER).sends(*lines) == list(lines)


@pytest.mark.parametrize("action", ["BlindTransfer", "Atxfer", "Redirect"])
def test_a_missing_context_is_added(action: str) -> None:
    """Asterisk would take the one of the channel, or its TRANSFER_CONTEXT."""
    lines = (f"Action: {action}", "Channel: SIP/100-1", "Exten: 1")
    client = Client(CALLER)

    assert client.sends(*lines) == [*lines, "Context: in"]
    assert client.sends(*lines, "Context:") == [*lines, "Context: in"]
    assert client.sends(*lines, "Context:", "Context: in") == [*lines, "Context: in", "Context: in"]
    assert Client(User(channel="sip/100")).sends(*lines) == list(lines)


def test_an_originate_without_context() -> None:
    """Asterisk refuses it if it looks, and it does not look at an asynchronous one."""
    client = Client(CALLER)

    assert client.sends(*ORIGINATE, "Exten: 1") == [*ORIGINATE, "Exten: 1"]
    for more in ("Async: true", "Priority: 1"):
        sent = client.sends(*ORIGINATE, "Exten: 1", more)
        assert sent == [*ORIGINATE, "Exten: 1", more, "Context: in"]


@pytest.mark.parametrize(
    ("location", "allowed"),
    [
        ("in,s,1", True),
        ("in^s^1(a,b)", True),
        ("evil,s,1", False),
        ("evil^s^1", False),
        ("IN,s,1", False),
        ("s,1", False),
        ("1", False),
        ("1(in,s,1)", False),
    ],
)
def test_predialgosub_names_the_context(location: str, allowed: bool) -> None:
    """The subroutine runs before the call; without a context in that of the device."""
    sent = Client(CALLER).sends(*ORIGINATE, "Context: in", f"PreDialGoSub: {location}")
    assert (sent is not None) is allowed


def test_who_has_system_may_leave_the_pbx_but_reach_no_other_channel() -> None:
    """The class was given on purpose; the channel still limits what names one."""
    client = Client(User(channel="sip/100", write=ALL))

    assert client.sends(*ORIGINATE, "Application: System", "Data: id")
    assert client.sends(*GETVAR, "Variable: DB(a/b)")
    assert client.sends(*SETVAR, "Variable: DB(a/b)", "Value: 1")
    assert client.sends(*ORIGINATE, "Application: ChanSpy", "Data: SIP/9999") is None
    assert client.sends(*GETVAR, "Variable: IMPORT(SIP/9999,X)") is None


@given(
    st.text(st.characters(min_codepoint=33), max_size=12),
    st.sampled_from(sorted(HARMLESS)),
    st.sampled_from(["", " ", "\t"]),
)
def test_what_passes_is_on_the_list(noise: str, name: str, blank: str) -> None:
    """Whatever an application is called: if it may run, it is one of these."""
    client = Client(CALLER)
    for each in (noise, name + noise, noise + name, blank + name.upper(), name[:-1] + blank):
        line = f"Application: {each}".encode("latin-1", "replace").decode("latin-1")
        if client.sends(*ORIGINATE, line, "Data: SIP/9999") and each.strip():
            assert "".join(line.partition(":")[2].lower().split()) in HARMLESS


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=80))
def test_any_text_is_judged(text: str) -> None:
    """Noise in any header raises nothing."""
    client = Client(CALLER)
    for header in ("Variable", "Data", "Application", "Command", "Variables", "PreDialGoSub"):
        for action in ("Originate", "AGI", "Setvar", "Getvar"):
            client.sends(f"Action: {action}", "Channel: SIP/100", f"{header}: {text}")
