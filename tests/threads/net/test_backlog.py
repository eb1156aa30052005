# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes that wait: sent in order, however little is taken at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.threads.net.backlog import Backlog, Data, Tally

if TYPE_CHECKING:
    import pytest

LIMIT = 1000
HOUR = 3600.0


class Clock:
    """The clock of the backlogs of one test, which the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("amiproxy.threads.net.backlog.time.monotonic", lambda: self.now)


def take(most: int) -> Callable[[Data], int]:
    """Return what takes up to *most* bytes, once."""
    left = [most]

    def send_now(data: Data) -> int:
        taken = min(left[0], len(data))
        left[0] -= taken
        return taken

    return send_now


def waiting(*parts: Data, tally: Tally | None = None) -> Backlog:
    """Return a backlog of *parts*, of which LIMIT bytes may lie."""
    backlog = Backlog(LIMIT, tally or Tally())
    for part in parts:
        backlog.append(part)
    return backlog


@given(
    parts=st.lists(st.binary(max_size=20), min_size=1),
    takes=st.lists(st.integers(0, 25)),
    turn=st.integers(1, 30),
)
def test_no_byte_is_lost_doubled_or_out_of_order(
    parts: list[bytes], takes: list[int], turn: int
) -> None:
    """Whatever the socket takes of each part; the size is always what has not gone."""
    backlog = waiting(*parts)
    whole, sent = b"".join(parts), bytearray()
    limits = iter([*takes, *[1000] * 2000])  # what the socket takes of each call

    def send_now(data: Data) -> int:
        taken = data[: next(limits)]
        sent.extend(taken)
        return len(taken)

    empty = False
    while not empty:
        empty = backlog.flush(send_now, turn)
        assert backlog.size == len(whole) - len(sent)

    assert sent == whole


def test_only_bytes_that_go_count_as_progress() -> None:
    """A full socket moves nothing."""
    backlog = waiting(b"abc")
    before = backlog.moved

    assert not backlog.flush(take(0), 100)
    assert (backlog.moved, backlog.size) == (before, 3)
    assert backlog.flush(take(3), 100)
    assert backlog.moved > before
    assert backlog.size == 0


def test_a_turn_is_over_after_its_bytes() -> None:
    """Others wait for theirs, however fast this client reads."""
    backlog = waiting(b"x" * 500, b"y" * 500)

    assert not backlog.flush(len, 600)

    assert backlog.size == 400


def test_what_the_system_sends_meanwhile_is_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow line takes bytes long before the socket shows room."""
    clock = Clock(monkeypatch)
    backlog = waiting(b"x")
    backlog.look(5000)

    clock.now += 0.5
    backlog.look(4000)
    assert backlog.problem(0.4) == ""
    clock.now += 0.5
    backlog.look(4000)
    assert backlog.problem(0.4) == "took nothing for 400 ms, 1 bytes wait"


def test_one_answer_over_the_limit_stays_while_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """However large it is; the limit in a minute is enough."""
    clock = Clock(monkeypatch)
    backlog = waiting(b"x" * LIMIT * 20)

    for _ in range(20 * 60):
        clock.now += 0.99
        backlog.flush(take(LIMIT // 58), 100)
        assert backlog.problem(HOUR) == ""


def test_over_the_limit_too_little_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then; the log says what was taken."""
    clock = Clock(monkeypatch)
    backlog = waiting(b"x" * (LIMIT + 500))

    for _ in range(60):
        assert backlog.problem(HOUR) == ""
        clock.now += 1.0 - 1e-9
        backlog.flush(take(1), 100)
        clock.now += 1e-9

    assert backlog.problem(HOUR) == "took 60 bytes in 60 s, 1440 bytes wait (clientbacklog)"


def test_over_the_limit_a_second_without_a_byte_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the write timeout is longer; it may be shorter, too."""
    clock = Clock(monkeypatch)
    over, under = waiting(b"x" * (LIMIT + 1)), waiting(b"x" * LIMIT)

    clock.now += 1.0

    clock.now -= 0.01
    assert over.problem(0.1) == ""
    clock.now += 0.01
    assert over.problem(HOUR) == "took nothing for 1000 ms, 1001 bytes wait (clientbacklog)"
    assert under.problem(HOUR) == ""


def test_who_falls_behind_all_that_comes_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte that it takes may be from a message that stays in memory whole."""
    clock = Clock(monkeypatch)
    tally = Tally()
    slow = waiting(b"x" * LIMIT * 3, tally=tally)
    quick = waiting(tally=tally)
    came = [bytes([index]) * 100 for index in range(161)]
    for data in came:
        assert not slow.lags
        assert slow.problem(HOUR) == ""
        quick.append(data)
        clock.now += 0.1
        slow.flush(take(17), 100)
        quick.flush(len, 100)

    assert quick.problem(HOUR) == ""
    assert slow.size < LIMIT
    assert slow.problem(HOUR).startswith("leaves 263 bytes unread while 16100 more")


def test_what_many_leave_lying_counts_once() -> None:
    """A batch is one piece of memory, though its clients have different formats."""
    tally = Tally()
    formats = [b"a" * 700, b"b" * 900, b"c" * 800]
    for _ in range(50):
        for data in formats:
            waiting(data, tally=tally)
            waiting(memoryview(data)[100:], tally=tally)
            waiting(memoryview(data)[200:], tally=tally)

    assert tally.kept == 2400
