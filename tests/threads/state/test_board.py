# SPDX-License-Identifier: GPL-2.0-or-later
"""What a board tells, put together, is what a snapshot of the same moment tells: for every user."""

from __future__ import annotations

import json
import random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.access.user import User
from amiproxy.live import rows as live_rows
from amiproxy.live.where import Where
from amiproxy.message import Message
from amiproxy.routing import classes
from amiproxy.routing.eventfilter import EventFilters
from amiproxy.state.model import LIVE, STALE, ServerModel
from amiproxy.state.table import Query
from amiproxy.state.tables import KINDS
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.state import rights
from amiproxy.threads.state.board import Board
from amiproxy.threads.state.rights import Reader
from amiproxy.threads.state.watched import Seat, Watch
from tests.recordings import RECORDINGS
from tests.state.invariants import LIMIT, LISTS, tell
from tests.state.replays import Told, told
from tests.state.test_anything import BEGUN, likely
from tests.state.test_replay import shuffled
from tests.threads.state.watcher import FORMATS, Copy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.live.told import Told as Document

NAMES = [name for name in RECORDINGS if 100 < len(told(name)) < 1500]

USERS = (
    None,
    User("calls", "x", read=classes.CALL),
    User("wall", "x", eventfilters=EventFilters().with_line("Queue: support")),
    User("phone", "x", channel="PJSIP/101-"),
    User("other", "x", channel="SIP/10", more_events=True),
    User("context", "x", in_context="default"),
)


class Clock:
    """The time, for what asks for it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    monotonic = time


class Reading:
    """A client of the user *user*, at a board."""

    def __init__(
        self,
        board: Board,
        user: User | None,
        where: Where,
        kinds: Sequence[str] = (*KINDS, "totals"),
    ) -> None:
        self.session = Collector(
            "test", "127.0.0.1", guarded=user is not None, output=FORMATS["json"],
            filter_local="off",
        )  # fmt: skip
        self.session.log_in(user, None)
        self.where = where
        self.copy = Copy()
        self.takes = True
        self.watch = Watch(self.session, kinds, where, self, lambda: None)
        board.join(Seat(self.watch))

    def tell(self, document: Document) -> bool:
        """Take *document*, if it takes any."""
        if self.takes:
            self.copy.take(json.loads(document.json))
        return self.takes

    def check(self, model: ServerModel, now: float) -> None:
        """Fail if it was told anything but what a snapshot tells."""
        reader = Reader.of(self.session, "scope")
        shows = rights.judge(reader, list(model.rows("calls", now)))
        for kind in KINDS:
            fresh = {
                f"pbx1/{row.key}": json.loads(live_rows.row("pbx1", row.fields))
                for row in model.rows(kind, now)
                if shows(kind, row) and self.where.passes(row.fields)
            }
            assert self.copy.rows.get(kind, {}) == fresh, (self.session.user, kind)
        calls = self.copy.rows["calls"].values()
        (totals,) = self.copy.rows["totals"].values()
        assert totals["calls"] == sum(row["state"] != "ended" for row in calls)
        assert totals["devices"] == len(self.copy.rows["devices"])


class Stage:
    """A model and its board, with a clock of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = Clock()
        monkeypatch.setattr("amiproxy.threads.state.board.time", self.clock)
        monkeypatch.setattr("amiproxy.threads.state.boardrows.time", self.clock)
        monkeypatch.setattr("amiproxy.threads.state.group.time", self.clock)
        link: Any = SimpleNamespace(name="pbx1", scope="scope", names=frozenset(("pbx1",)))
        self.board = Board(link, lambda place: f"{place[1]}")
        self.model = ServerModel(LIMIT)

    def step(self) -> None:
        """Let the board tell what has changed, as often as it takes."""
        for _ in range(3):
            self.clock.now += 1.0
            self.board.step(self.model, (1, 1), ())

    def play(
        self, what: Sequence[Told], draw: random.Random, every: int, wheres: Sequence[Where]
    ) -> None:
        """Play *what* to readers of all users, who come, lag and go on at any moment."""
        coming = [(draw.randrange(len(what)), user, where) for user in USERS for where in wheres]
        live = draw.randrange(len(what))
        readers: list[Reading] = []
        for number, each in enumerate(what):
            self.clock.now += draw.choice((0.0, 0.01, 0.2))
            readers += [
                Reading(self.board, user, where) for at, user, where in coming if at == number
            ]
            if number == live:
                self.model.state = LIVE
            tell(self.model, each, self.clock.now)
            if draw.random() < 0.5:
                self.board.step(self.model, (1, 1), ())
            if readers and draw.random() < 0.1:
                lagging = draw.choice(readers)
                lagging.takes = not lagging.takes
                if lagging.takes:
                    lagging.watch.resync()
            if number % every == 0 or number == len(what) - 1:
                self.check(readers)

    def check(self, readers: Sequence[Reading]) -> None:
        """Fail if one of *readers* that takes what it is told does not know what there is."""
        self.step()
        for each in readers:
            if each.takes:
                each.check(self.model, self.clock.now)


