# SPDX-License-Identifier: GPL-2.0-or-later
"""Report: what is wrong with a file, collected while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Report:
    """The problems and warnings of the file *path*, as ``FILE:LINE: ...`` lines.

    Lines have numbers in the order in which they are read, from 1 on; where the file includes
    others :meth:`add_line` tells where they are from.
    """

    path: str
    #: What makes the file unusable.
    problems: list[str] = field(default_factory=list)
    #: What the operator should know; the file is used all the same.
    warnings: list[str] = field(default_factory=list)
    #: The files that it includes, as they are named.
    files: list[str] = field(default_factory=list)
    _noted: set[str] = field(default_factory=set)
    # File and number in it of each line.
    _lines: list[tuple[str, int]] = field(default_factory=list)

    def add_line(self, path: str, number: int) -> int:
        """Return the number of the next line, which is line *number* of *path*."""
        self._lines.append((path, number))
        return len(self._lines)

    def error(self, line: int, text: str) -> None:
        """Add a problem of line number *line*."""
        self._note(self.problems, line, text)

    def warn(self, line: int, text: str) -> None:
        """Add a warning about line number *line*."""
        self._note(self.warnings, line, text)

    def place(self, line: int) -> str:
        """Return ``FILE:LINE`` of line number *line*."""
        path, number = self._origin(line)
        return f"{path}:{number}"

    def line(self, line: int) -> str:
        """Return line number *line* in words, for a message about another one."""
        path, number = self._origin(line)
        return f"line {number}" if path == self.path else f"line {number} of {path}"

    def _origin(self, line: int) -> tuple[str, int]:
        return self._lines[line - 1] if 0 < line <= len(self._lines) else (self.path, line)

    def _note(self, notes: list[str], line: int, text: str) -> None:
        """Add a line to *notes*: once, however many sections inherit the line it is about."""
        note = f"{self.place(line)}: {text}"
        if note not in self._noted:
            self._noted.add(note)
            notes.append(note)


def numbered_lines(text: str) -> list[tuple[int, str]]:
    """Return the lines of *text*, a file that was read as Latin-1, with their numbers from 1 on.

    A byte order mark, which some editors write before UTF-8, belongs to none of them.
    """
    # Not splitlines(): to it bytes such as 0x85 end a line.
    return list(enumerate(text.removeprefix("\xef\xbb\xbf").split("\n"), 1))


def check_bytes(number: int, line: str, report: Report) -> None:
    """Report what makes *line*, without its line feed, another line than an editor shows."""
    if "\0" in line:
        report.error(number, "the line holds a NUL byte; write the file in ASCII or UTF-8")
    if "\r" in line.rstrip("\r"):
        report.error(number, "a carriage return stands within the line: end lines with a line feed")
