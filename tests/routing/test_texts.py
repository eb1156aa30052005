# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts finds together what each of them would be found by itself."""

from __future__ import annotations

import random

from amiproxy.routing.texts import Texts


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


def test_a_stem_that_occurs_often_is_looked_behind_each_time() -> None:
    """Also where it overlaps itself."""
    texts = Texts()
    for place, text in enumerate([b"a: a: b", b"a: a: c", b"a: a: "]):
        texts.add(text, 1 << place)

    assert texts.found(b"a: a: a: a: c") == 0b110
    assert texts.found(b"a: a:") == 0
