# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that a file includes: their lines stand where the line is that names them."""

from __future__ import annotations

import glob
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from amiproxy.settings.report import check_bytes, numbered_lines

if TYPE_CHECKING:
    from amiproxy.settings.report import Report

#: How deep files may include each other, as in Asterisk (main/config.c, MAX_INCLUDE_LEVEL).
DEEPEST = 10
#: Files that one file may include, all in all.
_MOST = 1000


class Wanted(NamedTuple):
    """What a line includes.

    *pattern* is a path, or one for glob(7), which starts at the directory of the file that
    holds the line.  *may_be_none*: there need be no such file.
    """

    pattern: str
    may_be_none: bool


class Finder(Protocol):
    """Finds the lines of one file that include others."""

    def wanted(self, line: str) -> Wanted | None:
        """Return what *line* includes, None: nothing.  Called with each line, in order.

        Raises:
            ValueError: it would include something, and does not say what.

        """

    def inner(self) -> Finder:
        """Return the finder for a file that the last line includes."""

    def complaint(self) -> str:
        """Return what is wrong with the end of the file, ``""``: nothing."""


def included_lines(text: str, report: Report, finder: Finder) -> list[tuple[int, str]]:
    """Return the lines of *text*, with those of the files it includes, and their numbers.

    *text* are the contents of the file of *report*, which learns where each line is from.
    """
    expansion = _Expansion(report)
    expansion.add(text, report.path, finder, ())
    return expansion.lines


class _Expansion:
    """Collects lines."""

    def __init__(self, report: Report) -> None:
        self.lines: list[tuple[int, str]] = []
        self._report = report

    def add(self, text: str, path: str, finder: Finder, chain: tuple[str, ...]) -> None:
        """Add the lines of *text*, the contents of *path*; *chain* are the files it is read for."""
        chain = (*chain, os.path.realpath(path))
        number = 0
        for local, line in numbered_lines(text):
            number = self._report.add_line(path, local)
            try:
                wanted = finder.wanted(line)
                if wanted is None:
                    self.lines.append((number, line))
                    continue
                check_bytes(number, line, self._report)
                self._include(wanted, path, finder, chain)
            except ValueError as error:
                self._report.error(number, str(error))
        if len(chain) > 1 and (complaint := finder.complaint()):
            self._report.error(number, complaint)

    def _include(self, wanted: Wanted, path: str, finder: Finder, chain: tuple[str, ...]) -> None:
        """Add the lines of the files that *wanted* names.

        Raises:
            ValueError: one of them cannot be included.

        """
        names = _matches(wanted, os.path.dirname(path))  # noqa: PTH120 - as it is written
        if not names and not wanted.may_be_none:
            raise ValueError(f"include: there is no file {wanted.pattern}")
        for name in names:
            if os.path.realpath(name) in chain:
                raise ValueError(f"include: {name} includes itself; take out one of the lines")
            if len(chain) > DEEPEST:
                raise ValueError(f"include: {name} is more than {DEEPEST} files deep")
            if len(self._report.files) >= _MOST:
                raise ValueError(f"include: more than {_MOST} files")
            text = _read(name, wanted)
            if text is not None:
                self._report.files.append(name)
                self.add(text, name, finder.inner(), chain)


def _matches(wanted: Wanted, directory: str) -> list[str]:
    """Return the files that *wanted*, in a file in *directory*, names, sorted."""
    if "\0" in wanted.pattern:
        return []
    if not glob.has_magic(wanted.pattern):
        return [os.path.join(directory, wanted.pattern)]  # noqa: PTH118 - as it is written
    pattern = os.path.join(glob.escape(directory), wanted.pattern)  # noqa: PTH118
    return sorted(glob.glob(pattern))  # noqa: PTH207


def _read(name: str, wanted: Wanted) -> str | None:
    """Return the contents of the file *name*, None: there is none, and there need be none.

    Raises:
        ValueError: it cannot be read.

    """
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):  # noqa: PTH116
            # A pipe would hold up the start.
            raise ValueError(f"include: {name} is not a regular file")
        return Path(name).read_bytes().decode("latin-1")
    except FileNotFoundError:
        if wanted.may_be_none:
            return None
        raise ValueError(f"include: there is no file {name}") from None
    except OSError as error:
        raise ValueError(f"include: {name} cannot be read: {error.strerror}") from error
