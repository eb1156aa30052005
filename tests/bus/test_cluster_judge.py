# SPDX-License-Identifier: GPL-2.0-or-later
"""The judge of the cluster: it takes what is right, and finds each thing that is wrong."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.cluster.actors import Asked
from benchmarks.cluster.asterisk import END, ClusterAsterisk, Connection, tick
from benchmarks.cluster.faults import Victims, plan
from benchmarks.cluster.judge import (
    Count,
    ViewJudge,
    judge_action,
    judge_connections,
    overlaps,
    sent_twice,
)
from benchmarks.cluster.view import Run, Told, View
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.cluster.judge import Offsets
    from benchmarks.cluster.view import Item


def run(first: int, last: int, epoch: int, number: int) -> Run:
    """Return events with such numbers; the first has that place."""
    made = Run(first, (epoch, number))
    made.last = last
    return made


def judged(*items: Item, goal: int = 9, offsets: Offsets | None = None) -> list[str]:
    """Return the faults of *items*, of a server that has sent events up to *goal*."""
    count = Count()
    ViewJudge("client", "a0", {} if offsets is None else offsets, count, 0.0).follow(items, goal)
    return count.faults


_CAME, _REFUSED = Told("Came"), Told("Refused")
_LOST, _AGAIN = Told("Lost", (7, 9)), Told("Connected", (8, 1))
_CROSSING = Told("Gap", (7, 8), None, "server_lost")
_NEW = _LOST, _CROSSING, _AGAIN, Told("Booted", (8, 2))


@pytest.mark.parametrize(
    "items",
    [
        [_CAME, run(1, 9, 7, 3)],
        [run(1, 4, 7, 3), _CAME, run(5, 9, 7, 7)],
        [run(1, 4, 7, 3), Told("Gap", (7, 8), 2, "ring"), run(7, 9, 7, 9)],
        [run(1, 4, 7, 3), *_NEW, run(5, 9, 8, 3)],
        [run(1, 4, 7, 3), *_NEW, run(8, 9, 8, 3)],
        [run(1, 4, 7, 3), _REFUSED, run(8, 9, 8, 3)],
        [run(1, 4, 7, 3), _REFUSED, run(3, 9, 7, 5)],
    ],
    ids=["all", "elsewhere", "gap", "new connection", "lost with it", "refused", "begun anew"],
)
def test_it_takes_what_is_right(items: Sequence[Item]) -> None:
    """All once, or told to be missing where it is missing."""
    assert judged(*items) == []


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([run(1, 4, 7, 3), run(6, 9, 7, 8)], "1 events lost silently"),
        ([run(2, 9, 7, 4)], "1 events lost silently"),
        ([run(1, 4, 7, 3), run(4, 9, 7, 6)], "twice"),
        ([run(1, 4, 7, 3), _CAME, run(1, 9, 7, 3)], "twice"),
        ([run(1, 4, 7, 3)], "has 4 of 9 at the end"),
        ([run(1, 4, 7, 3), Told("Gap", (7, 8), 2, "ring"), run(5, 9, 7, 7)], "gaps tell of 2"),
        ([run(1, 4, 7, 3), Told("Gap", (7, 8), 1, "ring"), run(7, 9, 7, 9)], "2 are missing"),
        ([run(1, 4, 7, 3), _LOST, _AGAIN, run(5, 9, 8, 3)], "no gap tells"),
        ([run(1, 4, 7, 3), _CROSSING, run(5, 9, 7, 7)], "tells of another connection"),
        ([run(1, 4, 7, 3), _CROSSING, run(5, 9, 6, 3)], "an older connection"),
        ([run(1, 4, 7, 3), run(5, 9, 7, 8)], "another id"),
    ],
)  # fmt: skip
def test_it_finds_what_is_wrong(items: Sequence[Item], says: str) -> None:
    """Lost silently, twice, never at all; gaps where nothing is missing, or of other numbers."""
    assert any(says in fault for fault in judged(*items))


def test_ids_must_be_the_same_at_every_proxy() -> None:
    """Else who resumes at another one is sent too much or too little."""
    offsets: Offsets = {}
    assert judged(run(1, 9, 7, 3), offsets=offsets) == []
    assert "another id than elsewhere" in judged(run(1, 9, 7, 4), offsets=offsets)[0]


def test_what_came_on_two_connections_may_be_seen_twice() -> None:
    """On the later one, and behind the gap that tells of it."""
    items: list[Item] = [run(1, 6, 7, 3), *_NEW, run(5, 9, 8, 3)]
    for twice, is_right in (((4, 6), True), ((5, 6), False), ((4, 5), False)):
        count = Count()
        ViewJudge("client", "a0", {}, count, 0.0, [twice]).follow(items, 9)
        assert (count.faults == []) == is_right
    count = Count()
    ViewJudge("client", "a0", {}, count, 0.0, [(4, 6)]).follow([*items[:1], run(5, 9, 7, 7)], 9)
    assert "twice" in count.faults[0]
    old, new = connection("p0", 10, 20), connection("p1", 18, 0)
    new.first, old.last = 4, 6
    assert sent_twice([old, new], 9) == [(4, 6)]


def connection(owner: str, begin: float, end: float) -> Connection:
    """Return a connection that was there in that time."""
    with socket.socket() as sock:
        made = Connection(sock)
    made.owner, made.logged_in, made.ended = owner, begin, end
    return made


def test_two_connections_at_once_are_found() -> None:
    """For longer than is allowed; not while the older one's process could not close it."""
    each = [connection("p0", 10, 20), connection("p1", 18, 30), connection("p0", 30, 0)]
    found = overlaps(each, {}, 40)
    assert [(one.seconds, one.first, one.second) for one in found] == [(2, "p0", "p1")]
    assert judge_connections("a0", found, 2.5, 0) == []
    assert "two connections for 2.00 s, of p0 and p1" in judge_connections("a0", found, 1, 0)[0]
    assert overlaps(each, {"p0": [(17, 19.5)]}, 40)[0].seconds == 0.5
    assert overlaps([each[0], connection("p1", 15, 0)], {}, 18)[0].seconds == 3


