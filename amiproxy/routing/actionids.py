# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionIDs of autofilter ``unique``: prefixed on the way up, restored on the way down.

Upstream every action of a client in ``unique`` mode carries
``amp<session number>-<its own ActionID>`` (spec section 7).  If the client gave
none, or one that is too long for Asterisk's buffers with the prefix (spec 12.11,
12.18), or one that must not come twice, the part after the prefix is the proxy's
own: it begins with ``!``.
"""

from __future__ import annotations

import itertools
import re
import threading

from amiproxy.basics.bounded import BoundedDict
from amiproxy.message import Message

#: Bytes of an ActionID with the prefix.  Asterisk keeps longer ones in buffers that
#: are too small for them (ConfbridgeList, asterisk.md).
MAX_WIRE_ID = 67

#: How many exchanged long ActionIDs are remembered.  The oldest are forgotten first:
#: by then their actions are answered, or never will be.
MAX_EXCHANGED = 65536

#: How the header is nearly always written.
_USUAL = b"\r\nActionID: "
# A bare CR is data.
_HEADER = re.compile(rb"(^|\r\n)([Aa][Cc][Tt][Ii][Oo][Nn][Ii][Dd]):( *)([^\n]*?)\r\n")


class ActionIds:
    """Make wire ActionIDs and read them back.  Safe from any thread."""

    def __init__(self, most_exchanged: int = MAX_EXCHANGED) -> None:
        # Guards _long's insertions and evictions; held for dict operations
        # only.  Lookups go without it: one dict.get is atomic.
        self._lock = threading.Lock()
        self._long: BoundedDict[str, str] = BoundedDict(most_exchanged)
        self._count = itertools.count(1)

    def wire_id(self, number: int, client_id: str | None, *, fresh: bool = False) -> str:
        """Return what goes upstream for *client_id* of session *number*.

        With *fresh* it differs each time, even for the same *client_id*.
        """
        if client_id is None:
            return self.anonymous(number)
        if fresh:
            wire = f"amp{number}-!f{next(self._count)}-{client_id}"
        else:
            wire = f"amp{number}-{client_id}"
        if len(wire) <= MAX_WIRE_ID and (fresh or not client_id.startswith("!")):
            return wire
        wire = f"amp{number}-!l{next(self._count)}"
        with self._lock:
            self._long[wire] = client_id
        return wire

    def anonymous(self, number: int) -> str:
        """Return a wire ActionID for an action whose client gave none."""
        return f"amp{number}-!n{next(self._count)}"

    def is_ours(self, wire_id: str) -> bool:
        """Return whether *wire_id* reads as one of the proxy's own."""
        return _read(wire_id)[0] >= 0

    def owner(self, wire_id: str) -> int:
        """Return the number of the session that *wire_id* belongs to, 0 if none."""
        return max(0, _read(wire_id)[0])

    def client_id(self, wire_id: str) -> str | None:
        """Return what the client had given, None if it had given nothing.

        An ActionID that is not the proxy's own is returned as it is.
        """
        number, given = _read(wire_id)
        if number < 0:
            return wire_id
        if not given.startswith("!"):
            return given
        if given.startswith("!f"):
            return given.partition("-")[2]
        return self._long.get(wire_id, given) if given.startswith("!l") else None


def _read(wire_id: str) -> tuple[int, str]:
    """Split *wire_id*: the session's number, -1 if it is not the proxy's own, and the rest."""
    if wire_id.startswith("amp"):
        number, dash, given = wire_id[3:].partition("-")
        if dash and len(number) <= 18 and number.isdecimal() and number.isascii():
            return int(number), given
    return -1, ""


def with_action_id(message: Message, action_id: str | None) -> Message:
    """Return *message* with its ActionID replaced, or removed if *action_id* is None.

    The header keeps its place, its name's case and its blanks.
    """
    raw = message.raw
    at = raw.find(_USUAL)
    if at >= 0 and b"actionid" not in raw[:at].lower():
        # As Asterisk and most clients write it, and nothing before it looks alike.
        end = raw.index(b"\r\n", at + 2)
        if action_id is None:
            return Message(raw[:at] + raw[end:], own=message.own)
        changed = raw[: at + len(_USUAL)] + action_id.encode("latin-1", "replace") + raw[end:]
        return Message(changed, own=message.own)

    def put(found: re.Match[bytes]) -> bytes:
        start, name, blanks = found.group(1), found.group(2), found.group(3)
        if action_id is None:
            # Remove the line with its end; the line before it keeps its own.
            return start
        return start + name + b":" + blanks + action_id.encode("latin-1", "replace") + b"\r\n"

    return Message(_HEADER.sub(put, message.raw, count=1), own=message.own)