WHERES = (Where(), Where.of({"queue": ["support"], "state": ["talking", "ringing"]}))


@pytest.mark.parametrize("name", NAMES[::5])
def test_what_is_told_is_what_there_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every moment of a recording, whenever a client came."""
    draw = random.Random(name)
    every = max(len(told(name)) // 10, 1)
    Stage(monkeypatch).play(told(name), draw, every, WHERES)
    Stage(monkeypatch).play(shuffled(told(name), draw), draw, every, WHERES[:1])


@settings(deadline=None, max_examples=6)
@given(st.integers(0, 1 << 32))
def test_also_in_calls_that_make_no_sense(seed: int) -> None:
    """A few channels and bridges, and whatever is said of them."""
    draw = random.Random(seed)
    lists = [Told(None, draw.choice(LISTS), tuple(likely(draw) for _ in range(4)))
             for _ in range(3)]  # fmt: skip
    events = [Told(likely(draw)) for _ in range(30)]
    what = [*map(Told, BEGUN), *draw.sample([*events, *lists], 33)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        Stage(monkeypatch).play(what, draw, 3, WHERES[:1])


def test_thousands_of_rows_that_change_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All are told, by events and by a list; a snapshot of them comes in parts."""
    stage = Stage(monkeypatch)
    monkeypatch.setattr("amiproxy.threads.sessions.paced._PAUSE", 0.0)
    stage.model.state = LIVE
    reader = Reading(stage.board, None, Where())
    stage.step()
    for state in ("INUSE", "NOT_INUSE"):
        for number in range(1000):
            said = f"Device: PJSIP/{number}", f"State: {state}"
            tell(stage.model, Told(Message.of("Event: DeviceStateChange", *said)), stage.clock.now)
        stage.check([reader])
    listed = tuple(Message.of("Event: DeviceStateChange", f"Device: PJSIP/{number}", "State: BUSY")
                   for number in range(500, 1500))  # fmt: skip
    tell(stage.model, Told(None, Query("DeviceStateList"), listed), stage.clock.now)
    stage.check([reader])
    late = Reading(stage.board, None, Where())
    stage.check([reader, late])
    assert len([each for each in late.copy.documents if each["type"] == "snapshot"]) > 2


def test_rows_of_a_lost_server_are_not_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until it is read anew; then there is a snapshot. Who comes meanwhile is told their age."""
    stage = Stage(monkeypatch)
    stage.model.state = LIVE
    reader = Reading(stage.board, None, Where())
    said = "Event: DeviceStateChange", "Device: PJSIP/1"
    tell(stage.model, Told(Message.of(*said, "State: INUSE")), stage.clock.now)
    stage.check([reader])
    told = len(reader.copy.documents)
    stage.model.state = STALE
    tell(stage.model, Told(Message.of(*said, "State: BUSY")), stage.clock.now)
    stage.step()
    assert len(reader.copy.documents) == told
    late = Reading(stage.board, None, Where())
    stage.step()
    assert late.copy.rows["devices"]["pbx1/PJSIP/1"] == {
        "stale": True, **reader.copy.rows["devices"]["pbx1/PJSIP/1"],
    }  # fmt: skip
    stage.model.clear()
    stage.step()
    assert len(reader.copy.documents) == told
    stage.model.state = LIVE
    stage.check([reader, late])
    assert [each["type"] for each in reader.copy.documents[told:]] == ["snapshot"]


def test_who_does_not_reach_the_server_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor who has not logged in."""
    stage = Stage(monkeypatch)
    stage.model.state = LIVE
    elsewhere = Reading(stage.board, User("x", "x", servers=frozenset(("pbx2",))), Where())
    stranger = Reading(stage.board, User("x", "x"), Where())
    stranger.session.log_out()
    stage.step()
    assert elsewhere.copy.documents == stranger.copy.documents == []


