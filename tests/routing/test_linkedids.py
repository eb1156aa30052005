# SPDX-License-Identifier: GPL-2.0-or-later
"""Which channels belong to a call, by its Linkedid: how long it is remembered."""

from __future__ import annotations

from amiproxy.message import Message
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.linkedids import Linkedids


def event(name: str, *lines: str) -> Message:
    """Return the event *name* as a message."""
    return Message.of(f"Event: {name}", *lines)


def new(uid: str) -> Message:
    """Return a Newchannel without Linkedid, as of Asterisk 11."""
    return event("Newchannel", "Channel: SIP/1", f"Uniqueid: {uid}")


def linked(name: str, uid: str, linkedid: str) -> Message:
    """Return an event of a channel of a call."""
    return event(name, f"Uniqueid: {uid}", f"Linkedid: {linkedid}")


def test_a_linkedid_lives_as_long_as_a_channel_has_it() -> None:
    """Its own channel may be gone, or older than the connection."""
    table = CallTable()
    table.note(new("1.1"))
    assert table.note(linked("Hangup", "1.1", "1.1")).ended == ("1.1",)
    assert table.note(linked("X", "1.2", "1.1")).live == ("1.2", "1.1")
    assert table.note(linked("X", "1.3", "1.1")).live == ("1.3", "1.1")
    assert table.note(linked("Hangup", "1.3", "1.1")).ended == ("1.3",)
    # Another call takes the channel over: the first one has none any longer.
    assert table.note(linked("X", "1.2", "0.9")).ended == ("1.1",)
    assert table.note(linked("Hangup", "1.2", "0.9")).ended == ("1.2", "0.9")
    assert not table.note(linked("X", "", "1.1")).live


def test_a_channel_that_lives_does_not_end_with_the_others() -> None:
    """It has a Linkedid of its own by now, or is known by its Newchannel alone."""
    for first in (linked("X", "1.1", "0.5"), new("1.1")):
        table = CallTable()
        table.note(first)
        table.note(linked("X", "1.2", "1.1"))

        assert table.note(linked("Hangup", "1.2", "1.1")).ended == ("1.2",)


def test_events_that_prove_nothing_join_no_call() -> None:
    """And what comes after a Hangup does not either."""
    table = CallTable()
    table.note(new("1.1"))
    table.note(event("Hangup", "Uniqueid: 1.1"))
    table.note(event("Hangup", "Uniqueid: 2.1"))
    for name, uid in (("UserEvent", "1.2"), ("Cdr", "1.2"), ("ConfbridgeLeave", "2.1")):
        assert "1.1" not in table.note(linked(name, uid, "1.1")).live


def test_linkedids_are_bounded() -> None:
    """The oldest channels go first, and the calls that nobody else has."""
    linkedids = Linkedids(2)
    for uid, call in (("1", "a"), ("2", "b"), ("3", "b"), ("3", "b"), ("4", "c")):
        linkedids.join(uid, call)

    assert list(linkedids.of) == ["3", "4"]
    assert linkedids.channels == {"b": 1, "c": 1}
    linkedids.clear()
    assert not linkedids.of
    assert not linkedids.channels
