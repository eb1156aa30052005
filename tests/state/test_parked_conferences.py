# SPDX-License-Identifier: GPL-2.0-or-later
"""ParkedTable and ConferenceTable: what recordings of them say."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.state import conferences, parked
from amiproxy.state.conferences import ConferenceTable
from amiproxy.state.parked import ParkedTable
from amiproxy.state.table import Query, Standing
from tests.state.replays import fed, give, row, shown, told


@pytest.fixture
def lots() -> ParkedTable:
    """Return an empty table of parked calls."""
    return ParkedTable(Standing())


@pytest.fixture
def rooms() -> ConferenceTable:
    """Return an empty table of conferences."""
    return ConferenceTable(Standing())


def parkings(table: ParkedTable, name: str) -> list[tuple[str, list[tuple[object, ...]]]]:
    """Return each event or list of parking in the recording *name* with the rows after it."""
    seen = []
    for each, now in zip(told(name), give(table, name)):
        event = each.event.get("Event") if each.event else "list"
        is_list = each.query == parked.PARKED_CALLS
        if "Parked" in event or is_list:
            seen.append((event, shown(table, "parked", "space", "uniqueid", "timeout", now=now)))
    return seen


def test_park_time_out_and_give_up(lots: ParkedTable) -> None:
    """The list between has the name of the event, and changes nothing."""
    first = [("701", "1795411829.63", 4)]
    second = [("701", "1795411836.70", 4)]
    assert parkings(lots, "d10_park") == [
        ("ParkedCall", first),
        ("list", first),
        ("ParkedCallTimeOut", []),
        ("ParkedCall", second),
        ("list", second),
        ("ParkedCallGiveUp", []),
    ]


@pytest.mark.parametrize("name", ["asterisk11_park", "pjsip_park"])
def test_park_and_take_back(lots: ParkedTable, name: str) -> None:
    """The words of Asterisk 11 and of 22 tell the same."""
    seen = parkings(lots, name)
    assert [event for event, _ in seen[:2]] == ["ParkedCall", "UnParkedCall"]
    assert [len(rows) for _, rows in seen[:2]] == [1, 0]
    assert shown(lots, "parked", "space") == []

    next(now for now in give(lots, name) if len(lots))
    found = next(iter(lots.rows("parked", 0.0)))
    assert found.key == "default/701"
    assert found.fields["caller_number"] == "102"
    assert str(found.fields["parker"]).startswith(("SIP/101", "PJSIP/101"))
    assert found.said.lines[:3] == (
        "Event: ParkedCall", "Privilege: call,all", "Parkinglot: default",
    )  # fmt: skip


def test_late_events_of_a_space(lots: ParkedTable) -> None:
    """They do not take out who is parked there next, nor bring back who hung up."""
    place = ("Parkinglot: p", "ParkingSpace: 7", "ParkingTimeout: 30", "ParkingDuration: 0")
    fed(lots, "Event: ParkedCall", *place, "ParkeeUniqueid: 1", now=5.0)
    fed(lots, "Event: ParkedCallGiveUp", *place, "ParkeeUniqueid: 0")
    assert shown(lots, "parked", "uniqueid", "since") == [("1", 5.0)]
    fed(lots, "Event: ParkedCallSwap", *place, "ParkeeUniqueid: 2", now=6.0)
    assert shown(lots, "parked", "uniqueid", "since") == [("2", 5.0)]
    fed(lots, "Event: Hangup", "Uniqueid: 2")
    assert shown(lots, "parked", "uniqueid") == []

    standing = Standing()
    standing.gone.add("3", 0.0)
    table = ParkedTable(standing)
    fed(table, "Event: ParkedCall", *place, "ParkeeUniqueid: 3", now=59.0)
    assert len(table) == 0
    fed(table, "Event: ParkedCall", *place, "ParkeeUniqueid: 3", now=60.0)
    assert len(table) == 1


def test_the_list_of_parked_calls_sets(lots: ParkedTable) -> None:
    """With the age it tells; what it lacks goes."""
    item = Message.of("Event: ParkedCall", "ParkeeUniqueid: 1", "Parkinglot: p",
                      "ParkingSpace: 7", "ParkingTimeout: 25", "ParkingDuration: 5")  # fmt: skip
    assert lots.take_list(parked.PARKED_CALLS, [item], 100.0) == 1
    assert shown(lots, "parked", "since", "timeout") == [(95.0, 30)]
    assert lots.take_list(parked.PARKED_CALLS, [item], 102.0) == 0
    assert shown(lots, "parked", "since", "timeout") == [(95.0, 30)]
    assert lots.take_list(parked.PARKED_CALLS, [], 103.0) == 1
    assert len(lots) == 0


# -- conferences ---------------------------------------------------------------------------------


def counts(rooms: ConferenceTable) -> list[int]:
    """Return how many are in the only conference, talk, and are muted; [] if there is none."""
    for found in rooms.rows("conferences", 0.0):
        party = [found.fields[f"{name}channels"] for name in ("", "talking_", "muted_")]
        return [len(each) if isinstance(each, tuple) else -1 for each in party]
    return []


def test_a_conference_from_start_to_end(rooms: ConferenceTable) -> None:
    """Who joins, talks, is muted, leaves, and what the lists say between."""
    seen = []
    for each, _ in zip(told("f1_confbridge"), give(rooms, "f1_confbridge")):
        event = each.event.get("Event") if each.event else each.query.action if each.query else ""
        if event.startswith("Confbridge"):
            seen.append((event[10:], *counts(rooms)))

    assert seen == [
        ("Start", 0, 0, 0), ("Join", 1, 0, 0), ("Join", 2, 0, 0), ("Talking", 2, 1, 0),
        ("Join", 3, 1, 0), ("Join", 4, 1, 0), ("Talking", 4, 2, 0), ("Join", 5, 2, 0),
        ("List", 5, 2, 0), ("ListRooms", 5, 2, 0), ("Mute", 5, 2, 1), ("Talking", 5, 1, 1),
        ("List", 5, 1, 1), ("Unmute", 5, 1, 0), ("Talking", 5, 2, 0), ("Leave", 4, 2, 0),
        ("Mute", 4, 2, 1), ("Mute", 4, 2, 2), ("Mute", 4, 2, 3), ("Mute", 4, 2, 4),
        ("Talking", 4, 1, 4), ("Talking", 4, 0, 4), ("Leave", 3, 0, 3), ("Leave", 2, 0, 2),
        ("Leave", 1, 0, 1), ("Leave", 0, 0, 0), ("End",),
    ]  # fmt: skip
    assert len(rooms) == 0


def test_the_lists_of_rooms_and_of_each_room(rooms: ConferenceTable) -> None:
    """The first tells for which rooms to ask; an error, as there is none, is an empty list."""
    answers = {each.query.action: each for each in told("f1_confbridge") if each.query is not None}
    assert rooms.take_list(conferences.ROOMS, answers["ConfbridgeListRooms"].items, 1.0) == 1
    assert rooms.further() == (Query("ConfbridgeList", ("Conference: conf1",)),)
    query = rooms.further()[0]
    assert rooms.takes(query)
    assert rooms.take_list(query, answers["ConfbridgeList"].items, 1.0) == 5
    assert rooms.take_list(query, answers["ConfbridgeList"].items, 2.0) == 0
    found = row(rooms, "conferences", "ConfBridge/conf1")
    assert (found.fields["members"], found.fields["locked"]) == (5, False)
    assert found.fields["admin_channels"] == ("Local/stay@legs-0000006c;1",)
    assert found.said.lines[:4] == (
        "Event: ConfbridgeListRooms", "Privilege: call,all", "Conference: conf1", "Parties: 5",
    )  # fmt: skip
    assert len(found.said.all("Channel")) == 5

    assert rooms.take_list(query, [], 3.0) == 5
    assert rooms.take_list(conferences.ROOMS, [], 3.0) == 1
    assert rooms.take_list(query, [], 4.0) == 0
    assert len(rooms) == 0


def test_a_room_whose_name_is_no_line_is_not_asked_for(rooms: ConferenceTable) -> None:
    """It would end the action's line."""
    fed(rooms, "Event: ConfbridgeStart", "Conference: a\nAction: Logoff")
    fed(rooms, "Event: ConfbridgeStart", "Conference: " + "x" * 200)
    assert rooms.further() == ()


