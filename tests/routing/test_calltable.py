# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of live channels, and what a message means for calls."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.calltable import CallTable


def event(name: str, *lines: str) -> Message:
    """Return the event *name* as a message."""
    return Message.of(f"Event: {name}", *lines)


def new(uid: str, channel: str = "SIP/1") -> Message:
    """Return a Newchannel."""
    return event("Newchannel", f"Channel: {channel}", f"Uniqueid: {uid}")


def state(uid: str, value: str = "Up", channel: str = "SIP/1") -> Message:
    """Return a Newstate."""
    return event("Newstate", f"Channel: {channel}", f"Uniqueid: {uid}", f"State: {value}")


def enter(bridge: str, uid: str) -> Message:
    """Return a BridgeEnter of a bridge that joins two parties."""
    names = (f"BridgeUniqueid: {bridge}", "BridgeType: basic")
    return event("BridgeEnter", *names, f"Uniqueid: {uid}")


def replay(table: CallTable, *uids: str) -> dict[str, tuple[Message, ...]]:
    """Return what a message that names *uids* would have replayed, by id."""
    message = event("X", *(f"Uniqueid{n}: {uid}" for n, uid in enumerate(uids, 1)))
    return dict(table.note(message).replays)


def test_newchannel_and_latest_newstate_are_kept_until_the_hangup() -> None:
    """The same messages, as clients got them."""
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


def test_a_channel_older_than_the_connection_has_its_state_alone() -> None:
    """Its Newchannel never came."""
    table = CallTable()
    table.note(state("1.1"))

    assert replay(table, "1.1") == {"1.1": (state("1.1"),)}


def test_links_are_as_of_the_message() -> None:
    """What comes later does not change what a message has replayed."""
    table = CallTable()
    table.note(new("1.1"))
    links = table.note(event("X", "Uniqueid: 1.1"))
    table.note(state("1.1"))
    table.note(event("Hangup", "Uniqueid: 1.1"))

    assert dict(links.replays) == {"1.1": (new("1.1"),)}


def test_a_message_does_not_replay_itself() -> None:
    """A Newchannel replays nothing of its own channel, a Newstate only the Newchannel."""
    table = CallTable()

    assert table.note(new("1.1")).replays == ()
    assert dict(table.note(state("1.1", "Ring")).replays) == {"1.1": (new("1.1"),)}
    assert dict(table.note(state("1.1", "Up")).replays) == {"1.1": (new("1.1"),)}


def test_a_renamed_channel_is_replayed_by_its_new_name() -> None:
    """After a masquerade (before Asterisk 12) the id goes on under the other's name."""
    table = CallTable()
    table.note(new("1.1", "SIP/1"))
    table.note(state("1.1", channel="SIP/1"))

    links = table.note(event("Rename", "Channel: SIP/1", "Newname: SIP/2", "Uniqueid: 1.1"))

    assert dict(links.replays) == {"1.1": (new("1.1", "SIP/1"), state("1.1", channel="SIP/1"))}
    assert replay(table, "1.1") == {"1.1": (new("1.1", "SIP/2"), state("1.1", channel="SIP/2"))}


def test_a_rename_of_an_unknown_channel_changes_nothing() -> None:
    """A rename without a new name changes nothing either."""
    table = CallTable()
    table.note(event("Rename", "Newname: SIP/2", "Uniqueid: 9.9"))
    table.note(new("1.1"))
    table.note(event("Rename", "Uniqueid: 1.1"))

    assert replay(table, "9.9", "1.1") == {"1.1": (new("1.1"),)}


def test_ids_of_gone_channels_are_not_live() -> None:
    """Until a new channel has the id."""
    table = CallTable()
    table.note(new("1.1"))
    table.note(event("Hangup", "Uniqueid: 1.1"))

    links = table.note(event("X", "Uniqueid: 2.1", "DestUniqueid: 1.1"))
    assert links.live == links.learned == ("2.1",)

    table.note(new("1.1"))
    assert table.note(event("X", "Uniqueid: 1.1")).live == ("1.1",)


def test_a_state_after_the_hangup_is_not_kept() -> None:
    """Nothing would ever remove it again."""
    table = CallTable()
    table.note(event("Hangup", "Uniqueid: 1.1"))
    table.note(state("1.1"))

    assert len(table) == 0


def test_a_user_event_changes_nothing() -> None:
    """It repeats what a client wrote."""
    table = CallTable()
    table.note(new("1.1"))

    links = table.note(event("UserEvent", "Event: Hangup", "Uniqueid: 1.1"))

    assert (links.learned, links.replays) == ((), ())
    assert len(table) == 1


def test_a_bridge_links_no_channel_that_is_gone() -> None:
    """Not channels that hung up in it, nor those in it when it was destroyed: the id may come again."""
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


