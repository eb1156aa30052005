# SPDX-License-Identifier: GPL-2.0-or-later
"""What one client was told of one server: events by their numbers, and gaps, in order."""

from __future__ import annotations

from typing import NamedTuple, Optional, Union

LOST, CONNECTED = "ProxyServerLost", "ProxyServerConnected"

#: Where an id says that an event stands: its epoch and its number there; (0, 0): it had no id.
Place = tuple[int, int]
NO_ID: Place = (0, 0)


class Run:
    """Events with the numbers from *first* to *last*, with ids one after the other."""

    __slots__ = ("first", "last", "place")

    def __init__(self, number: int, place: Place) -> None:
        self.first = self.last = number
        self.place = place  # of the first

    def takes(self, number: int, place: Place) -> bool:
        """Make an event a part of it, if it comes next; return whether it does."""
        if number != self.last + 1:
            return False
        epoch, start = self.place
        if place != (NO_ID if not epoch else (epoch, start + number - self.first)):
            return False
        self.last = number
        return True


class Notice(NamedTuple):
    """What the proxy says of its connection to the server."""

    what: str
    place: Place


class Gap(NamedTuple):
    """So many events are missing; None: unknown."""

    missed: Optional[int]
    reason: str


Item = Union[Run, Notice, Gap]


class Life:
    """What a client was told on one connection, by server."""

    def __init__(self) -> None:
        #: Before it has resumed, and behind the answer to that.
        self.early: dict[str, list[Item]] = {}
        self.items: dict[str, list[Item]] = {}
        self.has_resumed = False
        #: The places in the last id that it has.
        self.places: dict[int, int] = {}

    def _list(self, server: str) -> list[Item]:
        return (self.items if self.has_resumed else self.early).setdefault(server, [])

    def event(self, server: str, number: int, place: Place) -> None:
        """Note an event."""
        items = self._list(server)
        if items and isinstance(items[-1], Run) and items[-1].takes(number, place):
            return
        items.append(Run(number, place))

    def note(self, server: str, item: Item) -> None:
        """Note what the proxy itself says."""
        self._list(server).append(item)
