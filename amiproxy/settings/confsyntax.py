# SPDX-License-Identifier: GPL-2.0-or-later
"""The values of astmanproxy.conf: ``key = value ; comment``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

from amiproxy.basics.boolean import parse_bool
from amiproxy.logs import targets

# What follows the "=": a quoted piece, an unquoted one, or a comment.  A quote that
# is never closed ends at a comment or with the line, as in the C program.
_PIECE = re.compile(r'"(?P<quoted>[^"]*)"|"(?P<open>[^";#]*)|(?P<bare>[^";#]+)')
_BLANKS = str.maketrans("", "", " \t\r")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# A blank that is not beside what separates: without it two words are one.
_BLANK_WITHIN = re.compile(r"[^ \t\r/][ \t\r]+[^ \t\r/]")


@dataclass(frozen=True)
class Value:
    """The value of one line as (text, is quoted) pieces, without comment.

    Unquoted pieces have lost their blanks, but not yet their capitals.  Relative paths
    start at *directory*, ``""`` if there is none.  *cut*: a comment ends the value, and
    neither a blank nor a closing quote stands before it; so it may have been meant to be
    part of it.  *altered*: an unquoted piece has lost blanks inside, or has capitals.
    *unclosed*: it begins a quoted piece that no quote ends.  *commented*: a comment follows.
    *joined* are the numbers, from 0 on, of the fields between commas in which blanks stood
    between words, which are one word without them.
    """

    pieces: tuple[tuple[str, bool], ...]
    directory: str
    cut: bool = False
    altered: bool = False
    unclosed: bool = False
    commented: bool = False
    joined: frozenset[int] = frozenset()

    @classmethod
    def of(cls, raw: str, directory: str) -> Value:
        """Return the value in *raw*, the part of a line behind the ``=``.

        Raises:
            ValueError: it holds a control character, or nothing but a comment.

        """
        pieces: list[tuple[str, bool]] = []
        match = _PIECE.match(raw)
        closed = altered = unclosed = False
        joined: set[int] = set()
        end = field = 0
        while match is not None:
            bare, closed, end = match["bare"], match["quoted"] is not None, match.end()
            if bare is not None:
                pieces.append((bare.translate(_BLANKS), False))
                altered |= bare.strip(" \t\r") != pieces[-1][0].lower()
                fields = bare.split(",")
                joined |= {i for i, one in enumerate(fields, field) if _BLANK_WITHIN.search(one)}
                field += len(fields) - 1
            else:
                pieces.append((match["quoted"] or match["open"] or "", True))
            unclosed |= match["open"] is not None
            match = _PIECE.match(raw, end)
        commented = end < len(raw)
        blank = raw[:end].endswith((" ", "\t")) and not (pieces and pieces[-1][1])
        cut = commented and not closed and not blank
        value = cls(tuple(pieces), directory, cut, altered, unclosed, commented, frozenset(joined))
        if _CONTROL.search(value.text) or "\r" in raw.rstrip("\r") or "\0" in raw:
            raise ValueError("holds a control character; remove it")
        if commented and not value.text and not closed:
            raise ValueError("; or # begins a comment, so the value is empty; put it in quotes")
        return value

    @property
    def text(self) -> str:
        """The value in the case it was written in."""
        return "".join(text for text, _ in self.pieces)

    @property
    def first(self) -> Value:
        """The value up to its first closing quote, where the C program stopped."""
        end = next((i for i, (_, quoted) in enumerate(self.pieces, 1) if quoted), None)
        return replace(self, pieces=self.pieces[:end])

    def split(self) -> list[str]:
        """Return the fields between commas; a comma in quotes does not separate.

        Unless the whole value is quoted: then the C program split inside.
        """
        found = [""]
        for text, quoted in self.pieces:
            first, *more = [text] if quoted else text.split(",")
            found[-1] += first
            found += more
        if len(found) == 1:
            found = found[0].split(",")
        return [text.strip(" ") for text in found]


def text(value: Value) -> str:
    """Read any text as the C program does: capitals count in quotes only."""
    return "".join(text if quoted else text.lower() for text, quoted in value.first.pieces)


def path(value: Value) -> str:
    """Read a path; it keeps its case, unlike in the C program (spec section 3)."""
    written = value.first.text
    if written and not value.directory and not written.startswith("/"):
        raise ValueError("the current directory is gone; give an absolute path")
    return os.path.normpath(os.path.join(value.directory, written)) if written else ""  # noqa: PTH118


def required_text(value: Value) -> str:
    """Read any text but the empty one."""
    found = text(value)
    if not found:
        raise ValueError("is empty; give a value, or leave the line out")
    return found


def path_or_no(value: Value) -> str:
    """Read a path, or ``no``; ``""`` for yes."""
    answer = parse_bool(value.text)
    if answer is None:
        return required_path(value)
    return "" if answer else "no"


def required_path(value: Value) -> str:
    """Read a path that must be given."""
    found = path(value)
    if not found:
        raise ValueError("is empty; give a path")
    return found


def log_target(value: Value) -> str:
    """Read where the log goes: a word of targets.WORDS, or else the path of a file."""
    word = value.first.text.lower()
    return word if word in targets.WORDS else required_path(value)
