# SPDX-License-Identifier: GPL-2.0-or-later
"""The list of actions that one server is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.listing import AGAIN, Listing

if TYPE_CHECKING:
    import pytest

    from tests.threads.conftest import MakePair

IDS = ActionIds()
ROW = "New: x  (Priv: call,all)"


def answer(action_id: str, *rows: str) -> Message:
    return Message.of("Response: Success", f"ActionID: {action_id}", *rows)


def test_it_is_asked_for_once_a_minute() -> None:
    """However many users send what is unknown; an earlier list counts until the next one."""
    listing = Listing(IDS, "pbx:5038")
    first = listing.question(1000.0)
    assert first is not None
    assert listing.question(1000.0 + AGAIN - 1) is None
    listing.note([answer(first.wire_id, ROW)])
    assert (set(listing.actions), listing.settled.is_set()) == ({"new"}, True)

    second = listing.question(1000.0 + AGAIN)

    assert second is not None
    assert set(listing.actions) == {"new"}
    listing.note([answer(first.wire_id), answer(second.wire_id, ROW.replace("New", "Newer"))])
    assert set(listing.actions) == {"newer"}


def test_nothing_but_the_answer_is_taken_for_it() -> None:
    """No event, and no message with another ActionID."""
    listing = Listing(IDS, "pbx:5038")
    asked = listing.question(1000.0)
    assert asked is not None
    event = Message.of("Event: UserEvent", f"ActionID: {asked.wire_id}", ROW)
    listing.note([event, answer("x", ROW), Message.of("Response: Success", ROW)])

    assert (dict(listing.actions), listing.settled.is_set()) == ({}, False)


def test_a_list_that_cannot_be_used_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """And gives nobody anything."""
    listing = Listing(IDS, "pbx:5038")
    asked = listing.question(1000.0)
    assert asked is not None
    listing.note([answer(asked.wire_id, *["x" * 1000] * 300)])

    assert dict(listing.actions) == {}
    assert caplog.messages == ["asterisk@pbx:5038: no list of its actions, or too long"]


def test_the_link_asks_and_forgets(pair: MakePair) -> None:
    """It is the proxy's own action: the answer is for nobody; the end of the connection ends it."""
    link = AsteriskLink(ServerSpec("pbx", 5038, "u", "s", "on", False), IDS)
    link.ask_listed(10.0)  # without a connection: nothing
    transport, theirs = pair()
    link.open(transport)
    link.go_live()
    link.ask_listed(0.0)
    link.ask_listed(0.01)
    action, action_id, *rest = theirs.recv(1000).decode().split("\r\n")
    assert (action, rest) == ("Action: ListCommands", ["", ""])

    items, over = link.classify([answer(action_id.partition(": ")[2], ROW)])

    assert (items, over, set(link.listed)) == ([], [], {"new"})
    link.ask_listed(10.0)  # does not wait
    link.lose()
    assert dict(link.listed) == {}
