# SPDX-License-Identifier: GPL-2.0-or-later
"""Styles: how something looks on a terminal that has colours, and on one that has none."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from collections.abc import Mapping


class Look(enum.Enum):
    """How a text is to look; the value is the parameter of SGR (ECMA-48, 8.3.117)."""

    USUAL = ""
    HEAD = "1"
    GOOD = "32"
    WARNING = "33"
    BAD = "1;31"
    FAINT = "2"


#: Makes a text look as it should.
Style = Callable[[str, Look], str]


def plain(text: str, look: Look) -> str:
    """Return *text*: nothing looks in any way."""
    del look
    return text


def coloured(text: str, look: Look) -> str:
    """Return *text* between the sequences that a terminal understands."""
    return f"\x1b[{look.value}m{text}\x1b[0m" if look.value and text.strip() else text


def style_for(environment: Mapping[str, str], *, is_terminal: bool) -> Style:
    """Return the style for the output of a program in *environment*.

    NO_COLOR (https://no-color.org) takes colours away, whatever its value; so does TERM=dumb.
    """
    no_colours = not is_terminal or environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return plain if no_colours else coloured
