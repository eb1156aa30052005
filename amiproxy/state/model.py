# SPDX-License-Identifier: GPL-2.0-or-later
"""ServerModel: what is there now on one Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state import tables
from amiproxy.state.table import Standing, Table
from amiproxy.state.touched import Touched

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from amiproxy.message import Message
    from amiproxy.state.kept import Kept
    from amiproxy.state.table import Handler, Query, Row

#: States of a model: lists are being taken; it is what Asterisk says; the connection is lost
#: and the rows are those of before; it had more rows than its limit, and has none now.
BUILDING, LIVE, STALE, TOO_LARGE = "building", "live", "stale", "too large"

_PREFIX = b"Event: "
_LONGEST_NAME = 80
_LOOK_EACH = 256  # events, between two looks at the size


class ServerModel:
    """The tables of one server.  Not thread-safe: one thread uses it, and tells it the time.

    The caller gives each event to :meth:`apply` and each whole list to :meth:`take_list`, in the
    order in which Asterisk sent them, and sets :attr:`state`.
    """

    def __init__(self, limit: int, kept: Kept | None = None) -> None:
        """Make an empty model of at most *limit* rows, which counts on in *kept*."""
        self._limit = limit
        self._standing = Standing(kept)
        self._state = BUILDING
        self._until_look = _LOOK_EACH
        #: Counts how often all was forgotten.
        self.begun = 0
        self.tables = tables.made(self._standing)
        #: Each list that the tables begin from, once.
        self.queries: tuple[Query, ...] = tuple(
            dict.fromkeys(query for table in self.tables for query in table.queries)
        )
        self._ticking = [each for each in self.tables if type(each).tick is not Table.tick]
        self._handlers: dict[bytes, tuple[Handler, ...]] = {}
        self._marks: dict[bytes, tuple[bytes, ...]] = {}
        for name in {name for table in self.tables for name in table.events}:
            taking = [table for table in self.tables if name in table.events]
            key = name.encode("latin-1")
            self._handlers[key] = tuple(table.events[name] for table in taking)
            if all(name in table.marks for table in taking):
                self._marks[key] = tuple(table.marks[name] for table in taking)

    @property
    def state(self) -> str:
        """One of "building", "live", "stale", "too large"."""
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        self._state = state
        self._standing.live = state == LIVE

    @property
    def doubts(self) -> set[str]:
        """Kinds of rows whose list should be asked for soon.  Who asks takes them out."""
        return self._standing.doubts

    @property
    def offset(self) -> float:
        """Seconds by which the proxy's clock is ahead of Asterisk's: its own times are shifted."""
        return self._standing.offset

    @offset.setter
    def offset(self, seconds: float) -> None:
        self._standing.offset = seconds

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    def concerns(self, raw: bytes) -> bool:
        """Return whether an event changes anything, as far as its first line tells."""
        name = _name_of(raw)
        if name not in self._handlers:
            return False
        marks = self._marks.get(name)
        return marks is None or any(mark in raw for mark in marks)

    def apply(self, message: Message, now: float) -> None:
        """Take an event that came at the time *now*.  What is no event changes nothing."""
        handlers = self._handlers.get(_name_of(message.raw))
        if handlers is None or self._state == TOO_LARGE:
            return
        for handler in handlers:
            handler(message, now)
        self._until_look -= 1
        if self._until_look <= 0:
            self._look()

    def take_list(self, query: Query, items: Sequence[Message], now: float) -> int:
        """Take the *items* of the whole answer to *query*, without its first and last message.

        They must not be applied as events, whatever their names.

        Returns:
            How many rows differed from what events had said.

        """
        if self._state == TOO_LARGE:
            return 0
        differing = sum(
            table.take_list(query, items, now) for table in self.tables if table.takes(query)
        )
        self._look()
        return differing

    def tick(self, now: float) -> None:
        """Note that it is *now*.  To be called often, also while nothing comes."""
        for table in self._ticking:
            table.tick(now)

    def further(self) -> tuple[Query, ...]:
        """Return the lists to ask for after those of *queries*: they depend on what these said."""
        return tuple(query for table in self.tables for query in table.further())

    def rows(self, kind: str, now: float) -> Iterator[Row]:
        """Yield the rows of *kind*, one of tables.KINDS."""
        for table in self.tables:
            if kind in table.kinds:
                yield from table.rows(kind, now)

    def rows_of(self, kind: str, keys: Collection[str], now: float) -> Iterator[Row]:
        """Yield those of the rows of *kind* that have one of *keys*."""
        for table in self.tables:
            if kind in table.kinds:
                yield from table.rows_of(kind, keys, now)

    def note_touched(self, *, noting: bool) -> None:
        """Note from now on which rows may have changed, or do so no more."""
        if noting is (self._standing.touched is None):
            self._standing.touched = Touched() if noting else None

    def touched(self, now: float) -> Touched:
        """Return which rows may have changed since the last call, by events, lists and time."""
        for table in self.tables:
            table.settle(now)
        noted = self._standing.touched
        return Touched() if noted is None else noted.take()

    def clear(self) -> None:
        """Forget all and begin again, building."""
        self.begun += 1
        for table in self.tables:
            table.clear()
        self._standing.doubts.clear()
        self._standing.gone.clear()
        self._until_look = _LOOK_EACH
        self.state = BUILDING

    def _look(self) -> None:
        """Give up if there are too many rows."""
        self._until_look = _LOOK_EACH
        if len(self) > self._limit:
            self.clear()
            self.state = TOO_LARGE


def _name_of(raw: bytes) -> bytes:
    """Return the name of the event *raw* in lower case, b"" if it is none."""
    if not raw.startswith(_PREFIX):
        return b""
    return raw[7 : max(raw.find(b"\r", 7, _LONGEST_NAME), 7)].lower()
