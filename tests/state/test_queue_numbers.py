# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers of queues: what recordings say is what they count; windows hold whatever the clock does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.basics.days import day_of
from amiproxy.message import Message
from amiproxy.state.kept import Kept
from amiproxy.state.model import LIVE, ServerModel
from amiproxy.state.queues import numbers as module
from amiproxy.state.queues.counts import ANSWERED, HUNG_UP, NAMES, Counts
from amiproxy.state.queues.endings import Ending
from amiproxy.state.queues.numbers import Defaults, Numbers
from amiproxy.state.queues.table import QUEUE_STATUS, QueueTable
from amiproxy.state.table import Standing
from tests.state.replays import fed, give, row

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Within one minute, at noon in Berlin.
NOON = 1_795_777_210.0
MINUTE, HOUR = 60.0, 3600.0


def live_table(now: float = 999.0) -> QueueTable:
    """Return a table whose model is live since *now*."""
    standing = Standing()
    standing.live = True
    table = QueueTable(standing)
    table.tick(now)
    return table


def numbers_of(table: QueueTable, queue: str, now: float) -> dict[str, object]:
    """Return the numbers of the day of *queue* that are not 0."""
    fields = row(table, "queues", queue, now).fields
    return {name: fields[f"day_{name}"] for name in NAMES if fields[f"day_{name}"]}


@pytest.mark.parametrize(
    ("name", "queue", "expected"),
    [
        ("e1_queue_complete", "support",
         {"offered": 1, "answered": 1, "talk_sum": 2, "wait_sum": 0.56, "wait_max": 0.56}),
        ("e2_queue_abandon", "dead",
         {"offered": 2, "hung_up": 1, "hung_up_short": 1, "timed_out": 1, "wait_sum": 0.7,
          "wait_max": 0.36}),
        # A list lacks one of those who have hung up before the Leave comes.
        ("e4_queue_many", "support",
         {"offered": 8, "answered": 6, "hung_up": 2, "hung_up_short": 2, "talk_sum": 15}),
        ("e4_queue_many", "sales", {"offered": 4, "answered": 4, "talk_sum": 10}),
        ("pjsip_queue", "one", {"offered": 2, "answered": 2, "talk_sum": 2}),
        ("pjsip_queue", "sales", {"offered": 1, "hung_up": 1, "hung_up_short": 1}),
        # With eventwhencalled = no nobody tells how long they talk.
        ("asterisk11_queue", "one", {"offered": 2, "answered": 2}),
        ("asterisk11_queue", "sales", {"offered": 1, "hung_up": 1, "hung_up_short": 1}),
    ],
)  # fmt: skip
def test_recordings_are_counted(name: str, queue: str, expected: Mapping[str, float]) -> None:
    """Of Asterisk 22 and 11: each caller who has come has left in one way."""
    table = live_table()
    now = list(give(table, name))[-1] + 5

    found = numbers_of(table, queue, now)
    assert {key: found.get(key) for key in expected} == expected
    ends = sum(found.get(each, 0) for each in ("answered", "hung_up", "timed_out", "other"))  # type: ignore[misc]
    assert ends == found["offered"]
    assert all(f"hour_{key}" for key in NAMES)


def called(
    table: QueueTable, uniqueid: str, joined: float, waited: float, how: str, queue: str = "q"
) -> None:
    """Have somebody come to *queue* at *joined* and go after *waited* seconds."""
    who, left = (f"Queue: {queue}", f"Uniqueid: {uniqueid}"), joined + waited
    fed(table, "Event: QueueCallerJoin", *who, "Position: 1", "Count: 1", now=joined)
    if how == "hung_up":
        fed(table, "Event: QueueCallerAbandon", *who, now=left)
    fed(table, "Event: QueueCallerLeave", *who, "Count: 0", now=left)
    if how == "answered":
        fed(table, "Event: AgentConnect", *who, "Interface: a", now=left)
    table.tick(left + 3)


def test_the_level() -> None:
    """Those answered in time, of all but those who were gone at once; without a level there is none."""
    table = live_table(NOON)
    called(table, "0", NOON, 1.0, "answered")
    assert row(table, "queues", "q", NOON).fields["day_level_percent"] is None
    assert row(table, "queues", "q", NOON).fields["day_in_level"] is None

    params = Message.of("Event: QueueParams", "Queue: q", "ServiceLevel: 20")
    table.take_list(QUEUE_STATUS, [params], NOON)
    for number, (waited, how) in enumerate((
        (20.0, "answered"), (20.5, "answered"), (4.9, "hung_up"), (5.0, "hung_up"), (30.0, "other"),
    ), 1):  # fmt: skip
        called(table, str(number), NOON + number, waited, how)
    fields = row(table, "queues", "q", NOON + 40).fields
    assert (fields["day_in_level"], fields["day_answered"], fields["day_hung_up"]) == (1, 3, 2)
    assert (fields["day_hung_up_short"], fields["day_other"]) == (1, 1)
    assert fields["day_level_percent"] == fields["hour_level_percent"] == 20.0
    assert fields["hour_wait_max"] == 30.0


