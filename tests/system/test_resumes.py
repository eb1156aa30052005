# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients see that are cut off and come back, and what they are told, is what was sent."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks.resumes.__main__ import lines
from benchmarks.resumes.asterisk import FORGED, Connection, NumberedAsterisk, event
from benchmarks.resumes.judge import Judge, Truth, Verdict
from benchmarks.resumes.kinds import KINDS, Kind
from benchmarks.resumes.reading import READERS, Wrong
from benchmarks.resumes.stage import Scale, measure
from benchmarks.resumes.told import CONNECTED, LOST, Gap, Item, Life, Notice, Run
from tests.support import PROGRAM

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOST = Gap(None, "server_lost")


def test_nothing_is_lost_silently_and_nothing_comes_twice() -> None:
    """Clients of all kinds, which are cut off; two Asterisks, which restart."""
    result = measure(Scale("test", cuts=30, restarts=2), [sys.executable, str(PROGRAM)])

    assert result.faults == [], "\n".join(lines(result))
    assert sum(result.ways.values()) >= 30
    assert all(verdict.seen > 50 for _, _, verdict in result.verdicts)
    assert [kind.name for kind, client, _ in result.verdicts if client.snapshots] == [
        kind.name for kind in KINDS if kind.asks
    ]


class _Ended(Connection):
    """A connection on which the events from *first* to *last* were sent."""

    def __init__(self, first: int, last: int) -> None:
        self.said = [event(number, first) for number in range(first, last + 1)]
        self.is_whole = True


def judged(kind: Kind, *items: Item, early: Sequence[Item] = ()) -> list[str]:
    """Return the faults that the judge finds in *items*, which a client of *kind* was told.

    The server had two connections: 1 to 9 and 10 to 19.  The client began behind 1, and had lost
    its connection once before *items*.
    """
    truth = Truth([_Ended(1, 9), _Ended(10, 19)], [9, 10])
    life = Life()
    life.early["one"] = list(early)
    life.items["one"] = list(items)
    life.has_resumed = True
    truth.learn(life.items["one"])
    verdict = Verdict()
    Judge(truth, kind, "one", verdict).follow([Life(), life])
    return verdict.faults


def run(first: int, last: int, epoch: int, place: int) -> Run:
    """Return events with such numbers, and such an id of the first."""
    found = Run(first, (epoch, place) if epoch else (0, 0))
    found.last = last
    return found


#: All that there is behind event 1, as it has to be told.
_FIRST, _SECOND = run(2, 9, 7, 3), run(10, 19, 8, 2)
_ENDS, _BEGINS = Notice(LOST, (7, 11)), Notice(CONNECTED, (8, 1))
_BETWEEN = (_ENDS, _LOST, _BEGINS)


@pytest.mark.parametrize(
    "items",
    [
        (_FIRST, *_BETWEEN, _SECOND),
        (run(2, 4, 7, 3), Gap(5, "ring"), *_BETWEEN, _SECOND),
        (Gap(2, "ring"), Gap(1, "slow"), run(5, 9, 7, 6), *_BETWEEN, _SECOND),
        (Gap(9, "ring"), _LOST, Gap(6, "ring"), run(15, 19, 8, 7)),
    ],
    ids=["all", "end", "two gaps", "over the end"],
)
def test_the_judge_takes_what_is_right(items: Sequence[Item]) -> None:
    """Seen, or told to be missing by exact numbers."""
    assert judged(KINDS[0], *items) == []


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ((_FIRST, *_BETWEEN), "the last 10 events are missing"),
        ((run(2, 4, 7, 3), run(6, 9, 7, 7), *_BETWEEN, _SECOND), "1 events were lost"),
        ((run(2, 4, 7, 3), Gap(2, "ring"), run(6, 9, 7, 7), *_BETWEEN, _SECOND), "1 events were"),
        ((_FIRST, run(9, 9, 7, 10), *_BETWEEN, _SECOND), "twice, or out of order"),
        ((run(3, 9, 7, 4), run(2, 2, 7, 3), *_BETWEEN, _SECOND), "twice, or out of order"),
        ((_FIRST, _ENDS, _BEGINS, _SECOND), "0 gaps tell"),
        ((_FIRST, _ENDS, _LOST, _LOST, _BEGINS, _SECOND), "2 gaps tell"),
        ((_FIRST, *_BETWEEN, _SECOND, Gap(1, "ring")), "gaps at the end"),
        ((_FIRST, *_BETWEEN, run(10, 19, 8, 3)), "the id of"),
        ((_FIRST, *_BETWEEN, _SECOND, run(20, 20, 8, 12)), "never sent"),
        ((run(2, 4, 7, 3), Gap(None, "ring"), run(6, 9, 7, 7), *_BETWEEN, _SECOND), "no number"),
        ((Gap(9, "ring"), _LOST, Gap(5, "ring"), run(15, 19, 8, 7)), "6 events were lost"),
        ((Gap(3, "ring"), _LOST, Gap(6, "ring"), run(15, 19, 8, 7)), "of the old connection"),
    ],
)
def test_the_judge_finds_what_is_wrong(items: Sequence[Item], says: str) -> None:
    """Lost silently, twice, in another order, told where nothing is missing."""
    assert any(says in fault for fault in judged(KINDS[0], *items))


