# SPDX-License-Identifier: GPL-2.0-or-later
"""A byte order mark at the start of a connection is dropped, and nothing else (12.30)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.byteordermark import Beginning

MARK = b"\xef\xbb\xbf"


def admitted(*chunks: bytes) -> bytes:
    """Return what may be read of *chunks*."""
    beginning = Beginning()
    return b"".join(map(beginning.admit, chunks))


@given(st.binary(max_size=5), st.booleans(), st.lists(st.integers(0, 8), max_size=4))
def test_one_mark_is_dropped_however_bytes_arrive(rest: bytes, mark: bool, cuts: list[int]) -> None:
    """One at the very start; further ones are the client's affair."""
    data = (MARK if mark else b"") + rest
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})

    got = admitted(*(data[a:b] for a, b in zip(edges, edges[1:])))

    wanted = data.removeprefix(MARK)
    # The beginning of a mark is held until the next byte tells what it is.
    assert got == (b"" if wanted and MARK.startswith(wanted) and wanted == data else wanted)


def test_a_mark_further_on_is_data() -> None:
    """As is a second one."""
    assert admitted(MARK + MARK + b"A") == MARK + b"A"
    assert admitted(b"A", MARK) == b"A" + MARK
    assert admitted(b"\xef", b"\xbb", b"A", MARK) == b"\xef\xbbA" + MARK
