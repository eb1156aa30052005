# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy.users: the file in, the users out.

The file begins with lines of the C program's form,

    user=secret,channel,out_context,in_context,accountcode,server,more_events,filters

and, from the first ``[section]`` on, goes on as Asterisk's manager.conf does.  Either
part may be missing.  Users are values: reading the file again makes new ones.

Where this reads the C program's form differently from the C program: a ``=`` in a
secret belongs to it (C dropped it), of two users of one name the last counts (in C both
did), contexts and accountcode keep their case (C lower-cased them), and a line without
name or secret is an error (in C it let everybody in).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.access import hashes
from amiproxy.access.user import General, User, Users
from amiproxy.basics.boolean import parse_bool
from amiproxy.errors import ConfigError
from amiproxy.settings.managerconf import filter_names, general_settings, user_settings
from amiproxy.settings.report import Report
from amiproxy.settings.sections import merge_repeated, read_sections

if TYPE_CHECKING:
    from amiproxy.settings.sections import Section

_FIELDS = 8
_BLANKS = " \t"
# log2 of bcrypt's rounds.  Above it a log-in costs seconds of CPU, which anybody can cause.
_MAX_COST = 14


def load_users(path: str | Path) -> tuple[Users, list[str]]:
    """Read the users file *path*; return the users and the warnings.

    Warnings are lines ``FILE:LINE: text``, without hashes.

    Raises:
        ConfigError: the file cannot be read, or ``read_users`` raises it.

    """
    try:
        text = Path(path).read_bytes().decode("latin-1")
    except OSError as error:
        raise ConfigError(f"{path}:0: {error.strerror or error}") from error
    return read_users(text, str(path))


def read_users(text: str, path: str) -> tuple[Users, list[str]]:
    """Read the users from *text*, the contents of *path*; as load_users.

    Raises:
        ConfigError: a line cannot be used; all such lines are named.

    """
    report = Report(path)
    text = text.removeprefix("\xef\xbb\xbf")  # what some editors put before UTF-8
    # Not splitlines(): to it bytes as 0x85 end a line.
    lines = list(enumerate(text.split("\n"), 1))
    first = next((i for i, (_, line) in enumerate(lines) if line.lstrip(_BLANKS)[:1] == "["), None)
    head = lines if first is None else lines[:first]
    tail = [] if first is None else lines[first:]
    found: dict[str, User] = {}
    for number, line in lines:
        if "\0" in line:
            report.error(number, "the line holds a NUL byte")
    for number, line in head:
        _add(found, _classic(line, number, report), number, report)
    sections = read_sections(tail, report)
    general = General(**general_settings(sections, report))
    for section in merge_repeated(sections, report):
        if not section.is_general and not section.template:
            _add(found, _modern(section, general, report), section.line, report)
    if report.problems:
        raise ConfigError(*report.problems)
    return Users(found, general), report.warnings


def _add(found: dict[str, User], user: User | None, number: int, report: Report) -> None:
    """Put *user*, read at line *number*, into *found*; warn of what is odd about it."""
    if user is None:
        return
    shown = _shown(user.name)
    if user.name in found:
        report.warn(number, f"user {shown} is here twice: this one counts")
        del found[user.name]  # so that the order is that of the lines that count
    if hashes.is_hash(user.secret):
        cost = hashes.hash_cost(user.secret)
        if cost is None:
            report.warn(
                number,
                f"user {shown} cannot log in: the secret begins with $ but is not bcrypt",
            )
        elif cost > _MAX_COST:
            report.warn(number, f"user {shown}: bcrypt with cost {cost} makes log-ins slow")
    found[user.name] = user


def _classic(line: str, number: int, report: Report) -> User | None:
    """Read one line in the C program's form; return None if there is no user in it."""
    for mark in ";#":
        line = line.partition(mark)[0]
    line = line.strip(_BLANKS + "\r")
    if not line:
        return None
    name, equals, rest = line.partition("=")
    values = ["".join(part.split(" ")).replace("\t", "") for part in rest.split(",")]
    name = name.replace(" ", "").replace("\t", "")
    if not name:
        report.error(number, "the user name before '=' is missing")
        return None
    if not equals:
        # The line is not shown: it may be a secret that got a line of its own.
        report.error(number, "'=' is missing: a user is name=secret,...")
        return None
    shown = _shown(name)
    if not values[0]:
        report.error(number, f"user {shown} has no secret: write name=secret")
        return None
    if values[0] != rest.partition(",")[0].strip(_BLANKS):
        report.warn(number, f"user {shown}: the blanks in the secret do not count")
    if "=" in values[0]:
        report.warn(number, f"user {shown}: the '=' in the secret belongs to it (C dropped it)")
    if len(values) > _FIELDS:
        report.warn(number, f"user {shown}: the fields after the eighth do not count")
    values += [""] * (_FIELDS - len(values))
    return _classic_user(name, values, number, report)


def _classic_user(name: str, values: list[str], number: int, report: Report) -> User:
    """Make the user of the fields *values*, eight or more."""
    secret, channel, out_context, in_context, accountcode, server, more, filters = values[:_FIELDS]
    shown = _shown(name)
    names, unknown = filter_names(filters)
    for word in unknown:
        report.warn(number, f"user {shown}: there is no filter '{word}'")
    if parse_bool(more) is False:
        report.warn(number, f"user {shown}: more_events is set by any word, '{more}' too")
    user = User(
        name,
        secret,
        channel=channel.lower(),
        out_context=out_context,
        in_context=in_context,
        accountcode=accountcode,
        server=server.lower(),
        more_events=bool(more),
        filters=names,
    )
    # As in C these users may call every ProxyAction; but a user who sees only their
    # own calls has no business with everybody's servers.
    return user if user.filtered else replace(user, proxyactions=frozenset({"all"}))


def _modern(section: Section, general: General, report: Report) -> User | None:
    """Make the user of *section*; return None if nobody could log in by it."""
    shown = _shown(section.name)
    settings = user_settings(section, report)
    if "secret" not in settings:
        # As in Asterisk such a section is good as a base for others, and no more.
        report.warn(section.line, f"[{shown}] has no secret: nobody can log in")
        return None
    if not settings["secret"]:
        line = [entry.line for entry in section.entries if entry.key == "secret"][-1]
        report.error(line, f"[{shown}]: the secret is empty")
        return None
    for key in ("read", "write"):
        if key not in settings:
            report.warn(section.line, f"[{shown}] has no {key} line: all classes, as in Asterisk")
    settings.setdefault("display_connects", general.display_connects)
    settings.setdefault("allow_multiple_login", general.allow_multiple_login)
    return User(section.name, **settings)


def _shown(name: str) -> str:
    """Return *name* cut to 64 characters for a message: a torn line may hold anything."""
    return name if len(name) <= 64 else name[:64] + "..."
