# SPDX-License-Identifier: GPL-2.0-or-later
"""QueueTable: what the recordings of queues say is what its rows say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.state.queues.table import QUEUE_STATUS, QueueTable
from amiproxy.state.table import Standing
from tests.state.replays import by_name, fed, give, row, shown, told

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def table() -> QueueTable:
    """Return an empty table, which builds."""
    return QueueTable(Standing())


def states(table: QueueTable, now: float) -> dict[object, object]:
    """Return the state of each member of the recorded queues by its key."""
    return {each.key: each.fields["state"] for each in table.rows("members", now)}


def steps(table: QueueTable, name: str, event: str) -> Iterator[float]:
    """Replay the recording *name*; yield after each *event*."""
    for told_one, now in zip(told(name), give(table, name)):
        if told_one.event is not None and told_one.event.get("Event") == event:
            yield now


def test_a_complete_call(table: QueueTable) -> None:
    """Waiting, ringing, in the call, free again; the answer is told though Leave comes first."""
    anna = "support/Local/201@agents/n"
    caller = "1795412163.315"
    seen = []
    for each, now in zip(told("e1_queue_complete"), give(table, "e1_queue_complete")):
        name = each.event.get("Event") if each.event else each.query.action if each.query else ""
        if name in ("QueueCallerJoin", "AgentCalled", "QueueCallerLeave", "AgentConnect",
                    "AgentComplete"):  # fmt: skip
            member = row(table, "members", anna, now) if len(table.store.attempts) else None
            seen.append((
                name,
                caller in table.store.waiting,
                member and member.fields["state"],
                table.endings.outcome(caller, now),
            ))  # fmt: skip

    assert seen == [
        ("QueueCallerJoin", True, None, None),
        ("AgentCalled", True, "ringing", None),
        ("AgentCalled", True, "ringing", None),
        ("QueueCallerLeave", False, None, None),
        ("AgentConnect", False, "in_call", "answered"),
        ("AgentComplete", False, None, "answered"),
    ]
    assert shown(table, "callers", "uniqueid") == []


def test_a_call_says_who_talks(table: QueueTable) -> None:
    """The row of a member names caller and own channel, with times by the proxy's clock."""
    connected = next(steps(table, "pjsip_queue", "AgentConnect"))
    anna = row(table, "members", "support/PJSIP/103", connected).fields

    assert anna["state"] == "in_call"
    assert anna["since"] == connected
    assert anna["in_call_with"] == "1795686178.491"
    assert anna["channel"] == "PJSIP/103-00000143"
    assert (anna["caller_number"], anna["caller_name"]) == ("105", "Phone 105")
    assert anna["ringing_for"] is None
    assert row(table, "queues", "support", connected).fields["members_in_call"] == 1


def test_timeout_and_abandon_differ(table: QueueTable) -> None:
    """Both have an Abandon; QUEUESTATUS after the Leave tells the timeout."""
    for _ in give(table, "e2_queue_abandon"):
        pass
    table.endings.settle(1e9)

    assert [(each.queue, each.outcome) for each in table.endings.recent.values()] == [
        ("dead", "hung_up"),
        ("dead", "timed_out"),
    ]


def test_a_caller_who_leaves_by_key(table: QueueTable) -> None:
    """Leave alone, and 2 s without anything."""
    fed(table, "Event: QueueCallerJoin", "Queue: q", "Uniqueid: 1.1", "Position: 1", "Count: 1")
    fed(table, "Event: QueueCallerLeave", "Queue: q", "Uniqueid: 1.1", "Position: 1", "Count: 0",
        now=1001.0)  # fmt: skip

    assert table.endings.outcome("1.1", 1002.9) is None
    assert table.endings.outcome("1.1", 1003.0) == "other"
    assert table.endings.recent["1.1"].since == 1000.0


def test_positions_shift_silently(table: QueueTable) -> None:
    """A join in the middle moves those behind back, a leave moves them up."""
    for number, position in enumerate((1, 2, 1, 2)):
        fed(table, "Event: QueueCallerJoin", "Queue: q", f"Uniqueid: {number}",
            f"Position: {position}", f"Count: {number + 1}")  # fmt: skip
    assert shown(table, "callers", "uniqueid", "position") == [
        ("2", 1), ("3", 2), ("0", 3), ("1", 4),
    ]  # fmt: skip

    fed(table, "Event: Leave", "Queue: q", "Uniqueid: 3", "Position: 2", "Count: 3")
    assert shown(table, "callers", "uniqueid", "position") == [("2", 1), ("0", 2), ("1", 3)]
    assert shown(table, "callers", "original_position") == [(1,), (1,), (2,)]


