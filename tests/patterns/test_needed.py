# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts that an expression needs: no event that has it is missed."""

from __future__ import annotations

import os
import random

import pytest

from amiproxy.patterns import engine, ere, re2text
from amiproxy.patterns.automaton import Automaton
from amiproxy.patterns.errors import PatternError
from amiproxy.patterns.needed import needed

MANY = int(os.environ.get("ASTMANPROXY_HISTORIES", "400"))


@pytest.mark.parametrize(
    ("pattern", "texts", "decides"),
    [
        ("Channel: (PJ)?SIP/10", ["Channel: SIP/10", "Channel: PJSIP/10"], True),
        ("Event: (Hangup|Dial(Begin|End))", ["Event: Hangup", "Event: DialBegin", "Event: DialEnd"], True),
        ("10[0-2]", ["100", "101", "102"], True),
        ("^Event: (A|B)$", ["Event: A", "Event: B"], False),
        ("Event: (Hangup|New).*Exten: [0-9]*7", ["Event: Hangup", "Event: New"], False),
        ("(abc|x)*longer", ["longer"], False),
        ("(abc|defg[xy]+)z", ["abc", "defg"], False),
        ("(abc){2}d?", ["abcabc", "abcabcd"], True),
        ("[0-9]*", [], False),
        ("abc|[0-9]+", [], False),
        ("(abc)?", [], False),
        ("ab", ["ab"], True),
        ("ab.", [], False),  # two bytes are in every event
        ("x[0-9][ab]yz", ["ayz", "byz"], False),
        ("[a-z]{4}", [], False),
        ("(abcd){300}", ["abcd"], False),
        ("", [], False),
    ],
)  # fmt: skip
def test_what_is_needed(pattern: str, texts: list[str], decides: bool) -> None:
    """The longest that one of must be there; all of them where there are few."""
    found = needed(ere.parse(pattern.encode()))

    assert (found.texts, found.decides) == (tuple(text.encode() for text in texts), decides)


def test_a_text_decides_only_where_the_expression_is_nothing_else() -> None:
    """Of random expressions and texts: what an automaton finds, and what the texts say."""
    numbers = random.Random(5)
    atoms = ["a", "b", "ab", "abc", "[ab]", "(a|bc)", "(ab|ba)", "c?", "(ab){1,2}", ".", "b*", "^",
             "$", "|", "(a|b*)", r"\<", "[a-c]+"]  # fmt: skip
    for _ in range(MANY):
        pattern = "".join(numbers.choices(atoms, k=numbers.randint(1, 5))).encode()
        try:
            node = ere.parse(pattern)
            search = Automaton(node, engine.OF_FILES, lines=False).search
        except PatternError:
            continue
        texts, decides = needed(node)
        for _ in range(5 if texts else 0):
            data = "".join(numbers.choices("aabbc ", k=numbers.randint(0, 9))).encode()
            there = any(text in data for text in texts)
            assert there or not search(data), (pattern, texts, data)
            assert search(data) or not (there and decides), (pattern, texts, data)


@pytest.mark.skipif(not re2text.AVAILABLE, reason="google-re2 is not installed")
def test_a_pass_over_many_texts_says_which_are_there_and_that_it_has_looked() -> None:
    """By their numbers from 1 on, and 0; bytes are bytes, and nothing in them is special."""
    texts = [b"a", b"ab", b".", b"\xff", b"\x00", b"(", b"\r\n", b"\\", b"[a]", b"aa", b"^"]
    find = engine.finder_of(texts)
    assert find is not None

    for data in (b"", b"ab", b"x.aa\xff", b"\x00\r\n", b"\xc3\xbf(\\", b"[a]^"):
        expected = {0, *(at for at, text in enumerate(texts, 1) if text in data)}
        assert {*(find(data) or ())} == expected, data
    assert engine.finder_of(texts[:8]) is None


def test_a_text_that_is_dear_to_look_for_is_not_needed() -> None:
    """In what was made for it, one that repeats itself takes many times as long."""
    for pattern, texts in (
        ("a" * 60 + "[bc]", ()),
        ("a{9}[bc]", (b"a" * 9 + b"b", b"a" * 9 + b"c")),
    ):
        search = engine.search_for(ere.parse(pattern.encode()), engine.OF_FILES, lines=False)
        assert search.needed.texts == texts
