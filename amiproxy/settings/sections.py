# SPDX-License-Identifier: GPL-2.0-or-later
"""The syntax of Asterisk's configuration files, for sections in the users file.

Comments, templates and inheritance as in Asterisk's main/config.c.  What the keys mean
is managerconf.py's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.settings.report import Report

_SECTION = re.compile(r"\[([^\]]*)\][ \t]*(?:\(([^)]*)\))?[ \t]*\Z")

# What a second section of a user does not add to, but replaces.
_REPLACED = frozenset({"acl", "deny", "eventfilter", "permit"})


@dataclass(frozen=True)
class Entry:
    """One ``key = value`` line."""

    line: int
    key: str  # in lower case
    text: str = field(repr=False)  # the value
    criteria: str = ""  # what stands in parentheses behind the key


@dataclass
class Section:
    """One section with what it inherited, in order."""

    name: str
    line: int
    template: bool
    entries: list[Entry]

    @property
    def is_general(self) -> bool:
        """Whether it is ``[general]``."""
        return self.name.lower() == "general"


def read_sections(lines: Iterable[tuple[int, str]], report: Report) -> list[Section]:
    """Read the sections in *lines*, pairs of line number and text.

    The first line begins a section.  Sections of one name stay separate, except for
    ``[name](+)``, whose lines are added to the first.
    """
    sections: list[Section] = []
    current: Section | None = None
    commented = 0  # the line where a comment over several lines began
    for number, raw in lines:
        text = raw
        if commented:
            _, end, text = text.partition("--;")
            if not end:
                continue
            commented = 0
        text, commented = _without_comment(text, number)
        text = text.strip(" \t\r")
        if not text:
            continue
        if text.startswith("["):
            current = _section(text, number, sections, report)
        elif text.startswith("#"):
            _directive(text, number, report)
        elif current is not None:
            _entry(text, number, current, report)
    if commented:
        report.error(commented, "the comment that begins with ;-- has no end --;")
    return sections


def _without_comment(text: str, number: int) -> tuple[str, int]:
    r"""Return *text* without comments, and *number* if one goes on after its end.

    ``\;`` is a semicolon.  ``;--`` begins a comment that ends with ``--;``, unless
    a third dash makes it an ordinary one.
    """
    kept = ""
    while True:
        before, semicolon, after = text.partition(";")
        if not semicolon:
            return kept + text, 0
        if before.endswith("\\"):
            kept += before[:-1] + ";"
            text = after
            continue
        kept += before
        if not after.startswith("--") or after.startswith("---"):
            return kept, 0
        _, end, text = after[2:].partition("--;")
        if not end:
            return kept, number


def _section(text: str, number: int, sections: list[Section], report: Report) -> Section | None:
    """Begin the section of the line *text*; return None if the line is malformed."""
    match = _SECTION.match(text)
    name = match[1].strip(" \t") if match else ""
    if match is None or not name:
        report.error(number, "a section is [name], [name](!) or [name](template,...)")
        return None
    section = Section(name, number, template=False, entries=[])
    for option in (match[2] or "").split(","):
        word = option.strip(" \t")
        base = next((s for s in sections if s.name == (name if word == "+" else word)), None)
        if word == "!":
            section.template = True
        elif word == "+" and base is not None:
            return base
        elif word and base is None:
            report.error(number, f"[{name}]: there is no section '{word}' before this one")
        elif word and base is not None:
            section.entries.extend(base.entries)
    sections.append(section)
    return section


def _directive(text: str, number: int, report: Report) -> None:
    """Warn of a directive; other lines that begin with # are comments here."""
    word = text[1:].split(None, 1)[0].lower() if text[1:].strip() else ""
    if word in ("include", "exec", "tryinclude"):
        report.warn(number, f"#{word} is not supported: put the lines themselves here")


def _entry(text: str, number: int, section: Section, report: Report) -> None:
    """Read a ``key = value``, ``key => value`` or ``key += value`` line."""
    key, equals, value = text.partition("=")
    if not equals:
        report.error(number, "'=' is missing: a line in a section is key = value")
        return
    # No strip of ">": a value may begin with one, as in "secret = >x".
    value = value.removeprefix(">").strip(" \t")
    append = key.endswith("+")
    name, bracket, criteria = key.rstrip("+ \t").partition("(")
    name = name.strip(" \t").lower()
    if bracket and (name != "eventfilter" or not criteria.endswith(")")):
        report.error(number, f"'{name}(': only eventfilter(...) takes parentheses, in pairs")
        return
    if append:
        inherited = [entry.text for entry in section.entries if entry.key == name]
        value = (inherited[-1] if inherited else "") + value
    section.entries.append(Entry(number, name, value, criteria[:-1] if bracket else ""))


def merge_repeated(sections: Iterable[Section], report: Report) -> list[Section]:
    """Return *sections* with those of one user merged, as Asterisk does.

    What a later one says counts, and what it leaves out stays as it was, except for
    the address rules and event filters, which begin anew (main/manager.c, at
    ``keep = 1``).
    """
    users: dict[str, Section] = {}
    others: list[Section] = []
    for section in sections:
        former = users.get(section.name)
        if section.template or section.is_general:
            others.append(section)
        elif former is None:
            users[section.name] = section
        else:
            report.warn(
                section.line,
                f"[{section.name}] is here twice: what this one says counts, its permit, deny"
                f" and eventfilter lines instead of those from line {former.line} on",
            )
            kept = [one for one in former.entries if one.key not in _REPLACED]
            entries = [*kept, *section.entries]
            users[section.name] = Section(section.name, section.line, False, entries)
    return [*others, *users.values()]