def test_a_count_that_does_not_fit_is_a_doubt() -> None:
    """Once the lists have been taken; while they are, it is no news."""
    standing = Standing()
    table = QueueTable(standing)
    join = ("Event: QueueCallerJoin", "Queue: q", "Position: 3", "Count: 3")
    fed(table, *join, "Uniqueid: 1")
    assert standing.doubts == set()

    standing.live = True
    fed(table, *join, "Uniqueid: 2")
    assert standing.doubts == {"callers"}
    assert shown(table, "callers", "position") == [(1,), (2,)]


def test_member_added_paused_changed_removed(table: QueueTable) -> None:
    """The recording of a dynamic member, from QueueAdd to QueueRemove."""
    seen = []
    for each, now in zip(told("e3_queue_members"), give(table, "e3_queue_members")):
        event = each.event
        if event is not None and event.get("Event").startswith("QueueMember"):
            fields = ("queue", "paused", "pause_reason", "penalty", "ring_in_use", "state")
            rows = shown(table, "members", *fields, now=now)
            seen.append([found[1:] for found in rows if found[0] == event.get("Queue")])
    del seen[3]  # the same interface in another queue
    assert seen == [
        [(False, None, 2, True, "free")],
        [(True, "lunch: 12-13", 2, True, "paused")],
        [(False, None, 2, True, "free")],
        [(False, None, 5, True, "free")],
        [(False, None, 5, False, "free")],
        [],
    ]


def test_the_state_is_the_first_that_fits(table: QueueTable) -> None:
    """In a call, ringing, offline, paused, wrap-up, ringing or busy elsewhere, free."""

    def status(number: int, paused: int = 0, now: float = 1000.0) -> object:
        fed(table, "Event: QueueMemberStatus", "Queue: q", "Interface: PJSIP/1",
            f"Status: {number}", f"Paused: {paused}", "CallsTaken: 0", "LastCall: 0",
            "Wrapuptime: 10", now=now)  # fmt: skip
        return states(table, now)["q/PJSIP/1"]

    agent = ("Queue: q", "Interface: PJSIP/1", "Uniqueid: 1.1", "DestUniqueid: 1.2")
    assert status(5, 1) == "offline"
    assert status(2, 1) == "paused"
    assert [status(each) for each in (0, 1, 2, 3, 4, 6, 7, 8, 9)] == [
        "free", "free", "busy_elsewhere", "busy_elsewhere", "offline", "ringing_elsewhere",
        "busy_elsewhere", "busy_elsewhere", "unknown",
    ]  # fmt: skip
    fed(table, "Event: AgentCalled", *agent, now=1001.0)
    assert status(6, 1, 1001.0) == "ringing"
    fed(table, "Event: AgentConnect", *agent, now=1002.0)
    assert status(2, 1, 1002.0) == "in_call"
    assert row(table, "members", "q/PJSIP/1").fields["paused"] is True
    fed(table, "Event: AgentComplete", *agent, now=1010.0)
    assert status(1, 0, 1010.0) == "wrap_up"
    assert states(table, 1019.9) == {"q/PJSIP/1": "wrap_up"}
    free = row(table, "members", "q/PJSIP/1", 1030.0).fields
    assert (free["state"], free["since"]) == ("free", 1020.0)


def test_times_of_a_pause() -> None:
    """By the event when it came, by the list from LastPause, shifted by the clocks' offset."""
    pause = ("Queue: q", "Interface: PJSIP/1", "Status: 1", "LastPause: 500", "Paused: 1")
    standing = Standing()
    standing.offset = 3.0
    table = QueueTable(standing)
    fed(table, "Event: QueueMemberPause", *pause, "PausedReason: lunch", now=1000.0)
    assert row(table, "members", "q/PJSIP/1").fields["paused_since"] == 1000.0

    table.clear()
    item = Message.of("Event: QueueMember", "Queue: q", "Location: PJSIP/1", *pause[2:])
    table.take_list(QUEUE_STATUS, [item], 1000.0)
    listed = row(table, "members", "q/PJSIP/1").fields
    assert (listed["paused_since"], listed["since"]) == (503.0, 503.0)


