# SPDX-License-Identifier: GPL-2.0-or-later
"""Ids of events: what they say, and that nothing else is taken for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing.eventids import LONGEST, base36, id_of, read_id, stamp
from amiproxy.routing.numbered import stamped

NONCE = "k3v9x0qz"
_PLACES = st.dictionaries(st.integers(1, 10**6), st.integers(0, 10**9), max_size=8)


@given(st.integers(0, 2**60))
def test_numbers_are_to_the_base_of_36(number: int) -> None:
    """As int reads them, without leading zeros."""
    assert int(base36(number), 36) == number
    assert base36(number) == "0" or not base36(number).startswith("0")


@given(_PLACES)
def test_an_id_says_all_places(places: dict[int, int]) -> None:
    """What was written is read."""
    found = read_id(id_of(NONCE, places.items()))

    assert found is not None
    assert (found.nonce, found.numbers, found.is_whole) == (NONCE, places, True)


@given(_PLACES, st.integers(10**6 + 1, 10**7), st.integers(0, 10**9))
def test_that_of_an_event_names_its_server_last(
    places: dict[int, int], epoch: int, number: int
) -> None:
    """Behind the places of the others."""
    text = stamp(NONCE, places.items(), epoch).id(number)
    found = read_id(text)

    assert found is not None
    assert found.numbers == {**places, epoch: number}
    assert text.endswith(f".{base36(epoch)}-{base36(number)}")


def test_an_id_is_never_too_long() -> None:
    """What it leaves out it says."""
    text = stamp(NONCE, [(each, 10**9) for each in range(1, 300)], 500).id(2**59)
    found = read_id(text)

    assert len(text) <= LONGEST
    assert found is not None
    assert not found.is_whole
    assert found.numbers[500] == 2**59


@pytest.mark.parametrize(
    "text",
    ["", "k3v9x0q", "K3V9X0QZ.1-1", "k3v9x0qz.", "k3v9x0qz.1", "k3v9x0qz.1-", "k3v9x0qz.01-1",
     "k3v9x0qz.1-1.1-2", "k3v9x0qz.1-1.+.2-1", "k3v9x0qz.1-1 ", "k3v9x0qz.1-1\n",
     "k3v9x0qz.1-" + "z" * 300, "k3v9x0qz" + ".1-1" * 90],
)  # fmt: skip
def test_nothing_else_is_an_id(text: str) -> None:
    """Letter for letter."""
    assert read_id(text) is None


@given(st.text(max_size=300))
def test_any_text_is_an_id_or_none(text: str) -> None:
    """And nothing is raised."""
    found = read_id(text)
    assert found is None or len(text) <= LONGEST


def test_the_id_is_the_last_header_and_the_only_one() -> None:
    """However another one is written."""
    forged = Message.of("Event: UserEvent", "ProxyEventID: a", "proxyeventid : b", "N: 1")

    assert stamped(forged, "id").lines == ("Event: UserEvent", "N: 1", "ProxyEventID: id")
