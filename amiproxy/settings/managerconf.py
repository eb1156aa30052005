# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections in the form of Asterisk's manager.conf, in the users file.

Two steps: ``read_sections`` knows the syntax (main/config.c: comments, templates,
inheritance), ``general_settings`` and ``user_settings`` know the keys
(main/manager.c).  What a key gives is a plain dict of the fields it sets; users.py
makes users of it.

A line that would give a user more than Asterisk did must not pass in silence: what
restricts and cannot be understood is an error, what merely does nothing here is a
warning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from amiproxy.access import acl
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.callfilter import CALL_FILTERS
from amiproxy.routing.classes import read_classes
from amiproxy.routing.eventfilter import EventFilters, FilterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SECTION = re.compile(r"\[([^\]]*)\][ \t]*(?:\(([^)]*)\))?[ \t]*\Z")

# Keys of manager.conf that have no meaning in a proxy, and what to do instead.
_ELSEWHERE = "does nothing here; see listenaddress, listenport and certfile in astmanproxy.conf"
_NOTHING = "does nothing here"
_IGNORED_GENERAL = {
    **dict.fromkeys(
        (
            "enabled",
            "webenabled",
            "httptimeout",
            "debug",
            "timestampevents",
            "channelvars",
            "brokeneventsaction",
            "disabledevents",
        ),
        _NOTHING,
    ),
    **dict.fromkeys(
        (
            "port",
            "bindaddr",
            "tlsenable",
            "tlsbindaddr",
            "tlscertfile",
            "tlsprivatekey",
            "tlscipher",
        ),
        _ELSEWHERE,
    ),
}

# What a second section of a user does not add to, but replaces.
_BEGIN_ANEW = frozenset({"acl", "deny", "eventfilter", "permit"})


@dataclass
class Report:
    """What is wrong with a file, as ``FILE:LINE: ...`` lines, while it is read."""

    path: str
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _noted: set[str] = field(default_factory=set)

    def error(self, line: int, text: str) -> None:
        """Note what makes the file unusable."""
        self._note(self.problems, line, text)

    def warn(self, line: int, text: str) -> None:
        """Note what the operator should know, and go on."""
        self._note(self.warnings, line, text)

    def _note(self, notes: list[str], line: int, text: str) -> None:
        """Add a line to *notes*: once, however many sections inherit it."""
        note = f"{self.path}:{line}: {text}"
        if note not in self._noted:
            self._noted.add(note)
            notes.append(note)


@dataclass(frozen=True)
class Entry:
    """One ``key = value`` line; *key* in lower case, *criteria* its parentheses."""

    line: int
    key: str
    value: str = field(repr=False)
    criteria: str = ""


@dataclass
class Section:
    """One section with what it inherited, in order."""

    name: str
    line: int
    template: bool
    entries: list[Entry]


