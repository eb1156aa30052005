# SPDX-License-Identifier: GPL-2.0-or-later
"""Characters: text as people read it.  Elsewhere in the proxy one byte is one character."""

from __future__ import annotations


def text_of(value: str) -> str:
    """Return the characters that the bytes of *value* are: UTF-8, or else latin-1, as in JSON."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value
