# SPDX-License-Identifier: GPL-2.0-or-later
"""The host lines of astmanproxy.conf."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.settings.conf import problems_of, read, warnings_of


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A.Example, 5038, Joe, PassWord, On, on", ("a.example", 5038, "Joe", "PassWord", "on", True)),
        ("a, 5038, Joe, PassWord, Call", ("a", 5038, "Joe", "PassWord", "call", False)),
        ("a, 5038, joe, p=w, on, off, more, still", ("a", 5038, "joe", "p=w", "on", False)),
        ('a, 5038, joe, "p#w;, x", on, yes', ("a", 5038, "joe", "p#w;, x", "on", True)),
        ('"a, 5038, Joe, Pw, on, off"', ("a", 5038, "Joe", "Pw", "on", False)),
        ("[2001:DB8::1], 5038, joe, pw, on", ("2001:db8::1", 5038, "joe", "pw", "on", False)),
        ("::1, 5038, joe, pw, on,", ("::1", 5038, "joe", "pw", "on", False)),
        ('a, 5038, joe, pw, "call,system"', ("a", 5038, "joe", "pw", "call,system", False)),
        ("a, 5038, joe, pw, Yes, y", ("a", 5038, "joe", "pw", "on", True)),
        ("a, 5038, joe, pw, 0, F", ("a", 5038, "joe", "pw", "off", False)),
        ("a, 5038, j o e, p w, on ; comment", ("a", 5038, "joe", "pw", "on", False)),
    ],
)  # fmt: skip
def test_host_lines(line: str, expected: tuple[object, ...]) -> None:
    """Old ones, quoted ones, IPv6, and with more fields than are defined."""
    [server] = read(f"host = {line}").servers

    assert dataclasses.astuple(server) == expected


@pytest.mark.parametrize(
    "line",
    [
        "10.1.2.3,5038,Joe,TopSecret",
        "10.1.2.3,5038,Joe,TopSecret,",
        "10.1.2.3,5038,,TopSecret,on,off",
        "10.1.2.3,TopSecret,Joe,5038,on",
        "10.1.2.3,99999,Joe,TopSecret,on",
        "10.1.2.3,5038,Joe,TopSecret,on,maybe TopSecret",
        "10.1.2.3,5038,Joe,TopSecret,TopSecret,on",
        '10.1.2.3,5038,Joe,"TopSecret\x01",on',
        "10.1.2.3,5038,Joe,TopSecret#1,on,off",
        "a..b/,1,u,s,on",
        "fe80:::1,1,u,s,on",
    ],
)
def test_a_bad_host_line_is_a_problem_that_shows_no_secret(line: str) -> None:
    """With file and line, whichever field is wrong."""
    [problem] = problems_of(f"\nhost = {line}")

    assert problem.startswith("x.conf:2: host: ")
    assert "TopSecret" not in problem


def test_the_same_server_twice_is_connected_once() -> None:
    """With a warning: the C program sent every event twice."""
    text = "host = a,1,u,s,on\nhost = A,1,u,s,on,off"

    assert len(read(text).servers) == 1
    assert warnings_of(text) == ["x.conf:2: host: this server is named twice, ignored"]


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), min_size=1)
)
def test_any_printable_secret_can_be_written_in_quotes(secret: str) -> None:
    """Comment signs and commas included."""
    [server] = read(f'host = a, 1, u, "{secret}", on, off').servers

    assert server.secret == secret
