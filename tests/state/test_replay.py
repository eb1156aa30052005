# SPDX-License-Identifier: GPL-2.0-or-later
"""Channels, bridges and calls by replay of every recording: whole, from any cut, with losses."""

from __future__ import annotations

import random

import pytest

from amiproxy.state.model import LIVE, ServerModel
from tests.recordings import RECORDINGS, after_banner
from tests.state.invariants import LIMIT, check, facts, listed, names, rows, tell, told_all
from tests.state.replays import Told, told

#: Recordings in which channels come and go.
CALLS = [
    name for name in RECORDINGS if after_banner(name).count(b"\nEvent: Newchannel\r\n") > 1
]  # fmt: skip
#: What lists channels and bridges.
LISTS = {query.action: query for query in ServerModel(LIMIT).queries[:3]}
#: Without the one that takes seconds.
SHORT = [name for name in CALLS if not name.startswith("g1_burst")]


def born(name: str) -> set[str]:
    """Return the channels that come into being in the recording *name*."""
    events = [each.event for each in told(name) if each.event is not None]
    return {event.get("Uniqueid") for event in events if event.get("Event") == "Newchannel"}


def left_over(name: str) -> set[str]:
    """Return the channels of the recording *name* that have not hung up at its end."""
    there: set[str] = set()
    for each in told(name):
        event = each.event
        if event is None:
            continue
        if event.get("Event") == "Newchannel" and "Message/" not in event.get("Channel"):
            there.add(event.get("Uniqueid"))
        elif event.get("Event") == "Hangup":
            there.discard(event.get("Uniqueid"))
    return there


@pytest.mark.parametrize("name", CALLS)
def test_a_recording_leaves_what_has_not_hung_up(name: str) -> None:
    """Rows never contradict each other, and after the last Hangup nothing is left."""
    model = told_all(told(name), every=max(len(told(name)) // 60, 1))
    later = 1000.0 + len(told(name))

    assert set(rows(model, "channels", later)) == left_over(name)
    kept = {uid for row in rows(model, "calls", later).values() for uid in names(row, "channels")}
    assert kept == left_over(name)
    if not kept:
        assert rows(model, "calls", later) == {}
        for row in rows(model, "bridges", later).values():  # parking lots stay
            assert names(row, "channels") == ()


@pytest.mark.parametrize("name", SHORT)
def test_from_any_cut_a_model_becomes_the_same(name: str) -> None:
    """One that begins in mid call with lists ends as one that has seen all; it never differs."""
    what = told(name)
    whole = ServerModel(LIMIT)
    draw = random.Random(name)
    cuts = {draw.randrange(len(what)) for _ in range(3)}
    begun: list[ServerModel] = []
    ours = born(name)  # of others it is not known when they began
    for number, each in enumerate(what):
        now = 1000.0 + number / 100
        if number in cuts:
            late = ServerModel(LIMIT)
            for query, items in listed(whole, now).items():
                late.take_list(query, items, now)
            assert [late.take_list(query, items, now)
                    for query, items in listed(whole, now).items()] == [0, 0]  # fmt: skip
            late.state = LIVE
            begun.append(late)
        for model in (whole, *begun):
            tell(model, each, now)
        if number % 40 == 0:
            for model in begun:
                check(model, now)
                assert facts(model, now, ours) == facts(whole, now, ours)
    for model in begun:
        assert facts(model, 1e9, ours) == facts(whole, 1e9, ours)


@pytest.mark.parametrize("name", SHORT[::2])
def test_a_lost_piece_is_made_good_by_lists(name: str) -> None:
    """Without some of the events, then with lists, the model is as it was with all of them."""
    what = told(name)
    draw = random.Random(name)
    begin = draw.randrange(len(what))
    end = min(len(what), begin + draw.randrange(5, 120))
    whole, lossy = ServerModel(LIMIT), ServerModel(LIMIT)
    for number, each in enumerate(what[:end]):
        now = 1000.0 + number / 100
        tell(whole, each, now)
        if number < begin:
            tell(lossy, each, now)
        else:
            check(lossy, now)
    now = 1000.0 + end / 100
    for query, items in listed(whole, now).items():
        lossy.take_list(query, items, now)
    check(lossy, now)
    assert facts(lossy, now) == facts(whole, now)
    for number, each in enumerate(what[end:], end):
        tell(lossy, each, 1000.0 + number / 100)
        tell(whole, each, 1000.0 + number / 100)
    check(lossy, 2000.0)
    assert facts(lossy, 1e9) == facts(whole, 1e9)


def shuffled(what: tuple[Told, ...], draw: random.Random) -> list[Told]:
    """Return *what* in another order, in which the events of each class keep theirs."""
    lanes: dict[str, list[Told]] = {}
    for each in what:
        lane = each.event.get("Privilege") if each.event is not None else ""
        lanes.setdefault(lane, []).append(each)
    found = []
    waiting = [list(reversed(lane)) for lane in lanes.values()]
    while waiting:
        drawn = draw.choice(waiting)
        # Some of one class at once: mostly near to the order in which they came.
        found += [drawn.pop() for _ in range(min(len(drawn), draw.randrange(1, 8)))]
        waiting = [each for each in waiting if each]
    return found


@pytest.mark.parametrize("name", SHORT[1::3])
def test_classes_may_come_in_any_order(name: str) -> None:
    """Asterisk keeps the order of one class only."""
    draw = random.Random(name)
    model = told_all(shuffled(told(name), draw), every=max(len(told(name)) // 30, 1))

    assert set(rows(model, "channels", 1e9)) == left_over(name)


@pytest.mark.parametrize("name", ["d9_iax_calls", "b5_setvar_channel"])
def test_lists_in_a_recording_agree_with_its_events(name: str) -> None:
    """What Asterisk itself listed is what its events had told, applications included."""
    model = ServerModel(LIMIT)
    compared = 0
    for number, each in enumerate(told(name)):
        now = 1000.0 + number / 100
        asked = each.query
        query = LISTS.get(asked.action) if asked is not None else None
        if asked is None or query is None or any("Channel:" in line for line in asked.headers):
            tell(model, each, now)
            continue
        before = {key: row.fields for key, row in rows(model, "channels", now).items()}
        assert model.take_list(query, each.items, now) == 0
        assert {key: row.fields for key, row in rows(model, "channels", now).items()} == before
        compared += len(before)
    assert compared >= 12
