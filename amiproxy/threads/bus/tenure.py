# SPDX-License-Identifier: GPL-2.0-or-later
"""Tenure: the right of this proxy to be connected to a server, for a time."""

from __future__ import annotations

import math

from amiproxy.bus import clock


class Tenure:
    """One uninterrupted holding of the server *scope*.  Any thread may read it.

    *epoch*: of the tenure; *valid_until*: ``clock.now()`` seconds, which the keeper moves on;
    *is_solo*: the bus is away, and this proxy is connected by itself.
    """

    __slots__ = ("epoch", "is_solo", "scope", "valid_until")

    def __init__(
        self, scope: str, epoch: int, valid_until: float = math.inf, *, is_solo: bool = False
    ) -> None:
        self.scope = scope
        self.epoch = epoch
        self.valid_until = valid_until
        self.is_solo = is_solo

    def __repr__(self) -> str:
        return f"Tenure({self.scope!r}, {self.epoch}, valid={self.is_valid}, solo={self.is_solo})"

    @property
    def is_valid(self) -> bool:
        """Whether this proxy may be connected now."""
        return clock.now() < self.valid_until

    def end(self) -> None:
        """It is over.  For the keeper's thread."""
        self.valid_until = -math.inf
