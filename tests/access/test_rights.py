# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights: who may send which action."""

from __future__ import annotations

import re
from typing import Any

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
    CONFIG,
    ORIGINATE,
    REPORTING,
    SYSTEM,
    privilege_mask,
)
from tests.recordings import said


def listed_commands(name: str) -> dict[str, int]:
    """Return the actions in the ListCommands of recording *name*, and their classes."""
    text = said(name).decode("latin-1").replace("\r\n", "\n")
    rows = re.findall(r"^(\w+): .*\(Priv: ([^)]*)\)$", text, re.MULTILINE)
    return {action.lower(): privilege_mask(classes) for action, classes in rows}


#: What a real Asterisk 22 tells a user with all classes.
RECORDED = listed_commands("b1_simple_actions")


def implied(mask: int, needed: tuple[int, ...]) -> bool:
    """Return whether who has one class of each of *needed* has one of *mask*; 0 asks for none."""
    return not mask or any(one & mask == one for one in needed)


def user(write: int, **fields: Any) -> User:
    """Return a user who may send actions of the classes *write*."""
    return User("joe", "s", write=write, **fields)


def action(name: str, *lines: str) -> Message:
    """Return the action *name* with the headers *lines*."""
    return Message.of(f"Action: {name}", *lines)


def test_the_table_is_that_of_a_real_asterisk() -> None:
    """Each action needs the classes Asterisk 22 says it needs."""
    assert len(RECORDED) > 100
    assert [name for name, mask in RECORDED.items() if not implied(mask, ACTIONS[name])] == []


@pytest.mark.parametrize(
    "name",
    [
        "ConfbridgeStartRecord",
        "DialplanExtensionAdd",
        "JabberSend",
        "PJSIPNotify",
        "PJSIPShowAuths",
        "SIPnotify",
        "SorceryMemoryCacheStale",
    ],
)
def test_rows_that_were_not_recorded_need_system(name: str) -> None:
    """Of modules that the recorded Asterisk had not loaded."""
    assert rights.refusal(user(SYSTEM), action(name)) is None
    assert rights.refusal(user(ALL & ~SYSTEM), action(name)) is not None


def test_a_limited_user_may_send_what_asterisk_lets_it_send() -> None:
    """With write=reporting, exactly the actions in the ListCommands of such a user."""
    allowed = {name for name in RECORDED if rights.refusal(user(REPORTING), action(name)) is None}

    assert allowed == set(listed_commands("a8_limited_user"))


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
def test_one_class_of_the_action_is_enough(write: int, name: str, allowed: bool) -> None:
    """An unknown action needs all classes."""
    assert (rights.refusal(user(write), action(name)) is None) is allowed


def test_users_of_c_may_send_everything() -> None:
    """A user without a write line has every class."""
    assert rights.refusal(User("u", "s"), action("Originate", "Application: System")) is None


def test_the_refusal_says_what_is_missing() -> None:
    """The text for the log names the class, and nothing of the message."""
    reason = rights.refusal(user(CALL), action("Command", "Command: secret"))

    assert reason == "the action needs one of the classes command"


def test_an_empty_action_hides_no_other() -> None:
    """`Action:` before `Action: Command` does not get it past the rights."""
    assert rights.refusal(user(CALL), Message.of("Action:", "Action: Command")) is not None


def test_a_blank_behind_the_name_makes_it_another_action() -> None:
    """Asterisk does not know `Command `, so it needs what unknown actions need."""
    assert rights.refusal(user(ALL & ~SYSTEM), action("Command ")) is not None


@pytest.mark.parametrize("who", [None, User("u", "s"), user(CALL)])
def test_a_nul_byte_is_refused_for_everybody(who: User | None) -> None:
    """To Asterisk such a line ends the message: another action could follow."""
    hidden = action("Ping", "\0", "Action: Command", "Command: core stop now")

    assert rights.refusal(who, hidden) == "it holds a NUL byte"


def test_an_originate_that_escapes_needs_system_as_well() -> None:
    """With originate alone no System runs."""
    message = action("Originate", "Channel: SIP/1", "Application: System", "Data: id")

    reason = rights.refusal(user(ORIGINATE), message)

    assert reason is not None
    assert "needs the class system" in reason
    assert rights.refusal(user(ORIGINATE | SYSTEM), message) is None


@given(st.lists(st.sampled_from(["Action", "Data", "Application", "X"]).flatmap(
    lambda name: st.binary(max_size=30).map(lambda data: f"{name}: ".encode() + data)), max_size=6))  # fmt: skip
def test_any_message_is_judged(lines: list[bytes]) -> None:
    """Noise in an action gives a reason or None, and no exception."""
    message = Message(b"\r\n".join(lines) + b"\r\n\r\n")
    for write in (0, CALL, ORIGINATE, ALL):
        assert rights.refusal(user(write), message) is None or write != ALL or b"\0" in message.raw


@pytest.mark.parametrize(
    ("given_names", "privileged", "allowed"),
    [
        (None, False, True),
        (None, True, False),
        (frozenset({"addserver"}), True, True),
        (frozenset({"all"}), True, True),
        (frozenset({"listservers"}), False, False),
        (frozenset(), False, False),
    ],
)
def test_proxyactions(given_names: frozenset[str] | None, privileged: bool, allowed: bool) -> None:
    """A user may call what it was given; without such a list all but the privileged ones."""
    someone = user(0, proxyactions=given_names)

    assert rights.may_proxyaction(someone, "AddServer", privileged=privileged) is allowed


def test_without_users_every_proxyaction_is_allowed() -> None:
    """The configuration decides who may connect without a user."""
    assert rights.may_proxyaction(None, "AddServer", privileged=True)
