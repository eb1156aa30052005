# SPDX-License-Identifier: GPL-2.0-or-later
"""What two streams bring is handed out as one: answers where they came, and holes told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from amiproxy.bus import states
from amiproxy.bus.asks import Answer, encode_answer
from amiproxy.bus.entries import EVENTS, PLACE, TAKEN, UP, Entry, encode_entry
from amiproxy.bus.keys import Keys
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.bus.sharedlink import SharedLink
from amiproxy.threads.bus.tail import Tail

HERE, THERE = 5, 6
EPOCH = 65536
EVENT = b"Event: News\r\n\r\n"
UP_NOW = states.up("127.0.0.1", "Asterisk")

Row = tuple[bytes, bytes]


class Reader:
    """A proxy that follows one server; *done* has what it did for its clients."""

    def __init__(self) -> None:
        self.done: list[str] = []
        publisher: Any = SimpleNamespace(
            relay=lambda entry: self.done.append(f"event {entry.after + 1}"),
            answer=lambda answer: self.done.append(f"answer {answer.number}"),
            tell_missing=lambda upto: self.done.append(f"missing {upto}"),
            abandon=lambda _: self.done.append("lost"),
            begin=lambda: None, tidy=lambda: None, tell=lambda _: None, is_untold=False,
        )  # fmt: skip
        spec = ServerSpec("pbx", 5038, "u", "s", "on", False)
        self.link = SharedLink(spec, ActionIds(), "", HERE, lambda _: None, lambda: 1)
        around: Any = SimpleNamespace(
            slot=HERE, client=None, keys=Keys("test"), now=lambda: 1, tells=False
        )
        self.tail = Tail(self.link, publisher, around)
        self.tail.is_at_end = True
        self._number = 0

    def take(self, *entries: Entry, answers: tuple[int, ...] = (), tenure: int = EPOCH) -> int:
        """Hand out *entries* of the *tenure* and *answers* behind those events."""
        rows: list[Row] = []
        for entry in entries:
            self._number += 1
            rows.append((b"%d-%d" % (tenure, self._number), encode_entry(entry)))
        told: list[Row] = [
            (b"1-%d" % number, encode_answer(Answer(EPOCH, number, [], []))) for number in answers
        ]
        return self.tail.take((rows, told))


def event(number: int, epoch: int = EPOCH) -> Entry:
    """Return the entry with the event *number*."""
    return Entry(EVENTS, epoch, number - 1, 1, 1, EVENT)


def up(epoch: int = EPOCH) -> Entry:
    """Return the entry that says that a connection is live."""
    return Entry(UP, epoch, 0, 0, 1, UP_NOW)


def test_an_answer_comes_between_the_events_where_it_was() -> None:
    """Whoever asked for a list must not see what came behind it first, nor before."""
    reader = Reader()
    reader.take(up(), event(1), event(2), event(3), answers=(1, 2, 3))

    assert reader.done == [
        "event 1", "answer 1", "event 2", "answer 2", "event 3", "answer 3",
    ]  # fmt: skip


def test_an_answer_waits_for_events_that_are_still_to_be_read() -> None:
    """A read brings a part of what there is only."""
    reader = Reader()
    reader.tail.is_at_end = False
    reader.take(up(), event(1), answers=(2,))
    assert reader.done == ["event 1"]

    reader.tail.is_at_end = True
    reader.take(event(2), event(3))
    assert reader.done == ["event 1", "event 2", "answer 2", "event 3"]


def test_a_hole_is_told_and_what_was_handed_out_comes_once() -> None:
    """By the numbers of the events."""
    reader = Reader()
    reader.take(up(), event(1), event(1), event(4), event(2))

    assert [each.split()[0] for each in reader.done] == ["event", "missing", "event"]
    assert reader.done[-1] == "event 4"
    assert reader.link.dropped == 0


def test_the_end_of_a_connection_that_nobody_told_is_a_hole() -> None:
    """The entries that said so are lost."""
    reader = Reader()
    reader.take(up(), event(1), Entry(PLACE, EPOCH + 1, 0, 0, 1, b""))

    assert [each.split()[0] for each in reader.done] == ["event", "missing"]


def test_only_its_own_tenure_makes_a_proxy_the_holder() -> None:
    """And only if no other proxy has taken the server since."""
    reader = Reader()
    own, other = (Entry(TAKEN, EPOCH, 0, 0, 1, states.taken(slot)) for slot in (HERE, THERE))
    assert reader.take(other) == 0
    assert reader.take(own) == EPOCH
    assert reader.take(own, other) == 0
    assert reader.take(own, up(), tenure=2 * EPOCH) == 2 * EPOCH
