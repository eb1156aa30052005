# SPDX-License-Identifier: GPL-2.0-or-later
"""What is noted as touched is all that changes: rows made anew for it alone are the rows."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.state.model import LIVE, ServerModel
from amiproxy.state.tables import KINDS
from tests.recordings import RECORDINGS
from tests.state.invariants import LIMIT, LISTS, tell
from tests.state.replays import Told, told
from tests.state.test_anything import BEGUN, likely
from tests.state.test_replay import shuffled
from tests.state.test_replay_tables import _EVENTS, _LISTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.state.table import Row

#: Recordings of queues, phones and conferences, and some of calls, of Asterisk 11 too.
NAMES = [name for name in RECORDINGS if 10 < len(told(name)) < 2500]


class Tracked:
    """The rows of a model, made anew only where it notes that they may have changed."""

    def __init__(self) -> None:
        self.model = ServerModel(LIMIT)
        self.model.note_touched(noting=True)
        self.rows: dict[str, dict[str, Row]] = {kind: {} for kind in KINDS}
        #: How many rows were made.
        self.made = 0

    def follow(self, now: float) -> None:
        """Make anew what was touched."""
        touched = self.model.touched(now)
        for kind in KINDS:
            found = self.rows[kind]
            if kind in touched.whole:
                found.clear()
                again = list(self.model.rows(kind, now))
            else:
                keys = touched.keys.get(kind, set())
                again = list(self.model.rows_of(kind, keys, now))
                for key in keys:
                    found.pop(key, None)
            self.made += len(again)
            found.update((row.key, row) for row in again)

    def check(self, now: float) -> None:
        """Fail if a row is not as a snapshot would tell it, or is judged by something else."""
        for kind in KINDS:
            fresh = {row.key: row for row in self.model.rows(kind, now)}
            ours = self.rows[kind]
            assert ours.keys() == fresh.keys(), kind
            for key, row in fresh.items():
                assert ours[key].fields == row.fields, (kind, key)
                assert ours[key].said.raw == row.said.raw, (kind, key)


def followed(what: Sequence[Told], draw: random.Random, begin: int, every: int) -> Tracked:
    """Return what has followed all of *what*, live from *begin* on; time goes by seconds."""
    tracked = Tracked()
    now = 1000.0
    for number, each in enumerate(what):
        now += draw.choice((0.01, 0.01, 1.0))
        if number == begin:
            tracked.model.state = LIVE
        tell(tracked.model, each, now)
        if draw.random() < 0.5:
            tracked.follow(now)
        if number % every == 0:
            now += 1.0  # what time changes is looked at once a second
            tracked.follow(now)
            tracked.check(now)
    for later in (3.0, 6.0, 60.0):
        tracked.follow(now + later)
        tracked.check(now + later)
    return tracked


@pytest.mark.parametrize("name", NAMES[::3])
def test_touched_rows_are_all_that_change(name: str) -> None:
    """By every event and list of a recording, and by time; few rows are made for that."""
    what = told(name)
    draw = random.Random(name)
    followed(what, draw, draw.randrange(len(what)), every=max(len(what) // 25, 1))


@pytest.mark.parametrize("name", NAMES[1::9])
def test_also_if_classes_come_in_any_order(name: str) -> None:
    """Asterisk keeps the order of one class only."""
    draw = random.Random(name)
    followed(shuffled(told(name), draw), draw, 0, every=max(len(told(name)) // 25, 1))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1 << 32))
def test_also_in_calls_that_make_no_sense(seed: int) -> None:
    """A few channels and bridges, and whatever is said of them."""
    draw = random.Random(seed)
    lists = [Told(None, draw.choice(LISTS), tuple(likely(draw) for _ in range(4)))
             for _ in range(4)]  # fmt: skip
    events = [Told(likely(draw)) for _ in range(40)]
    what = [*map(Told, BEGUN), *draw.sample([*events, *lists], 44)]
    followed(what, draw, draw.randrange(44), every=draw.choice((1, 5)))


@settings(deadline=None, max_examples=12)
@given(st.lists(st.one_of(_EVENTS, _EVENTS, _LISTS), max_size=20), st.integers(0, 20))
def test_also_whatever_comes(what: list[Told], begin: int) -> None:
    """Any bytes."""
    followed(what, random.Random(begin), begin, every=1)


def fed(tracked: Tracked, now: float, *lines: str) -> None:
    """Tell *tracked* the event of *lines*, and check it a second later."""
    tell(tracked.model, Told(Message.of(*lines)), now)
    tracked.follow(now + 1.0)
    tracked.check(now + 1.0)


def test_a_wrap_up_ends_by_time_alone() -> None:
    """The member is free, and its queue counts it so."""
    tracked = Tracked()
    fed(tracked, 1000.0, "Event: QueueMemberAdded", "Queue: q", "Interface: a", "Status: 1",
        "CallsTaken: 1", "LastCall: 1000", "Wrapuptime: 5")  # fmt: skip
    assert tracked.rows["members"]["q/a"].fields["state"] == "wrap_up"
    tracked.follow(1006.0)
    tracked.check(1006.0)
    assert tracked.rows["members"]["q/a"].fields["state"] == "free"


def test_what_a_hint_or_a_contact_says_is_in_rows_of_others() -> None:
    """Of members of queues, and of devices."""
    tracked = Tracked()
    fed(tracked, 1000.0, "Event: QueueMemberAdded", "Queue: q", "Interface: Local/1@x",
        "StateInterface: hint:1@x")  # fmt: skip
    fed(tracked, 1002.0, "Event: DeviceStateChange", "Device: PJSIP/1", "State: INUSE")
    fed(tracked, 1004.0, "Event: ExtensionStatus", "Exten: 1", "Context: x", "Status: 0",
        "Hint: PJSIP/1")  # fmt: skip
    for number in (1, 2):
        fed(tracked, 1004.0 + 2 * number, "Event: ContactStatus", "AOR: 1", f"URI: sip:{number}",
            "ContactStatus: Created", "EndpointName: 1")  # fmt: skip
    assert len(str(tracked.rows["devices"]["PJSIP/1"].fields["contacts"]).split(",")) == 2
