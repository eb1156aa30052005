# SPDX-License-Identifier: GPL-2.0-or-later
"""The syntax of Asterisk's configuration files, for sections in the users file.

Comments, templates and inheritance as in Asterisk's main/config.c.  What the keys mean
is managerconf.py's business.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Callable

from amiproxy.settings.comments import STRAY_END, without_comments

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.settings.report import Report

_SECTION = re.compile(r"\[([^\]]*)\](?:\(([^)]*)\))?\Z")
# What Asterisk takes for a blank around a line, a key or a value (ast_strip).
_BLANKS = "".join(map(chr, range(33)))

# What a second section of a user does not add to, but replaces.
_REPLACED = frozenset({"acl", "deny", "eventfilter", "permit", "token"})


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


def read_sections(
    lines: Iterable[tuple[int, str]], report: Report, *, whole: bool = False
) -> list[Section]:
    """Read the sections in *lines*, pairs of line number and text.

    *whole*: they are all of a file of Asterisk's, so that lines before the first section and
    ``#exec`` are errors; otherwise the first line begins a section.  Sections of one name
    stay separate, except for ``[name](+)``, whose lines are added to the first.
    """
    sections: list[Section] = []
    named: dict[str, Section] = {}  # the first of each name
    current: Section | None = None
    depth = begun = 0  # comments that are open, and the line where the outermost began
    for number, raw in lines:
        before = depth
        text, depth = without_comments(raw, depth)
        if depth == STRAY_END:
            report.error(number, "--; ends a comment, and none has begun with ;--")
            depth = 0
        if depth and not before:
            begun = number
        text = text.strip(_BLANKS)
        if not text:
            continue
        if text.startswith("["):
            current = _section(text, number, named, report)
            if current is not None and current.line == number:
                sections.append(current)
        else:
            _content(text, raw, number, current, report, whole=whole)
    if depth:
        report.error(begun, "the comment that begins with ;-- has no end --;")
    return sections


def _content(
    text: str, raw: str, number: int, section: Section | None, report: Report, *, whole: bool
) -> None:
    """Read the line *text* of *section*, *raw* with its comments."""
    if text.startswith("#"):
        _directive(text, number, report.error if whole else report.warn)
    elif section is not None:
        _entry(text, number, section, report)
        _warn_of_cut_secret(text, raw, number, report)
    elif whole:
        report.error(number, "no [section] begins before this line")


def _section(text: str, number: int, named: dict[str, Section], report: Report) -> Section | None:
    """Return the section that the line *text* begins or adds to; None if it is malformed."""
    match = _SECTION.match(text)
    name = match[1].strip(_BLANKS) if match else ""
    if match is None or not name:
        report.error(number, "a section is [name], [name](!) or [name](template,...)")
        return None
    section = Section(name, number, template=False, entries=[])
    words = [word.strip(_BLANKS) for word in (match[2] or "").split(",")]
    if "+" in words and name in named:
        section = named[name]
        if words[0] != "+":
            report.warn(number, f"[{name}]: put + first; Asterisk ignores what is before it")
    for word in filter(None, words):
        base = named.get(name if word == "+" else word)
        if word == "!":
            section.template = True
        elif base is None:
            report.error(number, f"[{name}]: there is no section '{word}' before this one")
        elif word != "+":
            section.entries.extend(base.entries)
    named.setdefault(name, section)
    return section


def _warn_of_cut_secret(text: str, raw: str, number: int, report: Report) -> None:
    """Warn if a comment ends the secret *text* of the line *raw*, and no blank parts them."""
    key = text.partition("=")[0].strip(_BLANKS).lower()
    if key == "secret" and f"{text};" in raw.replace(";--", ""):
        report.warn(number, r"secret: ; begins a comment, as in Asterisk; write \; for one in it")


def _directive(text: str, number: int, tell: Callable[[int, str], None]) -> None:
    """Tell of a directive; other lines that begin with # are comments here."""
    word = text[1:].split(None, 1)[0].lower() if text[1:].strip() else ""
    if word == "exec":
        tell(number, "#exec is not carried out: put the lines themselves here")


def _entry(text: str, number: int, section: Section, report: Report) -> None:
    """Read a ``key = value``, ``key => value`` or ``key += value`` line."""
    # A backslash before a key has no meaning of its own.
    key, equals, value = text.removeprefix("\\").partition("=")
    if not equals:
        report.error(number, "'=' is missing: a line in a section is key = value")
        return
    # No strip of ">": a value may begin with one, as in "secret = >x".
    value = value.removeprefix(">").strip(_BLANKS)
    append = key.endswith("+")
    name, bracket, criteria = key.rstrip("+" + _BLANKS).partition("(")
    name = name.strip(_BLANKS).lower()
    if name.startswith("eventfilter"):
        name = "eventfilter"  # to Asterisk whatever begins so is one
    if bracket and (name != "eventfilter" or not criteria.endswith(")")):
        report.error(number, f"'{name}(': only eventfilter(...) takes parentheses, in pairs")
        return
    if bracket and not criteria.strip(_BLANKS + "),"):
        report.error(number, "'eventfilter()': there is nothing in the parentheses")
        return
    entry = Entry(number, name, value, criteria[:-1] if bracket else "")
    if not (append and _appended(section.entries, entry)):
        section.entries.append(entry)


def _appended(entries: list[Entry], entry: Entry) -> bool:
    """Add *entry* to the last of *entries* with its key, in its place; False: there is none.

    In its place, because the order of permit and deny lines counts.
    """
    same = (entry.key, entry.criteria)
    for place in range(len(entries) - 1, -1, -1):
        if (entries[place].key, entries[place].criteria) == same:
            entries[place] = replace(entry, text=entries[place].text + entry.text)
            return True
    return False


def merge_repeated(sections: Iterable[Section], report: Report) -> list[Section]:
    """Return *sections* with those of one user merged, as Asterisk does.

    What a later one says counts, and what it leaves out stays as it was, except for
    the address rules, event filters and tokens, which begin anew (main/manager.c, at
    ``keep = 1``).
    """
    users: dict[str, list[Section]] = {}
    others: list[Section] = []
    spelled: dict[str, str] = {}
    for section in sections:
        if section.template or section.is_general:
            others.append(section)
            continue
        spelling = spelled.setdefault(section.name.lower(), section.name)
        if spelling != section.name:
            report.error(
                section.line,
                f"[{section.name}] and [{spelling}] are one user in Asterisk, and two here: give"
                " one of them another name",
            )
        same = users.setdefault(section.name, [])
        if same:
            report.warn(
                section.line,
                f"[{section.name}] is here twice: what this one says counts, its permit, deny,"
                " eventfilter and token lines instead of those from"
                f" {report.line(same[-1].line)} on",
            )
        same.append(section)
    return [*others, *map(_merged, users.values())]


def _merged(sections: list[Section]) -> Section:
    """Return *sections*, all of one user, as one."""
    *former, last = sections
    kept = [one for section in former for one in section.entries if one.key not in _REPLACED]
    return replace(last, entries=[*kept, *last.entries])
