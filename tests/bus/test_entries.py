# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries come back as they were; anything else is refused, whatever it is."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amiproxy.bus import entries
from amiproxy.bus.entries import Entry, decode_entry, encode_entry
from amiproxy.bus.fields import MOST, Malformed
from tests.bus.values import EVENT, NUMBERS, mutations

PLACES = st.integers(0, entries.MOST_PLACE)
WIRES = st.lists(EVENT, min_size=1, max_size=5)


@st.composite
def made(draw: st.DrawFn) -> Entry:
    """Return an entry as a proxy makes it."""
    kind = draw(st.sampled_from(sorted(entries.KINDS)))
    place = draw(st.tuples(PLACES, PLACES))
    sent = draw(NUMBERS)
    if kind == entries.NOTICE:
        return Entry(kind, *place, 1, sent, draw(EVENT))
    if kind == entries.EVENTS:
        wires = draw(WIRES)
        return Entry(kind, *place, len(wires), sent, b"".join(wires))
    events = draw(st.integers(0, 9)) if kind == entries.MIXED else 0
    return Entry(kind, *place, events, sent, draw(st.binary(max_size=50)))


@given(made())
def test_an_entry_comes_back_as_it_was(entry: Entry) -> None:
    """With all its fields."""
    assert decode_entry(encode_entry(entry)) == entry


@pytest.mark.parametrize("place", [(2**53 + 1, 1), (1, 2**53 + 1), (2**64 - 1, 2**64 - 1)])
def test_a_place_beyond_all_is_refused(place: tuple[int, int]) -> None:
    """Behind it no proxy could number anything, as long as it runs."""
    with pytest.raises(Malformed):
        decode_entry(encode_entry(Entry(entries.PLACE, *place, 0, 1)))


@given(st.binary(max_size=200))
@example(b"")
@example(encode_entry(Entry(b"P", 1, 2, 0, 3))[:-1])
def test_other_bytes_are_malformed(data: bytes) -> None:
    """They raise nothing else, and what is taken is written the same way."""
    with contextlib.suppress(Malformed):
        assert encode_entry(decode_entry(data)) == data


@given(made(), st.data())
def test_what_has_changed_on_its_way_is_refused(entry: Entry, data: st.DataObject) -> None:
    """Cut, longer, or with other bytes: it never reads as another entry."""
    whole = encode_entry(entry)
    changed = data.draw(mutations(whole))

    if changed != whole:
        with pytest.raises(Malformed):
            decode_entry(changed)


@pytest.mark.parametrize(
    "wire",
    [b"", b"\r\n\r\n", b"Event: A\r\n", b"\r\nEvent: A\r\n\r\n", b"Event: A\r\n\r\n\r\n",
     b"Event: A\r\n\r\nEvent: B\r\n\r\n", b"Event: A\r\n\r\n\r\n\r\n", b"Event: A\n\n"],
)  # fmt: skip
def test_events_must_be_as_many_as_it_says(wire: bytes) -> None:
    """A blank line ends each, and none stands elsewhere: clients are sent these bytes."""
    for kind in (entries.EVENTS, entries.NOTICE):
        with pytest.raises(Malformed):
            decode_entry(encode_entry(Entry(kind, 1, 0, 1, 0, wire)))


@pytest.mark.parametrize(
    "entry",
    [Entry(b"X", 1, 0, 0, 0), Entry(b"P", 1, 0, 1, 0),
     Entry(b"T", 1, 0, 1, 0), Entry(b"N", 1, 0, 2, 0, b"A: b\r\n\r\nC: d\r\n\r\n"),
     Entry(b"E", 1, 0, 0, 0)],
    ids=repr,
)  # fmt: skip
def test_kinds_have_what_belongs_to_them(entry: Entry) -> None:
    """Events are counted where there are some, and nowhere else."""
    with pytest.raises(Malformed):
        decode_entry(encode_entry(entry))


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_that_does_not_fit_is_malformed(number: int) -> None:
    """Not an error of the library's own."""
    with pytest.raises(Malformed):
        encode_entry(Entry(b"P", number, 0, 0, 0))


def test_a_kind_of_two_letters_is_malformed() -> None:
    """A kind is one byte."""
    with pytest.raises(Malformed):
        encode_entry(Entry(b"PP", 1, 0, 0, 0))


def test_an_entry_of_another_version_is_malformed() -> None:
    """Even if its checksum is right."""
    data = encode_entry(Entry(b"P", 1, 0, 0, 0))

    with pytest.raises(Malformed, match="version"):
        decode_entry(data[:4] + b"\2" + data[5:])


def test_entries_are_bounded() -> None:
    """Nobody writes what nobody would read."""
    fits = Entry(b"D", 1, 0, 0, 0, bytes(MOST - len(encode_entry(Entry(b"D", 1, 0, 0, 0)))))

    assert decode_entry(encode_entry(fits)) == fits
    with pytest.raises(Malformed):
        encode_entry(fits._replace(payload=fits.payload + b"x"))
    with pytest.raises(Malformed):
        decode_entry(encode_entry(fits) + b"x")
