# SPDX-License-Identifier: GPL-2.0-or-later
"""Text: as characters, as somebody searches for it, as it is sent over a slow line.

Everywhere else in the proxy one byte is one character.
"""

from __future__ import annotations

import gzip
import unicodedata

#: How hard it is packed: most of what can be had, in a fourth of the time.
_LEVEL = 4


def text_of(value: str) -> str:
    """Return the characters that the bytes of *value* are: UTF-8, or else latin-1, as in JSON."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def fold(text: str) -> str:
    """Return *text* without what does not count when somebody searches: case and accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def packed(content: bytes) -> bytes:
    """Return *content* as ``Content-Encoding: gzip``; the same one is always the same bytes."""
    return gzip.compress(content, _LEVEL, mtime=0)