def test_a_window_says_since_when_it_holds() -> None:
    """Since the model is live, then for an hour and what the minute has, and for the day."""
    table = live_table(NOON)
    called(table, "1", NOON + 1, 1.0, "answered")
    fields = row(table, "queues", "q", NOON + 30).fields
    assert (fields["hour_since"], fields["day_since"]) == (NOON, NOON)
    assert fields["hour_complete"] is fields["day_complete"] is True

    for minutes in range(1, 62):
        table.tick(NOON + minutes * MINUTE)
        fields = row(table, "queues", "q", NOON + minutes * MINUTE).fields
        assert fields["hour_offered"] == (1 if minutes <= 60 else 0)
    assert fields["hour_since"] == (NOON + 61 * MINUTE) // 60 * 60 - HOUR
    assert (fields["hour_offered"], fields["day_offered"]) == (0, 1)


def model_at(now: float) -> ServerModel:
    """Return a model that is live at *now*."""
    model = ServerModel(1000)
    model.tick(now)
    model.take_list(QUEUE_STATUS, [Message.of("Event: QueueParams", "Queue: q")], now)
    model.state = LIVE
    model.tick(now)
    return model


def test_numbers_outlive_a_lost_connection_and_say_so() -> None:
    """The rows are begun anew; for the time in which events are missing no window is complete."""
    model = model_at(NOON)
    join = ("Event: QueueCallerJoin", "Queue: q", "Uniqueid: 1", "Position: 1", "Count: 1")
    model.apply(Message.of(*join), NOON + 1)

    model.clear()
    model.tick(NOON + 10)
    model.take_list(QUEUE_STATUS, [Message.of("Event: QueueParams", "Queue: q")], NOON + 11)
    (fields,) = (each.fields for each in model.rows("queues", NOON + 12))
    assert (fields["hour_offered"], fields["hour_complete"]) == (1, False)
    model.state = LIVE
    model.tick(NOON + 13)
    (fields,) = (each.fields for each in model.rows("queues", NOON + 14))
    assert (fields["hour_complete"], fields["hour_since"]) == (False, NOON)

    for minutes in range(1, 63):
        model.tick(NOON + minutes * MINUTE)
    (fields,) = (each.fields for each in model.rows("queues", NOON + 62 * MINUTE))
    assert (fields["hour_complete"], fields["day_complete"]) == (True, False)


def test_a_lost_connection_is_noticed_however_short() -> None:
    """Also if nothing looks between its end and the next."""
    model = model_at(NOON)
    model.clear()
    model.take_list(QUEUE_STATUS, [Message.of("Event: QueueParams", "Queue: q")], NOON + 1)
    model.state = LIVE
    (fields,) = (each.fields for each in model.rows("queues", NOON + 1))
    assert fields["hour_complete"] is False


@pytest.mark.parametrize(("seconds", "kept"), [(-HOUR, 1), (-90.0, 1), (HOUR * 2, 0)])
def test_a_clock_that_is_set_spoils_no_window_unnoticed(seconds: float, kept: int) -> None:
    """Set back, what was counted stays in the hour; either way it is not called complete."""
    table = live_table(NOON)
    called(table, "1", NOON + 1, 1.0, "answered")
    table.tick(NOON + 10 + seconds)
    fields = row(table, "queues", "q", NOON + 11 + seconds).fields

    assert fields["hour_complete"] is False
    assert fields["hour_answered"] == kept
    called(table, "2", NOON + 12 + seconds, 1.0, "answered")
    assert row(table, "queues", "q", NOON + 20 + seconds).fields["hour_answered"] == kept + 1


def test_a_day_ends_at_midnight_of_its_zone() -> None:
    """Whoever left before it is of the day before, whenever that is found out; rules may change."""

    class Rules:
        abandon_short, timezone = 2.0, "Asia/Kathmandu"

    rules = Rules()
    standing = Standing(Kept(lambda: rules))
    standing.live = True
    midnight = day_of(NOON, rules.timezone).end
    table = QueueTable(standing)
    table.tick(midnight - 100)
    called(table, "1", midnight - 90, 3.0, "hung_up")
    assert numbers_of(table, "q", midnight - 50)["offered"] == 1
    fed(table, "Event: QueueCallerJoin", "Queue: q", "Uniqueid: 2", "Position: 1", now=midnight - 9)
    fed(table, "Event: QueueCallerLeave", "Queue: q", "Uniqueid: 2", now=midnight - 1)
    table.tick(midnight + 0.5)  # it is the next day, before the verdict
    table.tick(midnight + 2)

    fields = row(table, "queues", "q", midnight + 3).fields
    assert (fields["day_offered"], fields["day_other"], fields["day_since"]) == (0, 0, midnight)
    assert (fields["hour_offered"], fields["hour_other"]) == (2, 1)
    assert fields["hour_hung_up_short"] == 0
    rules.timezone = "Nowhere"  # gone since the file was read
    table.tick(midnight + 63)
    assert row(table, "queues", "q", midnight + 64).fields["day_since"] == max(
        day_of(midnight + 64, "").start, midnight - 100
    )