def test_the_judge_knows_what_filtered_clients_see() -> None:
    """Numbers of what they may not see would tell them of it."""
    agent = next(kind for kind in KINDS if kind.user == "agent")
    first = (run(5, 5, 7, 6), run(9, 9, 7, 10), *_BETWEEN)
    assert judged(agent, *first, run(13, 13, 8, 5), run(17, 17, 8, 9)) == []
    unknown = Gap(None, "ring")
    assert judged(agent, *first, unknown, run(17, 17, 8, 9)) == []
    assert "silently" in judged(agent, *first, run(17, 17, 8, 9))[0]
    assert "a number" in judged(agent, *first, Gap(4, "ring"), run(17, 17, 8, 9))[0]


def test_the_judge_puts_what_came_before_the_answer_where_it_belongs() -> None:
    """What was missed comes behind it, and is older."""
    early = next(kind for kind in KINDS if kind.is_early)
    shown = [run(8, 9, 0, 0)]
    rest = (*_BETWEEN, _SECOND)
    assert judged(early, run(2, 7, 7, 3), *rest, early=shown) == []
    assert judged(early, run(2, 6, 7, 3), Gap(1, "ring"), *rest, early=shown) == []
    assert "1 events" in judged(early, run(2, 6, 7, 3), *rest, early=shown)[0]
    shown = [run(6, 7, 0, 0)]
    gaps = run(2, 4, 7, 3), Gap(1, "ring"), Gap(2, "slow")
    assert judged(early, *gaps, *rest, early=shown) == []
    assert judged(early, *gaps, _LOST, *rest[2:], early=shown) != []
    shown = [run(5, 6, 0, 0)]
    end = Gap(4, "ring"), _LOST, Gap(1, "slow"), _SECOND
    assert judged(early, run(2, 4, 7, 3), *end, early=shown) == []
    shown = [run(8, 9, 0, 0)]
    assert "twice" in judged(early, run(2, 9, 7, 3), *rest, early=shown)[0]
    assert judged(early, run(2, 6, 7, 3), Gap(None, "ring"), *rest, early=shown) == []


def test_an_asterisk_to_which_nobody_is_connected_has_sent_nothing() -> None:
    """What it has not sent cannot be missing."""
    with NumberedAsterisk("one") as asterisk:
        assert not asterisk.is_connected
        asterisk.say(3)
        assert asterisk.plain == {}


def test_bytes_that_nobody_has_sent_are_found() -> None:
    """With ids and without, in both formats; the id that Asterisk wrote is none."""
    with NumberedAsterisk("one") as one:
        said = event(13, 1)
        plain = said.raw + b"\r\nServer: one"
        one.plain[13], one.shown[13] = plain, plain.replace(FORGED, b"")
        ami = READERS["standard"]({"one": one})
        event_id = b"\r\nProxyEventID: k3v9x0qz.1-f"
        numbered = one.shown[13] + event_id
        for raw in (plain, numbered):
            (message,), rest = ami.messages(raw + b"\r\n\r\nEvent: ")
            assert (ami.number(message), rest) == (13, b"Event: ")
        for raw in (numbered.replace(b"Kind", b"kind"), one.shown[13], plain + event_id):
            with pytest.raises(Wrong, match="other bytes"):
                ami.number(ami.messages(raw + b"\r\n\r\n")[0][0])
        headers = dict(line.split(": ") for line in numbered.decode().split("\r\n"))
        of_json = READERS["json"]({"one": one})
        for value in (headers, {**headers, "X": "y"}):
            (message,), _ = of_json.messages(json.dumps(value).encode() + b"\n{")
            if value is headers:
                assert of_json.number(message) == 13
            else:
                with pytest.raises(Wrong, match="other headers"):
                    of_json.number(message)
