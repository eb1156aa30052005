# SPDX-License-Identifier: GPL-2.0-or-later
"""Classes: who sees which event, who may send which action."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import rights
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.routing.classes import (
    AGENT,
    ALL,
    CALL,
    CLASSES,
    CONFIG,
    ORIGINATE,
    REPORTING,
    SYSTEM,
    describe_classes,
    event_mask,
    may_see,
    privilege_mask,
    read_classes,
)
from tests.support import ROOT

DATA = ROOT / "tests/data"


def text_of(name):
    return (DATA / name).read_bytes().decode("latin-1").replace("\r\n", "\n")


def user(write, **fields):
    return User("joe", "s", write=write, **fields)


def action(name, *lines):
    return Message.of(f"Action: {name}", *lines)


def recorded_commands():
    """Return (action, classes) as ListCommands of a real Asterisk 22 tells them."""
    found = re.findall(
        r"^(\w+): .*\(Priv: ([^)]*)\)$", text_of("b1_simple_actions.s2c.ami"), re.MULTILINE
    )
    assert len(found) > 100
    return found


@pytest.mark.parametrize(("name", "classes"), recorded_commands())
def test_the_table_is_that_of_a_real_asterisk(name, classes):
    """Each action needs the classes Asterisk 22 says it needs."""
    assert ACTIONS[name.lower()] == privilege_mask(classes)


@pytest.mark.parametrize(
    "name",
    [
        "ConfbridgeStartRecord",
        "DialplanExtensionAdd",
        "JabberSend",
        "PJSIPNotify",
        "PJSIPRegister",
        "PJSIPShowAuths",
        "SIPnotify",
        "SorceryMemoryCacheStale",
    ],
)
def test_rows_that_were_not_recorded_need_system(name):
    """Modules the recorded Asterisk had not loaded: no other class will do."""
    assert rights.refusal(user(SYSTEM), action(name)) is None
    assert rights.refusal(user(ALL & ~SYSTEM), action(name)) is not None


def test_a_limited_user_may_send_what_asterisk_lets_it_send():
    """With write=reporting exactly the actions of the recorded ListCommands go up."""
    block = text_of("a8_limited_user.s2c.ami")
    shown = {name.lower() for name in re.findall(r"^(\w+): .*\(Priv: ", block, re.MULTILINE)}
    recorded = {name.lower() for name, _ in recorded_commands()}

    allowed = {n for n in recorded if rights.refusal(user(REPORTING), action(n)) is None}

    assert allowed == shown


@pytest.mark.parametrize(
    ("write", "name", "allowed"),
    [
        (0, "Ping", True),
        (0, "PING", True),
        (0, "QueueStatus", True),
        (0, "Hangup", False),
        (CALL, "Hangup", True),
        (SYSTEM, "hangup", True),
        (AGENT, "QueueAdd", True),
        (CALL, "Command", False),
        (CALL, "Originate", False),
        (CONFIG, "UpdateConfig", True),
        (SYSTEM, "UpdateConfig", False),
        (ALL & ~SYSTEM, "NoSuchAction", False),
        (ALL, "NoSuchAction", True),
        (ALL, "Command", True),
    ],
)
def test_one_class_of_the_action_is_enough(write, name, allowed):
    """An action needs one of its classes, an unknown one all there are."""
    assert (rights.refusal(user(write), action(name)) is None) is allowed


def test_users_of_c_may_send_everything():
    """A user without a write line has every class."""
    assert rights.refusal(User("u", "s"), action("Originate", "Application: System")) is None


def test_the_refusal_says_what_is_missing():
    """The text for the log names the class, and nothing of the message."""
    reason = rights.refusal(user(CALL), action("Command", "Command: secret"))

    assert reason == "the action needs one of the classes command"


def test_an_empty_action_hides_no_other():
    """`Action:` before `Action: Command` does not get it past the rights."""
    assert rights.refusal(user(CALL), Message.of("Action:", "Action: Command")) is not None


def test_blanks_behind_an_action_make_it_another():
    """Asterisk knows no `Command `, so it needs what unknown actions need."""
    assert rights.refusal(user(ALL & ~SYSTEM), action("Command ")) is not None


@pytest.mark.parametrize("who", [None, User("u", "s"), user(CALL)])
def test_nul_bytes_go_up_for_nobody(who):
    """A line that begins with NUL ends a message at Asterisk: an action could hide behind."""
    hidden = action("Ping", "\0", "Action: Command", "Command: core stop now")

    assert rights.refusal(who, hidden) == "it holds a NUL byte"


def test_originate_that_escapes_needs_system_besides():
    """With originate alone no System runs, with system besides it does."""
    message = action("Originate", "Channel: SIP/1", "Application: System", "Data: id")

    assert "needs the class system" in rights.refusal(user(ORIGINATE), message)
    assert rights.refusal(user(ORIGINATE | SYSTEM), message) is None


@pytest.mark.parametrize(
    ("header", "mask"),
    [
        ("call,all", CALL),
        ("Call", CALL),
        ("system,call,all", SYSTEM | CALL),
        ("agent, all", AGENT),
        ("", 0),
        ("<none>", 0),
        ("all", 0),
        ("newclass,all", ALL),
    ],
)
def test_privilege_header(header, mask):
    """`all` is no class of an event, and a class nobody knows needs all."""
    assert privilege_mask(header) == mask


@pytest.mark.parametrize(
    ("read", "event", "seen"),
    [(CALL, CALL, True), (CALL, AGENT, False), (CALL, CALL | SYSTEM, False), (ALL, ALL, True), (0, 0, True)],
)  # fmt: skip
def test_an_event_needs_all_its_classes(read, event, seen):
    """As in Asterisk one of several classes does not show an event."""
    assert may_see(read, event) is seen


def recorded_masks():
    """Return (EventMask or None when missing, answer) of recording h1_events_action."""
    sent = text_of("h1_events_action.c2s.ami")
    answers = text_of("h1_events_action.s2c.ami").split("\n\n")
    for block in sent.split("\n\n"):
        if "Action: Events" not in block:
            continue
        identity = re.search(r"ActionID: (\S+)", block)[1]
        mask = re.search(r"EventMask: (.*)", block)
        reply = next(a for a in answers if f"ActionID: {identity}\n" in a and "Response" in a)
        yield (mask[1] if mask else ""), reply.splitlines()[-1]


@pytest.mark.parametrize(("value", "answer"), list(recorded_masks()))
def test_event_masks_are_read_as_asterisk_did(value, answer):
    """on, off, lists, numbers and garbage give what the recorded Asterisk gave."""
    mask = event_mask(value)

    told = "Message: Invalid event mask" if mask is None else f"Events: {'On' if mask else 'Off'}"
    assert told == answer


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ("call,agent", CALL | AGENT),
        ("call, agent", CALL),  # Asterisk does not trim
        ("CALL", 0),
        ("Yes", ALL),
        ("2", CALL),
        ("99999999999999999999", ALL),
        ("\xb2", 0),
    ],
)
def test_event_mask(value, mask):
    """Lists name classes in lower case, numbers are bits."""
    assert event_mask(value) == mask


@given(st.text(max_size=60))
def test_any_mask_and_privilege_is_read(value):
    """Noise gives a mask within the classes there are."""
    mask = event_mask(value)
    assert mask is None or 0 <= mask <= ALL
    assert 0 <= privilege_mask(value) <= ALL
    assert 0 <= read_classes(value)[0] <= ALL


@given(st.lists(st.sampled_from(["Action", "Data", "Application", "X"]).flatmap(
    lambda name: st.binary(max_size=30).map(lambda data: f"{name}: ".encode() + data)), max_size=6))  # fmt: skip
def test_any_message_is_judged(lines):
    """Noise in an action gives a reason or None, and no exception."""
    message = Message(b"\r\n".join(lines) + b"\r\n\r\n")
    for write in (0, CALL, ORIGINATE, ALL):
        assert rights.refusal(user(write), message) is None or write != ALL or b"\0" in message.raw


def test_read_and_write_lines():
    """Blanks and case around classes do not count, unknown words come back."""
    assert read_classes("Call, agent ,,nonsense") == (CALL | AGENT, ["nonsense"])
    assert read_classes("all") == (ALL, [])
    assert read_classes("") == (0, [])
    assert describe_classes(CALL | AGENT) == "call, agent"
    assert describe_classes(ALL) == "everything"
    assert describe_classes(0) == "nothing"


def test_class_bits_are_apart():
    """No two classes share a bit."""
    bits = [bit for name, bit in CLASSES.items() if name not in ("all", "none")]
    assert len(set(bits)) == len(bits)
    assert all(bit & (bit - 1) == 0 for bit in bits)


@pytest.mark.parametrize(
    ("given_names", "name", "allowed"),
    [
        (None, "ListSessions", True),
        (None, "SetOutputFormat", True),
        (None, "AddServer", False),
        (None, "DROPSERVER", False),
        (None, "ListServers", False),
        (None, "Logoff", True),
        (frozenset({"addserver"}), "AddServer", True),
        (frozenset({"addserver"}), "ListSessions", False),
        (frozenset({"addserver"}), "Logoff", True),
        (frozenset({"all"}), "DropServer", True),
        (frozenset(), "ListSessions", False),
        (frozenset(), "Logoff", True),
    ],
)
def test_proxyactions(given_names, name, allowed):
    """AddServer, DropServer, ListServers are for `all` or those named; Logoff for everybody."""
    assert rights.may_proxyaction(user(0, proxyactions=given_names), name) is allowed


def test_without_users_every_proxyaction_is_allowed():
    """Who may connect without a user is the configuration's affair."""
    assert rights.may_proxyaction(None, "AddServer")
