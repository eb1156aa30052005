# SPDX-License-Identifier: GPL-2.0-or-later
"""Payloads of the entries that say how a server is: taken, up."""

from __future__ import annotations

from struct import Struct

from amiproxy.bus.fields import MOST_SLOT, Fields, Malformed, text_bytes

_SLOT = Struct(">I")
_LENGTH = Struct(">H")

#: Characters of the longest text: an address, a banner.
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
    return _text(address) + _text(banner)


def read_up(payload: bytes) -> tuple[str, str]:
    """Return the address and the banner that ``up`` has written; raises Malformed."""
    fields = Fields(payload)
    address, banner = _read_text(fields), _read_text(fields)
    fields.end()
    return address, banner


def _text(text: str) -> bytes:
    """Return *text*, cut to ``MOST_STATE`` characters, with its length."""
    data = text_bytes(text[:MOST_STATE])
    return _LENGTH.pack(len(data)) + data


def _read_text(fields: Fields) -> str:
    """Return the next text, without control characters: it ends up in logs and on terminals."""
    text = fields.text(fields.numbers(_LENGTH)[0])
    if len(text) > MOST_STATE:
        raise Malformed(f"a text of more than {MOST_STATE} characters")
    return "".join(each if each.isprintable() else "?" for each in text)
