# SPDX-License-Identifier: GPL-2.0-or-later
"""Gate: whether clients' actions go up to one Asterisk, or wait until the operator lets them."""

from __future__ import annotations

import enum
import time


class State(enum.Enum):
    """How far open it is."""

    OPEN = "open"
    #: Nothing goes up until ``resume``.
    SHUT = "shut"
    #: Nothing goes up until Asterisk is connected.
    OPENING = "opening"


class Gate:
    """The gate of one link, whose lock guards it; ``holds`` may be read without."""

    def __init__(self) -> None:
        self._state = State.OPEN
        #: Whether actions wait.
        self.holds = False
        #: Since when, in monotonic seconds.
        self.since = 0.0

    @property
    def is_shut(self) -> bool:
        """Whether the operator has paused it, and not resumed it."""
        return self._state is State.SHUT

    def set(self, state: State) -> None:
        """Change it to *state*."""
        holds = state is not State.OPEN
        if holds and not self.holds:
            self.since = time.monotonic()
        self._state, self.holds = state, holds

    def note_connect(self) -> None:
        """Open, if that was all it waited for."""
        if self._state is State.OPENING:
            self.set(State.OPEN)
