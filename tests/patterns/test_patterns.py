# SPDX-License-Identifier: GPL-2.0-or-later
"""Patterns mean what they mean in Asterisk: glibc is asked, whichever engine serves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from amiproxy.patterns import engine, ere, re2text
from amiproxy.patterns.automaton import Automaton
from amiproxy.patterns.errors import MalformedError, PatternError
from tests.patterns import glibc
from tests.support import ROOT

if TYPE_CHECKING:
    from amiproxy.patterns.tree import Node

_DATA = json.loads((ROOT / "tests/data/eventfilters.json").read_text(encoding="ascii"))
EVENTS = [event.encode("utf-8", "surrogateescape") for event in _DATA["events"]]
#: Pattern -> in which of the events glibc finds it; None: it does not compile.
TABLE: dict[str, str | None] = dict(_DATA["patterns"])
#: What glibc compiles and is refused here, by name.
REFUSED = {r"(a)\1", r"(P)IN\1", r"(x)\1\1\1", "x{32767}", "(.{0,30}){3}q"}

needs_re2 = pytest.mark.skipif(not re2text.AVAILABLE, reason="google-re2 is not installed")


def in_automaton(node: Node) -> Callable[[bytes], bool]:
    return Automaton(node, engine.OF_FILES, lines=False).search


def in_re2(node: Node) -> Callable[[bytes], bool] | None:
    if Automaton(node, engine.OF_FILES, lines=False).sees_lines:
        return None
    return re2text.searcher(node, lines=False)


def check_as_in_glibc(pattern: bytes, texts: list[bytes]) -> None:
    """Both engines refuse *pattern* as glibc does, or find it in the same of *texts*."""
    expected = glibc.matches(pattern, texts)
    try:
        node = ere.parse(pattern)
        search = in_automaton(node)
    except MalformedError:
        assert expected is None
        return
    except PatternError:
        assume(False)
    assert expected is not None

    assert [search(text) for text in texts] == expected
    found = in_re2(node) if re2text.AVAILABLE else None
    if found is not None:
        assert [found(text) for text in texts] == expected


def shown(search: Callable[[bytes], bool]) -> str:
    return "".join("01"[search(event)] for event in EVENTS)


@glibc.needs_glibc
@pytest.mark.parametrize("pattern", TABLE)
def test_the_table_is_what_glibc_says(pattern: str) -> None:
    """The expected column was not made up."""
    found = glibc.matches(pattern.encode(), EVENTS)

    assert TABLE[pattern] == (None if found is None else "".join("01"[one] for one in found))


@pytest.mark.parametrize("pattern", TABLE)
def test_each_pattern_of_the_table_matches_as_in_glibc(pattern: str) -> None:
    """What compiles there is found in the same events, or refused by name; the rest is refused."""
    expected = TABLE[pattern]
    if expected is None:
        with pytest.raises(MalformedError):
            ere.parse(pattern.encode())
        return
    if pattern in REFUSED:
        with pytest.raises(PatternError) as refused:
            in_automaton(ere.parse(pattern.encode()))
        assert not isinstance(refused.value, MalformedError)
        return
    node = ere.parse(pattern.encode())
    search = in_automaton(node)

    assert shown(search) == expected
    assert shown(engine.search_for(node, engine.OF_FILES, lines=False).occurs_in) == expected


@needs_re2
def test_re2_serves_nearly_all_of_the_table() -> None:
    r"""Only ^ and $ before and behind line feeds, \< and \> alone are left to the automaton."""
    left = set()
    for pattern, expected in TABLE.items():
        if expected is None or pattern in REFUSED:
            continue
        search = in_re2(ere.parse(pattern.encode()))
        if search is None:
            left.add(pattern)
        else:
            assert shown(search) == expected, pattern

    assert left == {r"\<", r"\>", ".^", "$.", "all$."}


ATOMS = ["a", "b", "_", " ", "-", ".", "^", "$", "|", "(", ")", "*", "+", "?", "{2}", "{,2}",
         "{1,}", "[ab]", "[^a]", "[a-]", "[[:space:]]", "\\b", "\\B", "\\<", "\\>", "\\w", "\\W",
         "\\s", "\\`", "\\'", "(a|b)", "(^|a)", "[", "]", "\\", "{", "\\n", "[]-a]"]  # fmt: skip
TEXTS = [
    b"",
    b"a",
    b"ab",
    b"b a",
    b"aa_b",
    b"\n",
    b"a\n b",
    b"b\r\na-",
    b"-]",
    b"abab ab",
]


@glibc.needs_glibc
@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=9).map("".join))
def test_any_pattern_matches_as_in_glibc(pattern: str) -> None:
    """Random expressions: refused alike, found alike, by both engines."""
    check_as_in_glibc(pattern.encode(), TEXTS)


WIDE_ATOMS = ["a", "ö", "€", ".", "^", "$", "|", "(", ")", "*", "?", "{2}", "[aö]", "[^a]", "[^ö]",
              "\\S", "(ö|a)", "[𝄞]"]  # fmt: skip
WIDE_TEXTS = [text.encode() for text in ("", "ö", "aö", "öa€", "€€", "aa", "ö\n", "𝄞a", "à ö")]


@glibc.needs_glibc
@given(st.lists(st.sampled_from(WIDE_ATOMS), min_size=1, max_size=7).map("".join))
def test_characters_of_several_bytes_are_characters(pattern: str) -> None:
    """As in the locale that Asterisk sets."""
    check_as_in_glibc(pattern.encode(), WIDE_TEXTS)


@pytest.mark.parametrize("pattern", ["a.b", "a[^x]b", r"a\Wb", r"a\sb", "a[[:space:]]b"])
def test_nothing_in_a_pattern_goes_from_one_value_to_the_next(pattern: str) -> None:
    """In neither engine."""
    node = ere.parse(pattern.encode())
    engines: list[Callable[[bytes], bool]] = [Automaton(node, engine.OF_FILES, lines=True).search]
    if re2text.AVAILABLE:
        found = re2text.searcher(node, lines=True)
        assert found is not None
        engines.append(found)

    assert [search(b"xa\nb") for search in engines] == [False] * len(engines)
    assert [search(b"xa b\n") for search in engines] == [True] * len(engines)


VALUES = [b"a", b"ab", b"a b", b"-]", b"ba"]


@glibc.needs_glibc
@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=6).map("".join),
       st.lists(st.sampled_from(VALUES), min_size=1, max_size=4))  # fmt: skip
def test_values_of_a_header_are_texts_of_their_own(pattern: str, values: list[bytes]) -> None:
    """A search in several values at once finds what one in each of them would."""
    data = pattern.encode()
    try:
        search = engine.search_for(ere.parse(data), engine.OF_FILES, lines=True)
    except PatternError:
        assume(False)

    assert search.occurs_in(b"\n".join(values)) is any(glibc.matches(data, values) or ())


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        ("x[à-ÿ]y", ["xöy", "xÿy"], ["x€y", "xay"]),
        ("x[^à-ÿ]y", ["x€y", "xay"], ["xöy", "xy"]),
        ("x[a-ö]y", ["xay", "xéy"], ["x€y", "x~~y"]),
        ("x[߿-𝄞]y", ["x߿y", "x€y", "x𝄞y"], ["xöy"]),
        ("x[[=ö=]a]y", ["xöy", "xay"], ["xoy"]),
    ],
)
def test_ranges_of_other_characters_are_of_code_points(
    pattern: str, found: list[str], missed: list[str]
) -> None:
    """Where glibc has no order for them it refuses the pattern; here they have one."""
    automaton = Automaton(ere.parse(pattern.encode()), engine.OF_FILES, lines=False)

    assert [automaton.search(text.encode()) for text in found] == [True] * len(found)
    assert [automaton.search(text.encode()) for text in missed] == [False] * len(missed)


def test_bytes_that_are_no_character_are_literals() -> None:
    """A file in Latin-1 is compared byte by byte, and a byte that UTF-8 never has is one."""
    assert Automaton(ere.parse(b"caf\xe9"), engine.OF_FILES, lines=False).search(b"caf\xe9 x")
    assert Automaton(ere.parse(b"[\xe9\xe8]x"), engine.OF_FILES, lines=False).search(b"caf\xe9x")
    assert Automaton(ere.parse(b"f.x"), engine.OF_FILES, lines=False).search(b"f\xffx")


@given(st.binary(max_size=80))
def test_noise_is_read_or_refused(data: bytes) -> None:
    """Whatever the bytes are, there is an expression or a PatternError."""
    try:
        search = engine.search_for(ere.parse(data), engine.OF_FILES, lines=False)
    except PatternError:
        return
    assert search.occurs_in(b"Event: X\r\n\r\n" + data) in (True, False)
