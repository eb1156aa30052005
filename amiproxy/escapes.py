# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that could leave the PBX: run a command, read or write a file.

Who may originate a call could make Asterisk run any application, ``System`` too, so
Asterisk asks for the class ``system`` besides (action_originate in main/manager.c).
The rules here hold more: Asterisk looks at the Originate's application and data only,
and a function's name put together of parts (``${SH${NOTHING}ELL(id)}``) slips through.

A refusal too many is repaired by giving the user ``system``; one too few is a shell
on the PBX.  So names are looked for anywhere in a value, in any case, with or
without blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .message import Message

# Parts of names of applications, in lower case.  As in Asterisk a part is enough:
# "exec" stands for Exec, TryExec, ExecIf, ExecIfTime; "agi" for EAGI and FastAGI.
APPLICATIONS = (
    "agi",
    "dahdiras",
    "dbdel",  # DBdel, DBdeltree
    "exec",
    "externalivr",
    "ices",
    "minivm",  # runs a shell command for each message
    "monitor",  # MixMonitor and Monitor run a command when they end
    "originate",  # an application inside an application
    "readfile",
    "reload",
    "system",  # TrySystem as well
    "zapras",
)

# Functions that reach files, processes, the network or the whole configuration.
# Those with \w* are families: each func_odbc entry is a function of its own.
_FUNCTIONS = (
    r"curl(?:opt)?|db_delete|dialplan_?\w*|env|eval|file\w*|lock|odbc\w*|realtime_\w+"
    r"|shell|stat|trylock|ast_config|sysinfo|jack_hook"
)
# Where text becomes dialplan, as in an Originate, Asterisk forbids these too.
_DIALPLAN_FUNCTIONS = _FUNCTIONS + r"|db\w*|realtime\w*"
_CALL = re.compile(rf"(?<![a-z0-9])(?:{_FUNCTIONS})\s*\(")
_DIALPLAN_CALL = re.compile(rf"(?<![a-z0-9])(?:{_DIALPLAN_FUNCTIONS})\s*\(")
# A name that is put together when it is too late to look at it: ``${SH${X}ELL(``.
_ASSEMBLED = re.compile(r"\$\{[^(}$]*\$[{\[]")
# What Asterisk looks for in an Originate's data, with or without parentheses.
_WORDS = re.compile(r"shell|eval")
# Channel variables that name a command to run when a recording ends.
_COMMAND_VARIABLE = "monitor_exec"  # MONITOR_EXEC, MONITOR_EXEC_ARGS, MIXMONITOR_EXEC

# Headers that are text for people, and are never evaluated.
_FREE_TEXT = frozenset({"actionid", "body", "base64body", "message", "server", "proxykey"})
# Actions all of whose headers are such text.
_TEXT_ACTIONS = frozenset({"userevent", "queuelog", "sendtext", "pjsipnotify", "command"})
# Actions that hand what they are given to the dialplan.
_DIALPLAN_ACTIONS = frozenset({"originate", "redirect", "atxfer", "blindtransfer", "agi", "bridge"})

# Headers that name a file, by action.
_FILES: Mapping[str, frozenset[str]] = {
    "changemonitor": frozenset({"file"}),
    "createconfig": frozenset({"filename"}),
    "getconfig": frozenset({"filename"}),
    "getconfigjson": frozenset({"filename"}),
    "listcategories": frozenset({"filename"}),
    "monitor": frozenset({"file"}),
    "updateconfig": frozenset({"srcfilename", "dstfilename"}),
}
# A file outside its directory, or a name that a shell would read otherwise.
_OUTSIDE = re.compile(r"\A\s*/|\.\.|[`$;|&<>\"'\\(){}*?!]")


def escape(name: str, message: Message) -> str | None:
    """Say how the action *name* (in lower case) could leave the PBX, or return None.

    The text is for the log: it names the header, and not what stands in it.
    """
    if name in _TEXT_ACTIONS:
        return None
    files = _FILES.get(name, frozenset())
    for header, value in message.headers():
        key = header.strip().lower()
        if key in _FREE_TEXT:
            continue
        text = value.lower()
        if name == "originate" and key == "application" and _is_dangerous(text):
            return "that application"
        if name == "originate" and key == "data":
            if _WORDS.search(text):
                return "a function in Data"
            if _has_queue_script(message):
                return "an AGI script in Data"
        if name == "agi" and key == "command" and _agi_escapes(text):
            return "that application"
        if key in files and _OUTSIDE.search(value):
            return f"that file in {key}"
        if _evaluates(name, text):
            return "a function or variable that can run commands or reach files"
    return None


def _is_dangerous(application: str) -> bool:
    """Tell whether the *application*, in lower case, could leave the PBX."""
    squeezed = "".join(application.split())
    return any(part in squeezed for part in APPLICATIONS)


def _evaluates(name: str, text: str) -> bool:
    """Tell whether *text*, in lower case, calls a function that could escape."""
    call = _DIALPLAN_CALL if name in _DIALPLAN_ACTIONS else _CALL
    if "(" in text and call.search(text):
        return True
    if _COMMAND_VARIABLE in text:
        return True
    return "${" in text and _ASSEMBLED.search(text) is not None


def _has_queue_script(message: Message) -> bool:
    """Tell whether the application is Queue with its sixth argument, an AGI script."""
    if "queue" not in message.get("Application").lower():
        return False
    arguments = message.get("Data").replace("|", ",").split(",")
    return len(arguments) > 5 and bool(arguments[5].strip())


def _agi_escapes(command: str) -> bool:
    r"""Tell whether the AGI *command*, in lower case, executes a dangerous application.

    AGI takes quotes and backslashes out of its words, so ``EXEC "Sys\tem" id`` is one.
    """
    words = command.replace('"', "").replace("\\", "").split()
    return words[:1] == ["exec"] and any(_is_dangerous(word) for word in words[1:3])
