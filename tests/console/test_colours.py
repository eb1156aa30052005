# SPDX-License-Identifier: GPL-2.0-or-later
"""The colours of states, as they stand in the style sheet, for all eyes."""

from __future__ import annotations

import itertools
import re

import pytest

from amiproxy.console.files import STATIC
from tests.console.colours import MACHADO, contrast, difference

STATES = ("free", "ring", "talk", "hold", "warn", "alarm")
SOURCE = (STATIC / "css" / "base.css").read_text()


def colours(theme: int) -> dict[str, str]:
    """Return the colours by name: 0 is light, 1 dark."""
    found = re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", SOURCE)
    # Those for who wants more contrast come after them.
    return {name: pair[theme] for name, *pair in reversed(found)}


@pytest.mark.parametrize("theme", [0, 1])
def test_text_can_be_read(theme: int) -> None:
    """At least 4.8:1: badges, text on each ground, quiet text too; borders 3:1."""
    has = colours(theme)
    pairs = [(has[f"{state}-text"], has[state]) for state in STATES]
    for ground in ("page", "panel", "raised", "hover", "chosen"):
        pairs += [(has[text], has[ground]) for text in ("ink", "quiet", "accent")]
    pairs += [(has["accent-text"], has["accent"])]

    assert [
        (text, on, round(contrast(text, on), 2)) for text, on in pairs if contrast(text, on) < 4.8
    ] == []
    assert [
        each for each in ("page", "panel", "raised") if contrast(has["edge"], has[each]) < 3
    ] == []


def test_the_measures_themselves_are_right() -> None:
    """Known values: black and white, the primaries."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert difference("#000000", "#ffffff") == pytest.approx(100, abs=0.1)
    assert difference("#ff0000", "#00ff00") == pytest.approx(170.6, abs=0.3)
    assert difference("#808080", "#808080") == 0


@pytest.mark.parametrize("vision", MACHADO)
@pytest.mark.parametrize("theme", [0, 1])
def test_states_look_different_to_everybody(theme: int, vision: str) -> None:
    """Any two of them, under each deficiency; and each has its own shape and word besides."""
    has = colours(theme)

    near = {
        (one, other): round(difference(has[one], has[other], vision), 1)
        for one, other in itertools.combinations(STATES, 2)
    }

    assert {pair: found for pair, found in near.items() if found < 38} == {}
