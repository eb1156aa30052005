# SPDX-License-Identifier: GPL-2.0-or-later
"""mdoc(7), the language of manual pages, made of plain text and of a little Markdown.

Lines stay below 80 bytes and each sentence begins one, as ``mandoc -Tlint`` wants.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

WIDTH = 78

# A code span or something **strong**, and what stands before and behind it without a blank.
_CODE = re.compile(r"(?:^|(?<=\s))([(\[]*)(?:`([^`]+)`|\*\*([^*]+)\*\*)(\S*)")
_LINK = re.compile(r" \(\[[^\]]*\]\([^)]*\)\)|\[([^\]]*)\]\([^)]*\)")
_CLOSING = re.compile(r"[.,:;)\]?!]*")


def escaped(text: str) -> str:
    """Return *text* as it may stand in a line of mdoc: backslashes, and dots at its begin."""
    text = text.replace("\\", "\\e")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def argument(text: str) -> str:
    """Return *text* as one argument of a macro, printed as it is."""
    text = text.replace("\\", "\\e").replace('"', "\\(dq").replace("-", "\\-")
    # Two or three letters may be the name of a macro, and a mark alone is set apart.
    if re.match(r"[A-Z%][A-Za-z]{1,2}\b", text) or re.fullmatch(r"[.,:;()\[\]?!|]", text):
        text = f"\\&{text}"
    elif text.endswith(tuple(".,:;)]?!")):
        text += "\\&"
    return f'"{text}"' if " " in text or not text else text


def paragraph(text: str) -> list[str]:
    """Return the lines of one paragraph of Markdown.

    Code spans are literal, what is **strong** is a word to type, links are their text.
    """
    text = _LINK.sub(lambda link: link[1] or "", " ".join(text.split()))
    lines: list[str] = []
    end = 0
    for found in _CODE.finditer(text):
        lines += _filled(text[end : found.start()])
        lines.append(_literal(*found.groups()))
        end = found.end()
    return lines + _filled(text[end:])


def _literal(before: str, code: str | None, strong: str | None, behind: str) -> str:
    """Return the line of a code span or of something strong, with the marks around it."""
    marks = _CLOSING.match(behind)
    assert marks is not None
    words = [".Ql" if code else ".Ic", *before, argument(code or strong or ""), *marks[0]]
    if rest := behind[marks.end() :]:
        words += ["Ns", argument(rest)]
    return " ".join(words)


def _filled(text: str) -> list[str]:
    """Return *text* in lines: a sentence begins one, and none is too long."""
    lines: list[str] = []
    fresh = True
    for word in text.split():
        if fresh or len(lines[-1]) + len(word) >= WIDTH:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
        fresh = re.search(r"[.!?][)\"']*$", word) is not None
    return [escaped(line) for line in lines]


def display(lines: Iterable[str]) -> list[str]:
    """Return *lines* as they stand, indented."""
    return [".Bd -literal -offset indent", *map(escaped, lines), ".Ed"]


def tagged(items: Iterable[tuple[Sequence[str], Iterable[str]]], width: str = "Ds") -> list[str]:
    """Return a list of items: the arguments of each one's .It lines, and its text.

    Several of them stand one below the other, over the text that they share.
    """
    lines: list[str] = []
    for heads, body in items:
        lines += [".Pp", *(f".It {head}" for head in heads), *body]
    return [f".Bl -tag -compact -width {width}", *lines[1:], ".El"]


def blocks(text: str) -> Iterator[tuple[bool, list[str]]]:
    """Yield the paragraphs of plain *text*: whether its lines stand indented, and them.

    An empty line ends a paragraph; so does a change of indentation by two blanks or more.
    """
    current: list[str] = []
    literal = False
    for line in [*text.splitlines(), ""]:
        indented = line.startswith("  ")
        if current and (not line.strip() or indented != literal):
            yield literal, current
            current = []
        if line.strip():
            literal = indented
            current.append(line)
    assert not current


def listed(words: Iterable[str]) -> str:
    """Return a line that lists words to type."""
    return f".Ic {' , '.join(words)}"
