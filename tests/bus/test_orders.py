# SPDX-License-Identifier: GPL-2.0-or-later
"""Orders and their answers as bytes: they come back as they were, and nothing else comes in."""

from __future__ import annotations

import contextlib
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.fields import Malformed
from amiproxy.bus.orders import (
    MOST_ANSWER,
    MOST_LINE,
    Order,
    Reply,
    decode_order,
    decode_reply,
    encode_order,
    encode_reply,
    pack,
    unpack,
)

ORDER = Order(7, 0x123456, 1_700_000_000_000, "root at kiel:1", "kick 12")
_TEXT = st.text(st.characters(exclude_categories=("C", "Z")), max_size=50)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.integers(1, 2**52), st.integers(1, 2**24 - 1), st.integers(1, 2**52), _TEXT, _TEXT)
def test_an_order_comes_back_as_it_was(
    number: int, asker: int, until: int, who: str, line: str
) -> None:
    """Whatever its line says."""
    order = Order(number, asker, until, who, line)

    assert decode_order(encode_order(order)) == order


@given(st.booleans(), st.lists(st.text()), _JSON)
def test_an_answer_comes_back_as_it_was(is_good: bool, lines: list[str], data: object) -> None:
    """Text and data."""
    packed = pack(is_good=is_good, lines=lines, data=data)
    reply = Reply(9, 3, True, packed)

    assert decode_reply(encode_reply(reply)) == reply
    assert unpack(packed) == (is_good, lines, data)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """Nothing else is raised, whatever somebody writes to Redis."""
    for read in (decode_order, decode_reply, unpack):
        with contextlib.suppress(Malformed):
            read(body)


@pytest.mark.parametrize(
    "values",
    [
        [7, 1, 1, "root"],
        [7, 1, 1, "root", "kick 12", 1],
        [True, 1, 1, "root", "kick 12"],
        [7, 0, 1, "root", "kick 12"],
        [7, 2**24, 1, "root", "kick 12"],
        [7, 1, -1, "root", "kick 12"],
        [7, 1, 1.5, "root", "kick 12"],
        [7, 1, 1, "root\n", "kick 12"],
        [7, 1, 1, "r" * 301, "kick 12"],
        [7, 1, 1, "root", "kick\x0012"],
        [7, 1, 1, "root", "k" * (MOST_LINE + 1)],
        {"line": "kick 12"},
    ],
)
def test_what_no_proxy_writes_is_no_order(values: object) -> None:
    """Each part is looked at."""
    with pytest.raises(Malformed):
        decode_order(json.dumps(values).encode())


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_another_encoding_is_not_guessed(form: str) -> None:
    """A proxy in its sandbox cannot load what would read it, which would end the thread."""
    with pytest.raises(Malformed):
        decode_order(encode_order(ORDER).decode().encode(form))


def test_what_is_too_long_is_neither_written_nor_read() -> None:
    """Also what is small until it is unpacked."""
    for line in ("x" * (MOST_LINE + 1), "kick\t12"):
        with pytest.raises(Malformed):
            encode_order(ORDER._replace(line=line))
    utf8 = ORDER._replace(line="kick user \xc3\x84rger")
    assert decode_order(encode_order(utf8)) == utf8
    with pytest.raises(Malformed):
        pack(is_good=True, lines=["x" * MOST_ANSWER])
    with pytest.raises(Malformed):
        unpack(zlib.compress(b"[true, [], " + b" " * MOST_ANSWER + b"1]"))
    with pytest.raises(Malformed):
        unpack(pack(is_good=True, lines=["x" * 100])[:-3])
    with pytest.raises(Malformed):
        unpack(zlib.compress(b"[" * 100_000))