@pytest.mark.parametrize(
    ("outcome", "done", "took", "says"),
    [
        ("done", [1.0], 1, ""),
        ("perhaps", [], 1, ""),
        ("perhaps", [1.0], 1, ""),
        ("no", [], 1, ""),
        ("refused", [], 1, ""),
        ("lost", [1.0], 1, ""),
        ("done", [1.0, 1.2], 1, "carried out 2 times"),
        ("lost", [1.0, 1.2], 1, "carried out 2 times"),
        ("done", [], 1, "never carried out"),
        ("no", [1.0], 1, "carried out, and answered 'no'"),
        ("refused", [1.0], 1, "carried out, and answered 'refused'"),
        ("", [], 50, "never answered"),
        ("done", [1.0], 11, "behind 11.0 s"),
        ("maybe", [], 1, "CarriedOut: maybe"),
    ],
)  # fmt: skip
def test_the_end_of_each_action_is_judged(
    outcome: str, done: list[float], took: float, says: str
) -> None:
    """Done once, and what was answered is so."""
    asked = Asked("a0", "p0")
    asked.outcome, asked.ended = outcome, asked.asked + took
    found = judge_action("t", asked, done, [], 10)
    assert (says in found) if says else not found


def test_who_is_stopped_need_not_answer() -> None:
    """Its clients wait for it, and so does the judge."""
    asked = Asked("a0", "p0")
    asked.outcome, asked.ended = "done", asked.asked + 15
    assert judge_action("t", asked, [1.0], [(asked.asked + 1, asked.asked + 7)], 10) == ""


def test_what_a_client_is_sent_is_read() -> None:
    """Events by number and place, notices, gaps; answers are given back; other bytes are wrong."""
    view = View(("a0",))
    view.came("p0")
    event = tick(8) + b"\r\nServer: a0\r\nProxyEventID: 00000000.1-2.a-z.+\r\n\r\n"
    banner = b"Asterisk Call Manager Proxy/2\r\n"
    answer = b"Response: Success\r\nActionID: login\r\n\r\n"
    assert view.feed(banner + answer + event[:50]) == [{"Response": "Success", "ActionID": "login"}]
    gap = (
        b"Event: ProxyGap\r\nServer: a0\r\nMissed: 3\r\nReason: ring\r\nProxyEventID: 00000000.b-5"
    )
    assert view.feed(event[50:] + gap + END) == []
    came, first, second = view.items["a0"]
    assert isinstance(came, Told)
    assert isinstance(first, Run)
    assert isinstance(second, Told)
    assert (came.what, first.first, first.place, view.last["a0"]) == ("Came", 8, (10, 35), 8)
    assert second[:4] == ("Gap", (11, 5), 3, "ring")
    assert view.id == "00000000.b-5"
    assert view.faults == []
    view.feed(event.replace(b"xx", b"x"))
    view.feed(b"Event: Other\r\nServer: a0\r\n\r\n")
    assert ["nobody has sent" in fault for fault in view.faults] == [True, True]


def test_faults_are_those_of_the_seed(tmp_path: Path) -> None:
    """So that what one has found another can find."""
    clocks: Any = [tmp_path]
    proxies: Any = [None, None]
    asterisks: Any = [None]
    redis: Any = object()
    victims = Victims(proxies, asterisks, redis, clocks, 1.0)
    assert plan(50, 7, victims) == plan(50, 7, victims) != plan(50, 8, victims)
    assert {fault.kind for fault in plan(20, 1, victims, "clock")} == {"clock jumps"}


def _log_in(asterisk: ClusterAsterisk, user: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", asterisk.port), 5)
    sock.sendall(f"Action: Login\r\nUsername: {user}\r\n\r\n".encode())
    wait_until(lambda: any(each.owner == user for each in asterisk.live))
    return sock


def test_an_asterisk_says_the_same_on_all_connections_and_notes_each_action() -> None:
    """The judge relies on what it notes."""
    with ClusterAsterisk("a0") as asterisk:
        with _log_in(asterisk, "p0") as one, _log_in(asterisk, "p1") as two:
            asterisk.say(2)
            one.sendall(b"Action: DBPut\r\nKey: t-1\r\nActionID: 5\r\n\r\n")
            heard = [b"", b""]
            ends = [b"ActionID: 5\r\nMessage: Updated database successfully", tick(2)]
            for at, sock in enumerate((one, two)):
                while not heard[at].endswith(ends[at] + END):
                    heard[at] += sock.recv(65536)
                assert tick(1) + END + tick(2) + END in heard[at]
            assert len(asterisk.done["t-1"]) == 1
        wait_until(lambda: not asterisk.live)
        assert [each.owner for each in asterisk.connections] == ["p0", "p1"]
        assert len(overlaps(asterisk.connections, {}, time.monotonic())) == 1
