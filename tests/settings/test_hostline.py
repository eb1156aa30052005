# SPDX-License-Identifier: GPL-2.0-or-later
"""The host lines of astmanproxy.conf."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.settings.conffile import parse_config
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

    assert dataclasses.astuple(server) == (*expected, "", False)


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


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("TopSe#cret, on, off", "put a blank before it, or the secret in quotes"),
        ("TopSe #cret, on, off", "a secret with # or ; needs quotes"),
        ("#TopSecret, on, off", "a secret with # or ; needs quotes"),
        ("Top,Secret, on, off", "a secret with a comma needs quotes"),
        ('"TopSecret, on, off', "put the whole secret in quotes"),
        ('Top"Secret, on, off', "put the whole secret in quotes"),
        ('"Top"Secret", on, off', 'one that holds a " cannot be written here'),
    ],
)
def test_a_secret_that_needs_quotes_is_told_so(fields: str, said: str) -> None:
    """In one line, whatever it holds that the file reads as something else."""
    parsed = parse_config(f"host = 10.1.2.3, 5038, joe, {fields}", "x.conf")

    assert parsed.warnings == []
    [problem] = parsed.problems
    assert said in problem
    assert "Secret" not in problem


def test_a_secret_with_a_comma_that_leaves_a_good_line_is_warned_of() -> None:
    """Its second half is read as events, and what was events as use_ssl."""
    [warning] = warnings_of("host = a, 5038, u, secret,on, on, off")

    assert "behind the sixth field does not count" in warning
    [warning] = warnings_of("host = a, 5038, u, s, on, off, proxy")
    assert "but name= and proxy=" in warning


def test_blanks_in_a_host_line() -> None:
    """In user and secret they do not count, as in C; in host and port a comma may be missing."""
    assert len(warnings_of("host = a, 5038, u, s e, on")) == 1
    assert warnings_of('host = a , 5038 , u , "s e" , on , off') == []
    assert "is a comma missing?" in problems_of("host = 10.0.0.1 5038, 1, u, s, on")[0]
    assert "is a comma missing?" in problems_of("host = a, 50 38, u, s, on")[0]


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


def test_options_stand_behind_all_six_fields() -> None:
    """In any order and case; without them a server is called by its host."""
    [server] = read("host = pbx, 5038, joe, pw, on, off, Proxy = YES, name=PBX1").servers

    assert (server.name, server.proxy) == ("pbx1", True)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("host = a,1,u,s,on,off,name=x\nhost = b,1,u,s,on,off,name=X\n",
         "x.conf:2: host: name=x is that of x.conf:1 already; write another one"),
        ("host = a,1,u,s,on,off,name=b\nhost = b,1,u,s,on,off,name=x\n",
         "x.conf:1: host: name=b is the host of x.conf:2, so actions for the one could go to"),
        ("host = a,1,u,s,on,off,name=a\nhost = a,2,u,s,on,off,name=x\n", None),
        ("host = a,1,u,s,on,off,name=x\nhost = b,2,u,s,on\nhost = c,2,u,s,on\n", None),
    ],
)  # fmt: skip
def test_a_name_that_means_another_server_as_well_is_refused(
    lines: str, problem: str | None
) -> None:
    """An action for the one could go to the other."""
    found = problems_of(lines)

    assert [line[: len(problem or "")] for line in found] == [problem] * bool(problem)
    assert all(line.endswith("; write another one") for line in found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("name=a/b", "write letters"), ("name=", "write letters"), ("name=a, name=b", "given twice"),
        ("name=-a", "write letters"), ("proxy=maybe", "write yes or no"),
        ("name=" + "a" * 65, "write letters"),
    ],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_named(options: str, said: str) -> None:
    """With what to write instead."""
    [problem] = problems_of(f"host = pbx, 5038, joe, pw, on, off, {options}")

    assert said in problem


def test_with_a_bus_no_two_lines_are_one_server() -> None:
    """Two users at one Asterisk are two connections; of a cluster they would be one."""
    lines = "host = pbx, 5038, a, s, on\nhost = pbx, 5038, b, s, on\n"

    assert parse_config(lines, "x.conf").problems == []
    [problem] = parse_config(f"bus = redis://127.0.0.1\n{lines}", "x.conf").problems
    assert problem == (
        "x.conf:3: host: pbx:5038 is in x.conf:2 already; with bus each needs a name of its own:"
        " name=pbx1, say"
    )
