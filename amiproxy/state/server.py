# SPDX-License-Identifier: GPL-2.0-or-later
"""ServerTable: what an Asterisk says of itself as a whole.  It has no rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.table import Row, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.message import Message
    from amiproxy.state.table import Standing


class ServerTable(Table):
    """Whether one server stops, and how often it has reloaded something."""

    def __init__(self, standing: Standing) -> None:
        self._kept = standing.kept
        self.events = {
            "shutdown": self._shutdown,
            "reload": self._reload,
            "fullybooted": self._booted,
        }

    def __len__(self) -> int:
        return 0

    def clear(self) -> None:
        """Forget what is of the connection that is over."""
        self._kept.stopping_since = None

    def _shutdown(self, _message: Message, now: float) -> None:
        self._kept.stopping_since = now

    def _booted(self, _message: Message, _now: float) -> None:
        self._kept.stopping_since = None

    def _reload(self, _message: Message, _now: float) -> None:
        self._kept.reloads += 1

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield nothing."""
        yield from ()
