# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk's acl.conf: named lists of addresses, for the ``acl`` lines of users.

Read as Asterisk 22 does (main/named_acl.c): a template is no list, sections of one name add
up, names differ by case, and what is neither permit nor deny makes the file unusable.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.access.acl import DENY_ALL, NamedList, read_rules
from amiproxy.errors import ConfigError
from amiproxy.settings.directives import Directives
from amiproxy.settings.includes import included_lines
from amiproxy.settings.report import Report, check_bytes
from amiproxy.settings.sections import read_sections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.access.acl import Rule
    from amiproxy.settings.config import Config
    from amiproxy.settings.sections import Section


class NamedAcls(NamedTuple):
    """The lists of the file *path* by name; "": no file is named."""

    path: str
    lists: Mapping[str, tuple[Rule, ...]]
    #: What it includes.
    files: tuple[str, ...] = ()

    def chosen(
        self, names: str, former: Sequence[NamedList], warn: Callable[[str], None]
    ) -> list[NamedList]:
        """Return the lists *former*, of earlier lines, and those of the line ``acl = names``.

        As in Asterisk 22 blanks before a name do not count, those behind it do, and nobody is
        let in by a list that there is not, or by lines that name one twice; *warn* is told so.
        """
        lists = [*former]
        for name in re.split(r",[ \t]*", names):
            rules = self.lists.get(name)
            twice = any(one.name == name for one in lists)
            if rules is None or twice:
                why = "is named twice" if twice else self._why_not(name)
                warn(f"acl: every address is denied here: the list '{name}' {why}")
                rules = DENY_ALL.rules
            lists.append(NamedList(name, rules))
        return lists

    def _why_not(self, name: str) -> str:
        """Return why there is no list *name*, and what to do."""
        if not self.path:
            return (
                "is in no file that is read; name that file in astmanproxy.conf: aclfile ="
                " /etc/asterisk/acl.conf"
            )
        bare = name.strip().lower()
        meant = next((one for one in self.lists if bare and one.lower() == bare), "")
        hint = f"; write {meant}, with nothing around it" if meant else ""
        return f"is not in {self.path}{hint}"


#: No file is named.
NO_ACLS = NamedAcls("", MappingProxyType({}))


def load_acls(config: Config) -> tuple[NamedAcls, list[str]]:
    """Read the file that ``aclfile`` names; return its lists, and the warnings about it.

    Raises:
        ConfigError: the file cannot be read, or a line of it cannot be used.

    """
    path = config.acl_file
    if not path:
        return NO_ACLS, []
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        place = config.place("acl_file")
        raise ConfigError(f"{place}aclfile {path}: {error.strerror or error}") from error
    return read_acls(text, path)


def read_acls(text: str, path: str) -> tuple[NamedAcls, list[str]]:
    """Read the lists from *text*, the contents of *path*; as load_acls.

    Raises:
        ConfigError: a line cannot be used; all such lines are named.

    """
    report = Report(path)
    lines = included_lines(text, report, Directives(sections=True))
    for number, line in lines:
        check_bytes(number, line, report)
    lists: dict[str, list[Rule]] = {}
    for section in read_sections(lines, report, whole=True):
        if section.is_general:
            report.error(section.line, f"[{section.name}]: there is no list of that name")
        elif not section.template:
            found = _rules(section, report)
            lists.setdefault(section.name, []).extend(found)
            if not found:
                report.warn(
                    section.line,
                    f"[{section.name}] has no permit or deny line: it permits every address",
                )
    if report.problems:
        raise ConfigError(*report.problems)
    frozen = {name: tuple(rules) for name, rules in lists.items()}
    return NamedAcls(path, MappingProxyType(frozen), tuple(report.files)), report.warnings


def _rules(section: Section, report: Report) -> list[Rule]:
    """Return the rules of *section*, in order."""
    rules: list[Rule] = []
    for entry in section.entries:
        if entry.key not in ("permit", "deny"):
            report.error(entry.line, f"{entry.key}: a list has permit and deny lines only")
            continue
        try:
            rules += read_rules(entry.key, entry.text)
        except ValueError as error:
            report.error(entry.line, f"{entry.key}: {error}")
    return rules
