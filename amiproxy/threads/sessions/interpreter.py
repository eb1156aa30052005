# SPDX-License-Identifier: GPL-2.0-or-later
"""Interpreter: how long a thread keeps the interpreter while others wait for it.

Each thread that waits for the interpreter wakes up once in a switch interval, to ask for it.
Of thousands that nobody lets in, as when all clients send something at once, each wakes 200
times a second, and nothing else is done.  So the interval grows with the number of clients.
"""

from __future__ import annotations

import sys

#: How often all clients together may wake up in vain, in a second.
_WAKE_UPS = 30000.0

#: The longest interval, in seconds.
_LONGEST = 0.1

#: The interval is set anew when so many clients have come or gone.
STEP = 32


class Interpreter:
    """Sets the switch interval.  Any thread may call; of two at once one counts."""

    def __init__(self) -> None:
        self._usual = sys.getswitchinterval()
        self._crowds: set[object] = set()
        self._clients = 0

    def note_clients(self, count: int) -> None:
        """Note that there are *count* clients; to be called for each multiple of STEP, but 0."""
        self._clients = count
        self._set()

    def note_crowd(self, queue: object, *, is_there: bool) -> None:
        """Note that a crowd waits for turns in *queue*, or does no more."""
        if is_there:
            self._crowds.add(queue)
        else:
            self._crowds.discard(queue)
        self._set()

    def _set(self) -> None:
        wanted = _LONGEST if self._crowds else min(_LONGEST, self._clients / _WAKE_UPS)
        sys.setswitchinterval(max(self._usual, wanted))


INTERPRETER = Interpreter()
