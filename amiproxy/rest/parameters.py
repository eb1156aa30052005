# SPDX-License-Identifier: GPL-2.0-or-later
"""What the query of a request says: which words are known, and the nearest to one that is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.characters import text_of
from amiproxy.settings.typos import question
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection


def unknown_parameter(name: str, known: Collection[str]) -> Problem:
    """Return the problem of a request with a parameter *name*, which is none of *known*."""
    shown = text_of(name)[:40]
    what = f"{shown!a} is no parameter here{question(shown, known)}"
    there = f"; there are {', '.join(known)}" if known else "; it takes none"
    return Problem("bad-request", what + there, parameter=shown)


def whole_number(name: str, text: str, usual: int, most: int) -> int:
    """Return the number from 1 to *most* that the parameter *name* says; *usual* if it says none.

    Raises:
        Problem: 400, it is no such number.

    """
    if not text:
        return usual
    found = int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0
    if not 0 < found <= most:
        raise Problem("bad-request", f"{name} is a number from 1 to {most}", parameter=name)
    return found
