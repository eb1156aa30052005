# SPDX-License-Identifier: GPL-2.0-or-later
"""What an action has Asterisk run, and whether it stays within a user's bounds.

Each function returns why not, for the log, or None.  What is not known to act on the
channel alone is refused: the user's dialplan can do it for them instead.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.asterisk import applications, functions
from amiproxy.routing import dialplan

if TYPE_CHECKING:
    from amiproxy.routing.bounds import Bounds

_READABLE = frozenset(name for row in functions.ROWS if row.filtered_may_read for name in row.names)
_WRITABLE = frozenset(
    name for row in functions.ROWS if row.filtered_may_write for name in row.names
)
_RESTRICTED = frozenset(name for row in functions.ROWS if row.needs_system for name in row.names)
_CHANNEL_ITEM = re.compile(r"channel[ \t]*\(([^)]*)")
_NOT_A_SOUND = re.compile(r"(?:\A|&|\s)/|\.\.|://")

# Asterisk reads so many of one header; what is behind them it takes for the last one's value.
_MOST_VARIABLES = 64


def reading_problem(text: str, *, privileged: bool) -> str | None:
    """Return why a user may not read the variable or expression *text*.

    *privileged*: the user has the class ``system``, and may what could leave the PBX.
    """
    read = dialplan.plain(text)
    if dialplan.is_assembled(read) or dialplan.is_indirect(read):
        return "a function whose name is put together"
    further = set(dialplan.called(read)) - _READABLE
    if further and not (privileged and all(map(_is_restricted, further))):
        return "a function that reaches more than the channel"
    return None


def _is_restricted(name: str) -> bool:
    """Return whether the function *name* needs the class ``system``."""
    return name in _RESTRICTED or name.startswith(tuple(functions.FAMILIES))


def embedded_problem(text: str, *, privileged: bool) -> str | None:
    """Return why a user may not send *text*, whose ``${...}`` Asterisk may evaluate."""
    begin = text.find("${")
    return None if begin < 0 else reading_problem(text[begin:], privileged=privileged)


def setting_problem(text: str, bounds: Bounds, *, privileged: bool) -> str | None:
    """Return why a user may not set the variables of *text*: ``name=value,...``."""
    written = dialplan.plain(text)
    if "(" not in written and "$" not in written and bounds.has_variable(written):
        return None
    parts = dialplan.arguments(written)
    if len(parts) > _MOST_VARIABLES:
        return "more variables than Asterisk reads"
    for part in parts:
        name, _, value = part.partition("=")
        if "$" in name:
            return "a variable whose name is put together"
        if not bounds.has_variable(name):
            return "a variable by which a call goes on in another context"
        problem = _writing_problem(name, privileged=privileged)
        problem = problem or embedded_problem(value, privileged=privileged)
        if problem:
            return problem
    return None


def _writing_problem(name: str, *, privileged: bool) -> str | None:
    """Return why a user may not write the variable or function *name*, in plain text."""
    outer, *inner = dialplan.called(name) or [""]
    if not outer:
        return None
    if privileged and _is_restricted(outer):
        return None
    if outer not in _WRITABLE or not _READABLE.issuperset(inner):
        return "a function that writes more than the channel"
    for item in _CHANNEL_ITEM.findall(name):
        if item.strip() not in functions.CHANNEL_ITEMS:
            return "what of the channel decides where a call goes on, or who may pick it up"
    return None


def application_problem(name: str, data: str, bounds: Bounds, *, privileged: bool) -> str | None:
    """Return why a user may not have the application *name* run with *data*."""
    squeezed = "".join(name.lower().split())
    row = applications.ROW_OF.get(squeezed)
    if row is None:
        return "an application that is not known to act on the channel alone"
    if privileged and row.needs_system:
        return None
    if row is applications.SOUNDS and _NOT_A_SOUND.search(dialplan.plain(data)):
        return "a sound that is not one of Asterisk's"
    if row is applications.DIAL:
        return _dial_problem(data, bounds)
    if row is applications.DTMF:
        # Asterisk's fourth argument: a comma in quotes separates here, but not there.
        channels = filter(None, map(str.strip, dialplan.arguments(data)[3:]))
        return None if all(map(bounds.has_channel, channels)) else "another's channel"
    return row.why or embedded_problem(data, privileged=privileged)


def _dial_problem(data: str, bounds: Bounds) -> str | None:
    """Return why a user may not have Dial run with *data*: ``destinations,timeout,options``."""
    destinations, *rest = dialplan.arguments(data)
    if "$" in data or not all(bounds.may_dial(each.strip()) for each in destinations.split("&")):
        return "Dial to what is not the user's own"
    if len(rest) > 2 or not applications.DIAL_OPTIONS.issuperset("".join(rest[1:]).strip()):
        return "Dial with options that could go on elsewhere"
    return None


def agi_problem(command: str, bounds: Bounds, *, privileged: bool) -> str | None:
    """Return why a user may not send the AGI *command*."""
    verb, rest = agi_verb(dialplan.plain(command).split())
    text = " ".join(rest)
    if verb == "exec" and rest:
        return application_problem(rest[0], " ".join(rest[1:]), bounds, privileged=privileged)
    if verb == "get variable" or (verb == "get full variable" and len(rest) < 2):
        return reading_problem(text, privileged=privileged)
    if verb == "set variable" and rest:
        return setting_problem(rest[0], bounds, privileged=privileged)
    own = (
        verb in applications.AGI_OWN
        or (verb in applications.AGI_SOUNDS and not _NOT_A_SOUND.search(text))
        or (verb in applications.AGI_CHANNELS and (not rest or bounds.has_channel(text)))
        or (verb in applications.AGI_CONTEXTS and _is_own(verb, command, bounds))
    )
    return None if own else "an AGI command that reaches more than the channel"


def agi_verb(words: list[str]) -> tuple[str, list[str]]:
    """Return the command of AGI that *words* begin with, and what stands behind it."""
    for length in (3, 2, 1):
        verb = " ".join(words[:length])
        if verb in _VERBS:
            return verb, words[length:]
    return "", words


_VERBS = (
    applications.AGI_OWN
    | applications.AGI_SOUNDS
    | applications.AGI_CHANNELS
    | applications.AGI_CONTEXTS
    | {"exec", "get variable", "get full variable", "set variable"}
)


def _is_own(verb: str, command: str, bounds: Bounds) -> bool:
    """Return whether ``SET CONTEXT x`` or ``GOSUB x ...`` names the user's context."""
    count = len(verb.split())
    return not bounds.context or command.split()[count : count + 1] == [bounds.context]
