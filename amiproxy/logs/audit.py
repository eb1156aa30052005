# SPDX-License-Identifier: GPL-2.0-or-later
"""The audit: which actions change something, and what its line says of one.

It says on what an action acts, by headers that are known to hold no secret: values of variables,
texts and what stands in a database are left out, and so are passwords in dial strings.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from amiproxy.asterisk.actions import REACH, READS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message

#: The first word of each line.
AUDIT = "audit: "

_KEYS = """
account agent aor application bridgeuniqueid channel channel1 channel2 command conference context
destination device dstfilename endpoint exten extension extracontext extraexten extrachannel family
file filename from interface key level line loadtype mailbox meetme member membername module
newcategory object parkinglot paused peer penalty port priority queue registration server session
srcfilename target to tomailbox uniqueid uri userevent username usernum variable
"""
#: Headers that say on what an action acts, in lower case.
KEYS = frozenset(_KEYS.split())
#: As KEYS, of UpdateConfig: what is done to which category and variable.
_NUMBERED = re.compile(r"(action|cat|var)-\d{1,6}")

#: Actions that only read, though what they reach depends on their headers.
_READS = frozenset(("getvar",))

#: Actions whose Variable is a name; in others a value stands behind it.
_NAMES_ONE = frozenset(("getvar", "setvar"))

_MOST_HEADERS = 12
_LONGEST = 120  # characters of a value
_WORDS = 4  # of a command: what comes later may be any value

#: A password in a dial string, ``SIP/user:password@host``, but not what follows the scheme of a
#: URI, ``sip:101@host``.  There may be an @ in it: all of them count up to what ends a host.
_PASSWORD = re.compile(
    r"(?<!\bsip)(?<!\bsips)(?<!\bpjsip)(?<!\bxmpp):[^@\s]*@(?:[^@\s/&,;<>]*@)*", re.IGNORECASE
)

#: A value that needs no quotes.
_BARE = re.compile(r"[\w.:/@*#+$<>,;-]+", re.ASCII)


def is_change(message: Message) -> bool:
    """Return whether an action may change something in Asterisk.

    What no table knows may; a variable that is a function may be one that does (SHELL); a command
    ``... show`` does not.
    """
    name = message.action
    if name == "command":
        return "show" not in message.get("Command").lower().split(" ")[:2]
    if name in _READS:
        return "(" in message.get("Variable")
    reach = REACH.get(name)
    return reach is None or reach.kind != READS


def key_headers(message: Message) -> dict[str, str]:
    """Return the headers of *message* that say on what it acts, by name in lower case.

    Of several of one name the first counts, as in Asterisk.
    """
    found = {
        name: _shown(name, value)
        for name, value in message.values.items()
        if name in KEYS or _NUMBERED.fullmatch(name)
    }
    if message.action not in _NAMES_ONE and "=" not in message.get("Variable"):
        found.pop("variable", None)  # not a name, but who knows what
    return dict(list(found.items())[:_MOST_HEADERS])


def _shown(name: str, value: str) -> str:
    """Return what may be shown of *value*."""
    if name == "variable" or name.startswith("var-"):
        value = value.partition("=")[0]
    elif name == "command":
        words = value.split()
        value = " ".join(words[:_WORDS]) + (" ..." if len(words) > _WORDS else "")
    return _PASSWORD.sub(":...@", value)[:_LONGEST]


def result_of(answer: Message | None) -> str:
    """Return how an action ended by its *answer*, None: none came; one line."""
    if answer is None:
        return "no answer"
    result = answer.get("Response") or answer.get("ProxyResponse") or "Success"
    text = answer.get("Message")
    return (f"{result}: {text}" if result.lower() in ("error", "failure") and text else result)[
        :_LONGEST
    ]


def line(fields: Mapping[str, str | int]) -> str:
    """Return the text of a line that says *fields*."""
    return AUDIT + " ".join(f"{name}={_quoted(str(value))}" for name, value in fields.items())


def _quoted(value: str) -> str:
    return value if _BARE.fullmatch(value) else json.dumps(value)
