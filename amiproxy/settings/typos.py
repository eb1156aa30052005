# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys that are misspelled: what they would set or restrict is not left out silently."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How alike two words are, from 0 to 1: ``dney`` and ``deny`` are just that.
_ALIKE = 0.75

#: Characters of the longest key that is compared.
_MOST = 40


def meant(key: str, keys: Iterable[str]) -> str:
    """Return the one of *keys* that *key*, which is none of them, looks like; "" if none does.

    Both are in lower case.  What separates words does not count: ``auth_required``.
    """
    if len(key) > _MOST:
        return ""
    written = {re.sub("[^a-z0-9]", "", each): each for each in keys}
    found = difflib.get_close_matches(re.sub("[^a-z0-9]", "", key), written, n=1, cutoff=_ALIKE)
    return written[found[0]] if found else ""


def question(word: str, words: Iterable[str]) -> str:
    """Return ``; is ... meant?``, if *word* is like one of *words*, for a message about it."""
    similar = meant(word.lower(), words)
    return f"; is {similar} meant?" if similar else ""
