# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments of Asterisk's configuration files, as main/config.c finds them."""

from __future__ import annotations

#: The depth that :func:`without_comments` returns for a ``--;`` that ends no comment.
STRAY_END = -1


def without_comments(line: str, depth: int) -> tuple[str, int]:
    r"""Return what of *line* is no comment, and how many comments are open at its end.

    *depth* is how many are open at its begin.  ``;`` begins a comment that ends with
    the line, unless ``\`` stands before it.  ``;--`` begins one that ends with
    ``--;``, unless a third dash makes it an ordinary one; such comments nest.  Within
    one, ``;---`` begins none, but ``--;`` ends it, even at the end of a line of dashes.
    """
    kept: list[str] = []
    # Where the text that is no comment goes on, and where to look for the next ";".
    run = start = 0
    while (at := line.find(";", start)) >= 0:
        kind = _kind(line, at, start)
        start = at + 1
        if kind == "escaped":
            if not depth:
                kept.append(line[run : at - 1])
                run = at
        elif kind == "begin":
            if not depth:
                kept.append(line[run:at])
            depth += 1
            start = at + 3
        elif kind == "end":
            depth -= 1
            run = start
            if depth < 0:
                return "".join(kept), STRAY_END
        elif not depth:
            kept.append(line[run:at])
            return "".join(kept), 0
    if not depth:
        kept.append(line[run:])
    return "".join(kept), depth


def _kind(line: str, at: int, start: int) -> str:
    """Return what the semicolon at *at* is; what stands before *start* is used up."""
    if at > start and line[at - 1] == "\\":
        return "escaped"
    if line.startswith("--", at + 1) and not line.startswith("-", at + 3):
        return "begin"
    if at >= start + 2 and line[at - 2 : at] == "--":
        return "end"
    return "comment"
