# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether an action could put a call on another account than its user's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.asterisk import applications
from amiproxy.routing import dialplan
from amiproxy.routing.runs import agi_verb

if TYPE_CHECKING:
    from amiproxy.message import Message

# Headers that set variables or run applications.
_ACCOUNTABLE = frozenset({"application", "command", "data", "variable"})
# What decides on which account, and whether at all, a call is recorded.
_ACCOUNTS = ("accountcode", "peeraccount", "amaflags", "cdr_prop")


def account_problem(message: Message) -> str | None:
    """Return why the action *message* could put a call on another account, or None."""
    if _ACCOUNTABLE.isdisjoint(message.values) or message.action == "getvar":
        return None
    problems = (
        _header_problem(header.lower(), value, message) for header, value in message.headers()
    )
    return next(filter(None, problems), None)


def _header_problem(name: str, value: str, message: Message) -> str | None:
    """Return why the header *name* of *message* could change the account, or None."""
    if name not in _ACCOUNTABLE:
        return None
    plain = dialplan.plain(value)
    text = "".join(plain.split())
    if any(word in text for word in _ACCOUNTS):
        return "what would change the account of a call"
    if name == "variable" and "$" in _names(text):
        return "a variable whose name is put together"
    if name == "application":
        return _run_problem(text, "".join(message.all("Data")))
    verb, rest = agi_verb(plain.split()) if name == "command" else ("", [])
    return _run_problem(rest[0], "".join(rest[1:])) if verb == "exec" and rest else None


def _names(text: str) -> str:
    """Return the names of the variables that *text*, ``name=value,...``, sets."""
    return ",".join(part.partition("=")[0] for part in dialplan.arguments(text))


def _run_problem(application: str, data: str) -> str | None:
    """Return why this *application* could put a call on another account, or None."""
    row = applications.ROW_OF.get(application)
    if row is applications.BILLING:
        return "an application that changes the account of a call"
    if row is applications.VARIABLES and "$" in _names(data):
        return "a variable whose name is put together"
    return None
