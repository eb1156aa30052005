# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that could leave the PBX: run a command, read or write a file.

A user who may originate calls could make Asterisk run any application, even ``System``,
so Asterisk demands the class ``system`` as well (action_originate in main/manager.c).
The rules here are stricter: Asterisk looks only at the application and data of an
Originate, and misses a function's name that is put together of parts
(``${SH${NOTHING}ELL(id)}``).  What each application and function can do is in
amiproxy/asterisk.

A false refusal is repaired by giving the user ``system``; a missed one is a shell on the
PBX.  So names are searched for anywhere in a value, in any case, with or without blanks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.asterisk import functions
from amiproxy.asterisk.applications import DANGEROUS_PARTS
from amiproxy.routing import dialplan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from amiproxy.asterisk.functions import Functions
    from amiproxy.message import Message

# Names that stand before a parenthesis in a caller's name as well, as in "Agent (sales)".
# To Asterisk no blank may be there.
_ENGLISH = frozenset({"agent", "message", "push", "replace"})


class _Calls(NamedTuple):
    """Functions to be found: by their whole name, and by a pattern."""

    names: frozenset[str]
    #: Families, and the English names.
    pattern: re.Pattern[str]

    def are_in(self, text: str) -> bool:
        """Return whether the plain *text* calls one of them."""
        if not self.names.isdisjoint(dialplan.called(text)):
            return True
        return self.pattern.search(text) is not None


def _calls(rows: Collection[Functions]) -> _Calls:
    """Return how calls of the functions of *rows* and of their families are found.

    Repetitions are bounded, or the time would grow with the square of a line's length.
    """
    families = [
        rf"{start}\w{{0,255}}\s*" for start, row in functions.FAMILIES.items() if row in rows
    ]
    names = {name for row in rows for name in row.names}
    words = sorted(names & _ENGLISH)
    pattern = rf"(?<!\w)_*(?:{'|'.join([*families, *words])})\("
    return _Calls(frozenset(names - _ENGLISH), re.compile(pattern))


_RESTRICTED = [row for row in functions.ROWS if row.needs_system]
_CALLS = _calls(_RESTRICTED)
# Who may write the dialplan may have a channel read the database, decode text or run
# dialplan at intervals: lines of extensions.conf do, and no answer is forged by it.
_IN_FILES = (functions.DATABASE, functions.DECODERS, functions.HOOKS)
_CALLS_IN_FILE = _calls([row for row in _RESTRICTED if row not in _IN_FILES])
_FILE_WRITERS = frozenset({"updateconfig", "createconfig"})

# A line of a file that runs a command itself.
_DIRECTIVE = re.compile(r"#\s*(?:try)?(?:exec|include)")
# What Asterisk searches for in an Originate's data, with or without parentheses.
_WORDS = re.compile(r"shell|eval|curl|odbc|realtime")
# A sound that Asterisk fetches from another machine (res_http_media_cache).
_FETCHED = re.compile(r"https?://")
# What keeps a comma from separating two arguments (AST_STANDARD_APP_ARGS).
_JOINS = re.compile(r"[\"\\(\[]")
# Variables and options that name a command to run (MONITOR_EXEC, MIXMONITOR_EXEC,
# CONFBRIDGE(bridge,record_command), the AGI script of a MeetMe) or a file to write.
_SETTINGS = re.compile(
    "monitor_(?:exec|filename)|record_(?:command|file)|meetme_(?:agi_background|recordingfile)"
)

# Headers that name a file, by action.
_FILES: Mapping[str, frozenset[str]] = {
    "changemonitor": frozenset({"file"}),
    "confbridgestartrecord": frozenset({"recordfile"}),
    "createconfig": frozenset({"filename"}),
    "getconfig": frozenset({"filename"}),
    "getconfigjson": frozenset({"filename"}),
    "listcategories": frozenset({"filename"}),
    "mixmonitor": frozenset({"file"}),
    "monitor": frozenset({"file"}),
    "pridebugfileset": frozenset({"file"}),
    "updateconfig": frozenset({"srcfilename", "dstfilename"}),
}
# A file outside its directory, or a name with characters special to a shell.
_OUTSIDE = re.compile(r"\A\s*/|\.\.|[`$;|&<>\"'\\(){}*?!]")

# Commands of AGI that reach files or the database.
_AGI_COMMANDS = (
    ("database",),
    ("record", "file"),
    ("send", "image"),
    ("speech", "load", "grammar"),
)


