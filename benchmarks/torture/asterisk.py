# SPDX-License-Identifier: GPL-2.0-or-later
"""A fake Asterisk that reads slowly, as a busy one does: 1 KB at a time, a time for each action.

Started as ``python -m benchmarks.torture.asterisk MICROSECONDS``: the time for each action
from the second log-in on.  See benchmarks.upstream for its orders.
"""

from __future__ import annotations

import sys
import time

from benchmarks.upstream import Connection, Server

_PIECE = 1024  # bytes


class SlowServer(Server):
    """As the fast one, but for how it reads."""

    piece = _PIECE

    def __init__(self, pause: float) -> None:
        super().__init__()
        self._pause = pause  # seconds

    def answer(self, connection: Connection, block: bytes) -> bytes:
        """Return the answer to *block*, after the time that it takes."""
        end = time.perf_counter() + self._pause
        while time.perf_counter() < end:
            pass  # time.sleep would take half as long again
        return super().answer(connection, block)


if __name__ == "__main__":
    SlowServer(int(sys.argv[1]) / 1e6).run()
