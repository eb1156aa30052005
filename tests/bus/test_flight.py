# SPDX-License-Identifier: GPL-2.0-or-later
"""Whatever fails at whichever command: each entry is there once and in order, or was refused."""

from __future__ import annotations

import os
from typing import Any
from unittest import mock

from hypothesis import event, given, settings
from hypothesis import strategies as st

from amiproxy.threads.bus import outbox as module
from amiproxy.threads.bus.outbox import Outbox
from tests.bus.modelredis import (
    BREAK_AFTER,
    BREAK_BEFORE,
    BREAK_WITHIN,
    NONSENSE,
    ModelClient,
    ModelRedis,
)
from tests.bus.outboxes import EPOCH, MEGA, body, nothing

#: More of them by ASTMANPROXY_HISTORIES.
HISTORIES = int(os.environ.get("ASTMANPROXY_HISTORIES", "200"))

EVENTS, ANSWERS, ASKS = b"t:events:pbx", b"t:answers:00007:pbx", b"t:asks:pbx"
ERRORS = {"OOM", "LOADING", "READONLY"}
FAULTS = st.dictionaries(
    st.integers(1, 60),
    st.sampled_from((BREAK_BEFORE, BREAK_AFTER, BREAK_WITHIN, NONSENSE, *sorted(ERRORS))),
    max_size=12,
)
#: What is put, one after the other: an event, an answer, an ask, or nothing: what was put goes.
PUTS = st.lists(st.sampled_from("eeeaq."), min_size=1, max_size=30)


class Play:
    """An outbox without a thread, and a Redis in memory."""

    def __init__(self, faults: dict[int, str]) -> None:
        self.redis = ModelRedis(faults)
        client: Any = ModelClient(self.redis)
        self.outbox = Outbox(client, "t", 16 * MEGA, 16 * MEGA)
        self.fenced: list[int] = []
        self.lane = self.outbox.lane("pbx", EPOCH, lambda: self.fenced.append(1))
        self.put: dict[bytes, list[bytes]] = {EVENTS: [], ANSWERS: [], ASKS: []}

    def step(self, kind: str, number: int) -> None:
        """Put one thing, or send all."""
        if kind == ".":
            self.send()
            return
        key = {"e": EVENTS, "a": ANSWERS, "q": ASKS}[kind]
        data = body(number)
        self.put[key].append(data)
        if kind == "e":
            self.lane.put(data)
        elif kind == "a":
            self.lane.answer(7, data)
        else:
            self.outbox.send("t:asks:pbx", data)

    def send(self) -> None:
        """Have all that waits sent."""
        while self.outbox.waiting:
            self.outbox._take_turn()  # noqa: SLF001


@settings(max_examples=HISTORIES)
@given(PUTS, FAULTS)
def test_each_entry_is_there_once(puts: list[str], faults: dict[int, str]) -> None:
    """In order.  Only what Redis itself has passed over, taking later ones, is missing."""
    ends: list[int] = []
    with (
        mock.patch.object(module, "_FIRST_PAUSE", 0),
        mock.patch.object(module, "_LONGEST_PAUSE", 0),
    ):
        play = Play(faults)
        for number, kind in enumerate(puts):
            play.step(kind, number)
        play.lane.put_last(lambda: ends.append(1))
        play.send()

    missing = 0
    for key, wanted in play.put.items():
        found = [each for _, each in play.redis.streams.get(key, ())]
        if key == ASKS and ERRORS & set(faults.values()):
            found.sort()  # those that were refused at first are behind those that were not
            wanted.sort()
        assert found == [each for each in wanted if each in found], key
        missing += len(wanted) - len(found)
    counts = play.outbox.counts
    event(f"refused: {bool(missing)}")
    assert missing == counts.refused
    assert counts.sent == len([each for each in puts if each != "."]) - missing
    # Only an error in the middle of others leaves no place for what was refused.
    assert not missing or ERRORS & set(faults.values())
    assert ends == [1]
    assert play.fenced == []


@settings(max_examples=HISTORIES)
@given(PUTS, FAULTS, st.integers(0, 30))
def test_a_successor_has_its_stream_to_itself(
    puts: list[str], faults: dict[int, str], when: int
) -> None:
    """From its first entry on there is none of the holder before it, who is told once."""
    with (
        mock.patch.object(module, "_FIRST_PAUSE", 0),
        mock.patch.object(module, "_LONGEST_PAUSE", 0),
    ):
        play = Play(faults)
        opening = b"%d-0" % (EPOCH + 65536)
        for number, kind in enumerate(puts):
            if number == when:
                play.redis.add(EVENTS, opening, b"T")
            play.step(kind, number)
        play.send()
        if when >= len(puts):
            play.redis.add(EVENTS, opening, b"T")
        play.lane.put(body(1000))
        play.send()

    assert play.redis.streams[EVENTS][-1] == (opening, b"T")
    assert play.fenced == [1]
    found = [each for _, each in play.redis.streams[EVENTS][:-1]]
    assert found == [each for each in play.put[EVENTS] if each in found]


def test_an_entry_at_which_connections_end_is_given_up() -> None:
    """A large one, after a few tries: nothing else would be sent any more."""
    with (
        mock.patch.object(module, "_FIRST_PAUSE", 0),
        mock.patch.object(module, "_LONGEST_PAUSE", 0),
    ):
        play = Play({})
        play.redis.most = 600_000
        for number, size in enumerate((0, 700_000, 550_000)):
            play.lane.put(body(number, size))
        play.send()

    assert [entry_id for entry_id, _ in play.redis.streams[EVENTS]] == [
        b"%d-1" % EPOCH,
        b"%d-3" % EPOCH,
    ]
    assert play.outbox.counts.refused == 1


def test_streams_that_nobody_uses_are_forgotten() -> None:
    """There is one for each proxy that ever asked; IDs go on all the same."""
    play = Play({})
    for number in range(3):
        play.step("e", number)
        play.step("a", number)
        play.send()
        with mock.patch.object(module, "_FORGOTTEN", -1.0), mock.patch.object(module, "_IDLE", 0.0):
            play.outbox._take_turn()  # noqa: SLF001
        assert play.outbox._streams == {}  # noqa: SLF001

    assert len(play.redis.streams[EVENTS]) == len(play.redis.streams[ANSWERS]) == 3


def test_the_model_breaks_where_it_is_told() -> None:
    """Else the histories would prove nothing."""
    play = Play({3: BREAK_AFTER})
    with mock.patch.object(module, "_FIRST_PAUSE", 0):
        for number in range(5):
            play.step("e", number)
        play.send()

    assert play.redis.faults == {}
    assert play.outbox.counts.sent == 5
    assert nothing() is None  # type: ignore[func-returns-value]