def escape(message: Message) -> str | None:
    """Return how the action *message* could leave the PBX, or None.

    The text is for the log: it holds nothing that a client wrote.
    """
    name = message.action
    files = _FILES.get(name, frozenset())
    special = _SPECIAL.get(name)
    for header, value in message.headers():
        key = header.strip().lower()
        if not dialplan.is_evaluated(name, key):
            continue
        if key in files and _OUTSIDE.search(value):
            return f"that file in {key}"
        text = dialplan.plain(value)
        if special is not None and special(key, text, message):
            return f"what this {name} would run"
        if not text.isalnum() and _evaluates(name, text):
            return "a function or variable that can run commands, reach files or forge answers"
    return None


def _originate_escapes(key: str, text: str, message: Message) -> bool:
    """Return whether this header of an Originate could leave the PBX."""
    if key == "application":
        return is_dangerous(text)
    if key == "data":
        applications = dialplan.plain(" ".join(message.all("Application")))
        joined = any(map(_JOINS.search, message.all("Data")))
        return bool(_WORDS.search(text) or _FETCHED.search(text)) or _data_escapes(
            applications, text, joined=joined
        )
    return False


def _agi_escapes(key: str, text: str, message: Message) -> bool:
    """Return whether this header of an AGI action could leave the PBX."""
    words = text.split()
    if key != "command":
        return False
    if any(tuple(words[: len(command)]) == command for command in _AGI_COMMANDS):
        return True
    if _FETCHED.search(text):
        return True
    if words[:1] != ["exec"]:
        return False
    application, data = "".join(words[1:2]), " ".join(words[2:])
    joined = any(map(_JOINS.search, message.all("Command")))
    return is_dangerous(application) or _data_escapes(application, data, joined=joined)


def _getvar_escapes(key: str, text: str, message: Message) -> bool:
    """Return whether this header of a Getvar asks of no channel what needs one."""
    if key != "variable" or message.get("Channel"):
        return False
    return not functions.NEED_CHANNEL.isdisjoint(dialplan.called(text))


def _update_escapes(key: str, text: str, _message: Message) -> bool:
    """Return whether this header of an UpdateConfig writes a line that could escape."""
    if not key.startswith(("value", "var", "cat")):
        return False
    names = set(dialplan.called(text))
    return any(map(is_dangerous, names)) or _DIRECTIVE.search(text) is not None


# By action: whether a header (name, value, both as plain text) of a message escapes.
_SPECIAL: Mapping[str, Callable[[str, str, Message], bool]] = {
    "agi": _agi_escapes,
    "getvar": _getvar_escapes,
    "originate": _originate_escapes,
    "updateconfig": _update_escapes,
}


def is_dangerous(application: str) -> bool:
    """Return whether the *application*, in lower case, could leave the PBX."""
    squeezed = "".join(application.split())
    return any(part in squeezed for part in DANGEROUS_PARTS)


def _evaluates(name: str, text: str) -> bool:
    """Return whether the plain *text* calls a function that could escape."""
    in_file = name in _FILE_WRITERS
    calls = _CALLS_IN_FILE if in_file else _CALLS
    if "(" in text and calls.are_in(text):
        return True
    if "_" in text and _SETTINGS.search(text):
        return True
    return dialplan.is_assembled(text) or (not in_file and dialplan.is_indirect(text))


def _data_escapes(application: str, data: str, *, joined: bool) -> bool:
    """Return whether *data* makes an *application* dangerous that is harmless without it.

    *joined*: Asterisk may keep together what is more than one argument here, so that its
    second argument is here the second or any later one.
    """
    arguments = [part.strip() for part in dialplan.arguments(data)] + [""] * 6
    if "queue" in application:
        return bool("".join(arguments[5:]) if joined else arguments[5])  # an AGI script
    options = "".join(arguments[1:]) if joined else arguments[1]
    if "meetme" in application:
        return bool(set(options) & set("br"))  # an AGI script, a recording
    if "spy" in application:
        return "r" in options  # a recording
    if "authenticate" in application:
        return "/" in arguments[0]  # a file of passwords
    if "disa" in application:
        return not (arguments[0].isdigit() or arguments[0] in ("", "no-password"))
    # A name that is put together when it runs: Set(${a}${b}=x).
    named = (argument.partition("=")[0] for argument in arguments)
    return "set" in application and any("$" in name for name in named)
