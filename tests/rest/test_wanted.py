# SPDX-License-Identifier: GPL-2.0-or-later
"""Which rows are wanted, in which order, page by page."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.rest.textof import fold
from amiproxy.rest.wanted import MOST, Wanted
from amiproxy.web.problems import Problem

FIELDS = ("state", "since", "name", "legs")


def row(key: str, **fields: Any) -> dict[str, Any]:
    """Return a row of calls."""
    return {"id": f"pbx/{key}", "server": "pbx", **fields}


ROWS = [
    row("1", state="ringing", since=3.5, name="Zoë Müller", legs=["a", "b"]),
    row("2", state="talking", since=None, name=None, legs=[]),
    row("3", state="ringing", since=1.0, name="ZOE", legs=["b"]),
    row("4", state=None, since=2, name="STRASSE", legs=None),
]


def wanted(**query: str | list[str]) -> Wanted:
    """Return what *query* wants."""
    said = {name: each if isinstance(each, list) else [each] for name, each in query.items()}
    return Wanted.of(said, FIELDS)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, "1234"),
        ({"state": "ringing"}, "13"),
        ({"state": ["talking", "null"]}, "24"),
        ({"state": "Ringing"}, ""),
        ({"legs": "b"}, "13"),
        ({"since": "1.0"}, "3"),
        ({"id": "pbx/2"}, "2"),
        ({"q": "zoe"}, "13"),
        ({"q": "ZOË mull"}, "1"),
        ({"q": "straße"}, "4"),
        ({"q": "ringing"}, ""),
        ({"sort": "since"}, "3412"),
        ({"sort": "-since"}, "1432"),
        ({"sort": "-state,-id"}, "2314"),
        ({"sort": "state,since"}, "3124"),
    ],
)
def test_rows_are_chosen_and_sorted(query: dict[str, Any], keys: str) -> None:
    """What is not known comes last in either direction."""
    assert "".join(each["id"][4:] for each in wanted(**query).page(ROWS).rows) == keys


def test_case_and_accents_do_not_count() -> None:
    """In any alphabet."""
    assert fold("ÀÉİ Ω") == fold("aei ω")


@given(
    rows=st.dictionaries(
        st.text("abc/", min_size=1, max_size=3),
        st.tuples(
            st.sampled_from(["a", "B", "é", None]),
            st.none() | st.integers(0, 3) | st.sampled_from([0.5, "x"]),
        ),
        max_size=12,
    ),
    sort=st.sampled_from(["", "state", "-state", "-since,state", "since,-state", "id", "-id"]),
    limit=st.integers(1, 5),
    gone=st.booleans(),
)
@settings(max_examples=60)
def test_pages_hold_each_row_once(
    rows: dict[str, tuple[Any, Any]], sort: str, limit: int, gone: bool
) -> None:
    """In the order of the whole, also where the last row of a page is gone before the next."""
    there = [row(key, state=state, since=since) for key, (state, since) in rows.items()]
    whole = wanted(sort=sort).page(there).rows
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = wanted(sort=sort, limit=str(limit), after=after).page(there)
        found += page.rows
        if page.next is None:
            break
        after = page.next
        if gone:
            there.remove(found[-1])
    assert found == list(whole)


WORDS = st.sampled_from(["server", "q", "sort", "fields", "limit", "after", "wait", "state", "id"])


@given(st.dictionaries(WORDS | st.text(max_size=4), st.lists(st.text(max_size=8), max_size=2)))
@settings(max_examples=80)
def test_any_query_is_answered_or_refused(query: dict[str, list[str]]) -> None:
    """Nothing else happens, whatever it says."""
    with contextlib.suppress(Problem):
        page = Wanted.of(query, FIELDS).page(ROWS)
        assert len(page.rows) <= min(MOST, page.total)


@given(st.recursive(st.none() | st.integers() | st.text(max_size=3), st.lists, max_leaves=4))
@settings(max_examples=40)
def test_any_mark_is_a_place_or_refused(said: Any) -> None:
    """Marks come from outside, too."""
    text = base64.urlsafe_b64encode(repr(said).replace("'", '"').encode()).decode()
    with contextlib.suppress(Problem):
        wanted(sort="since", after=text or "x").page(ROWS)


NESTED = base64.urlsafe_b64encode(f'[{"[" * 900}{"]" * 900},"x"]'.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"q": " ".join(map(str, range(17)))}, "q names at most 16"),
        ({"sort": ",".join([f"-f{number}" for number in range(9)])}, "sort names at most 8"),
        ({"sort": "state", "after": NESTED}, "after is what"),
    ],
)
def test_what_costs_too_much_is_refused(query: dict[str, Any], told: str) -> None:
    """One request could else keep the processor for a minute, or nest too deep to be read."""
    with pytest.raises(Problem, match=told):
        Wanted.of(
            {name: [each] for name, each in query.items()}, [f"f{n}" for n in range(9)] + ["state"]
        ).page(ROWS)


def test_what_is_said_twice_costs_once() -> None:
    """Nobody is refused for that."""
    found = wanted(q="zoe " * 1000, sort=",".join(["since"] * 1000))

    assert (found.words, found.order) == (("zoe",), (("since", False),))
