# SPDX-License-Identifier: GPL-2.0-or-later
"""Batch: all that one read from one Asterisk brought, and its encodings.

Work per message is done once per message, work per format once per format, and
what many clients see alike is joined once and sent to each: a batch is made by
a server's thread, handed to one session after the other, and forgotten.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Callable

from amiproxy.errors import HandlerError
from amiproxy.message import END, Message
from amiproxy.wire.routed import BROADCAST, Routed

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from amiproxy.formats import Format


_OWNER = attrgetter("owner")


class Batch:
    """Messages of one Asterisk, ready for every client.

    Belongs to the server thread that made it, so it needs no lock.

    *scope* names the server (unique ids of two Asterisks may be the same).
    *quiet* tells that nothing in it is an answer: all of it is for everybody;
    *public* that some of it is; *owners* are the sessions that answers in it are for.
    """

    __slots__ = (
        "_cache",
        "_items",
        "_parts",
        "noted",
        "owners",
        "public",
        "quiet",
        "scope",
        "wire",
    )

    def __init__(self, scope: str, wire: bytes, items: Sequence[Routed] | None = None) -> None:
        """Make a batch of *wire*, its messages as AMI; *items* says whom they are for.

        Without *items* the batch is quiet, and *wire* must be cut by blank
        lines alone: it holds no raw command text.
        """
        self.scope = scope
        self.wire = wire
        self.quiet = items is None
        owners = set() if items is None else set(map(_OWNER, items))
        self.public = items is None or BROADCAST in owners
        owners.discard(BROADCAST)
        self.owners = owners
        self.noted = False
        self._items = items
        self._parts: dict[tuple[str, int], bytes] = {}
        self._cache: dict[Hashable, bytes] = {}

    @classmethod
    def of_items(cls, scope: str, items: Sequence[Routed]) -> Batch:
        """Make a batch of messages of which some are answers."""
        parts = [item.message.raw for item in items if not item.private]
        return cls(scope, parts[0] if len(parts) == 1 else b"".join(parts), items)

    @property
    def items(self) -> Sequence[Routed]:
        """The messages, in order, each with whom it is for."""
        items = self._items
        if items is None:
            parts = self.wire.split(END)
            parts.pop()
            items = self._items = [Routed(Message(part + END)) for part in parts]
        return items

    def whole(self, form: Format) -> bytes:
        """Return everything that is not private, in the format *form*."""
        if form.wire:
            return self.wire
        return self.joined(
            ("whole", form.name), form, lambda items: [not item.private for item in items]
        )

    def joined(
        self, key: Hashable, form: Format, choose: Callable[[Sequence[Routed]], Sequence[bool]]
    ) -> bytes:
        """Return the messages that *choose* picks, encoded and joined.

        Made once for each *key*, which must tell all that the choice depends on.
        """
        data = self._cache.get(key)
        if data is None:
            picked = zip(self.items, choose(self.items))
            parts = [self.part(form, item) for item, yes in picked if yes]
            data = self._cache[key] = b"".join(parts)
        return data

    def part(self, form: Format, item: Routed) -> bytes:
        """Return one of this batch's own items in the format *form*; made once."""
        if form.wire:
            return item.message.raw
        key = (form.name, id(item))  # the batch keeps its items, so an id is one item's
        data = self._parts.get(key)
        if data is None:
            data = self._parts[key] = written(form, item.message)
        return data


def written(form: Format, message: Message) -> bytes:
    """Return *message* as *form* writes it.

    Raises:
        HandlerError: the handler failed; its own clients cannot go on.

    """
    assert form.write is not None
    try:
        data = form.write(message)
        if not isinstance(data, bytes):
            raise TypeError(f"write() gave {type(data).__name__}")
        return data
    except BaseException as error:
        # Whatever a stranger's handler raises: a SystemExit would end the thread that
        # reads from Asterisk.
        raise HandlerError(
            f"handler {form.name}: cannot write a message: {type(error).__name__}"
        ) from error