def test_what_cannot_be_known_is_not_counted_as_if() -> None:
    """A caller of whom only the end is seen has no wait; nonsense in TalkTime is no time."""
    numbers = Numbers()
    numbers.look(NOON, live=True)
    numbers.ended(Ending("q", "1", "answered", None, NOON + 1), 20)
    fields = numbers.fields("q", 20)
    assert (fields["hour_answered"], fields["hour_in_level"], fields["hour_wait_sum"]) == (1, 0, 0)
    table = live_table(NOON)
    for talked in ("-5", "9" * 12, "x", ""):
        fed(table, "Event: AgentComplete", "Queue: q", f"TalkTime: {talked}", now=NOON)
    assert table._numbers.totals() == {}  # noqa: SLF001


def test_a_minute_of_long_ago_is_in_the_totals_only() -> None:
    """The clock of one event may be far behind; the number of queues has a limit."""
    counts = Counts()
    for each in counts.past(10, 100, None):
        each[ANSWERED] += 1
    assert (counts.total[ANSWERED], counts.hour(100)[ANSWERED]) == (1, 0)


def test_queues_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest make room; of each, no more minutes are kept than an hour has."""
    monkeypatch.setattr(module, "MOST", 3)
    numbers = Numbers()
    for number in range(10):
        numbers.joined(f"q{number}", NOON)
    assert list(numbers.totals()) == ["q7", "q8", "q9"]
    for minute in range(200):
        numbers.joined("q9", NOON + minute * MINUTE)
    assert len(numbers.totals()["q9"]._minutes) <= 61  # noqa: SLF001


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "end", "end", "talk", "look"]),
        st.integers(0, 400),  # seconds that pass before it
        st.sampled_from(["answered", "hung_up", "timed_out", "other"]),
        st.integers(0, 100),
    ),
    max_size=60,
)  # fmt: skip


def compare(said: Mapping[str, object], there: list[tuple[float, str, float]]) -> None:
    """Fail if *said* is not what follows from *there*: when, what, how many seconds."""
    ends = [each[2] for each in there if each[1] not in ("offered", "talk")]
    for name in ("offered", "answered", "hung_up", "timed_out", "other"):
        assert said[name] == sum(each[1] == name for each in there)
    assert said["wait_sum"] == sum(ends)
    assert said["wait_max"] == max(ends, default=0)
    assert said["talk_sum"] == sum(each[2] for each in there if each[1] == "talk")
    assert said["in_level"] == sum(each[1] == "answered" and each[2] <= 20 for each in there)
    assert said["hung_up_short"] == sum(each[1] == "hung_up" and each[2] < 5 for each in there)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.sampled_from(["", "Europe/Berlin", "America/Havana"]), st.integers(0, 86400 * 300))
def test_windows_are_what_a_plain_list_says(
    steps: list[tuple[str, int, str, int]], zone: str, begin: int
) -> None:
    """Whatever comes when: sums over what is still in the window, and no more."""
    numbers = Numbers(lambda: Defaults(5.0, zone))
    now = NOON + begin
    numbers.look(now, live=True)
    seen: list[tuple[float, str, float]] = []
    for what, passes, outcome, length in steps:
        for _ in range(passes // 100 + 1):
            now += passes / (passes // 100 + 1)
            numbers.look(now, live=True)
        if what == "join":
            numbers.joined("q", now)
            seen.append((now, "offered", 0))
        elif what == "end":
            numbers.ended(Ending("q", "1", outcome, now - length, now), 20)
            seen.append((now, outcome, length))
        elif what == "talk":
            numbers.talked("q", length, now)
            seen.append((now, "talk", length))
    starts = {"hour": (now // 60 - 60) * 60, "day": day_of(now, zone).start}
    fields = numbers.fields("q", 20)
    for window, start in starts.items():
        said = {name[len(window) + 1 :]: value for name, value in fields.items()
                if name.startswith(window)}  # fmt: skip
        compare(said, [each for each in seen if each[0] >= start])
        assert said["since"] == max(start, NOON + begin)
    waits = numbers.totals()["q"].waits[HUNG_UP].snapshot().counts if seen else (0,)
    assert waits[-1] == sum(each[1] == "hung_up" for each in seen)
