# SPDX-License-Identifier: GPL-2.0-or-later
"""The page: what is wrong first, then what goes on, on any terminal."""

from __future__ import annotations

import dataclasses

import pytest

from amiproxy.status.documents import document, status_of
from amiproxy.status.page import page, summary
from amiproxy.status.style import coloured
from amiproxy.status.table import columns_of
from amiproxy.status.values import Alarm, ListenerStatus
from tests.status.samples import client, server, status

LONG = Alarm("warning", "client 12 at 192.0.2.77:40312 (wallboard) has left 3.2M unread")
BAD = Alarm("error", "server pbx2:5038 has been down for 3m20s: Connection refused")


def test_what_is_wrong_comes_first() -> None:
    """Errors before warnings, right below the first line."""
    lines = page(status(LONG, BAD))

    assert lines[1] == f"error: {BAD.text}"
    assert lines[2] == f"warning: {LONG.text}"


def test_what_is_wrong_is_never_cut() -> None:
    """On a narrow terminal it goes on in the next line."""
    lines = page(status(LONG), 40)

    assert lines[1:4] == [
        "warning: client 12 at 192.0.2.77:40312",
        "         (wallboard) has left 3.2M",
        "         unread",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Whatever there is to tell."""
    many = tuple(client(number=n, user=f"user{n}") for n in range(100))

    assert max(map(columns_of, page(status(LONG, BAD, clients=many), width))) <= width


@pytest.mark.parametrize("height", [24, 40, 60])
def test_the_page_is_as_high_as_the_terminal(height: int) -> None:
    """Of many clients those that cost most are shown, and how many there are more."""
    many = tuple(client(number=n, backlog=n) for n in range(100))

    lines = page(status(clients=many), 80, height)

    assert len(lines) <= height
    head = next(at for at, line in enumerate(lines) if line.split()[:2] == ["N", "ADDRESS"])
    assert lines[head + 1].split()[0] == "99"
    assert "more clients" in lines[-1]


def test_the_first_line_says_it_all() -> None:
    """For who only wants to know whether all is well."""
    down = server(state="waiting", problem="Connection refused", again_in=2.0)
    found = status(servers=(server(), server(), down))

    assert summary(found) == "2 of 3 servers up, 42 clients"
    assert page(found)[0] == "astmanproxy 3.0.0, up 14d06h: 2 of 3 servers up, 42 clients"


def test_one_is_no_plural() -> None:
    """A detail, at each look."""
    assert summary(status(servers=(server(),))).startswith("1 of 1 server up")


def test_without_servers_the_page_is_whole() -> None:
    """A proxy that was just installed."""
    lines = page(status(servers=(), clients=()))

    assert lines[0].endswith("no servers, 42 clients")
    assert not any("SERVER " in line for line in lines)


def test_what_is_behind_another_proxy_is_named() -> None:
    """In the place of the version, which is that of its first server."""
    site = server(behind=("pbx1", "pbx2"), behind_lost=("pbx2",))

    assert any(line.endswith("astmanproxy: pbx1, (pbx2)") for line in page(status(servers=(site,))))


def test_colours_say_how_bad_it_is() -> None:
    """Green, yellow, red: the first line alone is enough."""
    first = [page(found, style=coloured)[0][:5] for found in (status(), status(LONG), status(BAD))]

    assert first == ["\x1b[32m", "\x1b[33m", "\x1b[1;3"]


def test_listeners_are_shown_where_there_are_several() -> None:
    """One is where the keys say; a further one, and one that is gone, has a line."""
    one = ListenerStatus("*:1234", 41, "standard", "standard", "unique", "both", "yes")
    two = ListenerStatus("unix:/run/ami.sock", 1, "removed", "", "", "", "")

    shown = page(dataclasses.replace(status(), listening=(one, two)))

    (head,) = [at for at, line in enumerate(shown) if line.startswith("LISTENER")]
    assert shown[head + 1].split() == [
        *["*:1234", "41", "standard", "standard", "unique", "both", "yes"]
    ]
    assert shown[head + 2].split() == ["unix:/run/ami.sock", "1", "removed"]
    assert not any(
        line.startswith("LISTENER")
        for line in page(dataclasses.replace(status(), listening=(one,)))
    )
    assert status_of(document(dataclasses.replace(status(), listening=(one, two)))).listening == (
        one,
        two,
    )
