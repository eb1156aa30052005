# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is in a call, and what they do: from the facts of its channels.

A call shows endpoints only: the halves of Local channels are the wires between them.  If nothing
else is left (an Originate to an application), they are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from amiproxy.state.calls.entities import AGENTS, NOBODY, PARKING, RINGING, UP, Party

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.state.calls.entities import Call, Channel

_MOST_SAID = 8  # channels that have left, of one call
_HOLDING = "holding_bridge"  # technology of a bridge in which nobody hears another
_DIAL = ("", "Dial", "AppDial", "AppDial2")

#: What a call is doing if nothing else fits: its first channel is in an application.
APPLICATION = "application"


class Doing(NamedTuple):
    """What a call is doing, and since when."""

    state: str
    since: float
    #: How many of its phones ring.
    ringing: int
    #: Who the call comes from.
    first: Channel
    to: Party


def endpoints(call: Call) -> list[Channel]:
    """Return the channels of *call* that are shown, the one it began with first."""
    shown = [channel for channel in call.channels.values() if channel.is_shown]
    ends = [channel for channel in shown if not channel.is_local] or shown
    ends.sort(key=lambda channel: channel.age)
    return ends


def origin(call: Call, ends: list[Channel]) -> Channel:
    """Return who of *ends*, which are not empty, the call comes from.

    That is the first one that nobody in the call dialled.
    """
    for channel in ends:
        if channel.dialled_by not in call.channels:
            return channel
    return ends[0]


def dialled(call: Call, first: Channel) -> str:
    """Return the extension that was dialled."""
    return call.dialled or first.first_exten


def queue_of(call: Call, ends: Iterable[Channel]) -> str:
    """Return the queue that the call is or was in, "" if none."""
    for channel in ends:
        if channel.queue:
            return channel.queue
    for channel in ends:
        if channel.application == "Queue":
            return channel.data.partition(",")[0]
    return call.queue


def remember(call: Call, channel: Channel) -> None:
    """Keep of *channel*, which leaves *call*, what is told of the call when it is over."""
    if not channel.is_shown:
        return
    call.was_said = (*call.was_said, (channel.block, channel.queue))[-_MOST_SAID:]
    call.queue = channel.queue or call.queue
    if channel.dialled_by and channel.answered is None:
        return  # it only rang
    if channel.is_local and call.was_from is not NOBODY:
        return
    if len(call.channels) == 1 and call.was_from is not NOBODY:
        if call.was_to is NOBODY and channel.party != call.was_from:
            call.was_to = channel.party
        return
    ends = endpoints(call)
    if channel.is_local and not ends[0].is_local:
        return
    first = origin(call, ends)
    others = _answered(channel, ends)
    if channel is first:
        call.was_to = others[0].party if others else call.was_to
    elif channel is not first.other:
        call.was_to = channel.party
    call.was_from = first.party
    call.dialled = dialled(call, first)


def remember_all(call: Call) -> None:
    """Keep what is told of *call* when it has become part of another."""
    ends = endpoints(call)
    if ends:
        call.was_from = origin(call, ends).party
    call.was_said = tuple((end.block, end.queue) for end in ends[:_MOST_SAID])


def talking_with(channel: Channel, ends: list[Channel]) -> list[Channel]:
    """Return which of *ends* are in a bridge with *channel*, also over Local channels."""
    reached = {channel.uniqueid}
    todo = [channel]
    while todo:
        each = todo.pop()
        bridge = each.bridge
        beside = list(bridge.channels.values()) if bridge is not None and bridge.joins else []
        if each.other is not None and each.is_local:
            beside.append(each.other)
        for found in beside:
            if found.uniqueid not in reached:
                reached.add(found.uniqueid)
                todo.append(found)
    return [
        end for end in ends
        if end is not channel and end is not channel.other
        and end.uniqueid in reached and end.bridge is not None and end.bridge.joins
    ]  # fmt: skip