def test_the_list_sets_and_what_it_lacks_goes(table: QueueTable) -> None:
    """It has the words of lists; its counters are Asterisk's; times come from Wait."""
    for _ in give(table, "e4_queue_many", 0, 600):
        pass
    position = next(
        number for number, each in enumerate(told("e4_queue_many"))
        if each.query == QUEUE_STATUS
    )  # fmt: skip
    listed = told("e4_queue_many")[position]
    fresh = QueueTable(Standing())
    assert fresh.take_list(QUEUE_STATUS, listed.items, 2000.0) > 0
    assert fresh.take_list(QUEUE_STATUS, listed.items, 2000.0) == 0

    support = row(fresh, "queues", "support").fields
    assert (support["waiting"], support["longest_since"]) == (3, 1997.0)
    assert (support["strategy"], support["members"]) == ("ringall", 3)
    assert support["asterisk_completed"] is not None
    assert shown(fresh, "callers", "position", "priority", "since") == [
        (1, 0, 1997.0), (2, 0, 1997.0), (3, 0, 1998.0),
    ]  # fmt: skip
    assert fresh.take_list(QUEUE_STATUS, [], 2001.0) == 4
    assert len(fresh) == 0


def test_a_list_keeps_what_it_does_not_know(table: QueueTable) -> None:
    """Ring in use is not in it, realtime is called static, and since is the event's."""
    join = ("Queue: q", "Uniqueid: 1", "Position: 1", "Count: 1")
    fed(table, "Event: QueueCallerJoin", *join, now=1000.0)
    fed(table, "Event: QueueMemberAdded", "Queue: q", "Interface: PJSIP/1", "Ringinuse: 1",
        "Membership: realtime", "Status: 1", "Paused: 0", "Penalty: 2")  # fmt: skip
    items = [
        Message.of("Event: QueueMember", "Queue: q", "Location: PJSIP/1", "Membership: static",
                   "Status: 1", "Paused: 0", "Penalty: 2"),
        Message.of("Event: QueueEntry", *join, "Wait: 3"),
    ]  # fmt: skip

    assert table.take_list(QUEUE_STATUS, items, 1005.0) == 0
    assert shown(table, "members", "ring_in_use", "membership") == [(True, "realtime")]
    assert shown(table, "callers", "since") == [(1000.0,)]


def test_late_events_bring_nothing_back() -> None:
    """Neither a caller who hung up nor a member who was removed; a new channel may."""
    standing = Standing()
    table = QueueTable(standing)
    join = ("Event: QueueCallerJoin", "Queue: q", "Uniqueid: 1", "Position: 1", "Count: 1")
    fed(table, *join)
    standing.gone.add("1", 1000.0)
    fed(table, "Event: Hangup", "Uniqueid: 1")
    fed(table, *join)
    member = ("Queue: q", "Interface: PJSIP/1", "Status: 1", "Paused: 0")
    fed(table, "Event: QueueMemberAdded", *member)
    fed(table, "Event: QueueMemberRemoved", *member)
    fed(table, "Event: QueueMemberStatus", *member)
    fed(table, "Event: AgentCalled", *member, "Uniqueid: 2")
    assert (shown(table, "callers", "uniqueid"), shown(table, "members", "name")) == ([], [])

    standing.gone.discard("1")
    fed(table, *join)
    fed(table, "Event: QueueMemberAdded", *member)
    assert [len(shown(table, kind, "queue")) for kind in ("callers", "members")] == [1, 1]


def test_an_unknown_member_of_a_live_table_is_a_doubt() -> None:
    """It is the list that says who is a member."""
    standing = Standing()
    table = QueueTable(standing)
    standing.live = True
    fed(table, "Event: QueueMemberStatus", "Queue: q", "Interface: PJSIP/1", "Status: 1")
    assert (standing.doubts, len(table)) == ({"members"}, 0)


