# SPDX-License-Identifier: GPL-2.0-or-later
"""Yes and no, in the words that Asterisk accepts."""

from __future__ import annotations

# ast_true and ast_false in Asterisk's main/utils.c.
_WORDS = {
    **dict.fromkeys(("yes", "true", "y", "t", "1", "on"), True),
    **dict.fromkeys(("no", "false", "n", "f", "0", "off"), False),
}


def parse_bool(text: str) -> bool | None:
    """Return the truth value that *text* stands for, in any case; None if it is neither.

    Blanks are not removed, and the empty string is neither.
    """
    return _WORDS.get(text.lower())
