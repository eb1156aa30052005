# SPDX-License-Identifier: GPL-2.0-or-later
"""A stream is trimmed by bytes: never above its budget for long, never more than needed."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.trail import Trail, cost

SIZES = st.lists(st.integers(0, 3000), min_size=1, max_size=200)


class Stream:
    """A stream as Redis has it: entries of *old*, then those with a number."""

    def __init__(self, old: list[int]) -> None:
        self.entries = deque((-1, cost(size)) for size in old)

    @property
    def size(self) -> int:
        return sum(size for _, size in self.entries)

    def trim(self, minid: int) -> None:
        while self.entries and self.entries[0][0] < minid:
            self.entries.popleft()

    def keep(self, count: int) -> None:
        while len(self.entries) > count:
            self.entries.popleft()


@given(SIZES, st.integers(1, 20_000))
def test_a_stream_stays_within_its_budget(sizes: list[int], budget: int) -> None:
    """But for one piece and its last entry, which is always kept."""
    trail, stream = Trail(budget), Stream([])
    for number, size in enumerate(sizes):
        minid = trail.cut()
        if minid is not None:
            stream.trim(int(minid))
        stream.entries.append((number, cost(size)))
        trail.add(b"%d" % number, size)
        assert trail.size == stream.size
        assert trail.count == len(stream.entries)
        assert stream.entries[-1][0] == number
        assert stream.size <= budget + 2 * cost(3000) + budget // 32
        assert minid is None or stream.size > budget * 31 // 32 - 2 * cost(3000)


@given(SIZES, SIZES, st.integers(1000, 20_000))
def test_what_others_had_added_goes_first(old: list[int], sizes: list[int], budget: int) -> None:
    """By count, as their sizes are known as a whole only; then what came later, by ID."""
    trail, stream = Trail(budget), Stream(old)
    trail.inherit(len(old), stream.size)
    for number, size in enumerate(sizes):
        keep = trail.cut_old()
        if keep is not None:
            assert stream.entries[0][0] == -1
            stream.keep(keep)
        minid = trail.cut()
        if minid is not None:
            assert stream.entries[0][0] >= 0
            stream.trim(int(minid))
        stream.entries.append((number, cost(size)))
        trail.add(b"%d" % number, size)
        assert trail.count == len(stream.entries)


def test_what_was_inherited_is_counted_once() -> None:
    """It is asked for again when a connection was lost."""
    trail = Trail(1000)
    trail.inherit(10, 500)
    trail.inherit(10, 600)

    assert (trail.count, trail.size) == (10, 600)
