# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of the control socket as ProxyActions, for users to whom they are given."""

from __future__ import annotations

import functools
import json
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.basics.boolean import parse_bool
from amiproxy.threads.actions.call import STAYS
from amiproxy.threads.actions.record import ProxyAction
from amiproxy.threads.actions.serveractions import are_open
from amiproxy.threads.control.command import clean
from amiproxy.threads.control.table import COMMANDS, carry_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from amiproxy.threads.actions.call import Call, Outcome
    from amiproxy.threads.control.command import Answer, Command

#: The header that holds an argument, by how the command names that.
_HEADERS: Mapping[str, str] = MappingProxyType(
    {"N": "Session", "NAME": "Username", "SERVER": "Server", "LEVEL": "Level", "MODULE": "Module",
     "PROXY": "Proxy", "--drain": "Drain"}
)  # fmt: skip


def _run(command: Command, call: Call) -> Outcome:
    """Carry out *command* for the client of *call*."""
    context, session, message = call
    words: list[str] = []
    if "[SERVER]" in command.arguments:
        router, name = context.router, message.get("Server")
        if not are_open(call, router.named(name) if name else router.servers):
            return call.say(replies.proxy_failure(message, "Server: not open to this user"))
    for argument in command.arguments:
        header = _header(argument)
        word = message.get(header)
        if argument.startswith("[--"):
            words += [argument.strip("[]")] if parse_bool(word) else []
        elif word:
            words.append(word)
        elif not argument.startswith("["):
            return call.say(replies.proxy_failure(message, f"{header} is missing"))
    name = "" if session.user is None else f" (user {session.user.name!a})"
    with context.turnstile.outside():  # it may wait
        answer = carry_out(context, command, words, f"{session.peer}{name}")
    if answer.is_good:
        lines = _lines(answer) if command.changes else _rows(answer)
        call.say(replies.proxy_success(message, *lines))
    else:
        call.say(replies.proxy_failure(message, "; ".join(map(clean, answer.lines))))
    if answer.then is not None:
        answer.then()
    return STAYS


def _lines(answer: Answer) -> Iterator[str]:
    """Yield *answer* as lines of a reply."""
    for line in answer.lines:
        yield f"Line: {clean(line)}"


def _rows(answer: Answer) -> Iterator[str]:
    """Yield what *answer* shows as lines of a reply."""
    data = answer.document
    for row in data if isinstance(data, list) else [data]:
        yield f"Row: {json.dumps(row)}"


def _header(argument: str) -> str:
    return _HEADERS[argument.strip("[]")]


def _records() -> Iterator[ProxyAction]:
    for command in COMMANDS.values():
        if command.action:
            yield ProxyAction(
                command.action,
                functools.partial(_run, command),
                ", ".join(_described(each) for each in command.arguments),
                f"as the command `{command.name}`",
                read_only=not command.changes,
                operating=True,
            )


def _described(argument: str) -> str:
    optional = " (or none)" if argument.startswith("[") else ""
    return f"`{_header(argument)}`{optional}"


RECORDS: tuple[ProxyAction, ...] = tuple(_records())