def test_the_words_of_asterisk_11(table: QueueTable) -> None:
    """Join, Leave, Location; a Link of the caller is the answer; reasons come as Reason."""
    for _ in give(table, "asterisk11_queue"):
        pass
    assert [(each.queue, each.outcome) for each in table.endings.recent.values()] == [
        ("support", "answered"), ("one", "answered"), ("one", "answered"), ("sales", "hung_up"),
    ]  # fmt: skip
    assert states(table, 1e6)["support/SIP/103"] == "free"
    assert shown(table, "callers", "uniqueid") == []

    fed(table, "Event: QueueMemberPaused", "Queue: support", "Location: SIP/103",
        "MemberName: Anna", "Paused: 1", "Reason: lunch")  # fmt: skip
    anna = row(table, "members", "support/SIP/103").fields
    assert (anna["name"], anna["state"], anna["pause_reason"]) == ("Anna", "paused", "lunch")

    called = ("Queue: support", "Uniqueid: 9.1")
    fed(table, "Event: AgentCalled", *called, "AgentCalled: SIP/104",
        "DestinationChannel: SIP/104-1", "CallerIDNum: 105")  # fmt: skip
    assert row(table, "members", "support/SIP/104").fields["state"] == "ringing"
    fed(table, "Event: AgentConnect", *called, "Channel: SIP/104-1", "Member: SIP/104",
        "BridgedChannel: 9.2")  # fmt: skip
    bert = row(table, "members", "support/SIP/104").fields
    assert (bert["state"], bert["channel"], bert["caller_number"]) == (
        "in_call",
        "SIP/104-1",
        "105",
    )
    fed(table, "Event: Hangup", "Uniqueid: 9.2")
    assert row(table, "members", "support/SIP/104").fields["state"] == "free"


@pytest.mark.parametrize(
    ("channel", "state"), [("PJSIP/1-1", "free"), ("Local/1@agents-1;1", "in_call")]
)
def test_a_local_channel_may_go_before_the_call_ends(
    table: QueueTable, channel: str, state: str
) -> None:
    """It is optimised away; that of a phone is the call."""
    fed(table, "Event: QueueMemberAdded", "Queue: q", "Interface: a", "Status: 1")
    agent = ("Queue: q", "Interface: a", "Uniqueid: 1.1")
    fed(table, "Event: AgentConnect", *agent, "DestUniqueid: 1.2", f"DestChannel: {channel}")
    fed(table, "Event: Hangup", "Uniqueid: 1.2")
    assert states(table, 1000.0) == {"q/a": state}
    fed(table, "Event: Hangup", "Uniqueid: 1.1")
    assert states(table, 1000.0) == {"q/a": "free"}


def test_a_new_queue_of_a_live_table_is_a_doubt() -> None:
    """A realtime queue appears when it is used: its settings are in the list alone."""
    standing = Standing()
    table = QueueTable(standing)
    standing.live = True
    fed(table, "Event: QueueCallerJoin", "Queue: q", "Uniqueid: 1", "Position: 1", "Count: 1")
    assert standing.doubts == {"queues"}


def test_rows_are_judged_as_list_items(table: QueueTable) -> None:
    """With class and queue, so that a filter for one queue shows that one alone."""
    next(steps(table, "pjsip_queue", "AgentCalled"))
    for kind, event in (
        ("queues", "QueueParams"), ("members", "QueueMember"), ("callers", "QueueEntry"),
    ):  # fmt: skip
        said = row(table, kind, {
            "queues": "support", "members": "support/PJSIP/103",
            "callers": "support/1795686178.491",
        }[kind]).said  # fmt: skip
        assert said.lines[:3] == (f"Event: {event}", "Privilege: agent,all", "Queue: support")
    assert said.get("Channel") == "PJSIP/105-00000142"


def test_the_device_of_a_member() -> None:
    """Asked of who knows hints."""
    table = QueueTable(Standing(), {"hint:201@office": "PJSIP/201"}.get)
    fed(table, "Event: QueueMemberAdded", "Queue: q", "Interface: Local/201@agents",
        "StateInterface: hint:201@office")  # fmt: skip
    assert shown(table, "members", "device") == [("PJSIP/201",)]


def test_an_event_may_name_the_caller_again(table: QueueTable) -> None:
    """A Join that comes after the list has told of it changes nothing."""
    item = Message.of("Event: QueueEntry", "Queue: q", "Uniqueid: 1", "Position: 1", "Wait: 5")
    table.take_list(QUEUE_STATUS, [item], 1000.0)
    by_name(table, Message.of("Event: QueueCallerJoin", "Queue: q", "Uniqueid: 1",
                              "Position: 1", "Count: 1"), 1001.0)  # fmt: skip
    assert shown(table, "callers", "since", "original_position") == [(995.0, 1)]