def test_a_snapshot_that_is_refused_in_the_middle_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was; at its end what has changed meanwhile is told."""
    stage = Stage(monkeypatch)
    monkeypatch.setattr("amiproxy.threads.sessions.paced._PAUSE", 0.0)
    stage.model.state = LIVE

    def change(number: int, state: str) -> None:
        said = f"Device: PJSIP/{number}", f"State: {state}"
        tell(stage.model, Told(Message.of("Event: DeviceStateChange", *said)), stage.clock.now)

    for number in range(1000):
        change(number, "INUSE")
    reader = Reading(stage.board, None, Where())
    takes = reader.tell
    reader.watch._sink = sink = SimpleNamespace(  # noqa: SLF001
        tell=lambda document: len(reader.copy.documents) < 2 and takes(document)
    )
    stage.step()
    assert [each["part"] for each in reader.copy.documents] == [1, 2]
    change(1, "BUSY")
    change(2000, "BUSY")
    tell(stage.model, Told(None, Query("DeviceStateList"), (
        Message.of("Event: DeviceStateChange", "Device: PJSIP/1", "State: BUSY"),
    )), stage.clock.now)  # fmt: skip
    stage.step()
    sink.tell = takes
    reader.watch.resync()
    stage.check([reader])
    parts = [each["part"] for each in reader.copy.documents if each["type"] == "snapshot"]
    assert parts == [*range(1, len(parts) + 1)]
    assert reader.copy.whole == {"pbx1"}


def test_who_lags_is_told_nothing_until_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if it would take something again; nor is who has ended told anything."""
    stage = Stage(monkeypatch)
    stage.model.state = LIVE
    reader, gone = Reading(stage.board, None, Where()), Reading(stage.board, None, Where())
    stage.step()
    reader.takes = False
    gone.watch.end()
    said = "Event: DeviceStateChange", "Device: PJSIP/1"
    tell(stage.model, Told(Message.of(*said, "State: INUSE")), stage.clock.now)
    told = [len(each.copy.documents) for each in (reader, gone)]
    stage.step()
    assert reader.watch.lags
    reader.takes = True
    tell(stage.model, Told(Message.of(*said, "State: BUSY")), stage.clock.now)
    stage.step()
    assert [len(each.copy.documents) for each in (reader, gone)] == told
    reader.watch.resync()
    stage.check([reader])


def channel(number: int, event: str = "Newchannel") -> Told:
    """Return what is said of a channel."""
    names = f"Channel: PJSIP/{number}-1", f"Uniqueid: u{number}", f"Linkedid: u{number}"
    return Told(Message.of(f"Event: {event}", "Privilege: call,all", *names))


def test_rows_that_nobody_watches_any_more_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall goes on for months, and pages with calls come and go beside it."""
    stage = Stage(monkeypatch)
    stage.model.state = LIVE
    Reading(stage.board, None, Where(), ("queues",))
    for number in range(3):
        page = Reading(stage.board, None, Where(), ("channels", "calls"))
        tell(stage.model, channel(number), stage.clock.now)
        stage.step()
        assert list(page.copy.rows["channels"]) == [f"pbx1/u{number}"]
        page.watch.end()
        stage.step()
        tell(stage.model, channel(number, "Hangup"), stage.clock.now)
        stage.step()
        assert not stage.board.made.keys() - {"queues"}


def test_who_comes_right_behind_a_loss_is_told_that_rows_are_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though the snapshot of a moment ago has no more and no less."""
    stage = Stage(monkeypatch)
    stage.model.state = LIVE
    tell(stage.model, channel(1), stage.clock.now)
    Reading(stage.board, None, Where(), ("channels",))
    stage.step()
    for state, is_stale in ((LIVE, False), (STALE, True)):
        stage.model.state = state
        late = Reading(stage.board, None, Where(), ("channels",))
        stage.clock.now += 0.01
        stage.board.step(stage.model, (1, 1), ())
        assert late.copy.rows["channels"]["pbx1/u1"].get("stale", False) is is_stale
