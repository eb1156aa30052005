# SPDX-License-Identifier: GPL-2.0-or-later
"""Batch: all messages of one read from one Asterisk, and their encodings.

Work per message is done once per message, work per format once per format, and
what many clients see alike is joined once and sent to each: a server's thread
makes a batch, hands it to one session after the other, and forgets it.
"""

from __future__ import annotations

from enum import Enum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Callable

from amiproxy.formats import written
from amiproxy.message import END, Message
from amiproxy.wire.routed import BROADCAST, Routed

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Mapping, Sequence

    from amiproxy.formats import Format

_OWNER = attrgetter("owner")


class BatchKind(Enum):
    """Who may get something of a batch."""

    #: Everybody, and the bytes as they are: events, none of which carries an ActionID.
    EVENTS = "events"
    #: Everybody gets some of it; other messages are answers, or carry an ActionID.
    MIXED = "mixed"
    #: Only its owners, and clients that see the answers to others.
    ANSWERS = "answers"
    #: Everybody who gets any event of that server, whatever classes and filters say: what the
    #: proxy itself says of the server (spec section 14).
    NOTICE = "notice"

    # Enum's own is written in Python, and every client looks up its way by kind.
    __hash__ = object.__hash__


# Looked up in the class it would cost more than the comparison.
_EVENTS = BatchKind.EVENTS

_NOBODY: frozenset[str] = frozenset()


