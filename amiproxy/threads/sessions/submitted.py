# SPDX-License-Identifier: GPL-2.0-or-later
"""Submitted: what became of an action that was to go to an Asterisk."""

from __future__ import annotations

import enum


class Submitted(enum.Enum):
    """What became of an action that was to go upstream."""

    #: It has gone, or waits for its turn.
    TAKEN = "taken"
    #: Too many actions of its session are unanswered, or too many bytes of them wait.
    FULL = "full"
    #: There is no connection.
    UNCONNECTED = "unconnected"
