# SPDX-License-Identifier: GPL-2.0-or-later
"""Event filters let through what a real Asterisk lets through."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.routing.eventfilter import NO_FILTERS, EventFilters, FilterError
from tests.patterns.test_patterns import EVENTS, REFUSED, TABLE

if TYPE_CHECKING:
    from tests.asterisk.conftest import Manager
    from tests.support import ManagerClient

pytestmark = pytest.mark.real_asterisk

#: What the UserEvents say, besides their number.
SAID = [
    *([line for line in event.decode("latin-1").split("\r\n")[1:] if line] for event in EVENTS),
    ["Channel: SIP/1", "Empty:", "Channel: SIP/2", "ChannelX: a"],
    ["channel: SIP/1", "Key:v1", "Key:   v2  "],
]
CRITERIA = [
    ("name(UserEvent)", ""), ("name(userevent)", ""), ("name(User)", ""), ("name(UserEvent)", "!"),
    ("action(exclude),name(UserEvent)", ""), ("action(include),name(UserEvent)", "!"),
    ("header(Channel),method(exact)", "SIP/1"), ("header(Channel),method(exact)", "!SIP/1"),
    ("action(include),header(Channel),method(exact)", "!SIP/1"),
    ("action(exclude),header(Channel),method(exact)", "!SIP/1"),
    ("header(channel),method(exact)", "SIP/1"), ("header(Channel:),method(exact)", "SIP/1"),
    ("header(Chan),method(contains)", "SIP"), ("header(Channel),method(starts_with)", "SIP/"),
    ("header(Channel),method(ends_with)", "2"), ("header(Channel),method(ends_with)", "SIP"),
    ("header(Channel),method(contains)", "IP/"), ("header(Channel),method(regex)", "^SIP/[12]$"),
    ("header(Channel),method(regex)", "^$"), ("header(Channel),method(regex)", "SIP/1.SIP"),
    ("header(Channel),method(regex)", r"\<SIP\>"), ("header(Empty),method(none)", ""),
    ("header(Empty)", ""), ("header(Channel)", ""), ("header(Channel)", "x"), ("header(Key)", ""),
    ("header(Key),method(exact)", "v2"), ("header(Key),method(exact)", "v2  "),
    ("header(Key),method(exact)", "v1"), ("action(exclude),header(Key)", ""),
    ("method(contains)", "SIP/1"), ("method(starts_with)", "Event: User"),
    ("method(ends_with)", "a"), ("method(exact)", "x"), ("method(regex)", "SIP/[2-9]"),
    ("action(exclude) name(UserEvent)", ""), ("action(exclude)name(UserEvent)", ""),
    ("action(exclude),name(UserEvent),header(Channel) method(exact)", "SIP/1"),
    ("name(VarSet),name(UserEvent)", ""), ("name(UserEvent),name(VarSet)", ""),
    ("names(UserEvent)", ""), ("name(UserEvent", ""), ("name( UserEvent)", ""),
    ("name(UserEvent )", ""), ("name(UserEvent),", ""), (",name(UserEvent)", ""),
    ("name()", ""), ("nonsense(1)", "x"), ("action(maybe)", "x"), ("method(like)", "x"),
    ("method(none)", ""), ("name(UserEvent),method(none)", "x"), ("action(exclude)", "x"),
    ("action", "x"), (",", "x"), ("(", "x"), ("method(regex)", "[x"), ("method(regex)", ""),
]  # fmt: skip


def added(client: ManagerClient, criteria: str, text: str) -> bool:
    """Add a filter; return whether Asterisk has accepted it."""
    lines = [f"Filter: {text}", *([f"MatchCriteria: {criteria}"] if criteria else [])]
    client.send("Action: Filter", "Operation: Add", "ActionID: f", *lines)
    answer = client.read_until("ActionID: f")
    return answer[0] == "Response: Success"


def heard(client: ManagerClient) -> list[Message]:
    """Return the UserEvents that *client* is sent, all that have been said by now."""
    found = []
    # Asterisk sends events before it reads an action, so two will do.
    for number in ("1", "2"):
        client.send("Action: Ping", f"ActionID: p{number}")
        while True:
            lines = client.read_message()
            if f"ActionID: p{number}" in lines:
                break
            if lines[0] == "Event: UserEvent" and "UserEvent: Probe" in lines:
                found.append(Message.of(*lines))
    return found


def compared(manager: Manager, filters: list[tuple[str, str, EventFilters | None]]) -> list[str]:
    """Return which *filters*, as criteria, text and ours, Asterisk reads differently."""
    wrong = []
    with contextlib.ExitStack() as stack:
        everything, *clients = [
            stack.enter_context(manager.log_in()) for _ in range(len(filters) + 1)
        ]
        accepted = [added(client, *one[:2]) for client, one in zip(clients, filters)]
        for number, lines in enumerate(SAID):
            everything.send("Action: UserEvent", "UserEvent: Probe", *lines, f"No: {number}")
        said = heard(everything)
        assert len(said) == len(SAID)
        for client, (criteria, text, ours), taken in zip(clients, filters, accepted):
            if taken is not (ours is not None):
                wrong.append(f"{criteria} = {text}: accepted by Asterisk: {taken}")
            elif ours is not None and heard(client) != [one for one in said if ours.passes(one)]:
                wrong.append(f"{criteria} = {text}: other events")
    return wrong


def ours(criteria: str, text: str) -> EventFilters | None:
    """Return our filter, or None if it is refused."""
    try:
        return NO_FILTERS.with_line(text, criteria)
    except FilterError:
        return None


def test_patterns_let_through_the_same_events(manager: Manager) -> None:
    """Each pattern of the table, in events that Asterisk makes."""
    texts = [text for text in TABLE if text not in REFUSED and not text.startswith(" ")]
    # Bytes are characters here, as on the wire.
    sent = [text.encode().decode("latin-1") for text in texts]
    rows = [("", text, ours("", text)) for text in sent]

    assert [
        line for at in range(0, len(rows), 40) for line in compared(manager, rows[at : at + 40])
    ] == []


def test_criteria_let_through_the_same_events(manager: Manager) -> None:
    """And are refused alike."""
    assert compared(manager, [(*one, ours(*one)) for one in CRITERIA]) == []
