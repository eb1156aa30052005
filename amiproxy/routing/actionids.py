# SPDX-License-Identifier: GPL-2.0-or-later
"""ActionIDs: every action goes upstream with one of ours, which nobody can guess.

Upstream an action carries ``amp<session number>-<mark><token>-<what its client gave>``
(spec section 7, 12.25).  The mark tells this process from any other, the token tells
this action from any other; both are random.  What the client gave is left out if the
whole would be too long for Asterisk's buffers (12.18), or if it gave nothing (12.11).
"""

from __future__ import annotations

import base64
import os
import re
from collections import deque

#: Bytes of an ActionID with the prefix.  Asterisk keeps longer ones in buffers that
#: are too small for them (ConfbridgeList, asterisk.md).
MAX_WIRE_ID = 67

_MARK = 6  # characters: 36 random bits
_TOKEN = 12  # characters: 72 random bits
_BITS = 6  # of one character
#: Characters, with the dash, that tell one action from any other.
KEY_LENGTH = 1 + _MARK + _TOKEN
_MOST_OTHERS = 255  # proxies of which one's marks are known, but for the last one
_STOCK = 256  # tokens that are made at a time: a system call for each would cost more

#: How the header is nearly always written.
_USUAL = b"\r\nActionID: "
_MADE = re.compile(rf"amp([0-9]{{1,18}})-[A-Za-z0-9._]{{{_MARK + _TOKEN}}}(?:-.*)?", re.DOTALL)
_OURS = re.compile(r"amp[0-9]+-")
# A bare CR is data.
_HEADER = re.compile(rb"(^|\r\n)([Aa][Cc][Tt][Ii][Oo][Nn][Ii][Dd]):( *)([^\n]*?)\r\n")


class ActionIds:
    """Makes wire ActionIDs and reads them back.  Safe from any thread, without a lock."""

    def __init__(self) -> None:
        self._mark = _random_text(_MARK)
        # Several threads may take from it and add to it at once: each step is atomic.
        self._tokens: deque[str] = deque()
        # Of proxies whose actions go to servers of this one.  Replaced whole.
        self._others: tuple[str, ...] = ()

    def make(self, number: int, given: str | None) -> str:
        """Return a new wire ActionID for an action of session *number*.

        *given* is the client's own, None if it gave none; it is in the result if there
        is room for it.
        """
        try:
            token = self._tokens.pop()
        except IndexError:
            token = self._new_token()
        if given is not None:
            wire = f"amp{number}-{self._mark}{token}-{given}"
            if len(wire) <= MAX_WIRE_ID:
                return wire
        return f"amp{number}-{self._mark}{token}"

    def key(self, wire_id: str) -> str | None:
        """Return the part of *wire_id* that no other action has; None if it is not ours.

        Ours are those that this process can have made, or a proxy that it knows.  What follows
        the part need not be as it was sent: Asterisk may have cut it.
        """
        at = wire_id.find("-") + 1
        if at and wire_id.startswith(self._mark, at) and wire_id.startswith("amp"):
            return wire_id[: at - 1 + KEY_LENGTH]
        if self._others and self.is_like_ours(wire_id) and wire_id[at : at + _MARK] in self._others:
            return wire_id[: at - 1 + KEY_LENGTH]
        return None

    def asker(self, wire_id: str) -> int:
        """Return the number of the session for which a proxy has made *wire_id*.

        0: it is a proxy's own; -1: no proxy makes such an ActionID.
        """
        found = _MADE.fullmatch(wire_id) if len(wire_id) <= MAX_WIRE_ID else None
        return -1 if found is None else int(found.group(1))

    def admit(self, wire_id: str) -> None:
        """Take *wire_id*, which another proxy has made, and all that it makes, for ours."""
        at = wire_id.index("-") + 1
        mark = wire_id[at : at + _MARK]
        if mark != self._mark and mark not in self._others:
            self._others = (*self._others[-_MOST_OTHERS:], mark)

    def is_made_here(self, wire_id: bytes) -> bool:
        """Return whether this process can have made *wire_id*, which nobody can guess."""
        return self.key(wire_id.decode("latin-1")) is not None

    def is_like_ours(self, wire_id: str) -> bool:
        """Return whether *wire_id* reads as one of ours, or of another proxy's."""
        return _OURS.match(wire_id) is not None

    def owner(self, key: str) -> int:
        """Return the number of the session in *key*, which ``key`` has returned; 0 if none."""
        number = key[3 : key.index("-")]
        return int(number) if number.isascii() and number.isdecimal() and len(number) < 19 else 0

    def given(self, wire_id: str) -> str | None:
        """Return what the client gave, as far as *wire_id*, one of ours, has it."""
        rest = wire_id[wire_id.index("-") + KEY_LENGTH :]
        return rest[1:] if rest.startswith("-") else None

    def _new_token(self) -> str:
        """Return a token and put more in stock."""
        text = _random_text(_TOKEN * _STOCK)
        self._tokens.extend(text[at : at + _TOKEN] for at in range(_TOKEN, len(text), _TOKEN))
        return text[:_TOKEN]


def _random_text(length: int) -> str:
    """Return *length* random characters that may stand in an ActionID."""
    data = os.urandom(length * _BITS // 8 + 1)
    return base64.b64encode(data, b"._")[:length].decode()


def exchanged(raw: bytes, action_id: str | None) -> bytes:
    """Return *raw*, a message, with its ActionID replaced, or removed if *action_id* is None.

    The header keeps its place, its name's case and its blanks.
    """
    at = raw.find(_USUAL)
    if at >= 0 and b"actionid" not in raw[:at].lower():
        # As Asterisk and most clients write it, and nothing before it looks alike.
        end = raw.index(b"\r\n", at + 2)
        if action_id is None:
            return raw[:at] + raw[end:]
        return raw[: at + len(_USUAL)] + action_id.encode("latin-1", "replace") + raw[end:]

    def put(found: re.Match[bytes]) -> bytes:
        start, name, blanks = found.group(1), found.group(2), found.group(3)
        if action_id is None:
            # Remove the line with its end; the line before it keeps its own.
            return start
        return start + name + b":" + blanks + action_id.encode("latin-1", "replace") + b"\r\n"

    return _HEADER.sub(put, raw, count=1)
