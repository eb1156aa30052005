# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that could leave the PBX: run a command, read or write a file.

A user who may originate calls could make Asterisk run any application, even ``System``,
so Asterisk demands the class ``system`` as well (action_originate in main/manager.c).
The rules here are stricter: Asterisk looks only at the application and data of an
Originate, and misses a function's name that is put together of parts
(``${SH${NOTHING}ELL(id)}``).

A false refusal is repaired by giving the user ``system``; a missed one is a shell on the
PBX.  So names are searched for anywhere in a value, in any case, with or without blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from amiproxy.message import Message

# Parts of applications' names, in lower case.  As in Asterisk a part is enough:
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
# Those with \w are families: each func_odbc entry is a function of its own.  Repetitions
# are bounded, or the time would grow with the square of a line's length.
_FUNCTIONS = (
    r"ast_config|ast_sorcery|curl(?:opt)?|db_delete|env|eval|file\w{0,255}|lock|odbc\w{0,255}|realtime\w{0,255}"
    r"|shell|stat|trylock"
)
# Where text becomes dialplan, as in an Originate, Asterisk forbids these as well.
_DIALPLAN_FUNCTIONS = _FUNCTIONS + r"|db\w{0,255}"
_CALL = re.compile(rf"(?<![a-z0-9])(?:{_FUNCTIONS})\s*\(")
_DIALPLAN_CALL = re.compile(rf"(?<![a-z0-9])(?:{_DIALPLAN_FUNCTIONS})\s*\(")
# A name that Asterisk puts together only when it evaluates it: ``${SH${X}ELL(``.
_ASSEMBLED = re.compile(r"\$\{[^(}$]*\$[{\[]")
# A line that UpdateConfig writes into the dialplan, or that runs a command itself.
_DIALPLAN_LINE = re.compile(
    rf"(?:{'|'.join(APPLICATIONS)})\w{{0,255}}\s*\(|#\s*(?:try)?(?:exec|include)"
)
# What Asterisk searches for in an Originate's data, with or without parentheses.
_WORDS = re.compile(r"shell|eval")
# Variables and options that name a command to run when a recording ends: MONITOR_EXEC,
# MIXMONITOR_EXEC, CONFBRIDGE(bridge,record_command).
_COMMAND_SETTINGS = ("monitor_exec", "record_command")

# Headers that hold text for people and are never evaluated.
_FREE_TEXT = frozenset({"actionid", "body", "base64body", "message", "server", "proxykey"})
# Actions all of whose headers are such text.
_TEXT_ACTIONS = frozenset({"userevent", "queuelog", "sendtext", "pjsipnotify", "command"})
# Actions whose headers reach the dialplan.
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
# A file outside its directory, or a name with characters special to a shell.
_OUTSIDE = re.compile(r"\A\s*/|\.\.|[`$;|&<>\"'\\(){}*?!]")


def escape(name: str, message: Message) -> str | None:
    """Return how *message*, the action *name* in lower case, could leave the PBX, or None.

    The text is for the log: it holds nothing that a client wrote.
    """
    if name in _TEXT_ACTIONS:
        return None
    files = _FILES.get(name, frozenset())
    for header, value in message.headers():
        key = header.strip().lower()
        if key in _FREE_TEXT:
            continue
        if key in files and _OUTSIDE.search(value):
            return f"that file in {key}"
        text = _as_read(name, value.lower())
        special = _SPECIAL.get(name)
        if special is not None and special(key, text, message):
            return f"what this {name} would run"
        if _evaluates(name, text):
            return "a function or variable that can run commands or reach files"
    return None


def _as_read(name: str, text: str) -> str:
    r"""Return *text* as Asterisk's action *name* reads it.

    AGI removes quotes and backslashes from its words, so ``EXEC "Sys\tem" id`` runs
    System and ``GET VARIABLE SH\ELL(id)`` a shell.
    """
    return text.replace('"', "").replace("\\", "") if name == "agi" else text


def _originate_escapes(key: str, text: str, message: Message) -> bool:
    """Return whether this header of an Originate could leave the PBX."""
    if key == "application":
        return _is_dangerous(text)
    if key == "data":
        application = " ".join(message.all("Application")).lower()
        return bool(_WORDS.search(text)) or _runs_script(application, text)
    return False


def _agi_escapes(key: str, text: str, _message: Message) -> bool:
    """Return whether this header of an AGI action executes a dangerous application."""
    words = text.split()
    if key != "command" or words[:1] != ["exec"]:
        return False
    application = "".join(words[1:2])
    return _is_dangerous(application) or _runs_script(application, text)


def _update_escapes(key: str, text: str, _message: Message) -> bool:
    """Return whether this header of an UpdateConfig writes a line that could escape."""
    return key.startswith(("value", "var", "cat")) and _DIALPLAN_LINE.search(text) is not None


# By action: whether a header (name, value, both in lower case) of a message escapes.
_SPECIAL: Mapping[str, Callable[[str, str, Message], bool]] = {
    "agi": _agi_escapes,
    "originate": _originate_escapes,
    "updateconfig": _update_escapes,
}


def _is_dangerous(application: str) -> bool:
    """Return whether the *application*, in lower case, could leave the PBX."""
    squeezed = "".join(application.split())
    return any(part in squeezed for part in APPLICATIONS)


def _evaluates(name: str, text: str) -> bool:
    """Return whether *text*, in lower case, calls a function that could escape."""
    call = _DIALPLAN_CALL if name in _DIALPLAN_ACTIONS else _CALL
    if "(" in text and call.search(text):
        return True
    if any(setting in text for setting in _COMMAND_SETTINGS):
        return True
    return "${" in text and _ASSEMBLED.search(text) is not None


def _runs_script(application: str, data: str) -> bool:
    """Return whether this is Queue with its sixth argument, an AGI script."""
    if "queue" not in application:
        return False
    arguments = data.replace("|", ",").split(",")
    return len(arguments) > 5 and bool(arguments[5].strip(' "'))
