# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of live channels, and the facts of a message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.facts import facts_of


def event(name, *lines):
    """Return the event *name* as a message."""
    return Message.of(f"Event: {name}", *lines)


def new(uid, channel="SIP/1"):
    """Return a Newchannel."""
    return event("Newchannel", f"Channel: {channel}", f"Uniqueid: {uid}")


def state(uid, value="Up", channel="SIP/1"):
    """Return a Newstate."""
    return event("Newstate", f"Channel: {channel}", f"Uniqueid: {uid}", f"State: {value}")


def enter(bridge, uid):
    """Return a BridgeEnter of a bridge that joins two parties."""
    names = (f"BridgeUniqueid: {bridge}", "BridgeType: basic")
    return event("BridgeEnter", *names, f"Uniqueid: {uid}")


def replay(table, *uids):
    """Return what a message that names *uids* would have replayed, by id."""
    message = event("X", *(f"Uniqueid{n}: {uid}" for n, uid in enumerate(uids, 1)))
    return dict(table.note(message).replay)


def test_newchannel_and_latest_newstate_are_kept_until_the_hangup():
    """The very messages, as clients got them."""
    table = CallTable()
    for message in (new("1.1"), state("1.1", "Ring"), state("1.1", "Up"), new("2.1")):
        table.note(message)

    assert replay(table, "1.1", "2.1", "3.1") == {
        "1.1": (new("1.1"), state("1.1")),
        "2.1": (new("2.1"),),
    }
    assert len(table) == 2

    table.note(event("Hangup", "Uniqueid: 1.1"))
    assert replay(table, "1.1", "2.1") == {"2.1": (new("2.1"),)}
    assert len(table) == 1


def test_a_channel_older_than_the_connection_has_its_state_alone():
    """Its Newchannel never came."""
    table = CallTable()
    table.note(state("1.1"))

    assert replay(table, "1.1") == {"1.1": (state("1.1"),)}


def test_facts_hold_the_moment():
    """What comes later does not change what a message has replayed."""
    table = CallTable()
    table.note(new("1.1"))
    facts = table.note(event("X", "Uniqueid: 1.1"))
    table.note(state("1.1"))
    table.note(event("Hangup", "Uniqueid: 1.1"))

    assert dict(facts.replay) == {"1.1": (new("1.1"),)}


def test_a_message_does_not_replay_itself():
    """Newchannel brings nothing of its own channel, Newstate the Newchannel."""
    table = CallTable()

    assert table.note(new("1.1")).replay == ()
    assert dict(table.note(state("1.1", "Ring")).replay) == {"1.1": (new("1.1"),)}
    assert dict(table.note(state("1.1", "Up")).replay) == {"1.1": (new("1.1"),)}


def test_a_renamed_channel_is_replayed_by_its_new_name():
    """After a masquerade (before Asterisk 12) the id goes on under the other's name."""
    table = CallTable()
    table.note(new("1.1", "SIP/1"))
    table.note(state("1.1", channel="SIP/1"))

    facts = table.note(event("Rename", "Channel: SIP/1", "Newname: SIP/2", "Uniqueid: 1.1"))

    assert "\nsip/2" in facts.channels_text
    assert dict(facts.replay) == {"1.1": (new("1.1", "SIP/1"), state("1.1", channel="SIP/1"))}
    assert replay(table, "1.1") == {"1.1": (new("1.1", "SIP/2"), state("1.1", channel="SIP/2"))}


def test_a_rename_of_an_unknown_channel_is_nothing():
    """Nor is one without a name."""
    table = CallTable()
    table.note(event("Rename", "Newname: SIP/2", "Uniqueid: 9.9"))
    table.note(new("1.1"))
    table.note(event("Rename", "Uniqueid: 1.1"))

    assert replay(table, "9.9", "1.1") == {"1.1": (new("1.1"),)}


def test_ids_of_gone_channels_are_named_but_not_live():
    """Until a new channel has the id."""
    table = CallTable()
    table.note(new("1.1"))
    table.note(event("Hangup", "Uniqueid: 1.1"))

    facts = table.note(event("X", "Uniqueid: 2.1", "Linkedid: 1.1"))
    assert facts.uids == ("2.1", "1.1")
    assert facts.live == facts.learn == ("2.1",)

    table.note(new("1.1"))
    assert table.note(event("X", "Uniqueid: 1.1")).live == ("1.1",)


def test_a_state_after_the_hangup_is_not_kept():
    """Nobody would ever take it out again."""
    table = CallTable()
    table.note(event("Hangup", "Uniqueid: 1.1"))
    table.note(state("1.1"))

    assert len(table) == 0


def test_a_user_event_changes_nothing():
    """It repeats what a client said."""
    table = CallTable()
    table.note(new("1.1"))

    facts = table.note(event("UserEvent", "Event: Hangup", "Uniqueid: 1.1"))

    assert (facts.name, facts.learn, facts.replay) == ("userevent", (), ())
    assert len(table) == 1