class Batch:
    """Messages of one Asterisk, ready for every client.

    Belongs to the server thread that made it, so it needs no lock; ``copy`` is for others.

    *scope* names the server (unique ids of two Asterisks may be the same), *wire* is
    what is not private as AMI, *owners* are the sessions that answers in it are for, *events*
    is how many messages nobody has asked for; *names* are by what the server may be meant, in
    lower case.  *came* is when it came, in monotonic seconds, 0.0 as long as nobody has asked or
    kept it.  *chosen* are the messages that each client's filter is to be asked about, None: all;
    the server's thread sets it while it hands the batch to those (threads/sessions/crowd.py).
    """

    __slots__ = (
        "_cache",
        "_copy",
        "_items",
        "_numbers",
        "_parts",
        "_picks",
        "_written",
        "after",
        "came",
        "chosen",
        "epoch",
        "events",
        "kind",
        "names",
        "owners",
        "scope",
        "steps",
        "wire",
    )

    def __init__(
        self,
        scope: str,
        wire: bytes,
        items: Sequence[Routed] | None = None,
        *,
        kind: BatchKind = _EVENTS,
        owners: Collection[int] = (),
        events: int = 0,
    ) -> None:
        """Make a batch of events for everybody, none of which carries an ActionID.

        In *wire* a blank line must end each message and stand nowhere else.  *items*
        are the same ones, if the caller has them; otherwise *wire* is cut on the first
        look at ``items``.  *events* is how many there are, 0 where nobody has counted.
        For other messages use ``of_items``.
        """
        self.scope = scope
        self.kind = kind
        self.wire = wire
        self.owners = owners
        self.events = events or (wire.count(END) if kind is _EVENTS else 0)
        self.names: frozenset[str] = _NOBODY
        #: Which connection its events came on, 0: none, and the number of the one before them.
        self.epoch = self.after = 0
        self.came = 0.0
        #: What it becomes for clients that stood alike before it (track.py), once there is one.
        self.steps: dict[Any, Any] | None = None
        self.chosen: Mapping[Any, Sequence[Routed]] | None = None
        self._items = items
        self._numbers: dict[int, int] | None = None
        # By what the choice depends on.
        self._picks: dict[Hashable, Sequence[bool]] = {}
        # Format -> id of a message -> its encoding.
        self._parts: dict[str, dict[int, bytes]] = {}
        # Those messages: else one that was let go would leave its id to another.
        self._written: list[Message] = []
        # With how many events are in the bytes.
        self._cache: dict[Hashable, tuple[bytes, int]] = {}
        self._copy: Batch | None = None

    @classmethod
    def of_items(cls, scope: str, items: Sequence[Routed]) -> Batch:
        """Make a batch of messages of which some may be answers."""
        if len(items) == 1 and items[0].owner != BROADCAST:
            # One answer is what a read nearly always brings while somebody asks.
            item = items[0]
            wire = b"" if item.private else item.message.raw
            return cls(scope, wire, items, kind=BatchKind.ANSWERS, owners=(item.owner,))
        everyone = list(map(_OWNER, items))
        events = everyone.count(BROADCAST)
        owners = set(everyone)
        kind = BatchKind.MIXED if events else BatchKind.ANSWERS
        owners.discard(BROADCAST)
        parts = [item.message.raw for item in items if not item.private]
        wire = parts[0] if len(parts) == 1 else b"".join(parts)
        return cls(scope, wire, items, kind=kind, owners=owners, events=events)

    def part_of(self, items: Sequence[Routed]) -> Batch:
        """Return a batch of *items*, some of its own: of the same server and connection.

        Its events are all of them, or none.
        """
        found = Batch.of_items(self.scope, items)
        found.names, found.epoch, found.after = self.names, self.epoch, self.after
        found.came = self.came
        return found

    def copy(self) -> Batch:
        """Return the same messages for other threads, which share their encodings.

        What two of them look for at the same moment is made twice, and is the same.
        """
        copy = self._copy
        if copy is None:
            copy = self._copy = Batch(
                self.scope,
                self.wire,
                self._items,
                kind=self.kind,
                owners=self.owners,
                events=self.events,
            )
            copy.names, copy.epoch, copy.after = self.names, self.epoch, self.after
            copy.came = self.came
        return copy

    @property
    def upto(self) -> int:
        """The number of its last event on the connection it came on."""
        return self.after + self.events

    def links(self) -> tuple[object | None, ...] | None:
        """Return what the call table has noted of each message, None if it has noted nothing."""
        items = self._items
        if not items or items[0].message.links is None:
            return None
        return tuple([item.message.links for item in items])

    @property
    def items(self) -> Sequence[Routed]:
        """The messages, in order, each with whom it is for."""
        items = self._items
        if items is None:
            parts = self.wire.split(END)
            parts.pop()
            items = self._items = [Routed(Message(part + END)) for part in parts]
        return items

    @property
    def numbers(self) -> Mapping[int, int]:
        """The number of each message, by its id; of an answer that of the event before it."""
        numbers = self._numbers
        if numbers is None:
            numbers, number = {}, self.after
            for item in self.items:
                number += item.owner == BROADCAST
                numbers[id(item)] = number
            self._numbers = numbers
        return numbers

    def picked(
        self, key: Hashable, choose: Callable[[Sequence[Routed]], Sequence[bool]]
    ) -> Sequence[bool]:
        """Return for each message whether *choose* picks it: asked once for each *key*."""
        picks = self._picks.get(key)
        if picks is None:
            picks = self._picks[key] = choose(self.items)
        return picks

    def whole(self, form: Format) -> bytes:
        """Return everything that is not private, in the format *form*.

        Raises:
            HandlerError: *form* cannot write it; this holds for all that encode.

        """
        if form.wire:
            return self.wire
        return self.joined(form, "whole", lambda items: [not item.private for item in items])[0]

    def joined(
        self, form: Format, key: Hashable, choose: Callable[[Sequence[Routed]], Sequence[bool]]
    ) -> tuple[bytes, int]:
        """Return what is ``picked`` by *choose*, encoded and joined; and how many are events.

        Made once for each format and *key*, which must hold all that the choice depends on.
        """
        made_for = form.name, key
        found = self._cache.get(made_for)
        if found is None:
            items = self.items
            picks = self.picked(key, choose)
            parts = [self.part(form, item.message) for item, yes in zip(items, picks) if yes]
            events = len(parts)
            if self.kind is not _EVENTS:
                owners = [item.owner for item, yes in zip(items, picks) if yes]
                events = owners.count(BROADCAST)
            found = self._cache[made_for] = b"".join(parts), events
        return found

    def kept(self, key: Hashable, make: Callable[[], tuple[bytes, int]]) -> tuple[bytes, int]:
        """Return what *make* makes: bytes, and how many events are in them.

        Made once for each *key*, which must hold all that it depends on.
        """
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = make()
        return found

    def part(self, form: Format, message: Message) -> bytes:
        """Return *message* in the format *form*; written once, whoever it is for."""
        if form.wire:
            return message.raw
        parts = self._parts.setdefault(form.name, {})
        part = parts.get(id(message))
        if part is None:
            part = parts[id(message)] = written(form, message)
            self._written.append(message)
        return part
