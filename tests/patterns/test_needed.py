# SPDX-License-Identifier: GPL-2.0-or-later
"""The texts that an expression needs: no event that has it is missed."""

from __future__ import annotations

import os
import random

import pytest

from amiproxy.patterns import engine, ere
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
