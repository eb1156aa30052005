# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables: aligned, and as wide as the terminal at the most."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.status import table
from amiproxy.status.shows import CLIENTS, SERVERS
from amiproxy.status.style import Look, coloured, plain, style_for
from amiproxy.status.table import Column, columns_of, cut
from tests.status.samples import client, server

PAIRS: tuple[Column[tuple[str, int]], ...] = (
    Column("NAME", lambda row: row[0], left=True),
    Column("COUNT", lambda row: str(row[1]), 1),
)


def render(*arguments: Any) -> list[str]:
    return list(table.render(*arguments))


def test_names_begin_and_numbers_end_below_each_other() -> None:
    """As the eye looks for them."""
    assert render(PAIRS, [("one", 1), ("twenty", 2000)]) == [
        "NAME    COUNT",
        "one         1",
        "twenty   2000",
    ]


@pytest.mark.parametrize("width", range(40, 260, 7))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """A line that wraps is no row of a table any more."""
    servers = [server(), server(state="waiting", again_in=12.0, problem="Connection refused " * 9)]
    clients = [client(), client(user="u" * 100, address="[2001:db8:1234:5678:9abc:def0:1:2]:65535")]

    for line in render(SERVERS, servers, width) + render(CLIENTS, clients, width):
        assert columns_of(line) <= width


@pytest.mark.parametrize("width", [60, 80, 100, 132, 200])
def test_what_matters_most_is_shown_on_any_terminal(width: int) -> None:
    """Name, state, events and what is unread come before all else."""
    head = render(SERVERS, [server()], width)[0]
    of_clients = render(CLIENTS, [client()], width)[0]

    assert head.split()[:4] == ["SERVER", "STATE", "SINCE", "EVENTS/S"]
    assert {"N", "ADDRESS", "USER", "EVENTS/S", "BACKLOG"} <= set(of_clients.split())


def test_a_wide_terminal_shows_everything() -> None:
    """Each column that there is."""
    head = render(CLIENTS, [client()], 400)[0]

    assert all(column.title in head for column in CLIENTS)


def test_text_is_cut_where_columns_cannot_go() -> None:
    """With a sign that it goes on."""
    assert render(PAIRS[:1], [("a long name", 1)], 8) == ["NAME", "a long ~"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("one\ntwo", "one\\x0atwo"),
        ("\x9b31m", "\\x9b31m"),
        ("Zo\xeb", "Zo\xeb"),
        ("\u202eevil", "\\u202eevil"),
    ],
)
def test_no_value_controls_the_terminal(text: str, shown: str) -> None:
    """What a client calls itself is shown, and not carried out."""
    assert render(PAIRS[:1], [(text, 1)])[1] == shown


@given(st.text(max_size=30), st.integers(1, 20))
def test_a_cut_text_fits(text: str, width: int) -> None:
    """However wide its characters are, in whatever script."""
    assert columns_of(cut(text, width)) <= width


def test_colours_do_not_move_columns() -> None:
    """A coloured table is the plain one with colours in it."""
    rows = [server(), server(state="given up", problem="Authentication failed")]
    coloured_lines = render(SERVERS, rows, 120, coloured)

    without = list(coloured_lines)
    for look in Look:
        without = [line.replace(f"\x1b[{look.value}m", "") for line in without]
    assert [line.replace("\x1b[0m", "").rstrip() for line in without] == render(SERVERS, rows, 120)
    assert "\x1b[1;31mgiven up" in coloured_lines[2]


@pytest.mark.parametrize(
    ("environment", "is_terminal", "has_colours"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, True),
    ],
)
def test_colours_are_for_terminals_that_have_them(
    environment: dict[str, str], is_terminal: bool, has_colours: bool
) -> None:
    """And for people that want them (no-color.org)."""
    style = style_for(environment, is_terminal=is_terminal)

    assert style is (coloured if has_colours else plain)
