# SPDX-License-Identifier: GPL-2.0-or-later
"""Replies of Redis are read however they are cut, and what is none is refused."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus import respreader
from amiproxy.bus.fields import MOST, Malformed
from amiproxy.bus.respreader import Reply, RespError, RespReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.bus.respreader import Found

KEYS = {b"one": "one", b"two": "two"}


class Gone(Exception):
    """No more bytes come."""


def reader(data: bytes, cuts: Sequence[int] = ()) -> RespReader:
    """Return what reads *data*, which comes in pieces that end at *cuts*."""

    def pieces() -> Iterator[bytes]:
        at = 0
        for cut in sorted({each % (len(data) + 1) for each in cuts} - {0}):
            yield data[at:cut]
            at = cut
        if data[at:]:
            yield data[at:]
        raise Gone

    return RespReader(pieces().__next__)


def bulk(value: bytes) -> bytes:
    """Return *value* as Redis sends it."""
    return b"$%d\r\n%b\r\n" % (len(value), value)


def entry(entry_id: bytes, *fields: bytes) -> bytes:
    """Return an entry as Redis sends it."""
    values = b"".join(map(bulk, fields))
    return b"*2\r\n" + bulk(entry_id) + b"*%d\r\n" % len(fields) + values


def streams(*found: tuple[bytes, list[bytes]]) -> bytes:
    """Return the reply of XREAD."""
    lists = [b"*2\r\n" + bulk(key) + b"*%d\r\n" % len(each) + b"".join(each) for key, each in found]
    return b"*%d\r\n" % len(found) + b"".join(lists)


CUTS = st.lists(st.integers(0, 10**6), max_size=6)
IDS = st.builds(b"%d-%d".__mod__, st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)))
ENTRIES = st.lists(st.tuples(IDS, st.binary(max_size=200)), max_size=6)


@given(ENTRIES, ENTRIES, CUTS)
def test_entries_are_read_however_they_are_cut(one: Found, two: Found, cuts: list[int]) -> None:
    """Of two streams, and the next reply behind them."""
    data = streams((b"one", [entry(i, b"b", v) for i, v in one]),
                   (b"two", [entry(i, b"b", v) for i, v in two]))  # fmt: skip
    found = reader(data + b":7\r\n", cuts)

    assert found.entries(KEYS) == [("one", one), ("two", two)]
    assert found.reply() == 7


@given(ENTRIES, CUTS)
def test_a_range_is_read_as_entries_are(one: Found, cuts: list[int]) -> None:
    """XRANGE answers with one list."""
    data = b"*%d\r\n" % len(one) + b"".join(entry(i, b"b", v) for i, v in one)

    assert reader(data, cuts).found() == one


@pytest.mark.parametrize("nothing", [b"*-1\r\n", b"*0\r\n"])
def test_no_entry_within_the_time_is_an_empty_list(nothing: bytes) -> None:
    """XREAD with BLOCK answers with nothing."""
    assert reader(nothing).entries(KEYS) == []


@pytest.mark.parametrize(
    "fields", [(), (b"a", b"1"), (b"b", b"1", b"c", b"2"), (b"b",), (b"", b""), (b"bb", b"1")]
)
def test_an_entry_with_other_fields_keeps_its_id_only(fields: tuple[bytes, ...]) -> None:
    """It comes last: nothing more is waited for."""
    data = streams((b"one", [entry(b"1-1", b"b", b"x"), entry(b"1-2", *fields)]))

    assert reader(data).entries(KEYS) == [("one", [(b"1-1", b"x"), (b"1-2", b"")])]


def reply_bytes(value: object) -> bytes:
    """Return *value* as Redis sends it."""
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(reply_bytes, value))
    if isinstance(value, int):
        return b":%d\r\n" % value
    return b"$-1\r\n" if value is None else bulk(value)  # type: ignore[arg-type]


VALUES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=30),
    lambda some: st.lists(some, max_size=4),
    max_leaves=10,
)


@given(VALUES, CUTS)
def test_any_reply_is_read(value: Reply, cuts: list[int]) -> None:
    """Numbers, bytes, nothing, and lists of them."""
    with contextlib.suppress(Malformed):  # too deep
        assert reader(reply_bytes(value), cuts).reply() == value


def test_an_error_is_returned() -> None:
    """With its first word, bounded, and without what a terminal would obey."""
    error = reader(b"-OOM no \x1b[2J memory" + b"x" * 1000 + b"\r\n").reply()

    assert isinstance(error, RespError)
    assert error.code == "OOM"
    assert str(error).startswith("OOM no ?[2J memoryx")
    assert len(str(error)) == 300
    assert isinstance(reader(b"-ERR x\r\n").entries(KEYS), RespError)
    assert isinstance(reader(b"-ERR x\r\n").found(), RespError)


@given(
    st.binary(max_size=60)
    | ENTRIES.map(lambda each: streams((b"one", [entry(i, b"b", v) for i, v in each]))),
    CUTS,
)
def test_other_bytes_are_malformed(data: bytes, cuts: list[int]) -> None:
    """They raise nothing else, but for what says that no more come."""
    for read in ("reply", "found"):
        with contextlib.suppress(Malformed, Gone, RuntimeError):
            getattr(reader(data, cuts), read)()
    with contextlib.suppress(Malformed, Gone, RuntimeError):
        reader(data[: len(data) // 2] + b"\r" + data[len(data) // 2 :], cuts).entries(KEYS)


@pytest.mark.parametrize(
    "data",
    [b"*1\r\n" * 20, b"$9999999999\r\n", b"*9999999999\r\n", b"$3\r\nabcdef\r\n", b"$x\r\n",
     b"!3\r\n", b"$-2\r\n", b"x" * 70000],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_what_has_no_end_is_malformed(data: bytes) -> None:
    """Lists in lists, lengths beyond all bounds, lines without an end."""
    with pytest.raises(Malformed):
        reader(data).reply()


@pytest.mark.parametrize(
    "data",
    [b":1\r\n", b"*3\r\n", b"*1\r\n*3\r\n", streams((b"three", [])), b"*1\r\n*2\r\n$3\r\none\r\n:1\r\n",
     b"*1\r\n*2\r\n$3\r\none\r\n*1\r\n:1\r\n", b"*1\r\n*2\r\n$3\r\none\r\n*1\r\n*2\r\n:1\r\n:1\r\n"],
)  # fmt: skip
def test_a_reply_of_another_command_is_malformed(data: bytes) -> None:
    """Nor are streams that nobody asked for."""
    with pytest.raises(Malformed):
        reader(data).entries(KEYS)


def test_a_body_that_is_too_large_is_passed_over() -> None:
    """What lies behind it is read: else its stream would have ended there."""
    large = bytes(MOST + 1)
    data = streams((b"one", [entry(b"1-1", b"b", large), entry(b"1-2", b"b", b"x")]))
    ends = range(0, len(data), 65536)

    for cuts in (ends, [*ends, len(data) - 60], [*ends, len(data) - 34, len(data) - 35]):
        assert reader(data, cuts).entries(KEYS) == [("one", [(b"1-1", b""), (b"1-2", b"x")])]


def test_much_at_once_is_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond is read again: no entry is left out between two that are returned."""
    monkeypatch.setattr(respreader, "_MOST_READ", 10)
    one = [(b"1-%d" % number, b"xxxx") for number in range(4)] + [(b"1-9", b"")]
    data = streams((b"one", [entry(i, b"b", v) for i, v in one]),
                   (b"two", [entry(b"1-1", b"b", b"y")]))  # fmt: skip

    assert reader(data).entries(KEYS) == [("one", one[:2]), ("two", [])]


def test_values_of_a_strange_entry_are_not_all_kept() -> None:
    """It may have any number of fields."""
    data = reply_bytes([bytes(MOST), b"x"])

    assert reader(data).reply() == [bytes(MOST), b""]
