# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of astmanproxy.users in the C program's form.

    user=secret,channel,out_context,in_context,accountcode,server,more_events,filters

Where this reads a line differently from the C program: a ``=`` in a secret belongs to it
(C dropped it), of two users of one name the last counts (in C both did), contexts and
accountcode keep their case (C lower-cased them), and a line without name or secret is an
error (in C it let everybody in).

What could be read in two ways, one of which gives more, is an error: a ``;`` or ``#`` that
would cut a secret or the restrictions behind it, a line that belongs into a section, users
within what is a comment in Asterisk's files.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from amiproxy.access.user import BOUNDED, User
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.callwords import CALL_FILTERS
from amiproxy.settings.comments import without_comments
from amiproxy.settings.managerconf import KEYS
from amiproxy.settings.typos import question
from amiproxy.settings.userwords import filter_names, server_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.settings.report import Report

_FIELDS = 8
_BLANKS = " \t"
_NO_BLANKS = str.maketrans("", "", _BLANKS)
_MARK = re.compile("[;#]")


def shown(name: str) -> str:
    """Return *name* cut to 64 characters for a message: a torn line may hold anything."""
    return name if len(name) <= 64 else name[:64] + "..."


def classic_user(line: str, number: int, report: Report) -> User | None:
    """Read one line; return None if there is no user in it."""
    line = _without_comment(line, number, report).strip(_BLANKS + "\r")
    if not line:
        return None
    name, equals, rest = line.partition("=")
    values = [part.translate(_NO_BLANKS) for part in rest.split(",")]
    name = name.translate(_NO_BLANKS)
    if not name:
        report.error(number, "the user name before '=' is missing")
    elif not equals:
        # The line is not shown: it may be a secret that got a line of its own.
        report.error(number, "'=' is missing: a user is name=secret,...")
    elif key := _key(name):
        report.error(
            number,
            f"'{key}' is a key of a [section], and no section begins before this line; a user"
            " needs another name",
        )
    elif not values[0]:
        report.error(number, f"user {shown(name)} has no secret: write name=secret")
    else:
        if values[0] != rest.partition(",")[0].strip(_BLANKS):
            report.warn(number, f"user {shown(name)}: the blanks in the secret do not count")
        return _user(name, values, number, report)
    return None


def _without_comment(line: str, number: int, report: Report) -> str:
    """Return *line* up to its comment, which begins the line or follows a blank."""
    mark = _MARK.search(line)
    if mark is None:
        return line
    text = line[: mark.start()]
    if text and text[-1] not in _BLANKS:
        report.error(
            number,
            f"'{mark[0]}' would cut the line: put a blank before a comment; a secret that holds one"
            r" needs a [section], with \; for ;",
        )
        return ""
    return text


def _key(name: str) -> str:
    """Return the key of a section that *name* is, as in ``read +`` or ``eventfilter(...)``."""
    key = re.split(r"[+(>]", name.lower())[0].lstrip("\\")
    return key if key in KEYS else ""


def _user(name: str, values: list[str], number: int, report: Report) -> User:
    """Make the user of the fields *values*; some may be missing at the end."""
    if "=" in values[0]:
        report.warn(
            number, f"user {shown(name)}: the '=' in the secret belongs to it (C dropped it)"
        )
    if len(values[0]) > 2 and values[0][0] == values[0][-1] == '"':
        report.warn(number, f"user {shown(name)}: the quotes belong to the secret")
    if len(values) > _FIELDS:
        report.warn(number, f"user {shown(name)}: the fields after the eighth do not count")
    values = [*values, *[""] * _FIELDS][:_FIELDS]
    secret, channel, out_context, in_context, accountcode, server, more, filters = values
    names, unknown = filter_names(filters)
    for word in unknown:
        report.warn(
            number, f"user {shown(name)}: there is no filter '{word}'{question(word, CALL_FILTERS)}"
        )
    if parse_bool(more) is False:
        report.warn(number, f"user {shown(name)}: more_events is set by any word, '{more}' too")
    user = User(
        name,
        secret,
        channel=channel.lower(),
        out_context=out_context,
        in_context=in_context,
        accountcode=accountcode,
        servers=_servers(server, name, number, report),
        more_events=bool(more),
        place=report.place(number),
        filters=names,
    )
    # As in C these users may do everything.  But a user who sees only their own calls, or acts
    # on some servers only, has no business with everybody's servers, and what a channel or context
    # bounds must not be had by a command line: who is to have both gets a section.
    if user.bounded:
        return replace(user, write=BOUNDED)
    if user.filtered or user.servers:
        return user
    return replace(user, proxyactions=frozenset({"all"}))


def _servers(value: str, name: str, number: int, report: Report) -> frozenset[str]:
    """Read the field *value* of user *name*: servers with ``|`` between them, or nothing."""
    try:
        return server_names(value) if value else frozenset()
    except ValueError as error:
        report.error(number, f"user {shown(name)}: server: {error}")
        return frozenset()


def check_comments(lines: Sequence[tuple[int, str]], first: int, report: Report) -> None:
    """Report users that stand within a comment of Asterisk's, from ``;--`` to ``--;``.

    To the C program ``;--`` was a comment of one line.  *lines* are all of the file, those
    before index *first* of the C program's form.
    """
    depth = 0
    opened: list[int] = []  # the indexes of the lines where comments began
    before = [0, *itertools.accumulate(_says_something(line) for _, line in lines)]
    for index, (number, line) in enumerate(lines):
        depth = max(0, without_comments(line, depth)[1])
        opened += [index] * (depth - len(opened))
        if depth == len(opened):
            continue
        begun = opened[depth]
        del opened[depth:]
        if begun < first and before[begun + 1] < before[index + 1]:
            report.error(
                lines[begun][0],
                f"';--' begins a comment that ends at {report.line(number)} in Asterisk's files,"
                " and with this line in the C program's: write ';' before each line of it",
            )


def _says_something(line: str) -> bool:
    """Return whether the C program read *line*: a user, or what begins a section."""
    text = line.strip(_BLANKS + "\r")
    return bool(text) and not text.startswith((";", "#", "--;"))
