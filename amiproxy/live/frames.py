# SPDX-License-Identifier: GPL-2.0-or-later
"""Frames of a WebSocket, as a server sends them (RFC 6455, section 5.2): whole, and not masked.

So the same bytes do for every client.
"""

from __future__ import annotations

import struct

_FINAL = 0x80
_TEXT, _CLOSE, _PING = _FINAL | 1, _FINAL | 8, _FINAL | 9

#: Bytes of a reason for a close, at the most.
_LONGEST_REASON = 123


def text(payload: bytes) -> bytes:
    """Return a text frame; *payload* is UTF-8."""
    return _frame(_TEXT, payload)


def close(code: int, reason: str = "") -> bytes:
    """Return a close frame; a *reason* that is too long is cut."""
    told = reason.encode()[:_LONGEST_REASON].decode(errors="ignore").encode()
    return _frame(_CLOSE, struct.pack("!H", code) + told)


#: Asks a client whether it is there.
PING = bytes((_PING, 0))


def _frame(kind: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((kind, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", kind, 126, size) + payload
    return struct.pack("!BBQ", kind, 127, size) + payload
