# SPDX-License-Identifier: GPL-2.0-or-later
"""Bytes that wait: sent in order, however little is taken at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.threads.net.backlog import Backlog


@given(
    parts=st.lists(st.binary(max_size=20), min_size=1),
    takes=st.lists(st.integers(0, 25)),
)
def test_no_byte_is_lost_doubled_or_out_of_order(parts: list[bytes], takes: list[int]) -> None:
    """Whatever the socket takes of each part; the size is always what has not gone."""
    backlog = Backlog()
    for part in parts:
        backlog.append(memoryview(part))
    whole, sent = b"".join(parts), bytearray()
    limits = iter([*takes, *[1000] * len(parts)])  # what the socket takes of each call

    def send_now(data: memoryview) -> int:
        taken = data[: next(limits)]
        sent.extend(taken)
        return len(taken)

    empty = False
    while not empty:
        empty = backlog.flush(send_now)
        assert backlog.size == len(whole) - len(sent)

    assert sent == whole


def test_only_bytes_that_go_count_as_progress() -> None:
    """A full socket moves nothing."""
    backlog = Backlog()
    backlog.append(memoryview(b"abc"))
    before = backlog.moved

    assert not backlog.flush(lambda _: 0)
    assert (backlog.moved, backlog.size) == (before, 3)
    assert backlog.flush(lambda _: 1)
    assert backlog.moved > before
    assert backlog.size == 0
