# SPDX-License-Identifier: GPL-2.0-or-later
"""Backlog: the bytes that a socket did not take."""

from __future__ import annotations

import time
from collections import deque
from typing import Callable


class Backlog:
    """Bytes that wait to be sent, oldest first.  The transport's lock guards it."""

    __slots__ = ("_parts", "moved", "size")

    def __init__(self) -> None:
        self._parts: deque[memoryview] = deque()
        #: How many bytes wait.
        self.size = 0
        #: When the other side took something last, or began not to, in monotonic seconds.
        self.moved = time.monotonic()

    def append(self, data: memoryview) -> None:
        """Have *data* wait behind the others."""
        if not data:
            return  # flush would take it for a full socket
        self._parts.append(data)
        self.size += len(data)

    def flush(self, send_now: Callable[[memoryview], int]) -> bool:
        """Give *send_now* all that waits until it takes nothing; return whether all has gone.

        *send_now* returns how many bytes it took.  What it raises ends the connection.
        """
        parts = self._parts
        while parts:
            part = parts[0]
            sent = send_now(part)
            if not sent:
                return False
            self.size -= sent
            self.moved = time.monotonic()
            if sent < len(part):
                parts[0] = part[sent:]  # there may be room again: ask once more
            else:
                parts.popleft()
        return True
