# SPDX-License-Identifier: GPL-2.0-or-later
"""Store: the channels of one server, and what keeps bridges and calls right when one changes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from amiproxy.basics.bounded import BoundedDict
from amiproxy.state.calls.blocks import Block
from amiproxy.state.calls.entities import LOCAL, UP, Bridge, Channel
from amiproxy.state.calls.graph import Graph
from amiproxy.state.gone import Gone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.state.table import Standing

# A SIP MESSAGE is handled by a channel that never hangs up.
_IGNORED = "Message/"
_MOST_UNLINKED = 256


class Store:
    """All channels by unique id, with the graph of calls.  Not thread-safe."""

    def __init__(self, standing: Standing) -> None:
        self.channels: dict[str, Channel] = {}
        self.graph = Graph(standing)
        #: Channels by name: the halves of a Local channel, and events of Asterisk 11, have no id.
        self.names: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        #: Pairs of Asterisk 11 that were unlinked: since when they were, and until when.
        self.unlinked: BoundedDict[str, tuple[float, float]] = BoundedDict(_MOST_UNLINKED)
        self._standing = standing
        #: Bridges that were destroyed a moment ago.
        self._destroyed = Gone()
        self._number = 0

    def clear(self) -> None:
        """Forget all."""
        self.channels.clear()
        self.names.clear()
        self.bridges.clear()
        self.unlinked.clear()
        self.graph.clear()
        self._destroyed.clear()

    def has_hung_up(self, uniqueid: str, now: float) -> bool:
        """Return whether this channel has hung up a moment ago."""
        return self._standing.gone.has(uniqueid, now)

    def doubt(self, uniqueid: str, now: float) -> None:
        """Note that something names a channel: if it should be known, the list is asked for."""
        unknown = uniqueid and uniqueid not in self.channels
        if unknown and self._standing.live and not self.has_hung_up(uniqueid, now):
            self._standing.doubts.add("channels")

    def touch(self, *channels: Channel) -> None:
        """Note that *channels* may have changed, and with them what they are in."""
        touched = self._standing.touched
        if touched is None:
            return
        for channel in channels:
            touched.add("channels", channel.uniqueid)
            if channel.call is not None:
                touched.add("calls", channel.call.key)
            if channel.bridge is not None:
                touched.add("bridges", channel.bridge.key)

    def touch_bridge(self, bridge: Bridge) -> None:
        """Note that *bridge* may have changed, and with it the calls of who is there."""
        if self._standing.touched is not None:
            self._standing.touch("bridges", bridge.key)
            self.touch(*bridge.channels.values())

    # -- channels come, change, go -----------------------------------------------------------

    def refresh(self, said: tuple[str, ...], now: float) -> Channel | None:
        """Take the whole state of a channel that an event tells: what a Block holds.

        One that is not known is made while the model is being built.  Later it is a reason to
        ask for the list, and None is returned, as for one that has hung up.
        """
        channel = self.channels.get(said[10])
        if channel is None:
            return self._mentioned(said, now)
        if channel.block != said:
            self.change(channel, said, now)
        return channel

    def _mentioned(self, said: tuple[str, ...], now: float) -> Channel | None:
        if not said[10] or said[0].startswith(_IGNORED) or self.has_hung_up(said[10], now):
            return None
        if self._standing.live:
            self._standing.doubts.add("channels")
            return None
        return self.add(said, now, now)

    def add(self, said: Iterable[str], started: float, now: float) -> Channel | None:
        """Add a channel that is known to be there; None if it is of no interest."""
        block = Block._make(map(sys.intern, said))
        if not block.uniqueid or block.name.startswith(_IGNORED):
            return None
        self._standing.gone.discard(block.uniqueid)
        self._number += 1
        channel = Channel(block, self._number, started, started)
        if block.state == UP and started == now:
            channel.answered = now
        self.channels[block.uniqueid] = channel
        self.graph.added(channel)
        self._named(channel, now)
        self.touch(channel)
        return channel

    def change(self, channel: Channel, said: Iterable[str], now: float) -> None:
        """Note that *channel* is as *said* from now on; its unique id stays."""
        before = channel.block
        block = channel.block = Block._make(map(sys.intern, said))
        if block.state != before.state:
            channel.since = now
            if block.state == UP and channel.answered is None:
                channel.answered = now
        channel.pass_through(block.exten)
        if block.linkedid != before.linkedid:
            self.graph.relink(channel, block.linkedid or block.uniqueid, now)
        if block.name != before.name:
            if self.names.get(before.name) is channel:
                del self.names[before.name]
            self._named(channel, now)
        self.touch(channel)

    def remove(self, uniqueid: str, now: float, cause: int | None = None) -> None:
        """Note that the channel has hung up, known or not: nothing that comes later makes it."""
        self._standing.gone.add(uniqueid, now)
        channel = self.channels.get(uniqueid)
        if channel is not None:
            self.drop(channel, now, cause)

    def drop(self, channel: Channel, now: float, cause: int | None = None) -> None:
        """Take *channel* out of everything that knows it."""
        self.touch(channel)
        self.graph.gone(channel, now, cause)
        del self.channels[channel.uniqueid]
        if self.names.get(channel.block.name) is channel:
            del self.names[channel.block.name]
        self.leave(channel)
        self.hang_up_dial(channel)
        for dialled in list((channel.dials or {}).values()):
            self.hang_up_dial(dialled)
        other = channel.other
        if other is not None and other.other is channel:
            other.other = None
            self.touch(other)

    # -- what holds channels together --------------------------------------------------------

    def enter(self, channel: Channel, bridge: Bridge, now: float) -> None:
        """Note that *channel* is in *bridge* now, and in no other."""
        if channel.bridge is bridge:
            return
        self.leave(channel)
        channel.bridge = bridge
        channel.entered = now
        bridge.channels[channel.uniqueid] = channel
        if bridge.joins:
            self._joined(channel, bridge, now)
        self.touch(channel)

    def _joined(self, channel: Channel, bridge: Bridge, now: float) -> None:
        """Note that *channel* talks with who is in *bridge*."""
        others = [each for each in bridge.channels.values() if each is not channel]
        for other in others:
            self.graph.joined(channel, other, now)
            # Answered, and joined by the bridge from now on.
            if channel.dial is other:
                self.hang_up_dial(channel)
            elif other.dial is channel:
                self.hang_up_dial(other)
        if any(each.link != channel.link for each in others):
            self.link(list(bridge.channels.values()), now)

    def link(self, channels: list[Channel], now: float) -> None:
        """Give *channels* the Linkedid of the oldest, as Asterisk does.

        No event says so: it shows with whatever comes next, perhaps when they have parted, and in
        Asterisk 11 never.  There, all that had the Linkedid of one of them get the new one.
        """
        linkedid = min(channels, key=lambda channel: channel.age).link
        for channel in channels:
            if channel.link != linkedid:
                is_told = bool(channel.block.linkedid)
                changing = [channel] if is_told else self.graph.linked(channel.link)
                for each in changing:
                    self.graph.relink(each, linkedid, now)

    def leave(self, channel: Channel) -> None:
        """Note that *channel* is in no bridge."""
        bridge = channel.bridge
        if bridge is not None:
            self.touch(channel)
            channel.bridge = None
            bridge.channels.pop(channel.uniqueid, None)
            if bridge.joins:
                self.graph.parted(channel)

    def bridge(self, key: str, now: float, *, new: bool = False) -> Bridge | None:
        """Return the bridge *key*, made if need be; None for one that is gone."""
        bridge = self.bridges.get(key)
        if bridge is None and key and (new or not self._destroyed.has(key, now)):
            self._destroyed.discard(key)
            bridge = self.bridges[key] = Bridge(key, now)
            self._standing.touch("bridges", key)
        return bridge

    def destroy(self, bridge: Bridge, now: float) -> None:
        """Note that *bridge* is no more."""
        for channel in list(bridge.channels.values()):
            self.leave(channel)
        self._standing.touch("bridges", bridge.key)
        self._destroyed.add(bridge.key, now)
        self.bridges.pop(bridge.key, None)

    def describe(self, bridge: Bridge, facts: tuple[str, ...], now: float) -> None:
        """Note the type, technology, creator and name of *bridge*."""
        self.touch_bridge(bridge)
        joined = bridge.joins
        bridge.facts = facts
        if bridge.joins and not joined and bridge.channels:
            for channel in list(bridge.channels.values()):
                self._joined(channel, bridge, now)

    def dial(self, caller: Channel, dialled: Channel, now: float) -> None:
        """Note that *caller* dials *dialled*."""
        self.hang_up_dial(dialled)
        dialled.dial = caller
        dialled.dialled_by = caller.uniqueid
        self.touch(caller, dialled)
        if caller.dials is None:
            caller.dials = {}
        caller.dials[dialled.uniqueid] = dialled
        self.graph.joined(caller, dialled, now)
        if not dialled.block.linkedid:
            self.link([caller, dialled], now)

    def hang_up_dial(self, dialled: Channel) -> None:
        """Note that *dialled* is dialled no more."""
        caller = dialled.dial
        if caller is not None:
            dialled.dial = None
            if caller.dials is not None:
                caller.dials.pop(dialled.uniqueid, None)
                if not caller.dials:
                    caller.dials = None
            self.graph.parted(dialled)
            self.touch(dialled)

    def _named(self, channel: Channel, now: float) -> None:
        """Note the name of *channel*, and find the other half of a Local channel by it."""
        name = channel.block.name
        self.names[name] = channel
        if name.startswith(LOCAL) and name[-2:] in (";1", ";2"):
            other = self.names.get(name[:-1] + ("2" if name[-1] == "1" else "1"))
            if other is not None and other is not channel:
                channel.other, other.other = other, channel
                self.touch(other)
                self.graph.joined(channel, other, now)
