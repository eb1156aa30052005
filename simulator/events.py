# SPDX-License-Identifier: GPL-2.0-or-later
"""Events: their bytes, their class, and which sessions want them.

Pure.  Classes and their bits are those of ``perms[]`` in main/manager.c.
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CLASSES: Mapping[str, int] = MappingProxyType(
    {
        name: 1 << bit
        for bit, name in enumerate(
            (
                "system",
                "call",
                "log",
                "verbose",
                "command",
                "agent",
                "user",
                "config",
                "dtmf",
                "reporting",
                "cdr",
                "dialplan",
                "originate",
                "agi",
                "cc",
                "aoc",
                "test",
                "security",
                "message",
            )
        )
    }
)
_CRITERION = re.compile(r"(\w+)\(([^()]*)\)")
#: Mask bits: all classes.
ALL = (1 << 31) - 1
#: In place of class bits: passes every mask and filter.
ALWAYS = -1

# Events of other classes than call, as in the recordings.
_CLASS_OF: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            ("FullyBooted", "Shutdown", "Reload", "PeerStatus", "Registry", "ContactStatus"),
            "system",
        ),
        **dict.fromkeys(("VarSet", "Newexten"), "dialplan"),
        **dict.fromkeys(
            (
                "QueueMemberStatus",
                "QueueMemberAdded",
                "QueueMemberRemoved",
                "QueueMemberPause",
                "QueueMemberPenalty",
                "QueueCallerJoin",
                "QueueCallerLeave",
                "QueueCallerAbandon",
                "AgentCalled",
                "AgentConnect",
                "AgentComplete",
                "AgentRingNoAnswer",
                "AgentLogin",
                "AgentLogoff",
            ),
            "agent",
        ),
        **dict.fromkeys(("DTMFBegin", "DTMFEnd"), "dtmf"),
        **dict.fromkeys(("SuccessfulAuth", "InvalidPassword", "RequestBadFormat"), "security"),
        "UserEvent": "user",
        "Cdr": "cdr",
    }
)


def class_of(name: str) -> str:
    """Return the class of event *name*."""
    return _CLASS_OF.get(name, "call")


def write(lines: Iterable[str]) -> bytes:
    """Return *lines* as one message on the wire."""
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def event(name: str, headers: Mapping[str, Any], privilege: str = "") -> bytes:
    """Return event *name* with *headers*, in order; a list value repeats its header."""
    lines = [f"Event: {name}", f"Privilege: {privilege or class_of(name) + ',all'}"]
    for key, value in headers.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        lines.extend(f"{key}: {one}" for one in values)
    return write(lines)


def category(message: bytes) -> int:
    """Return the bits of the classes in the ``Privilege`` header of *message*."""
    start = message.find(b"\r\nPrivilege: ")
    if start < 0:
        return 0
    words = message[start + 13 : message.index(b"\r\n", start + 2)].decode("latin-1").split(",")
    return sum(CLASSES.get(word, 0) for word in words)


def mask_of(text: str) -> int:
    """Return the bits that *text*, an event mask, stands for.

    ``on``, ``off``, a number or a list of classes; unknown words are ignored.
    """
    text = text.strip()
    if text.lower() in ("on", "yes", "true", "all", "y", "t"):
        return ALL
    if text.isascii() and text.isdigit():
        return int(text) & ALL
    words = [word.strip().lower() for word in text.split(",")]
    if "all" in words:
        return ALL
    mask = 0
    for word in words:
        mask |= CLASSES.get(word, 0)
    return mask


def criteria(text: str, wanted: str) -> str:
    """Return the pattern for the MatchCriteria *text* of Action: Filter.

    That is ``action(exclude),name(X),header(Y),method(exact)`` or a part of it.  The
    pattern looks for *wanted* in the header.  Return ``""`` if *text* is malformed.
    """
    parts = dict(_CRITERION.findall(text))
    if _CRITERION.sub("", text).strip(", ") or set(parts) - {"action", "name", "header", "method"}:
        return ""
    value = re.escape(wanted)
    value = {"exact": f"{value}\\r", "starts_with": value, "ends_with": f"[^\\r]*{value}\\r"}.get(
        parts.get("method", ""), f"[^\\r]*{value}" if wanted else ""
    )
    name = f"Event: {re.escape(parts['name'])}\\r\\n(?s:.*)" if "name" in parts else "(?s:.*)"
    header = f"{re.escape(parts['header'])}: " if "header" in parts else ""
    return ("!" if parts.get("action") == "exclude" else "") + name + header + value


class Filters:
    """The event filters of one session: one include has to match, no exclude may."""

    def __init__(self) -> None:
        self._includes: list[re.Pattern[bytes]] = []
        self._excludes: list[re.Pattern[bytes]] = []

    def add(self, text: str) -> bool:
        """Add a filter, an exclude if it begins with ``!``; return whether it compiles."""
        exclude = text.startswith("!")
        try:
            pattern = re.compile(text[exclude:].encode("latin-1", "replace"))
        except re.error:
            return False
        (self._excludes if exclude else self._includes).append(pattern)
        return True

    def passes(self, message: bytes) -> bool:
        """Return whether *message* may be sent."""
        if any(pattern.search(message) for pattern in self._excludes):
            return False
        if not self._includes:
            return True
        return any(pattern.search(message) for pattern in self._includes)
