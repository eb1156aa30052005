# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages with whom they are for come back as they were; anything else is refused."""

from __future__ import annotations

import contextlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.entries import Entry
from amiproxy.bus.fields import Malformed
from amiproxy.bus.items import decode_items, encode_items, items_of
from amiproxy.message import Message
from amiproxy.wire.routed import NO_CLIENT, Routed
from tests.bus.values import MESSAGES, TEXTS, mutations

ROUTED = st.builds(
    Routed,
    MESSAGES,
    owner=st.integers(NO_CLIENT, 2**52),
    action_id=st.none() | TEXTS,
    request_id=st.none() | TEXTS,
    asker=st.integers(0, 2**52),
    final=st.booleans(),
    private=st.booleans(),
)
ITEMS = st.lists(ROUTED, max_size=4)
EVENT = Routed(Message(b"Event: A\r\n\r\n"))


def shown(items: list[Routed]) -> list[object]:
    """Return all that *items* hold, to be compared."""
    return [
        (each.message.raw, each.message.own, each.owner, each.action_id, each.request_id,
         each.asker, each.final, each.private)
        for each in items
    ]  # fmt: skip


@given(ITEMS)
def test_messages_come_back_as_they_were(items: list[Routed]) -> None:
    """With owner, ids and marks."""
    assert shown(decode_items(encode_items(items))) == shown(items)


@given(st.binary(max_size=100) | ITEMS.map(encode_items).flatmap(mutations))
def test_other_bytes_are_malformed(data: bytes) -> None:
    """They raise nothing else, and what is taken is written the same way."""
    with contextlib.suppress(Malformed):
        assert encode_items(decode_items(data)) == data


def test_a_count_without_messages_costs_nothing() -> None:
    """Nobody makes room for four thousand million of them."""
    with pytest.raises(Malformed):
        decode_items(b"\xff\xff\xff\xff")


@pytest.mark.parametrize(
    "raw",
    [b"", b"Event: A\r\n", b"\r\n\r\n", b"Event: A\r\n\r\nEvent: B\r\n\r\n",
     b"Event: A\r\n\r\n\r\n", b"Response: Follows\r\ntext"],
)  # fmt: skip
def test_an_item_is_one_message(raw: bytes) -> None:
    """What holds two, none or half of one would be read differently by each client."""
    with pytest.raises(Malformed):
        decode_items(encode_items([Routed(Message(raw))]))


@pytest.mark.parametrize("owner", [NO_CLIENT - 1, -(2**63)])
def test_an_item_is_for_somebody(owner: int) -> None:
    """A session, or one of the names for none."""
    with pytest.raises(Malformed):
        decode_items(encode_items([Routed(EVENT.message, owner=owner)]))


@pytest.mark.parametrize(
    "item",
    [Routed(EVENT.message, owner=2**63), Routed(EVENT.message, action_id="x" * 65536)],
    ids=["owner", "action_id"],
)
def test_what_does_not_fit_is_malformed(item: Routed) -> None:
    """Not an error of the library's own."""
    with pytest.raises(Malformed):
        encode_items([item])


def test_a_mixed_entry_has_no_private_message() -> None:
    """All proxies read it."""
    with pytest.raises(Malformed):
        items_of(
            Entry(b"M", 1, 0, 0, 0, encode_items([Routed(EVENT.message, owner=1, private=True)]))
        )


def test_a_mixed_entry_counts_its_events() -> None:
    """Those that are for everybody, as places count them."""
    payload = encode_items([EVENT, Routed(EVENT.message, owner=7)])

    assert len(items_of(Entry(b"M", 1, 0, 1, 0, payload))) == 2
    for events in (0, 2):
        with pytest.raises(Malformed):
            items_of(Entry(b"M", 1, 0, events, 0, payload))
    with pytest.raises(Malformed):
        items_of(Entry(b"E", 1, 0, 1, 0, payload))


def test_a_text_that_is_no_text_is_malformed() -> None:
    """Nor one that has a length and is not there."""
    raw = b"Event: A\r\n\r\n"
    head = pack(">I", 1)
    not_utf8 = head + pack(">BqqIHH", 8, 1, 0, len(raw), 1, 0) + raw + b"\xff"
    not_there = head + pack(">BqqIHH", 0, 1, 0, len(raw), 1, 0) + raw + b"x"

    for data in (not_utf8, not_there):
        with pytest.raises(Malformed):
            decode_items(data)