def test_a_bridge_links_nobody_who_is_gone():
    """Not who hung up in it, nor who was in it when it was destroyed: the id may come again."""
    table = CallTable()
    names = ("BridgeUniqueid: b", "BridgeType: basic")
    for message in (
        event("BridgeEnter", *names, "Uniqueid: 1.1"),
        event("BridgeEnter", *names, "Uniqueid: 2.1"),
        event("Hangup", "Uniqueid: 2.1"),
    ):
        table.note(message)

    assert table.note(event("BridgeEnter", *names, "Uniqueid: 3.1")).live == ("3.1", "1.1")
    table.note(event("BridgeDestroy", *names))
    assert table.note(event("BridgeEnter", *names, "Uniqueid: 4.1")).live == ("4.1",)


def test_clear_forgets_all():
    """The connection was lost."""
    table = CallTable()
    enter = event("BridgeEnter", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 2.1")
    for message in (new("1.1"), event("Hangup", "Uniqueid: 3.1"), enter):
        table.note(message)

    table.clear()

    assert len(table) == 0
    facts = table.note(
        event("BridgeEnter", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 3.1")
    )
    assert (facts.live, facts.replay) == (("3.1",), ())


def test_the_table_is_bounded():
    """Channels that are never hung up: the oldest are dropped."""
    table = CallTable(most=10)
    for number in range(50):
        table.note(new(f"{number}.1"))
        table.note(state(f"{number}.2"))
        table.note(event("Hangup", f"Uniqueid: {number}.3"))
        table.note(enter(f"b{number}", f"{number}.1"))

    assert len(table) == 10
    assert "49.1" in replay(table, "49.1")
    assert not replay(table, "1.1")
    assert table.note(event("X", "Uniqueid1: 39.3", "Uniqueid2: 40.3")).live == ("39.3",)
    assert table.note(enter("b40", "x.1")).live == ("x.1", "40.1")
    assert table.note(enter("b39", "x.1")).live == ("x.1",)


def test_keep_does_what_note_does_to_the_table():
    """Without examining the messages that change nothing."""
    stream = [
        new("1.1"), new("2.1"), new("3.1"), state("1.1", "Ring"), state("1.1"), event("VarSet", "Uniqueid: 1.1"),
        event("Rename", "Newname: SIP/9", "Uniqueid: 2.1"), event("Hangup", "Uniqueid: 3.1"),
        event("BridgeEnter", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 1.1"),
        event("BridgeEnter", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 2.1"),
        event("BridgeLeave", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 2.1"),
        event("BridgeEnter", "BridgeUniqueid: c", "BridgeType: basic", "Uniqueid: 2.1"),
        event("BridgeDestroy", "BridgeUniqueid: c"),
    ]  # fmt: skip
    noted, kept = CallTable(), CallTable()
    for message in stream:
        noted.note(message)
        kept.keep(Message(message.raw))

    assert vars(kept) == vars(noted)
    unneeded = event("VarSet", "Uniqueid: 1.1")
    kept.keep(unneeded)
    assert unneeded.facts is None


@pytest.mark.parametrize(
    ("lines", "name", "response"),
    [
        (("Event: Foo", "Response: Success"), "foo", False),
        (("Response: Success", "Event: Foo"), "", True),
        (("ActionID: 1", "Event: FOO", "Event: Bar"), "foo", False),
        (("EVENT:Foo",), "foo", False),
        (("Lonely: header",), "", False),
        (("no header at all",), "", False),
    ],
)
def test_event_or_answer(lines, name, response):
    """Whichever header comes first says what the message is."""
    facts = facts_of(Message.of(*lines))

    assert (facts.name, facts.response) == (name, response)


def test_facts_of_an_event():
    """Everything the filters read."""
    facts = facts_of(
        event(
            "Hangup", "Privilege: call,all", "Channel: SIP/A-1", "Context: In", "Context: other", "Uniqueid: 1.1",
            "Linkedid: 1.0", "DestChannel: ", "DestUniqueid: <unknown>", "SwapUniqueid: 1.1", "BridgeUniqueid: b",
        )
    )  # fmt: skip

    assert facts.privilege == "call,all"
    assert facts.channels == ("sip/a-1",)
    assert facts.contexts == ("In",)
    assert facts.uids == ("1.1", "1.0")
    assert facts.hangup_uid == "1.1"
    assert facts.bridges == ("b",)
    assert facts_of(event("X", "DestContext: a", "LocalOneContext: b")).contexts == ("a", "b")
    assert facts_of(event("X")).contexts == ()


def test_facts_are_made_once():
    """And kept with the message."""
    message = event("X")

    assert facts_of(message) is facts_of(message) is message.facts


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_have_facts(blocks):
    """Noise is noted without exception."""
    table = CallTable()
    for block in blocks:
        table.note(Message(b"Event: BridgeEnter\r\n" + block + b"\r\n\r\n"))
        table.keep(Message(block + b"\r\n\r\n"))