def read_sections(lines: Iterable[tuple[int, str]], report: Report) -> list[Section]:
    """Read the sections in *lines*, pairs of line number and text.

    The first line begins a section.  Sections of one name stay apart, but for
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
    """Begin the section of the line *text*; None when it cannot be."""
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
    """Name a directive; what is none is a comment, as before the first section."""
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
        inherited = [entry.value for entry in section.entries if entry.key == name]
        value = (inherited[-1] if inherited else "") + value
    section.entries.append(Entry(number, name, value, criteria[:-1] if bracket else ""))


def without_repeats(sections: Iterable[Section], report: Report) -> list[Section]:
    """Return *sections* with those of one user put together, as Asterisk does.

    What a later one says counts, and what it leaves out stays as it was, except for
    the address rules and event filters, which begin anew (manager.c, at ``keep = 1``).
    """
    users: dict[str, Section] = {}
    others: list[Section] = []
    for section in sections:
        former = users.get(section.name)
        if section.template or section.name.lower() == "general":
            others.append(section)
        elif former is None:
            users[section.name] = section
        else:
            report.warn(
                section.line,
                f"[{section.name}] is here twice: what this one says counts, its permit, deny"
                f" and eventfilter lines instead of those from line {former.line} on",
            )
            kept = [one for one in former.entries if one.key not in _BEGIN_ANEW]
            entries = [*kept, *section.entries]
            users[section.name] = Section(section.name, section.line, False, entries)
    return [*others, *users.values()]


def general_settings(sections: Iterable[Section], report: Report) -> dict[str, Any]:
    """Return the fields of users.General that the sections ``[general]`` set."""
    settings: dict[str, Any] = {"acl": acl.Acl()}
    for section in sections:
        if section.name.lower() != "general" or section.template:
            continue
        for entry in section.entries:
            row = _GENERAL.get(entry.key)
            if row is not None:
                name, read = row
                read(name, entry, settings, report)
            elif entry.key in _IGNORED_GENERAL:
                report.warn(entry.line, f"{entry.key} {_IGNORED_GENERAL[entry.key]}")
            else:
                report.warn(entry.line, f"{entry.key}: unknown key in [general]")
    return settings


def user_settings(section: Section, report: Report) -> dict[str, Any]:
    """Return the fields of users.User that *section* sets, beside the name."""
    settings: dict[str, Any] = {"acl": acl.Acl(), "eventfilters": EventFilters()}
    for entry in section.entries:
        row = _USER.get(entry.key)
        if row is not None:
            name, read = row
            read(name, entry, settings, report)
        elif entry.key == "setvar":
            report.warn(entry.line, "setvar is not supported: channels get no variable from us")
        else:
            report.warn(entry.line, f"{entry.key}: unknown key in [{section.name}]")
    return settings


def filter_names(value: str) -> tuple[frozenset[str], list[str]]:
    """Read ``filters``: return the known names and the words that are none.

    As the C program, which looks for each name anywhere in the text: a name with
    something around it counts, and its word is returned as well.
    """
    names: set[str] = set()
    strange = []
    for part in value.lower().replace(",", "|").split("|"):
        word = part.strip(" \t")
        names.update(name for name in CALL_FILTERS if name in word)
        if word and word not in CALL_FILTERS:
            strange.append(word)
    return frozenset(names), strange


# Readers of one value: (field, entry, settings to change, report).


def _text(name: str, entry: Entry, settings: dict[str, Any], _report: Report) -> None:
    settings[name] = entry.value


def _lower(name: str, entry: Entry, settings: dict[str, Any], _report: Report) -> None:
    settings[name] = entry.value.lower()


def _flag(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    value = parse_bool(entry.value) if entry.value else False
    if value is None:
        report.warn(entry.line, f"{entry.key} = {entry.value}: neither yes nor no, taken for no")
    settings[name] = bool(value)


def _classes(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    settings[name], unknown = read_classes(entry.value)
    for word in unknown:
        report.warn(entry.line, f"{entry.key}: there is no class '{word}'")


def _rule(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    try:
        settings[name] = settings[name].with_line(entry.key, entry.value)
    except ValueError as error:
        report.error(entry.line, f"{entry.key}: {error}")


def _named_acl(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    # Asterisk lets nobody in either by a list it cannot find.
    deny = acl.DENY_ALL.rules
    settings[name] = acl.Acl((*settings[name].rules, *deny))
    report.warn(
        entry.line,
        f"acl = {entry.value}: acl.conf is not read, every address is denied here;"
        " put the permit and deny lines of that list in its place",
    )


def _event_filter(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    try:
        settings[name] = settings[name].with_line(entry.value, entry.criteria)
    except FilterError as error:
        report.error(entry.line, f"eventfilter: {error}")


def _filters(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    settings[name], strange = filter_names(entry.value)
    for word in strange:
        report.warn(entry.line, f"filters: there is no filter '{word}'")


def _names(name: str, entry: Entry, settings: dict[str, Any], _report: Report) -> None:
    words = (word.strip(" \t").lower() for word in entry.value.replace("|", ",").split(","))
    settings[name] = frozenset(word for word in words if word and word != "none")


def _number(text: str) -> int:
    """Read a number; -1 when it is none, or too long to be meant."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1


def _count(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    settings[name] = _number(entry.value)
    if settings[name] < 0:
        report.error(entry.line, f"{entry.key} must be a number; 0 is no limit")


def _seconds(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    settings[name] = float(_number(entry.value))
    if settings[name] < 1:
        report.error(entry.line, f"{entry.key} must be a number of seconds from 1 on")


def _write_timeout(name: str, entry: Entry, settings: dict[str, Any], report: Report) -> None:
    milliseconds = _number(entry.value)
    if milliseconds >= 100:
        settings[name] = milliseconds / 1000
    else:
        report.warn(entry.line, "writetimeout must be 100 ms or more; the line is left out")


# One row a key, in alphabetical order: field of the dataclass, reader.
_GENERAL: dict[str, tuple[str, Callable[[str, Entry, dict[str, Any], Report], None]]] = {
    "acl": ("acl", _named_acl),
    "allowmultiplelogin": ("allow_multiple_login", _flag),
    "authlimit": ("auth_limit", _count),
    "authtimeout": ("auth_timeout", _seconds),
    "deny": ("acl", _rule),
    "displayconnects": ("display_connects", _flag),
    "maxclients": ("max_clients", _count),
    "maxperaddress": ("max_per_address", _count),
    "permit": ("acl", _rule),
}
_USER: dict[str, tuple[str, Callable[[str, Entry, dict[str, Any], Report], None]]] = {
    "accountcode": ("accountcode", _text),
    "acl": ("acl", _named_acl),
    "allowmultiplelogin": ("allow_multiple_login", _flag),
    "channel": ("channel", _lower),
    "deny": ("acl", _rule),
    "displayconnects": ("display_connects", _flag),
    "eventfilter": ("eventfilters", _event_filter),
    "filters": ("filters", _filters),
    "in_context": ("in_context", _text),
    "more_events": ("more_events", _flag),
    "out_context": ("out_context", _text),
    "permit": ("acl", _rule),
    "proxyactions": ("proxyactions", _names),
    "read": ("read", _classes),
    "secret": ("secret", _text),
    "server": ("server", _lower),
    "write": ("write", _classes),
    "writetimeout": ("write_timeout", _write_timeout),
}
