# SPDX-License-Identifier: GPL-2.0-or-later
"""Taken and up: small texts that are bounded and can be logged."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.fields import MOST_SLOT, Malformed
from amiproxy.bus.states import (
    MOST_STATE,
    read_taken,
    read_up,
    taken,
    up,
)

PRINTABLE = st.text(max_size=30).map(lambda text: "".join(c for c in text if c.isprintable()))


@given(st.integers(1, MOST_SLOT), PRINTABLE, PRINTABLE)
def test_they_come_back_as_they_were(slot: int, one: str, other: str) -> None:
    """Slot, address and banner."""
    assert read_taken(taken(slot)) == slot
    assert read_up(up(one, other)) == (one, other)


@given(st.binary(max_size=40))
def test_other_bytes_are_malformed(data: bytes) -> None:
    """They raise nothing else."""
    for read in (read_taken, read_up):
        with contextlib.suppress(Malformed):
            read(data)


def test_long_texts_are_cut() -> None:
    """A banner is what an Asterisk has said."""
    assert read_up(up("x" * 5000, "")) == ("x" * MOST_STATE, "")
    with pytest.raises(Malformed):
        read_up(b"\x04\x01" + b"x" * 1025 + bytes(2))


def test_control_characters_are_replaced() -> None:
    """They end up on a terminal."""
    assert read_up(up("", "a\x1b[2Jb\nc\x7f")) == ("", "a?[2Jb?c?")


@pytest.mark.parametrize("slot", [0, MOST_SLOT + 1])
def test_a_slot_has_24_bits(slot: int) -> None:
    """None is 0."""
    with pytest.raises(Malformed):
        read_taken(taken(slot))
