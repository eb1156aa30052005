# SPDX-License-Identifier: GPL-2.0-or-later
"""Graph: which channels are one call.

Channels of one Linkedid, in one basic bridge, the halves of a Local channel, who dials and who is
dialled: each pair of them is of one call.  Joining is done at once.  That a call has come apart
is looked for when somebody wants to know, or before it is joined with another: mostly it has not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy.basics.bounded import BoundedDict
from amiproxy.state.calls import causes, parties
from amiproxy.state.calls.entities import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.state.calls.blocks import Block
    from amiproxy.state.calls.entities import Channel, Party
    from amiproxy.state.table import Standing

#: Seconds for which a call that has ended is told, and how many there are at the most.
KEPT = 5.0
MOST_ENDED = 4096


class Ended(NamedTuple):
    """A call that is over."""

    started: float
    at: float
    cause: int | None
    #: The call that it is part of now, "" if it has ended.
    merged_into: str
    from_: Party
    to: Party
    dialled: str
    queue: str
    said: tuple[tuple[Block, str], ...]


class Graph:
    """The calls of one server, whose model stands as *standing* says."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.calls: dict[str, Call] = {}
        self.ended: BoundedDict[str, Ended] = BoundedDict(MOST_ENDED)
        self._linked: dict[str, dict[str, Channel]] = {}
        self._begun_so_far = 0

    def clear(self) -> None:
        """Forget all."""
        self.calls.clear()
        self.ended.clear()
        self._linked.clear()

    # -- what changes ------------------------------------------------------------------------

    def added(self, channel: Channel) -> None:
        """A channel is there: it joins the call of its Linkedid, or begins one."""
        linked = self._link(channel)
        call = next(iter(linked.values())).call if len(linked) > 1 else None
        if call is None:
            call = self._begun(channel)
        call.channels[channel.uniqueid] = channel
        channel.call = call

    def relink(self, channel: Channel, linkedid: str, now: float) -> None:
        """Note that the Linkedid of *channel* is *linkedid* now."""
        self._unlink(channel)
        self.parted(channel)
        channel.link = linkedid
        linked = self._link(channel)
        if len(linked) > 1:
            self.joined(channel, next(iter(linked.values())), now)

    def linked(self, linkedid: str) -> list[Channel]:
        """Return the channels of this Linkedid."""
        return list(self._linked.get(linkedid, {}).values())

    def joined(self, one: Channel, two: Channel, now: float) -> None:
        """Two channels are of one call from now on; the elder call stays."""
        if one.call is two.call or one.call is None or two.call is None:
            return
        self._settle(one.call)
        self._settle(two.call)
        elder, younger = sorted((one.call, two.call), key=lambda call: (call.started, call.number))
        parties.remember_all(younger)
        self._touch(elder, *younger.channels.values())
        for channel in younger.channels.values():
            channel.call = elder
        elder.channels.update(younger.channels)
        elder.loose = False
        elder.dialled = elder.dialled or younger.dialled
        elder.queue = elder.queue or younger.queue
        del self.calls[younger.key]
        self._standing.touch("calls", younger.key)
        if younger.told:  # otherwise nobody asks what has become of it
            self._end(younger, now, elder.key)

    def parted(self, channel: Channel) -> None:
        """Something that held *channel* to others of its call is gone."""
        call = channel.call
        if call is not None and len(call.channels) > 1:
            call.loose = True
            self._touch(call)

    def gone(self, channel: Channel, now: float, cause: int | None) -> None:
        """*channel* has hung up; with the last one the call ends."""
        call = channel.call
        self._unlink(channel)
        if call is None:
            return
        self._touch(call)
        if cause:
            call.cause = cause
        parties.remember(call, channel)
        del call.channels[channel.uniqueid]
        channel.call = None
        if call.channels:
            call.loose = len(call.channels) > 1
        else:
            del self.calls[call.key]
            self._standing.kept.hangups[causes.word_of(call.cause)] += 1
            self._end(call, now, "")

    # -- what is -----------------------------------------------------------------------------

    def settle(self) -> None:
        """Take apart the calls that have come apart."""
        for call in [each for each in self.calls.values() if each.loose]:
            self._settle(call)

    def still_told(self, now: float) -> Iterator[tuple[str, Ended]]:
        """Forget what ended long ago, and yield the others."""
        self.forget(now)
        yield from list(self.ended.items())

    def forget(self, now: float) -> None:
        """Forget what ended long ago."""
        ended = self.ended
        while ended and next(iter(ended.values())).at < now - KEPT:
            self._standing.touch("calls", ended.popitem(last=False)[0])

    # -- how ---------------------------------------------------------------------------------

    def _touch(self, call: Call, *channels: Channel) -> None:
        """Note that *call* may have changed, and to which call *channels* belong."""
        touched = self._standing.touched
        if touched is not None:
            touched.add("calls", call.key)
            for channel in channels:
                touched.add("channels", channel.uniqueid)

    def _begun(self, channel: Channel) -> Call:
        """Return a new call for *channel*, which is its oldest."""
        uniqueid = channel.uniqueid
        key = channel.link
        if key in self.calls:
            key = uniqueid
        count = 1
        while key in self.calls:
            count += 1
            key = f"{uniqueid}/{count}"
        self.ended.pop(key, None)
        self._begun_so_far += 1
        self._standing.touch("calls", key)
        if self._standing.live:
            self._standing.kept.calls_started += 1
        call = self.calls[key] = Call(key, self._begun_so_far, channel.started)
        return call

    def _end(self, call: Call, now: float, merged_into: str) -> None:
        self.ended.pop(call.key, None)  # to be the latest, as the times in it go
        if len(self.ended) >= MOST_ENDED:
            self._standing.touch("calls", next(iter(self.ended)))
        self._standing.touch("calls", call.key)
        self.ended[call.key] = Ended(
            call.started, now, call.cause, merged_into, call.was_from, call.was_to, call.dialled,
            call.queue, call.was_said,
        )  # fmt: skip

    def _link(self, channel: Channel) -> dict[str, Channel]:
        """Return the channels of this channel's Linkedid, itself the last of them."""
        linked = self._linked.setdefault(channel.link, {})
        linked[channel.uniqueid] = channel
        return linked

    def _unlink(self, channel: Channel) -> None:
        linked = self._linked.get(channel.link)
        if linked is not None:
            linked.pop(channel.uniqueid, None)
            if not linked:
                del self._linked[channel.link]

    def _settle(self, call: Call) -> None:
        """Make calls of their own of what is not held to the oldest channel of *call*."""
        if not call.loose:
            return
        call.loose = False
        linkedid = next(iter(call.channels.values())).link
        if len(self._linked[linkedid]) == len(call.channels):
            return  # as nearly always: one Linkedid holds them all
        left = dict(sorted(call.channels.items(), key=lambda item: item[1].age))
        first = True
        while left:
            oldest = next(iter(left.values()))
            part = self._reached(oldest, left)
            if first:
                call.channels = part
            else:
                other = self._begun(oldest)
                other.channels = part
                for channel in part.values():
                    channel.call = other
                self._touch(call, *part.values())
            first = False

    def _reached(self, begin: Channel, left: dict[str, Channel]) -> dict[str, Channel]:
        """Take out of *left* what *begin* is held to, itself included, and return it."""
        found = {begin.uniqueid: left.pop(begin.uniqueid)}
        todo = [begin]
        looked: set[str] = set()  # Linkedids and bridges
        while todo:
            for channel in self._beside(todo.pop(), looked):
                uniqueid = channel.uniqueid
                if uniqueid in left:
                    found[uniqueid] = left.pop(uniqueid)
                    todo.append(channel)
        return found

    def _beside(self, channel: Channel, looked: set[str]) -> Iterator[Channel]:
        """Yield what *channel* is held to; whole Linkedids and bridges once."""
        linkedid = channel.link
        if linkedid not in looked:
            looked.add(linkedid)
            yield from self._linked.get(linkedid, {}).values()
        bridge = channel.bridge
        if bridge is not None and bridge.joins and "\n" + bridge.key not in looked:
            looked.add("\n" + bridge.key)
            yield from bridge.channels.values()
        if channel.dial is not None:
            yield channel.dial
        if channel.dials:
            yield from channel.dials.values()
        if channel.other is not None:
            yield channel.other
