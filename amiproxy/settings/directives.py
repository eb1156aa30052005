# SPDX-License-Identifier: GPL-2.0-or-later
"""``#include`` and ``#tryinclude`` of Asterisk's files, as its main/config.c reads them."""

from __future__ import annotations

from amiproxy.settings.comments import STRAY_END, without_comments
from amiproxy.settings.includes import Wanted

_BLANKS = "".join(map(chr, range(33)))
# Directive -> whether there need be no such file.
_INCLUDING = {"include": False, "tryinclude": True}
_QUOTES = {'"': '"', "<": ">"}


class Directives:
    """Finds the directives of one file of Asterisk's kind.

    *sections*: sections have begun; before them ``;--`` begins no comment of several lines, as
    in the C program's files.
    """

    def __init__(self, *, sections: bool) -> None:
        # One list for all files: where a section has begun in an included one it has begun here.
        self._sections = [sections]
        self._depth = 0

    def wanted(self, line: str) -> Wanted | None:
        """Return what *line* includes, None: nothing; raises ValueError for a line half written."""
        if line.lstrip(" \t").startswith("["):
            self._sections[0] = True
        text, depth = without_comments(line, self._depth)
        if self._sections[0]:
            self._depth = 0 if depth == STRAY_END else depth
        text = text.strip(_BLANKS)
        if not text.startswith("#"):
            return None
        word, argument = _words(text[1:])
        if word not in _INCLUDING:
            return None
        name = _unquoted(argument)
        if not name:
            raise ValueError(f"#{word} names no file")
        return Wanted(name, _INCLUDING[word])

    def inner(self) -> Directives:
        """Return the finder for a file that is included here."""
        found = Directives(sections=False)
        found._sections = self._sections
        return found

    def complaint(self) -> str:
        """Return what is wrong with the end of the file: it would go on in the one outside."""
        return "the comment that begins with ;-- has no end --; in this file" if self._depth else ""


def _words(text: str) -> tuple[str, str]:
    """Return the word that *text* begins with, in lower case, and what follows it."""
    end = next((i for i, character in enumerate(text) if character in _BLANKS), len(text))
    return text[:end].lower(), text[end:].strip(_BLANKS)


def _unquoted(text: str) -> str:
    """Return *text* without the quotes, or angle brackets, around it."""
    end = _QUOTES.get(text[:1])
    return text[1:-1] if end and len(text) > 1 and text.endswith(end) else text
