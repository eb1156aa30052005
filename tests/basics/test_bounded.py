# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers that forget their oldest entry when they are full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.basics.bounded import BoundedDict, Recent, SmallBoundedDict

if TYPE_CHECKING:
    Add = Callable[[BoundedDict[int, int], int], object]

ADDING: dict[str, Add] = {
    "[]": lambda table, key: table.__setitem__(key, key),
    "setdefault": lambda table, key: table.setdefault(key, key),
    "update": lambda table, key: table.update({key: key}),
}


@pytest.mark.parametrize("add", ADDING.values(), ids=ADDING)
def test_one_entry_too_many_drops_the_oldest(add: Add) -> None:
    """The limit holds whichever way entries are added."""
    table: BoundedDict[int, int] = BoundedDict(3)
    for key in range(10):
        add(table, key)

    assert list(table.items()) == [(7, 7), (8, 8), (9, 9)]


def test_setting_a_key_again_does_not_make_it_newer() -> None:
    """Age counts from when the key was added."""
    table: BoundedDict[str, int] = BoundedDict(2)
    table["a"] = table["b"] = 1
    table["a"] = 2
    table["c"] = 3

    assert list(table.items()) == [("b", 1), ("c", 3)]


def test_a_key_moved_to_the_end_is_the_newest() -> None:
    """So a table can forget what was used longest ago instead."""
    table: BoundedDict[str, int] = BoundedDict(2)
    table["a"] = table["b"] = 1
    table.move_to_end("a")
    table["c"] = 3

    assert list(table) == ["a", "c"]


@pytest.mark.parametrize("kind", [BoundedDict, SmallBoundedDict])
@given(
    steps=st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=200),
    most=st.integers(1, 5),
)
def test_it_is_a_dict_of_the_newest_entries(
    kind: type[BoundedDict[int, None] | SmallBoundedDict[int, None]],
    steps: list[tuple[int, bool]],
    most: int,
) -> None:
    """However keys come and go, the newest *most* of them are there."""
    table = kind(most)
    expected: list[int] = []
    for key, adds in steps:
        if adds:
            table[key] = None
            expected += [] if key in expected else [key]
            expected = expected[-most:]
        else:
            table.pop(key, None)
            expected = [one for one in expected if one != key]

        assert list(table) == expected


def test_it_is_told_which_entry_had_to_go() -> None:
    """The oldest, whatever went before it; none where there was room, or the key was there."""
    table: SmallBoundedDict[str, int] = SmallBoundedDict(3)
    assert [table.add(key, 1) for key in "abcda"] == [None, None, None, "a", "b"]
    del table["c"]

    assert [table.add(key, 2) for key in "dea"] == [None, None, None]
    assert table.add("f", 2) == "d"
    assert list(table) == ["a", "e", "f"]


@given(st.lists(st.integers(0, 12), max_size=40))
def test_recent_values_are_the_last_that_fit(sizes: list[int]) -> None:
    """By number and by size."""
    recent: Recent[bytes] = Recent(5, 10, len)
    values = [bytes([index]) * size for index, size in enumerate(sizes)]
    for value in values:
        recent.append(value)

    count = len(recent)
    taken = recent.take()

    assert count == len(taken)
    assert taken == values[len(values) - count :]
    assert sum(map(len, taken)) <= 10
    more = values[len(values) - count - 1 :] if count < len(values) else []
    assert not more or count == 5 or sum(map(len, more)) > 10
    assert len(recent) == 0
