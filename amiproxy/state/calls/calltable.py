# SPDX-License-Identifier: GPL-2.0-or-later
"""CallTable: who talks to whom, put together from channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.calls import listitems, parties
from amiproxy.state.calls.entities import NOBODY
from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import UNIQUEID, known, seconds, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.calls.entities import Call, Channel, Party
    from amiproxy.state.calls.graph import Ended
    from amiproxy.state.calls.store import Store
    from amiproxy.state.table import Handler, Value

_DEST = b"\r\nDestUniqueid: "


class CallTable(Table):
    """The calls of one server, and what joins channels beside bridges and Linkedids.

    A call that has ended is told for some seconds, state ``ended``, with its cause; one that has
    become part of another with ``merged_into``.
    """

    kinds = ("calls",)
    queries = (Query("QueueStatus"),)

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: Mapping[str, Handler] = {
            "dialbegin": self._dial_begin,
            "dialend": self._dial_end,
            "pickup": self._pickup,
            "blindtransfer": self._transfer,
            "transfer": self._transfer,
            "queuecallerjoin": self._join,
            "join": self._join,
            "queuecallerleave": self._leave,
            "leave": self._leave,
        }

    def take_list(self, _query: Query, items: Sequence[Message], now: float) -> int:
        """Take who waits in which queue.  That callers differ is counted with the callers."""
        waiting: dict[str, Message] = {}
        for item in items:
            if item.get("Event").lower() == "queueentry":
                waiting[item.get("Uniqueid")] = item
        for channel in self._store.channels.values():
            entry = waiting.get(channel.uniqueid)
            if (entry is None) is not (channel.queued is None):
                self._store.touch(channel)
            if entry is None:
                channel.queued = None
            elif channel.queued is None:
                channel.queue = entry.get("Queue")
                channel.queued = now - max(seconds(entry.get("Wait")) or 0, 0)
        return 0

    def rows(self, _kind: str, now: float) -> Iterator[Row]:
        """Yield the calls, those that have just ended last."""
        graph = self._store.graph
        graph.settle()
        for call in list(graph.calls.values()):
            row = _row(call, now)
            if row is not None:
                yield row
        for key, ended in graph.still_told(now):
            yield Row(key, _ended_fields(ended), listitems.of_call(ended.said))

    def rows_of(self, _kind: str, keys: Collection[str], now: float) -> Iterator[Row]:
        """Yield those of the calls that have one of *keys*."""
        graph = self._store.graph
        graph.settle()
        graph.forget(now)
        for key in keys:
            call, ended = graph.calls.get(key), graph.ended.get(key)
            if ended is not None:
                yield Row(key, _ended_fields(ended), listitems.of_call(ended.said))
            row = _row(call, now) if call is not None else None
            if row is not None:
                yield row

    def settle(self, now: float) -> None:
        """Take apart what has come apart, and forget what ended long ago."""
        self._store.graph.settle()
        self._store.graph.forget(now)

    def __len__(self) -> int:
        return len(self._store.graph.calls) + len(self._store.graph.ended)

    def clear(self) -> None:
        """Forget all calls, and the channels with them."""
        self._store.clear()

    # -- events ------------------------------------------------------------------------------

    def _dial_begin(self, message: Message, now: float) -> None:
        """Without a caller it is an Originate, which joins nobody."""
        channels = self._store.channels
        caller = channels.get(value_in(message.raw, UNIQUEID))
        dialled = channels.get(value_in(message.raw, _DEST))
        if caller is not None and dialled is not None and caller is not dialled:
            self._store.dial(caller, dialled, now)

    def _dial_end(self, message: Message, _now: float) -> None:
        """An answered one stays joined to its caller until it is in a bridge."""
        dialled = self._store.channels.get(value_in(message.raw, _DEST))
        if dialled is not None and value_in(message.raw, b"\r\nDialStatus: ") != "ANSWER":
            self._store.hang_up_dial(dialled)

    def _pickup(self, message: Message, now: float) -> None:
        """One channel answers for another: from now on it is the one that was dialled."""
        channels = self._store.channels
        picking = channels.get(value_in(message.raw, UNIQUEID))
        target = channels.get(value_in(message.raw, b"\r\nTargetUniqueid: "))
        if picking is None or target is None or target.dial in (None, picking):
            return
        caller = target.dial
        self._store.hang_up_dial(target)
        if caller is not None:
            self._store.dial(caller, picking, now)

    def _transfer(self, message: Message, _now: float) -> None:
        """A blind transfer tells where to; BridgeLeave and what the other dials tell the rest."""
        values = message.values
        uniqueid = values.get("transfereruniqueid") or values.get("uniqueid", "")
        extension = known(values.get("extension") or values.get("transferexten"))
        channel = self._store.channels.get(uniqueid)
        if channel is not None and channel.call is not None and extension is not None:
            channel.call.dialled = extension
            self._store.touch(channel)

    def _join(self, message: Message, now: float) -> None:
        channel = self._store.channels.get(value_in(message.raw, UNIQUEID))
        if channel is not None:
            channel.queue = value_in(message.raw, b"\r\nQueue: ")
            channel.queued = now
            self._store.touch(channel)

    def _leave(self, message: Message, _now: float) -> None:
        channel = self._store.channels.get(value_in(message.raw, UNIQUEID))
        if channel is not None:
            channel.queued = None
            self._store.touch(channel)


def _row(call: Call, now: float) -> Row | None:
    """Return the row of *call*, None if nothing of it is shown."""
    ends = parties.endpoints(call)
    if not ends:
        return None
    call.told = True
    members = [(each.block, each.queue) for each in call.channels.values()]
    return Row(call.key, _fields(call, ends, now), listitems.of_call(members))


def _fields(call: Call, ends: list[Channel], now: float) -> dict[str, Value]:
    """Return the row of *call*."""
    found = parties.doing(call, ends, now)
    first = found.first
    return {
        "state": found.state,
        "since": found.since,
        "started": call.started,
        "answered": first.answered,
        **_parties(first.party, found.to, "" if found.ringing else parties.dialled(call, first)),
        "dialled": known(parties.dialled(call, first)),
        "ringing": found.ringing,
        "queue": known(parties.queue_of(call, ends)),
        "bridge": next((end.bridge.key for end in ends if end.bridge is not None), None),
        "application": known(first.application),
        "legs": tuple(end.uniqueid for end in ends),
        "channels": tuple(key for key, each in call.channels.items() if each.is_shown),
        "cause": None,
        "merged_into": None,
    }


def _ended_fields(ended: Ended) -> dict[str, Value]:
    """Return the row of a call that has ended."""
    return {
        "state": "ended",
        "since": ended.at,
        "started": ended.started,
        "answered": None,
        **_parties(ended.from_, ended.to, ended.dialled),
        "dialled": known(ended.dialled),
        "ringing": 0,
        "queue": known(ended.queue),
        "bridge": None,
        "application": None,
        "legs": (),
        "channels": (),
        "cause": ended.cause,
        "merged_into": ended.merged_into or None,
    }


def _parties(from_: Party, to: Party, dialled: str) -> dict[str, Value]:
    """Return who talks with whom; as long as it is nobody, with the extension *dialled*."""
    reached = known(dialled) if dialled != from_.number else None
    return {
        "from_number": from_.number,
        "from_name": from_.name,
        "from_device": from_.device,
        "to_number": to.number if to != NOBODY else reached,
        "to_name": to.name,
        "to_device": to.device,
    }
