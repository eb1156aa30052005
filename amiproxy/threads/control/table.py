# SPDX-License-Identifier: GPL-2.0-or-later
"""All commands of the control socket, and what finds the one that a line asks for."""

from __future__ import annotations

import logging
import shlex
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.settings.typos import question
from amiproxy.threads.control import clients, commands, elsewhere, servers, shows
from amiproxy.threads.control.command import (
    Answer,
    Command,
    Request,
    clean,
    command,
    refusal,
)
from amiproxy.threads.sessions.cluster import Told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.threads.sessions.context import ProxyContext

log = logging.getLogger("amiproxy.control")

#: Of log lines that no other line may hide (threads/loglimit.py).
_CHANGE = {"change": True}


def perform(context: ProxyContext, line: str, who: str, width: int = 0) -> Answer:
    """Carry out the command *line* for *who*, who has room for lines of *width* characters."""
    try:
        words = shlex.split(line)
    except ValueError:
        return refusal("a quote is not closed")
    found, rest = _find(words)
    if found is None:
        return _unknown(words)
    if not found.takes(len(rest)):
        return refusal(f"usage: {found.usage}")
    return carry_out(context, found, rest, who, width)


def obey(context: ProxyContext, line: str, who: str) -> Told:
    """Carry out the command *line* for *who* at another proxy of the cluster; return what is told.

    Only what is REACHABLE, and about this proxy alone.
    """
    try:
        words = shlex.split(line)
    except ValueError:
        return Told(False, ("a quote is not closed",))
    found, rest = _find(words)
    if found is None or found.name not in elsewhere.REACHABLE:
        return Told(False, (f"{' '.join(words)[:80]!a} is nothing that another proxy may ask for",))
    if not found.takes(len(rest)):
        return Told(False, (f"usage: {found.usage}",))
    answer = carry_out(context, found, rest, who, is_order=True)
    if not answer.is_good or answer.data is None:
        return Told(answer.is_good, tuple(map(clean, answer.lines)))
    # The lines of a table are made again by who asks, who knows how wide it may be.
    lines = answer.lines if isinstance(answer.lines, tuple) else ()
    return Told(True, tuple(map(clean, lines)), answer.document)


def carry_out(
    context: ProxyContext,
    found: Command,
    words: Sequence[str],
    who: str,
    width: int = 0,
    *,
    is_order: bool = False,
) -> Answer:
    """Carry out the command *found* with as many *words* as it takes; the rest as ``perform``.

    *is_order*: another proxy of the cluster asks.
    """
    if found.changes:
        log.info("control: %s: %s", who, shlex.join([*found.name.split(), *words]), extra=_CHANGE)
    return found.run(Request(context, tuple(words), who, width, is_order))


def _find(words: list[str]) -> tuple[Command | None, list[str]]:
    """Return the command that *words* name, and its arguments."""
    for count in (2, 1):
        found = COMMANDS.get(" ".join(words[:count]).lower())
        if found is not None and len(words) >= count:
            return found, words[count:]
    return None, []


def _unknown(words: Sequence[str]) -> Answer:
    """Refuse *words*, which name no command; name the one that they are like."""
    likely = question(" ".join(words[:2]), COMMANDS) or question(" ".join(words[:1]), COMMANDS)
    return refusal(f"{' '.join(words)!a} is no command{likely}; help lists them")


@command("help", "[COMMAND]", explanation="this list")
def _help(request: Request) -> Answer:
    shown = [
        each for name, each in COMMANDS.items()
        if not request.words or name.split()[0] == request.words[0].lower()
    ]  # fmt: skip
    if not shown:
        return _unknown(request.words)
    width = max(len(each.usage) for each in shown)
    data = [{"usage": each.usage, "help": each.help} for each in shown]
    lines = (f"{each.usage:{width}}  {each.help}" for each in shown)
    return Answer(tuple(lines), data=data)


#: Every command by its name, in the order in which help shows them.
COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        each.name: each
        for each in (
            _help,
            *clients.COMMANDS,
            *servers.COMMANDS,
            *commands.COMMANDS,
            *shows.COMMANDS,
        )
    }
)