def test_records_and_a_conference_of_phones(rooms: ConferenceTable) -> None:
    """The recording with phones, which is recorded for a while."""
    recorded = []
    for each, _ in zip(told("pjsip_conf"), give(rooms, "pjsip_conf")):
        if each.event is not None and "Record" in each.event.get("Event"):
            recorded.append(row(rooms, "conferences", "ConfBridge/conf1").fields["recording"])
    assert recorded == [True, False]


def test_conferences_of_asterisk_11(rooms: ConferenceTable) -> None:
    """Its ConfbridgeList has no unique ids, MeetMe its own words."""
    next(now for now in give(rooms, "asterisk11_conf") if len(rooms) == 4)
    items = [
        Message.of("Event: ConfbridgeList", "Conference: conf1", f"Channel: {channel}")
        for channel in ("SIP/101-00000033", "SIP/102-00000034", "SIP/103-00000035", "SIP/104-1")
    ]
    query = rooms.further()[0]
    assert rooms.take_list(query, items, 2.0) == 1
    assert shown(rooms, "conferences", "members", "recording") == [(4, None)]
    for _ in give(rooms, "asterisk11_conf"):
        pass
    assert len(rooms) == 0

    who = ("Meetme: 600", "Usernum: 1", "Channel: SIP/101-1", "Uniqueid: 1.1")
    fed(rooms, "Event: MeetmeJoin", *who)
    fed(rooms, "Event: MeetmeMute", *who, "Status: on")
    fed(rooms, "Event: MeetmeTalking", *who, "Status: on")
    fields = ("application", "conference", "muted_channels", "talking_channels")
    assert shown(rooms, "conferences", *fields) == [
        ("MeetMe", "600", ("SIP/101-1",), ("SIP/101-1",)),
    ]  # fmt: skip
    item = Message.of("Event: MeetmeList", "Conference: 600", "Channel: SIP/101-1",
                      "Muted: By self", "Talking: Not monitored")  # fmt: skip
    assert rooms.take_list(conferences.MEETME, [item], 1.0) == 0
    assert rooms.take_list(conferences.ROOMS, [], 1.0) == 0
    assert rooms.take_list(conferences.MEETME, [], 2.0) == 1
    assert len(rooms) == 0


def test_late_events_of_a_conference() -> None:
    """A Join of who hung up makes no party; a Mute of nobody is a doubt; Hangup takes out."""
    standing = Standing()
    rooms = ConferenceTable(standing)
    standing.live = True
    who = ("Conference: c", "Uniqueid: 1", "Channel: SIP/1-1")
    standing.gone.add("1", 990.0)
    fed(rooms, "Event: ConfbridgeJoin", *who)
    fed(rooms, "Event: ConfbridgeLeave", *who)
    assert len(rooms) == 0
    fed(rooms, "Event: ConfbridgeMute", *who)
    assert standing.doubts == {"conferences"}

    standing.gone.discard("1")
    fed(rooms, "Event: ConfbridgeJoin", *who)
    fed(rooms, "Event: ConfbridgeStart", "Conference: c", now=7.0)
    fed(rooms, "Event: ConfbridgeLock", "Conference: c")
    assert shown(rooms, "conferences", "members", "since", "locked") == [(1, 7.0, True)]
    fed(rooms, "Event: Hangup", *who[1:])
    assert shown(rooms, "conferences", "members") == [(0,)]
