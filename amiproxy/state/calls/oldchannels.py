# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of Asterisk 11: each tells a part of a channel's state, or names channels only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.calls import pairs
from amiproxy.state.values import LONGEST, known

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message
    from amiproxy.state.calls.entities import Channel
    from amiproxy.state.calls.store import Store
    from amiproxy.state.table import Handler

# What an event may tell, in the order of a Block's fields.
_HEADERS = (
    "channel", "channelstate", "calleridnum", "calleridname", "connectedlinenum",
    "connectedlinename", "accountcode", "context", "exten",
)  # fmt: skip
# Where a channel is in the dialplan stays with its unique id when another takes over from it.
_STAYING = ("name", "context", "exten", "priority", "uniqueid", "linkedid")


class OldChannels:
    """What takes the events that have no block of headers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: Mapping[str, Handler] = {
            "newchannel": self._newchannel,
            "newstate": self._take,
            "newcallerid": self._take,
            "newaccountcode": self._take,
            "hold": self._hold,
            "rename": self._rename,
            "masquerade": self._masquerade,
            "bridge": self._bridge,
            "dial": self._dial,
            "parkedcall": self._parked,
            "unparkedcall": self._unparked,
            "parkedcalltimeout": self._unparked,
            "parkedcallgiveup": self._unparked,
            "confbridgejoin": self._conference,
            "confbridgeleave": self._conference,
            "meetmejoin": self._conference,
            "meetmeleave": self._conference,
        }

    def _newchannel(self, message: Message, now: float) -> None:
        values = message.values
        if values.get("uniqueid", "") in self._store.channels:
            self._tell(message, now)
        else:
            self._store.add(_said(values, ("",) * 12), now, now)

    def _take(self, message: Message, now: float) -> None:
        self._tell(message, now)

    def _tell(self, message: Message, now: float) -> Channel | None:
        """Take what *message* tells of its channel, and return that."""
        values = message.values
        uniqueid = values.get("uniqueid", "")
        channel = self._store.channels.get(uniqueid)
        said = _said(values, channel.block if channel is not None else ("",) * 12)
        if channel is None and not said[0]:
            return None
        return self._store.refresh(said, now)

    def _hold(self, message: Message, now: float) -> None:
        channel = self._tell(message, now)
        if channel is not None:
            on = message.get("Status").lower() != "off"
            channel.held = (channel.held or now) if on else None
            self._store.touch(channel)

    def _rename(self, message: Message, now: float) -> None:
        """The name moves to another unique id, or from it; caller and device went before."""
        channel = self._store.channels.get(message.get("Uniqueid"))
        name = message.get("Newname")
        if channel is not None and name:
            self._store.change(channel, channel.block._replace(name=name[:LONGEST]), now)

    def _masquerade(self, message: Message, now: float) -> None:
        """One channel takes over from another: all but name and place in the dialplan, for now."""
        clone = self._store.names.get(message.get("Clone"))
        original = self._store.names.get(message.get("Original"))
        if clone is None or original is None or clone is original:
            return
        self._store.graph.joined(clone, original, now)
        self._store.link([clone, original], now)
        one, two = clone.block, original.block
        staying_one = {field: getattr(one, field) for field in _STAYING}
        staying_two = {field: getattr(two, field) for field in _STAYING}
        clone.block = two._replace(**staying_one)
        original.block = one._replace(**staying_two)
        for field in ("answered", "since", "held"):
            mine, its = getattr(clone, field), getattr(original, field)
            setattr(clone, field, its)
            setattr(original, field, mine)
        self._store.touch(clone, original)

    def _bridge(self, message: Message, now: float) -> None:
        channels = self._store.channels
        one = channels.get(message.get("Uniqueid1"))
        two = channels.get(message.get("Uniqueid2"))
        if one is None or two is None:
            self._unknown(message.get("Uniqueid1"), message.get("Uniqueid2"), now)
        elif one is two:
            return
        elif message.get("Bridgestate").lower() == "link":
            pairs.pair(self._store, one, two, message.get("Bridgetype"), now)
        else:
            pairs.unlink(self._store, one, two, now)

    def _unknown(self, one: str, two: str, now: float) -> None:
        for uniqueid in (one, two):
            self._store.doubt(uniqueid, now)

    def _dial(self, message: Message, now: float) -> None:
        values = message.values
        caller = self._store.channels.get(values.get("uniqueid", ""))
        dialled = self._store.channels.get(values.get("destuniqueid", ""))
        if caller is None:
            return
        if values.get("subevent", "").lower() == "begin":
            if dialled is not None and dialled is not caller:
                self._store.dial(caller, dialled, now)
        else:
            for each in list((caller.dials or {}).values()):
                self._store.hang_up_dial(each)

    def _parked(self, message: Message, now: float) -> None:
        channel = self._store.channels.get(message.get("Uniqueid"))
        if channel is not None:
            channel.parked = now
            self._store.touch(channel)

    def _unparked(self, message: Message, _now: float) -> None:
        channel = self._store.channels.get(message.get("Uniqueid"))
        if channel is not None:
            channel.parked = None
            self._store.touch(channel)

    def _conference(self, message: Message, now: float) -> None:
        channel = self._store.channels.get(message.get("Uniqueid"))
        if channel is not None:
            channel.conference = now if message.get("Event").lower().endswith("join") else None
            self._store.touch(channel)


def _said(values: Mapping[str, str], before: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a Block holds: *before*, and what an event tells."""
    found = [(known(values.get(name)) or old)[:LONGEST] for name, old in zip(_HEADERS, before)]
    return (*found, before[9], values.get("uniqueid", before[10])[:LONGEST], before[11])