def test_clear_forgets_everything() -> None:
    """The connection was lost."""
    table = CallTable()
    enter = event("BridgeEnter", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 2.1")
    for message in (new("1.1"), event("Hangup", "Uniqueid: 3.1"), enter):
        table.note(message)

    table.clear()

    assert len(table) == 0
    links = table.note(
        event("BridgeEnter", "BridgeUniqueid: b", "BridgeType: basic", "Uniqueid: 3.1")
    )
    assert (links.live, links.replays) == (("3.1",), ())


def test_the_table_is_bounded() -> None:
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


def test_keep_does_what_note_does_to_the_table() -> None:
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

    for bridge in ("b", "c"):
        message = enter(bridge, "9.1")
        expected, got = noted.note(message), kept.note(Message(message.raw))
        assert (got.live, got.replays) == (expected.live, expected.replays)
    assert replay(kept, "1.1", "2.1", "3.1") == replay(noted, "1.1", "2.1", "3.1")


def test_keep_examines_no_message_that_changes_nothing() -> None:
    """It does not prepare any message for filters either."""
    table = CallTable()
    unneeded, needed = event("VarSet", "Uniqueid: 1.1"), new("1.1")
    table.keep(unneeded)
    table.keep(needed)

    assert unneeded.facts is None
    assert needed.links is None


def test_an_event_that_only_begins_like_one_that_counts_changes_nothing() -> None:
    """A bare CR is a part of the name."""
    table = CallTable()
    table.keep(Message(b"Event: Newchannel\rX\r\nUniqueid: 1.1\r\n\r\n"))

    assert len(table) == 0


def test_links_are_kept_with_the_message() -> None:
    """The filters find there what the table has noted."""
    message = new("1.1")

    assert CallTable().note(message) is message.links


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_can_be_noted(blocks: list[bytes]) -> None:
    """Noise raises nothing."""
    table = CallTable()
    for block in blocks:
        table.note(Message(b"Event: BridgeEnter\r\n" + block + b"\r\n\r\n"))
        table.keep(Message(block + b"\r\n\r\n"))


def replays(table: CallTable, *uids: str) -> dict[str, tuple[Message, ...]]:
    """As replay, for any number of ids."""
    return {uid: messages for each in uids for uid, messages in replay(table, each).items()}


def test_messages_kept_are_bounded_by_their_bytes() -> None:
    """The oldest go first; one that is much too large is not kept at all."""
    table = CallTable(most_bytes=10_000)
    size = len(new("0.000", "x" * 900).raw)
    for number in range(100):
        table.note(new(f"0.{number:03}", "x" * 900))
    table.note(new("1.1", "x" * 20_000))

    kept = replays(table, *(f"0.{number:03}" for number in range(100)), "1.1")

    assert list(kept) == [f"0.{number:03}" for number in range(100 - 10_000 // size, 100)] + ["1.1"]
    assert kept["1.1"] == ()


@given(
    st.lists(
        st.tuples(st.sampled_from("nshr"), st.integers(0, 9), st.integers(0, 3000)), max_size=60
    )
)
def test_the_bytes_kept_are_those_of_the_messages(
    story: list[tuple[str, int, int]],
) -> None:
    """Whatever comes and goes; and they stay below the limit."""
    table = CallTable(most_bytes=8000)
    for what, uid, size in story:
        message = {
            "n": new(str(uid), "c" * size),
            "s": state(str(uid), "s" * size),
            "h": event("Hangup", f"Uniqueid: {uid}"),
            "r": event("Rename", f"Uniqueid: {uid}", f"Newname: {'r' * size}"),
        }[what]
        table.note(message)

    kept = replays(table, *map(str, range(10)))
    size = sum(len(message.raw) for messages in kept.values() for message in messages)
    assert table.size == size
    assert size <= 8000


def test_ids_and_members_of_bridges_are_bounded() -> None:
    """A long id is another's no more than a short one; what is remembered of it is short."""
    table = CallTable()
    long, other = "1" * 5000, "1" * 4999 + "2"
    table.note(new(long))
    assert list(replay(table, other)) == []
    (known,) = replay(table, long)
    assert len(known) < 100
    many = event("X", *(f"Uniqueid: {number}" for number in range(5000)))
    assert len(table.note(many).live) == 64
    for number in range(100):
        table.note(enter("b", str(number)))
    assert len(table.note(enter("b", "last")).live) < 12


def test_what_is_kept_holds_nothing_that_was_found_in_it() -> None:
    """That takes many times the memory."""
    table = CallTable()
    message = new("1.1")
    table.note(message)

    ((kept,),) = replay(table, "1.1").values()

    assert kept == message
    assert kept.facts is None
    assert message.facts is not None
