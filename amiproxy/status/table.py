# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables for a terminal: aligned, and no wider than that is.

Where a table is too wide, what matters least goes first: columns with the highest ``rank`` are left
out, and then the columns of free text are cut.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Generic, TypeVar

from amiproxy.status.style import Look, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from amiproxy.status.style import Style

Row = TypeVar("Row")

#: Between two columns.
_GAP = "  "

#: The narrowest a column of free text is made, in characters.
_NARROWEST = 6

#: What stands at the end of a text that is cut, in ASCII: not each terminal has more.
_CUT = "~"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: *text* gives its cell of a row.

    *rank* 0 is always shown; of the others the highest ranks go first.  *left*: it is free text,
    which begins at the left and may be cut; else a number, which ends at the right.  Before a text
    is cut to less than *least* characters, other columns go.  *look* says how a row's cell is to
    look.
    """

    title: str
    text: Callable[[Row], str]
    rank: int = 0
    left: bool = False
    least: int = 12
    look: Callable[[Row], Look] = lambda _row: Look.USUAL


def render(
    columns: Sequence[Column[Row]], rows: Iterable[Row], width: int = 0, style: Style = plain
) -> Iterator[str]:
    """Yield the lines of a table of *rows*, at most *width* characters wide; 0: no limit.

    Looks at each row once, before the first line.
    """
    cells = [[(clean(column.text(row)), column.look(row)) for column in columns] for row in rows]
    widths = [len(column.title) for column in columns]
    for line in cells:
        widths = list(map(max, widths, [columns_of(text) for text, _ in line]))
    chosen = _chosen(columns, widths, width)
    widths = _narrowed(columns, widths, chosen, width)
    yield style(_line((columns[i].title, widths[i], columns[i].left) for i in chosen), Look.HEAD)
    for line in cells:
        parts = [style(_padded(line[i][0], widths[i], columns[i].left), line[i][1]) for i in chosen]
        yield _GAP.join(parts).rstrip()


def _chosen(columns: Sequence[Column[Row]], widths: Sequence[int], width: int) -> list[int]:
    """Return the columns to show in *width*, in order."""
    chosen = list(range(len(columns)))
    while width and _least(columns, widths, chosen) > width:
        last = max(chosen, key=lambda i: (columns[i].rank, i))
        if not columns[last].rank:
            break
        chosen.remove(last)
    return chosen


def _least(columns: Sequence[Column[Row]], widths: Sequence[int], chosen: Sequence[int]) -> int:
    """Return how wide the columns *chosen* are at the least, when texts are cut a little."""
    needed = [
        min(widths[i], max(len(columns[i].title), columns[i].least))
        if columns[i].left
        else widths[i]
        for i in chosen
    ]
    return sum(needed) + len(_GAP) * (len(chosen) - 1)


def _narrowed(
    columns: Sequence[Column[Row]], widths: Sequence[int], chosen: Sequence[int], width: int
) -> list[int]:
    """Return the widths at which the columns *chosen* fit into *width*, if that can be."""
    found = list(widths)
    texts = [i for i in chosen if columns[i].left]
    while width and texts:
        over = sum(found[i] for i in chosen) + len(_GAP) * (len(chosen) - 1) - width
        widest = max(texts, key=lambda i: found[i])
        if over <= 0 or found[widest] <= _NARROWEST:
            break
        found[widest] -= 1
    return found


def _line(cells: Iterable[tuple[str, int, bool]]) -> str:
    return _GAP.join(_padded(*cell) for cell in cells).rstrip()


def _padded(text: str, width: int, left: bool) -> str:
    text = cut(text, width)
    blanks = " " * (width - columns_of(text))
    return text + blanks if left else blanks + text


def cut(text: str, width: int) -> str:
    """Return as much of *text* as fits into *width* characters of a terminal."""
    if columns_of(text) <= width:
        return text
    found, left = "", width - len(_CUT)
    for character in text:
        left -= columns_of(character)
        if left < 0:
            break
        found += character
    return (found + _CUT)[:width] if width < len(_CUT) else found + _CUT


def columns_of(text: str) -> int:
    """Return how many characters of a terminal *text* takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1
        for each in text
    )


def clean(text: str) -> str:
    """Return *text* on one line, without what would control the terminal."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(ord(each)) for each in text)


def _escaped(code: int) -> str:
    """Return how the character with that *code* is written where it is not to be carried out."""
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
