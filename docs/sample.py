# SPDX-License-Identifier: GPL-2.0-or-later
"""The sample astmanproxy.conf, taken apart for astmanproxy.conf(5): its text explains each key.

The file is in parts below ``; ---- Title ----``.  Empty lines end a paragraph, which explains
the keys of its last lines.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TITLE = re.compile(r"; -{4} (.+?) -+")
_LINE = re.compile(r";?(\w+) = (.*)")


class Entry(NamedTuple):
    """What explains some keys: *text*, and the lines of the sample, uncommented.

    Without lines it is an introduction.  *live* says whether the text is marked [HUP].
    """

    text: str
    lines: tuple[tuple[str, str], ...]
    live: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys, each once."""
        return tuple(dict.fromkeys(key for key, _ in self.lines))


class Part(NamedTuple):
    """One part of the file."""

    title: str
    entries: tuple[Entry, ...]


def parts(sample: str) -> tuple[Part, ...]:
    """Return the parts of the file; the first one, without title, says what a line looks like."""
    pieces = _TITLE.split(sample)
    titles = ["", *pieces[1::2]]
    return tuple(
        Part(title, tuple(_entry(each) for each in re.split(r"\n{2,}", piece) if each.strip()))
        for title, piece in zip(titles, pieces[::2])
    )


def _entry(paragraph: str) -> Entry:
    """Return what one paragraph explains.

    Raises:
        ValueError: a line is neither a comment nor a setting.

    """
    text: list[str] = []
    lines: list[tuple[str, str]] = []
    for line in paragraph.strip("\n").splitlines():
        if found := _LINE.fullmatch(line):
            lines.append((found[1], found[2]))
        elif line == ";" or line.startswith("; "):
            text.append(line[2:])
        else:
            raise ValueError(
                f"neither a comment, which begins with a blank, nor key = value: {line}"
            )
    whole = "\n".join(text)
    return Entry(re.sub(r"\s+\[HUP\]", "", whole), tuple(lines), "[HUP]" in whole)
