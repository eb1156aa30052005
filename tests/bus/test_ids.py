# SPDX-License-Identifier: GPL-2.0-or-later
"""IDs are two numbers; what is none stands before all others."""

from __future__ import annotations

import pytest

from amiproxy.bus.ids import START, last_id, place_of
from amiproxy.bus.respreader import RespError


def test_an_id_is_two_numbers() -> None:
    """Ordered as numbers, not as text."""
    assert place_of(b"10-2") == (10, 2) > place_of(b"9-30")


@pytest.mark.parametrize("rubbish", [b"", b"-", b"1", b"a-b", b"1-", b"-1-1"])
def test_what_is_no_id_is_the_start(rubbish: bytes) -> None:
    """It raises nothing."""
    assert place_of(rubbish) == START


@pytest.mark.parametrize(
    "info", [None, 1, [], [b"last-generated-id"], [b"last-generated-id", 7], RespError("ERR")]
)
def test_a_stream_that_says_nothing_has_nothing(info: object) -> None:
    """Nor one that is not there."""
    assert last_id(info) == START  # type: ignore[arg-type]


def test_the_last_id_is_found() -> None:
    """Wherever it stands."""
    assert last_id([b"length", 1, b"last-generated-id", b"7-8", b"x", None]) == (7, 8)
