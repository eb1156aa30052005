# SPDX-License-Identifier: GPL-2.0-or-later
"""IDs of entries: two numbers each, by which Redis orders a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.bus.respreader import Reply

#: Before all entries, and what a stream without any has as its last one.
START = (0, 0)


def place_of(entry_id: bytes) -> tuple[int, int]:
    """Return the two numbers of *entry_id*: of a holder's entry they are epoch and number."""
    first, _, second = entry_id.partition(b"-")
    if first.isdigit() and second.isdigit():
        return int(first), int(second)
    return START


def last_id(info: Reply) -> tuple[int, int]:
    """Return the last ID that a stream has given, of *info*, the reply of XINFO STREAM.

    It counts even if its entry is gone: the next one must be greater.
    """
    if isinstance(info, list) and b"last-generated-id" in info[:-1]:
        last = info[info.index(b"last-generated-id") + 1]
        if isinstance(last, bytes):
            return place_of(last)
    return START
