# SPDX-License-Identifier: GPL-2.0-or-later
"""ChannelTable: which there are, and what each is doing."""

from __future__ import annotations

from sys import intern
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.state.calls import listitems
from amiproxy.state.calls.blocks import blocks_in, place_in
from amiproxy.state.calls.channellist import BRIDGE_LIST, CHANNEL_LIST, STATUS, take_channels
from amiproxy.state.calls.entities import device_of
from amiproxy.state.calls.oldchannels import OldChannels
from amiproxy.state.table import Row, Table
from amiproxy.state.values import UNIQUEID, is_true, known, number, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import Callable

    from amiproxy.message import Message
    from amiproxy.state.calls.entities import Channel
    from amiproxy.state.calls.store import Store
    from amiproxy.state.table import Handler, Query, Value

    #: What blocks_in returns.
    Blocks = list[tuple[str, ...]]
    Newer = Callable[[Blocks, Message, float], None]

#: States of channels, as Asterisk numbers them (ast_state2str).
STATES: Mapping[str, str] = MappingProxyType({
    "0": "down", "1": "reserved", "2": "off hook", "3": "dialing", "4": "ring", "5": "ringing",
    "6": "up", "7": "busy", "8": "dialing off hook", "9": "pre-ring",
})  # fmt: skip

# Events that tell the whole state of the channels they are about, and nothing else that matters.
_TELLING = (
    "attendedtransfer", "blindtransfer", "channeltalkingstart", "channeltalkingstop",
    "chanspystart", "chanspystop", "confbridgeleave", "confbridgetalking", "dialbegin", "dialend",
    "dialstate", "bridgeenter", "bridgeleave", "hanguprequest", "localbridge",
    "localoptimizationbegin", "localoptimizationend", "mixmonitorstart", "mixmonitorstop",
    "musiconholdstart", "musiconholdstop", "newaccountcode", "newcallerid", "newconnectedline",
    "newstate", "parkedcall", "parkedcallgiveup", "parkedcallswap", "parkedcalltimeout",
    "pickup", "softhanguprequest", "unparkedcall",
)  # fmt: skip


class ChannelTable(Table):
    """The channels of one server: those of Asterisk 12 and later by the blocks of their events."""

    kinds = ("channels",)
    #: Bridges first, though another table takes them: a channel's item names its bridge.
    queries = (BRIDGE_LIST, CHANNEL_LIST, STATUS)

    def __init__(self, store: Store) -> None:
        self._store = store
        old = OldChannels(store)
        self.events: Mapping[str, Handler] = {
            **old.events,
            **{name: self._or_old(self._tell, old.events.get(name)) for name in _TELLING},
            "newchannel": self._or_old(self._newchannel, old.events["newchannel"]),
            "newexten": self._newexten,
            "hangup": self._hangup,
            "hold": self._or_old(self._hold, old.events["hold"]),
            "unhold": self._or_old(self._hold, None),
            "confbridgejoin": self._or_old(self._muted, old.events["confbridgejoin"]),
            "confbridgemute": self._or_old(self._muted, None),
            "confbridgeunmute": self._or_old(self._muted, None),
        }

    @staticmethod
    def _or_old(new: Newer, old: Handler | None) -> Handler:
        """Return what takes an event: *new* if it has blocks, otherwise *old*, if anything."""

        def take(message: Message, now: float) -> None:
            blocks = blocks_in(message.raw)
            if blocks:
                new(blocks, message, now)
            elif old is not None:
                old(message, now)

        return take

    def takes(self, query: Query) -> bool:
        """Return whether *query* lists channels."""
        return query in (CHANNEL_LIST, STATUS)

    def take_list(self, _query: Query, items: Sequence[Message], now: float) -> int:
        """Take the channels that CoreShowChannels or Status lists."""
        return take_channels(self._store, items, now)

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield the channels that are shown."""
        self._store.graph.settle()
        for channel in list(self._store.channels.values()):
            if channel.is_shown:
                yield Row(channel.uniqueid, _fields(channel), listitems.of_channel(channel))

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the channels that have one of *keys*."""
        self._store.graph.settle()
        for key in keys:
            channel = self._store.channels.get(key)
            if channel is not None and channel.is_shown:
                yield Row(channel.uniqueid, _fields(channel), listitems.of_channel(channel))

    def __len__(self) -> int:
        return len(self._store.channels)

    def clear(self) -> None:
        """Forget all channels, and the calls with them."""
        self._store.clear()

    # -- events ------------------------------------------------------------------------------

    def _tell(self, blocks: Blocks, _message: Message, now: float) -> None:
        """Take the state of each channel that an event tells."""
        refresh = self._store.refresh
        for block in blocks:
            refresh(block[1:], now)

    def _newchannel(self, blocks: Blocks, _message: Message, now: float) -> None:
        said = blocks[0][1:]
        if said[10] in self._store.channels:
            self._store.refresh(said, now)
        else:
            self._store.add(said, now, now)

    def _newexten(self, message: Message, now: float) -> None:
        """An application begins: told by class dialplan, so nothing else is taken from it."""
        found = place_in(message.raw)
        channel = self._store.channels.get(found.uniqueid)
        if channel is None:
            for block in blocks_in(message.raw):  # Asterisk 11 tells too little to make one
                channel = self._store.refresh(block[1:], now)
            if channel is None:
                return
        channel.application = intern(found.application)
        channel.data = intern(found.data)
        block = channel.block
        if (block.context, block.exten, block.priority) != found[:3]:
            context, exten, priority = map(intern, found[:3])
            channel.block = block._replace(context=context, exten=exten, priority=priority)
            channel.pass_through(exten)
        self._store.touch(channel)

    def _hangup(self, message: Message, now: float) -> None:
        raw = message.raw
        cause = number(value_in(raw, b"\r\nCause: "))
        self._store.remove(value_in(raw, UNIQUEID), now, cause)

    def _hold(self, blocks: Blocks, message: Message, now: float) -> None:
        channel = self._store.refresh(blocks[0][1:], now)
        if channel is None:
            return
        if message.raw[7:9] in (b"Un", b"un"):
            channel.held = None
        elif channel.held is None:
            channel.held = now
        self._store.touch(channel)

    def _muted(self, blocks: Blocks, message: Message, now: float) -> None:
        """A member of a conference joins, is muted, or is muted no more."""
        channel = self._store.refresh(blocks[0][1:], now)
        if channel is not None:
            joins = value_in(message.raw, b"\r\nMuted: ")
            channel.muted = is_true(joins) if joins else b"Unmute" not in message.raw[:30]
            self._store.touch(channel)


def _fields(channel: Channel) -> dict[str, Value]:
    """Return the row of *channel*."""
    block, bridge, call = channel.block, channel.bridge, channel.call
    return {
        "uniqueid": block.uniqueid,
        "name": block.name,
        "technology": block.name.partition("/")[0],
        "device": device_of(block.name),
        "state": STATES.get(block.state),
        "state_number": number(block.state),
        "caller_number": known(block.caller_number),
        "caller_name": known(block.caller_name),
        "connected_number": known(block.connected_number),
        "connected_name": known(block.connected_name),
        "account": known(block.account),
        "context": known(block.context),
        "exten": known(block.exten),
        "priority": number(block.priority),
        "linkedid": known(block.linkedid),
        "call": call.key if call is not None else None,
        "application": known(channel.application),
        "application_data": known(channel.data),
        "bridge": bridge.key if bridge is not None else None,
        "hold": channel.held is not None,
        "muted": channel.muted,
        "queue": known(channel.queue),
        "started": channel.started,
        "since": channel.since,
        "answered": channel.answered,
    }
