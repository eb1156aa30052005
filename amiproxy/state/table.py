# SPDX-License-Identifier: GPL-2.0-or-later
"""Table: the rows of one or a few kinds, kept by events and set by lists."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Callable, NamedTuple, Union

from amiproxy.state.gone import Gone
from amiproxy.state.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.touched import Touched

#: What a field of a row may be.  None: not known.
Value = Union[str, float, int, bool, None, "tuple[str, ...]"]

#: Takes an event, and the time by the proxy's clock (Unix).
Handler = Callable[["Message", float], None]

_NO_MARKS: Mapping[str, bytes] = MappingProxyType({})


class Row(NamedTuple):
    """One thing that is there."""

    #: Unique among the rows of its kind on its server.
    key: str
    #: By name in lower_snake; None: not known.
    fields: Mapping[str, Value]
    #: What rights and filters judge: the row as a list item in AMI's words, with its class in
    #: Privilege.  That of a call names each of its channels, as repeated headers.
    said: Message


class Query(NamedTuple):
    """A list of Asterisk that tables begin from."""

    action: str
    #: Further lines of the action.
    headers: tuple[str, ...] = ()
    #: It is asked only if the list of this action cannot be had: not there, or refused.
    instead_of: str = ""
    #: It is asked once a connection: it costs, and events tell all that changes.
    once: bool = False
    #: An action for which one needs the same classes: where Asterisk has that and not this one,
    #: the module is not loaded, and there is nothing to list.
    beside: str = ""


class Standing:
    """How a server's model stands: what its tables share."""

    __slots__ = ("doubts", "gone", "kept", "live", "offset", "touched")

    def __init__(self, kept: Kept | None = None) -> None:
        #: What is counted, which outlives the model.
        self.kept = kept or Kept()
        #: Whether the lists have been taken.  Until then, what an event tells of something
        #: unknown makes a row; afterwards it is a reason to ask the list again.
        self.live = False
        #: Kinds of rows whose list should be asked for soon.  Who asks takes them out.
        self.doubts: set[str] = set()
        #: Channels that hung up a moment ago, by unique id.  The table of channels keeps it, and
        #: takes each event first.
        self.gone = Gone()
        #: Seconds by which the proxy's clock is ahead of Asterisk's.
        self.offset = 0.0
        #: Where it is noted which rows may have changed; None: nobody wants to know.
        self.touched: Touched | None = None

    def touch_all(self, *kinds: str) -> None:
        """Note that any row of *kinds* may have changed."""
        if self.touched is not None:
            self.touched.whole.update(kinds)

    def touch(self, kind: str, key: str) -> None:
        """Note that the row *key* of *kind* may have changed."""
        if self.touched is not None:
            self.touched.add(kind, key)


class Table:
    """Rows of some kinds.  A subclass fills in what it has.

    No handler raises, whatever the event: its bytes come from outside.
    """

    #: The kinds, in the plural, as Snapshot names them.
    kinds: tuple[str, ...] = ()
    #: Name of an event in lower case -> what takes it.
    events: Mapping[str, Handler] = MappingProxyType({})
    #: Name of an event in lower case -> bytes without which it does not concern this table.
    marks: Mapping[str, bytes] = _NO_MARKS
    queries: tuple[Query, ...] = ()

    def further(self) -> tuple[Query, ...]:
        """Return the lists to ask for after *queries*: those that depend on rows."""
        return ()

    def takes(self, query: Query) -> bool:
        """Return whether *query* is one of this table's."""
        return query in self.queries

    def take_list(self, query: Query, items: Sequence[Message], now: float) -> int:
        """Take the whole answer to *query*: its items set the rows, and those not in it go.

        Returns:
            How many rows differed from what events had said.

        """
        raise NotImplementedError

    def rows(self, kind: str, now: float) -> Iterator[Row]:
        """Yield the rows of *kind*."""
        raise NotImplementedError

    def settle(self, now: float) -> None:
        """Do what was put off until somebody looks, and what time alone changes."""

    def rows_of(self, kind: str, keys: Collection[str], now: float) -> Iterator[Row]:
        """Yield those of the rows of *kind* that have one of *keys*."""
        return (row for row in self.rows(kind, now) if row.key in keys)

    def __len__(self) -> int:
        """Return how many rows there are, of all kinds."""
        raise NotImplementedError

    def tick(self, now: float) -> None:
        """Note that it is *now*: some things follow from that alone.  To be called often."""

    def clear(self) -> None:
        """Forget all."""
        raise NotImplementedError
