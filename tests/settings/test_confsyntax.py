# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of astmanproxy.conf: keys, quotes, comments, and what is said about mistakes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.settings.conffile import parse_config
from amiproxy.settings.config import SETTINGS, Config
from tests.settings.conf import problems_of, read, warnings_of


@pytest.mark.parametrize(
    ("line", "banner"),
    [
        ("forcebanner = My Banner/1.0 # comment", "mybanner/1.0"),
        ('forcebanner = "My Banner/1.0" # comment', "My Banner/1.0"),
        ('forcebanner = "Ast #1; really"', "Ast #1; really"),
        ('forcebanner = Abc "Def Ghi" Jkl', "abcDef Ghi"),
        ('forcebanner = "Open End', "Open End"),
        ('forcebanner = "Open ; End', "Open "),
        ("\t ForceBanner\t=\tX\t", "x"),
        ("forcebanner=a=b", "a=b"),
        ("forcebanner = x\r", "x"),
        ("forcebanner = ; nothing", ""),
        ('forcebanner = ""', ""),
        ("forcebanner = caf\xe9", "caf\xe9"),
    ],
)
def test_values_are_read_as_the_c_program_reads_them(line: str, banner: str) -> None:
    """Comments, quotes, blanks and capitals; unlike in C, # and ; in quotes are kept."""
    assert read(line).banner == banner


def test_comments_and_blank_lines_are_skipped() -> None:
    """Even if they are indented."""
    text = '\xef\xbb\xbf; a\n# b\n\n   \t\n   ; c = d\n\t# e\r\n  listenport = 5\n; host = x "y\n'

    assert read(text).listen_port == 5
    assert warnings_of(text) == []


def test_a_key_given_twice_counts_the_last_time_and_hosts_add_up() -> None:
    """In the order of the file."""
    config = read(
        "listenport = 1\nhost = b,1,u,s,on\nlistenport = 2\nhost = a,1,u,s,on\nLISTENPORT = 3"
    )

    assert config.listen_port == 3
    assert [server.host for server in config.servers] == ["b", "a"]


def test_lines_may_be_of_any_length() -> None:
    """The C program overran its buffers."""
    assert len(read(f'forcebanner = "{"x" * 300_000}"').banner) == 300_000


def test_every_problem_is_named_at_once() -> None:
    """The operator need not start several times to find them all."""
    found = problems_of("listenport = x\nnosuch = 1\nauthrequired = x\nhost = y")

    assert [problem.split(":")[1] for problem in found] == ["1", "3", "4"]


def test_unknown_keys_cause_a_warning_and_change_nothing() -> None:
    """With file and line; a torn host line is not quoted."""
    text = "nosuch = 1\n[general]\nTopSecret, on = 3\nkey ; x = y"

    warnings = warnings_of(text)

    assert read(text) == Config()
    assert [warning.split(": ")[0] for warning in warnings] == [f"x.conf:{n}" for n in (1, 2, 3, 4)]
    assert "nosuch" in warnings[0]
    assert "topsecret" not in "".join(warnings).lower()


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_bytes_are_a_configuration_or_problems(text: str) -> None:
    """Parsing raises nothing."""
    for problem in parse_config(text, "x.conf").problems:
        assert re.match(r"x\.conf:\d+: |nobody|clientcafile", problem)


@given(
    st.sampled_from(sorted(SETTINGS)),
    st.text(st.characters(max_codepoint=255, exclude_characters="\n"), max_size=40),
)
def test_any_value_is_taken_or_rejected_with_its_line(key: str, value: str) -> None:
    """Whatever follows a key."""
    for problem in parse_config(f"{key} = {value}", "x.conf").problems:
        assert problem.startswith("x.conf:1: ")
