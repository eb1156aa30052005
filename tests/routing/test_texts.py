# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts finds together what each of them would be found by itself."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from amiproxy.patterns import engine, re2text
from amiproxy.routing.texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

needs_re2 = pytest.mark.skipif(not re2text.AVAILABLE, reason="google-re2 is not installed")


def test_each_text_is_found_where_it_occurs_and_nowhere_else() -> None:
    """With stems and without, one the beginning of another, whatever they were added after."""
    numbers = random.Random(3)
    pieces = [b"A: ", b"B: ", b"B:", b"PJ/", b"a/", b"1", b"2", b"12", b"\r\n", b":", b" ", b"\xff"]

    def made(most: int) -> bytes:
        return b"".join(numbers.choices(pieces, k=numbers.randint(1, most)))

    for _ in range(120):
        texts = Texts()
        wanted = list(dict.fromkeys(made(4) for _ in range(numbers.randint(1, 12))))
        for place, text in enumerate(wanted):
            texts.add(text, 1 << place)
            for data in (b"", made(40), made(4)):
                found = [each for at, each in enumerate(wanted) if texts.found(data) >> at & 1]
                assert found == [each for each in wanted[: place + 1] if each in data]


def found_of(texts: Texts, wanted: Sequence[bytes], data: bytes) -> list[bytes]:
    """Return those of *wanted*, whose bits are their places, that *texts* finds in *data*."""
    bits = texts.found(data)
    return [each for place, each in enumerate(wanted) if bits >> place & 1]


@needs_re2
@pytest.mark.parametrize("fails", [False, True], ids=["in one pass", "out of memory"])
def test_many_texts_without_a_stem_are_looked_for_in_one_pass(
    fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once enough events came to make it worth it; where the pass fails, one by one."""
    passes: list[int] = []
    real = engine.finder_of

    def finder_of(texts: Sequence[bytes]) -> object:
        passes.append(len(texts))
        return (lambda _data: None) if fails else real(texts)

    monkeypatch.setattr(engine, "finder_of", finder_of)
    numbers = random.Random(4)
    texts, wanted = Texts(), [f"odd{number}\xff\r\n".encode("latin-1") for number in range(60)]
    wanted += [b"one", b"A: 1", b"A: 2", b"\\.*", b"(", b"\x00"]
    for place, text in enumerate(wanted):
        texts.add(text, 1 << place)
        if texts.looked(20):
            texts.gather()
        data = b"".join(numbers.choices(wanted, k=5)) + b"none A: 3"
        assert found_of(texts, wanted, data) == [
            each for each in wanted[: place + 1] if each in data
        ]
        assert found_of(texts, wanted, b"") == []
    assert passes == sorted(set(passes))
    assert 2 < len(passes) < 6


@pytest.mark.parametrize("installed", [False, pytest.param(True, marks=needs_re2)])
def test_a_pass_is_not_made_again_and_again(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not without google-re2, nor for what is more than it can take, nor for few texts."""
    monkeypatch.setattr(re2text, "AVAILABLE", installed)
    texts, wanted = (
        Texts(),
        [f"{number}odd".encode() for number in range(1030 if installed else 30)],
    )
    for place, text in enumerate(wanted):
        texts.add(text, 1 << place)
        if place == 7:
            assert not texts.looked(10**6)
    assert not texts.looked(1)
    assert texts.looked(10**6)
    texts.gather()

    assert not texts.looked(10**9)
    assert found_of(texts, wanted, b"7odd 29odd 3odd") == [b"3odd", b"7odd", b"9odd", b"29odd"]
    if installed:
        assert found_of(texts, wanted, b"1028odd") == [b"8odd", b"28odd", b"1028odd"]


def test_a_stem_that_occurs_often_is_looked_behind_each_time() -> None:
    """Also where it overlaps itself."""
    texts = Texts()
    for place, text in enumerate([b"a/b: a/b", b"a/b: a/1", b"a/b: a/"]):
        texts.add(text, 1 << place)

    assert texts.found(b"a/b: a/b: a/1") == 0b111
    assert texts.found(b"a/b: a/2 a/b: a/1") == 0b110
    assert texts.found(b"a/b: a") == 0