def doing(call: Call, ends: list[Channel], now: float) -> Doing:
    """Return what *call* is doing, the first that fits; *ends* are its endpoints, not empty."""
    first = origin(call, ends)
    peers = talking_with(first, ends)
    if not peers and first.bridge is None:  # it is about to leave, or waits: what do others do?
        first, peers = _pair(first, ends)
    rung = [end for end in ends if end.block.state == RINGING and end is not first]
    found = ((state, since_of(call, ends, first, peers)) for state, since_of in _STATES)
    state, since = next((each for each in found if each[1] is not None), (APPLICATION, None))
    since = first.since if since is None else min(since, now)
    return Doing(state, since, len(rung), first, _to(first, ends, peers, rung))


def _to(first: Channel, ends: list[Channel], peers: list[Channel], rung: list[Channel]) -> Party:
    """Return who the call goes to: who has answered, or the only one who rings."""
    answered = peers or _answered(first, ends)
    if answered:
        return answered[0].party
    return rung[0].party if len(rung) == 1 else NOBODY


def _answered(first: Channel, ends: list[Channel]) -> list[Channel]:
    """Return which of *ends* are up, beside *first* and the other half of it."""
    return [
        end for end in ends
        if end is not first and end is not first.other and end.block.state == UP
    ]  # fmt: skip


def _pair(first: Channel, ends: list[Channel]) -> tuple[Channel, list[Channel]]:
    """Return the first of *ends* that talks, and with whom; if none does, *first* and nobody."""
    for one in ends:
        peers = talking_with(one, ends) if one.bridge is not None else []
        if peers:
            return one, peers
    return first, []


# -- the states: since when the call is so, None if it is not ----------------------------------


def _last(times: list[float]) -> float | None:
    return max(times) if times else None


def _parked(call: Call, *_: object) -> float | None:
    times = [each.parked for each in call.channels.values() if each.parked is not None]
    times += [
        each.entered
        for each in call.channels.values()
        if each.bridge is not None and each.bridge.type == PARKING
    ]
    return _last(times)


def _waiting(call: Call, *_: object) -> float | None:
    times = [each.queued for each in call.channels.values() if each.queued is not None]
    times += [  # as far as it can be seen without the events of class agent
        each.since
        for each in call.channels.values()
        if each.application == "Queue" and not each.queue and each.bridge is None
    ]
    return _last(times)


def _conference(call: Call, *_: object) -> float | None:
    times = [each.conference for each in call.channels.values() if each.conference is not None]
    for each in call.channels.values():
        bridge = each.bridge
        if bridge is None or bridge.joins or bridge.type in ("", PARKING, AGENTS):
            continue
        if bridge.technology != _HOLDING:
            times.append(each.entered)
    return _last(times)


def _hold(call: Call, *_: object) -> float | None:
    return _last([
        each.held
        for each in call.channels.values()
        if each.held is not None and each.bridge is not None
    ])  # fmt: skip


def _talking(
    _call: Call, ends: list[Channel], first: Channel, peers: list[Channel]
) -> float | None:
    one = first
    if not peers:
        one, peers = _pair(first, ends)
    if not peers:
        return None
    times = sorted(each.entered for each in (one, *peers) if each.bridge is not None)
    return times[min(1, len(times) - 1)]


def _ringing(_call: Call, ends: list[Channel], first: Channel, _peers: object) -> float | None:
    times = [end.since for end in ends if end.block.state == RINGING and end is not first]
    if not times and first.block.state == RINGING:
        times.append(first.since)
    return min(times) if times else None


def _dialling(call: Call, _ends: object, first: Channel, _peers: object) -> float | None:
    times = [
        each.started
        for each in call.channels.values()
        if each.dial is not None and (each.block.state != UP or each.bridge is None)
    ]
    if times:
        return min(times)
    if first.block.state != UP and first.application in _DIAL:
        return first.started
    return None


_STATES = (
    ("parked", _parked),
    ("waiting", _waiting),
    ("conference", _conference),
    ("hold", _hold),
    ("talking", _talking),
    ("ringing", _ringing),
    ("dialling", _dialling),
)
