# SPDX-License-Identifier: GPL-2.0-or-later
"""What proxies tell of themselves: read as it was written, and nothing else is taken."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.fields import Malformed
from amiproxy.bus.members import (
    MOST_BYTES,
    Member,
    MemberReader,
    PublicSpec,
    encode_member,
    new_slot,
    read_slot,
    slot_text,
)

MEMBER = Member(
    slot=77, name="pbx1:4711", host="pbx1", pid=4711, version="2.0", started=1_700_000_000,
    clients=12, state="joined", holds=("a", "10.0.0.1:5038"),
    servers={"a": PublicSpec("10.0.0.2", 5038, "a", "on")}, lags={"a": 3}, stopping=True,
    able=("a",), beat=9,
)  # fmt: skip


def test_a_member_is_read_as_it_was_written() -> None:
    """Every field of it."""
    assert MemberReader().read(encode_member(MEMBER)) == MEMBER


def test_a_field_of_a_later_release_is_no_hindrance() -> None:
    """Proxies are updated one after the other."""
    values = {**json.loads(encode_member(MEMBER)), "colour": "green"}

    assert MemberReader().read(json.dumps(values).encode()) == MEMBER


@pytest.mark.parametrize(
    ("field", "value"),
    [("slot", 0), ("slot", True), ("slot", 2**24), ("slot", "7"), ("name", 5), ("name", "a\nb"),
     ("name", "x" * 301), ("holds", "ab"), ("holds", [1]), ("holds", ["x"] * 5000),
     ("servers", [["h", 0, "", "on"]]), ("servers", [["h", 1, ""]]), ("servers", {}),
     ("lags", {"a": -1}), ("lags", []), ("stopping", 1), ("clients", 1.5), ("pid", -1)],
)  # fmt: skip
def test_a_field_that_no_proxy_writes_is_malformed(field: str, value: Any) -> None:
    """Whatever it is: nothing else is raised."""
    values = {**json.loads(encode_member(MEMBER)), field: value}

    with pytest.raises(Malformed):
        MemberReader().read(json.dumps(values).encode())


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"slot":1}', b"\xff", b"[" * 100_000, b" " * (MOST_BYTES + 1)],
)
def test_bytes_that_are_no_member_are_malformed(body: bytes) -> None:
    """As they are in Redis, anybody may have written them."""
    with pytest.raises(Malformed):
        MemberReader().read(body)


@pytest.mark.parametrize("form", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_another_encoding_is_not_guessed(form: str) -> None:
    """A proxy in its sandbox cannot load what would read it, which would end the keeper."""
    with pytest.raises(Malformed):
        MemberReader().read(encode_member(MEMBER).decode().encode(form))


@given(st.binary(max_size=200) | st.from_regex(rb'\{"slot":.{0,40}\}'))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    """A loop that reads members goes on."""
    with contextlib.suppress(Malformed):
        MemberReader().read(body)


def test_what_a_member_says_again_is_read_as_if_it_were_new() -> None:
    """Whatever it has said before, and though that was malformed."""
    reader = MemberReader()
    other = MEMBER._replace(clients=13, holds=(), lags={}, stopping=False, beat=10)

    for member in (MEMBER, other, MEMBER, MEMBER):
        assert reader.read(encode_member(member)) == member
        with pytest.raises(Malformed):
            reader.read(encode_member(member._replace(clients=-1)))
    # 1 == True in Python: what is read stays what it was.
    again = reader.read(encode_member(MEMBER._replace(stopping=1)))  # type: ignore[arg-type]
    assert again.stopping is True


def test_slots_are_read_as_they_are_written() -> None:
    """Five digits, of which keys are made."""
    for slot in (1, 35, 36, 2**24 - 1, new_slot()):
        assert len(slot_text(slot)) == 5
        assert read_slot(slot_text(slot)) == slot
    for text in ("", "00000", "zzzzz", "1234", "ABCDE", "1 345", "١٢٣٤٥"):
        assert read_slot(text) == 0
