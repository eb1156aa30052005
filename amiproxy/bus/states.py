# SPDX-License-Identifier: GPL-2.0-or-later
"""Payloads of the entries that say how a server is: taken, up, down."""

from __future__ import annotations

from struct import Struct

from amiproxy.bus.fields import MOST_SLOT, Fields, Malformed, text_bytes

_SLOT = Struct(">I")
_LENGTH = Struct(">H")

#: Characters of the longest text: an address, a banner, a reason.
MOST_STATE = 1024


def taken(slot: int) -> bytes:
    """Return the payload of an entry T: the proxy *slot* has taken the server."""
    return _SLOT.pack(slot)


def read_taken(payload: bytes) -> int:
    """Return the slot that ``taken`` has written; raises Malformed."""
    fields = Fields(payload)
    (slot,) = fields.numbers(_SLOT)
    fields.end()
    if not 0 < slot <= MOST_SLOT:
        raise Malformed("a slot is a number of 24 bits")
    return slot


def up(address: str, banner: str) -> bytes:
    """Return the payload of an entry U: connected to *address*, which said *banner* first."""
    return _texts(address, banner)


def read_up(payload: bytes) -> tuple[str, str]:
    """Return the address and the banner that ``up`` has written; raises Malformed."""
    address, banner = _read_texts(payload, 2)
    return address, banner


def down(reason: str) -> bytes:
    """Return the payload of an entry D: the connection is lost for *reason*."""
    return _texts(reason)


def _texts(*texts: str) -> bytes:
    """Return *texts*, each cut to ``MOST_STATE`` characters, with their lengths."""
    parts = [text_bytes(text[:MOST_STATE]) for text in texts]
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def _read_texts(payload: bytes, count: int) -> list[str]:
    """Return *count* texts, without control characters: they end up in logs and on terminals."""
    fields = Fields(payload)
    texts = [fields.text(fields.numbers(_LENGTH)[0]) for _ in range(count)]
    fields.end()
    if any(len(text) > MOST_STATE for text in texts):
        raise Malformed(f"a text of more than {MOST_STATE} characters")
    return ["".join(each if each.isprintable() else "?" for each in text) for text in texts]
