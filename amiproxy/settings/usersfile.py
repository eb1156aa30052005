# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy.users: who may log in, what each may see and do.

The file begins with lines of the C program's form,

    user=secret,channel,out_context,in_context,accountcode,server,more_events,filters

and, from the first ``[section]`` on, goes on as Asterisk's manager.conf does.  Either
part may be missing.  Users are values: to read the file again is to make new ones.

Where the C program's form is read differently here than there: a ``=`` in a secret
belongs to it (C dropped it), a user of a name given twice is the last one (in C both
counted), contexts and accountcode keep their case (C lower-cased them), and a line
without name or secret is an error (in C it let everybody in).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.access import hashes
from amiproxy.access.user import General, User, Users
from amiproxy.basics.boolean import parse_bool
from amiproxy.errors import ConfigError
from amiproxy.routing import classes
from amiproxy.routing.callfilter import CALL_FILTERS
from amiproxy.settings import managerconf

if TYPE_CHECKING:
    from collections.abc import Iterator

_FIELDS = 8
_BLANKS = " \t"
# Above it a log-in costs seconds of CPU: an invitation to keep the proxy busy.
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
    report = managerconf.Report(path)
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
    sections = managerconf.read_sections(tail, report)
    general = General(**managerconf.general_settings(sections, report))
    for section in managerconf.without_repeats(sections, report):
        if section.name.lower() != "general" and not section.template:
            _add(found, _modern(section, general, report), section.line, report)
    if report.problems:
        raise ConfigError(*report.problems)
    return Users(found, general), report.warnings


def describe_users(users: Users, *, guarded: bool = True) -> list[str]:
    """Return, line by line, what each user may see and do, without hashes.

    *guarded* tells that clients must log in, or give the proxy key, before anything else.
    """
    if not users:
        return ["no users: every login succeeds, unless authrequired = yes"]
    everyone = [f"everyone: from {users.general.acl.describe()}"] if users.general.acl.rules else []
    if not guarded:
        everyone.append("who does not log in: sees and may do everything (authrequired = no)")
    return everyone + [line for user in users.values() for line in _describe(user)]


def _add(
    found: dict[str, User], user: User | None, number: int, report: managerconf.Report
) -> None:
    """Put *user* into *found*, and say what is odd about it."""
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
                number, f"user {shown} cannot log in: the secret begins with $ and is no bcrypt"
            )
        elif cost > _MAX_COST:
            report.warn(number, f"user {shown}: bcrypt with cost {cost} makes log-ins slow")
    found[user.name] = user


def _classic(line: str, number: int, report: managerconf.Report) -> User | None:
    """Read one line in the C program's form; None when there is no user in it."""
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


def _classic_user(name: str, values: list[str], number: int, report: managerconf.Report) -> User:
    """Make the user of the fields *values*, eight or more."""
    secret, channel, out_context, in_context, accountcode, server, more, filters = values[:_FIELDS]
    shown = _shown(name)
    names, strange = managerconf.filter_names(filters)
    for word in strange:
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
    # As in C these users may call every ProxyAction; but who is to see no more than
    # his own calls has no business with everybody's servers.
    return user if user.filtered else replace(user, proxyactions=frozenset({"all"}))


def _modern(
    section: managerconf.Section, general: General, report: managerconf.Report
) -> User | None:
    """Make the user of a section; None when nobody could log in by it."""
    shown = _shown(section.name)
    settings = managerconf.user_settings(section, report)
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
    """Return *name* bounded for a message: a line gone wrong may hold anything."""
    return name if len(name) <= 64 else name[:64] + "..."


def _describe(user: User) -> Iterator[str]:
    """Yield the lines about *user*."""
    kind = "bcrypt secret" if hashes.is_hash(user.secret) else "plain secret"
    yield f"user {user.name}: {kind}, from {user.acl.describe()}"
    yield f"  sees events of: {classes.describe_classes(user.read)}"
    if user.channel:
        yield f"  sees only calls of channels {user.channel}..."
    if user.in_context:
        yield f"  sees only messages of context {user.in_context}"
    chosen = [CALL_FILTERS[name] for name in sorted(user.filters)]
    only = [row.description for row in chosen if row.only]
    if only:
        yield f"  sees only {', '.join(only)} events"
    for row in chosen:
        if not row.only:
            yield f"  does not see {row.description}"
    if user.channel or user.in_context:
        yield f"  sees {'also' if user.more_events else 'no'} events that belong to no call"
    for one in user.eventfilters.includes:
        yield f"  sees of these (or of other such lines) only {one.describe()}"
    for one in user.eventfilters.excludes:
        yield f"  does not see {one.describe()}"
    yield f"  may send actions of: {classes.describe_classes(user.write)}"
    if not user.write & classes.SYSTEM:
        yield "  may not run what could leave the PBX"
    if user.channel:
        yield f"  may act only on channels {user.channel}..."
    if user.out_context:
        yield f"  may act only in context {user.out_context}"
    if user.accountcode:
        yield f"  calls on account {user.accountcode}"
    if user.server:
        yield f"  acts only on server {user.server}"
    yield f"  may call ProxyActions: {_describe_proxyactions(user)}"
    if not user.allow_multiple_login:
        yield "  may log in once at a time"


def _describe_proxyactions(user: User) -> str:
    """Return which ProxyActions *user* may call, in words."""
    if user.proxyactions is None:
        return "all but AddServer, DropServer, ListServers"
    if "all" in user.proxyactions:
        return "all"
    return ", ".join(sorted({*user.proxyactions, "logoff"}))
