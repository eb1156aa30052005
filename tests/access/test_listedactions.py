# SPDX-License-Identifier: GPL-2.0-or-later
"""What servers say of their actions, and which rights come of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import rights
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.access.listedactions import listed_actions
from amiproxy.access.user import BOUNDED, User
from amiproxy.message import Message
from amiproxy.routing.classes import ALL, CALL, COMMAND, ORIGINATE, REPORTING, SYSTEM

HEAD = ("Response: Success", "ActionID: 1")


def listed(*rows: str) -> MappingProxyType[str, int]:
    """Return the list of a server that says *rows*."""
    found = listed_actions(Message.of(*HEAD, *rows))
    assert isinstance(found, MappingProxyType)
    return found


def refusal(write: int, name: str, *listings: Any, **fields: Any) -> str | None:
    """Return why a user may not send the action *name* to servers that say *listings*."""
    user = User("joe", "s", write=write, **fields)
    return rights.refusal(user, Message.of(f"Action: {name}"), listings)


def test_each_row_is_an_action_and_its_classes() -> None:
    """``all`` is in every row and no class; what is no row is left out."""
    assert listed(
        "Ping: Keepalive command.  (Priv: <none>)",
        "NewThing: Does (Priv: command,all) a thing.  (Priv: system,reporting,all)",
        "NoDot:   (Priv: call,all)",
        "New Thing: x  (Priv: call,all)",
        "Message: Hello",
        "Torn: x  (Priv: call,all",
    ) == {"ping": 0, "newthing": SYSTEM | REPORTING, "nodot": CALL}


def test_a_class_that_is_unknown_here_is_nobodys() -> None:
    """But one of those that are known is enough, as in Asterisk."""
    said = listed("New: x  (Priv: quantum,all)", "Both: x  (Priv: quantum,call,all)")

    assert refusal(ALL & ~SYSTEM, "New", said) is not None
    assert refusal(CALL, "Both", said) is None
    assert refusal(REPORTING, "Both", said) is not None


def test_of_two_rows_for_one_action_the_stricter_counts() -> None:
    """Asterisk sends none; a module's description may look like one."""
    said = listed("New: x  (Priv: call,system,all)", "NEW: x  (Priv: call,all)", "New: (Priv: )")

    assert said == {"new": CALL}
    assert refusal(ALL & ~SYSTEM, "A", listed("A: x  (Priv: call)", "A: x  (Priv: system)"))


@pytest.mark.parametrize(
    "message",
    [
        Message.of("Response: Error", "Message: Permission denied"),
        Message.of(*HEAD, *("x" * 100 for _ in range(3000))),
        Message.of(*HEAD, *(f"A{number}: x  (Priv: call,all)" for number in range(5000))),
    ],
    ids=["error", "long", "many"],
)
def test_what_is_no_list_or_too_long_is_none(message: Message) -> None:
    """Whatever the server thinks of."""
    assert listed_actions(message) is None


@given(st.lists(st.text("Aa:(Priv) ,all<none>sytemc\r\t0", max_size=60), max_size=20))
def test_any_rows_are_read(rows: list[str]) -> None:
    """Every mask is one that a user can be held against."""
    found = listed_actions(Message.of(*HEAD, *rows))

    assert found is not None
    assert all(0 <= mask <= ALL + 1 for mask in found.values())


def test_what_no_table_knows_needs_what_the_server_says() -> None:
    """Of every server that it may go to; where one says nothing it needs all classes."""
    said = listed("New: x  (Priv: reporting,all)", "Free: x  (Priv: <none>)")
    other = listed("New: x  (Priv: call,all)")

    assert refusal(REPORTING, "new", said) is None
    assert refusal(0, "Free", said) is None
    assert refusal(CALL, "New", said) is not None
    assert refusal(CALL | REPORTING, "New", said, other) is None
    assert refusal(REPORTING, "New", said, other) is not None
    assert refusal(REPORTING, "New") is not None
    assert refusal(ALL & ~SYSTEM, "Free", said, other) is not None


def test_the_stricter_of_table_and_server_counts() -> None:
    """A server cannot give what the table denies, nor the table what the server denies."""
    loose, strict = listed("Command: x  (Priv: <none>)"), listed("Hangup: x  (Priv: system,all)")

    other = listed("Command: x  (Priv: call,all)")

    assert refusal(CALL, "Command", loose) is not None
    assert refusal(CALL, "Command", other) is not None
    assert refusal(COMMAND, "Command", loose) is None
    assert refusal(CALL, "Hangup") is None
    assert refusal(CALL, "Hangup", strict) is not None
    assert refusal(CALL | SYSTEM, "Hangup", strict) is None


@pytest.mark.parametrize(
    "fields", [{"channel": "sip/1"}, {"out_context": "sales"}, {"accountcode": "acme"}]
)
def test_what_bounds_a_user_is_not_passed_by_what_is_unknown(fields: dict[str, str]) -> None:
    """Nobody could tell whether an unknown action keeps to it."""
    said = listed("New: x  (Priv: call,all)")

    assert refusal(CALL, "New", said, **fields) is not None
    assert refusal(BOUNDED, "New", said) is not None
    assert not rights.needs_listing(User("joe", "s", write=BOUNDED))
    assert not rights.needs_listing(User("joe", "s"))


def test_an_unknown_action_may_not_carry_what_escapes() -> None:
    """As a known one."""
    said = listed("New: x  (Priv: originate,all)")
    message = Message.of("Action: New", "Variable: X=${SHELL(reboot)}")
    user = User("joe", "s", write=ORIGINATE)

    assert "new" not in ACTIONS
    assert rights.refusal(user, message, [said]) is not None
