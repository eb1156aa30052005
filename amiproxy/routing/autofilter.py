# SPDX-License-Identifier: GPL-2.0-or-later
"""AutoFilter: whose answers a client sees."""

from __future__ import annotations

from enum import Enum


class AutoFilter(Enum):
    """The setting ``autofilter`` and its values, as spec section 7 names them.

    *number* is what ``ProxyAction: SetAutoFilter`` answers (spec section 10).
    """

    #: Every answer to everybody.
    OFF = "off"
    #: What carries the ActionID that the client sent last.
    ON = "on"
    #: The answers to the client's own actions; the proxy makes ActionIDs unique.
    UNIQUE = "unique"

    # Enum's own is written in Python, and views are looked up by hash for every client.
    __hash__ = object.__hash__

    @property
    def number(self) -> int:
        """0, 1 or 2."""
        return _NUMBERS[self]


_NUMBERS = {AutoFilter.OFF: 0, AutoFilter.ON: 1, AutoFilter.UNIQUE: 2}
