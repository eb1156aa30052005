# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy.users: the file in, the users out.

The file begins with lines of the C program's form,

    user=secret,channel,out_context,in_context,accountcode,server,more_events,filters

and, from the first ``[section]`` on, goes on as Asterisk's manager.conf does.  Either
part may be missing, and either may include files (``#include``).  Users are values: reading
the files again makes new ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.access import hashes
from amiproxy.access.user import General, User, Users
from amiproxy.errors import ConfigError
from amiproxy.settings.aclfile import NO_ACLS
from amiproxy.settings.classic import check_comments, classic_user, shown
from amiproxy.settings.directives import Directives
from amiproxy.settings.includes import included_lines
from amiproxy.settings.managerconf import general_settings, user_settings
from amiproxy.settings.report import Report, check_bytes
from amiproxy.settings.sections import merge_repeated, read_sections

if TYPE_CHECKING:
    from amiproxy.settings.aclfile import NamedAcls
    from amiproxy.settings.sections import Section

_BLANKS = " \t"
# log2 of bcrypt's rounds.  Above it a log-in costs seconds of CPU, which anybody can cause.
_MAX_COST = 14

# What a section without such a line gives its user (in C's form the fields are others).
_NOTHING = {"read": "no events", "write": "no action that needs a class"}


def load_users(path: str | Path, acls: NamedAcls = NO_ACLS) -> tuple[Users, list[str]]:
    """Read the users file *path*; return the users and the warnings.

    *acls* are the lists that its ``acl`` lines may name.  Warnings are lines
    ``FILE:LINE: text``, without hashes.

    Raises:
        ConfigError: the file cannot be read, or ``read_users`` raises it.

    """
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        raise ConfigError(
            f"{path}: the users file cannot be read: {error.strerror or error}"
        ) from error
    return read_users(text, str(path), acls)


def read_users(text: str, path: str, acls: NamedAcls = NO_ACLS) -> tuple[Users, list[str]]:
    """Read the users from *text*, the contents of *path*; as load_users.

    Raises:
        ConfigError: a line cannot be used; all such lines are named.

    """
    report = Report(path)
    lines = included_lines(text, report, Directives(sections=False))
    first = next(
        (i for i, (_, line) in enumerate(lines) if line.lstrip(_BLANKS)[:1] == "["), len(lines)
    )
    found: dict[str, User] = {}
    for number, line in lines:
        check_bytes(number, line, report)
    check_comments(lines, first, report)
    for number, line in lines[:first]:
        _add(found, classic_user(line, number, report), number, report)
    sections = read_sections(lines[first:], report)
    general = General(**general_settings(sections, acls, report))
    for section in merge_repeated(sections, report):
        if not section.is_general and not section.template:
            _add(found, _modern(section, general, acls, report), section.line, report)
    _check_tokens(sections, found, report)
    if sections and not found and any(not section.is_general for section in sections):
        report.warn(
            sections[-1].line,
            "no section makes a user: every log-in succeeds, unless authrequired = yes",
        )
    if report.problems:
        raise ConfigError(*report.problems)
    return Users(found, general, report.files, acls.files), report.warnings


def _add(found: dict[str, User], user: User | None, number: int, report: Report) -> None:
    """Put *user*, read at line *number*, into *found*; warn of what is odd about it."""
    if user is None:
        return
    name = shown(user.name)
    if user.name in found:
        report.warn(number, f"user {name} is here twice: this one counts")
        del found[user.name]  # so that the order is that of the lines that count
    if hashes.is_hash(user.secret):
        cost = hashes.hash_cost(user.secret)
        if cost is None:
            report.warn(
                number,
                f"user {name} cannot log in: the secret begins with $ but is not bcrypt;"
                " astmanproxy --hash-secret makes that of it",
            )
        elif cost > _MAX_COST:
            report.warn(number, f"user {name}: bcrypt with cost {cost} makes log-ins slow")
    found[user.name] = user


def _check_tokens(sections: list[Section], found: dict[str, User], report: Report) -> None:
    """Report tokens that two users have: which of them would log in?"""
    lines = {one.text.lower(): one.line for section in sections for one in section.entries}
    holders: dict[str, str] = {}
    for user in found.values():
        for token in user.tokens:
            other = holders.setdefault(token, user.name)
            if other != user.name:
                report.error(
                    lines[token],
                    f"token: [{shown(other)}] and [{shown(user.name)}] have the same one: make"
                    " one for each (astmanproxy --new-token)",
                )


def _modern(section: Section, general: General, acls: NamedAcls, report: Report) -> User | None:
    """Make the user of *section*; return None if nobody could log in by it."""
    name = shown(section.name)
    settings = user_settings(section, acls, report)
    if "secret" not in settings and settings.get("tokens"):
        settings["secret"] = ""  # which lets nobody in
    elif "secret" not in settings:
        # As in Asterisk such a section is good as a base for others, and no more.
        report.warn(section.line, f"[{name}] has no secret: nobody can log in")
        return None
    elif not settings["secret"]:
        line = [entry.line for entry in section.entries if entry.key == "secret"][-1]
        report.error(line, f"[{name}]: the secret is empty")
        return None
    for key, nothing in _NOTHING.items():
        if key not in settings:
            settings[key] = 0
            report.warn(section.line, f"[{name}] has no {key} line: {nothing}, as in Asterisk")
    settings.setdefault("display_connects", general.display_connects)
    settings.setdefault("allow_multiple_login", general.allow_multiple_login)
    return User(section.name, place=report.place(section.line), **settings)
