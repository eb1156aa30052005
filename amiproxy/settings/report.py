# SPDX-License-Identifier: GPL-2.0-or-later
"""Report: what is wrong with a file, collected while it is read."""

from __future__ import annotations


class Report:
    """The problems and warnings of one file, as ``FILE:LINE: ...`` lines.

    Each stands there once, however many sections inherit the line.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._problems: dict[str, None] = {}
        self._warnings: dict[str, None] = {}

    @property
    def problems(self) -> list[str]:
        """What makes the file unusable, in the order it was found."""
        return list(self._problems)

    @property
    def warnings(self) -> list[str]:
        """What the operator should know; the file is used all the same."""
        return list(self._warnings)

    def error(self, line: int, text: str) -> None:
        """Add a problem of line number *line*."""
        self._problems[f"{self._path}:{line}: {text}"] = None

    def warn(self, line: int, text: str) -> None:
        """Add a warning about line number *line*."""
        self._warnings[f"{self._path}:{line}: {text}"] = None
