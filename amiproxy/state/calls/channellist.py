# SPDX-License-Identifier: GPL-2.0-or-later
"""Lists of channels: CoreShowChannels, or Status where that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.calls.pairs import pair
from amiproxy.state.table import Query
from amiproxy.state.values import LONGEST, known, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.calls.entities import Channel
    from amiproxy.state.calls.store import Store

#: To be asked in this order: a channel's item names its bridge.
BRIDGE_LIST = Query("BridgeList")
CHANNEL_LIST = Query("CoreShowChannels")
STATUS = Query("Status", instead_of="CoreShowChannels")


def take_channels(store: Store, items: Sequence[Message], now: float) -> int:
    """Set the channels of *store* from the *items* of a list; return how many differed."""
    all_values = [item.values for item in items]
    listed = {values.get("uniqueid", ""): values for values in all_values if "channel" in values}
    listed.pop("", None)
    differing = 0
    for old in [each for each in store.channels.values() if each.uniqueid not in listed]:
        store.drop(old, now)
        differing += old.is_shown
    for uniqueid, values in listed.items():
        differing += _take(store, uniqueid, values, now)
    # Only now all are there that a bridge may name.
    for uniqueid, values in listed.items():
        channel = store.channels.get(uniqueid)
        if channel is not None and "bridgeid" in values:
            differing += _take_bridge(store, channel, values, now)
    return differing + _take_pairs(store, listed, now)


def _take(store: Store, uniqueid: str, values: Mapping[str, str], now: float) -> int:
    """Set one channel; return whether it differed."""
    channel = store.channels.get(uniqueid)
    said = _said(values, channel)
    differs = 0
    if channel is None:
        if store.has_hung_up(uniqueid, now):
            return 0
        age = seconds(values.get("duration") or values.get("seconds")) or 0
        channel = store.add(said, now - max(age, 0), now)
        if channel is None:
            return 0
        differs = 1
    elif channel.block != said:
        differs = channel.block.state != said[1] or channel.block.name != said[0]
        store.change(channel, said, now)
    if "application" in values:
        application = values["application"][:LONGEST]
        data = values.get("applicationdata", values.get("data", ""))[:LONGEST]
        if (channel.application, channel.data) != (application, data):
            channel.application, channel.data = application, data
            store.touch(channel)
    return differs


def _said(values: Mapping[str, str], channel: Channel | None) -> tuple[str, ...]:
    """Return what a Block holds; what the list does not tell stays as it is."""
    before = channel.block if channel is not None else ("",) * 12
    headers = (
        "channel", "channelstate", "calleridnum", "calleridname", "connectedlinenum",
        "connectedlinename", "accountcode", "context", "exten", "priority", "uniqueid", "linkedid",
    )  # fmt: skip
    found = [values.get(header, old) for header, old in zip(headers, before)]
    found[8] = values.get("exten", values.get("extension", found[8]))
    return tuple(value[:LONGEST] for value in found)


def _take_bridge(store: Store, channel: Channel, values: Mapping[str, str], now: float) -> int:
    """Put *channel* where the list says it is; return whether it was elsewhere."""
    key = values["bridgeid"]
    before = channel.bridge
    if not known(key):
        store.leave(channel)
        return before is not None
    if before is not None and before.key == key:
        return 0
    bridge = store.bridge(key, now)
    if bridge is None:
        return 0
    store.enter(channel, bridge, now)
    return 1


def _take_pairs(store: Store, listed: Mapping[str, dict[str, str]], now: float) -> int:
    """Set the pairs of Asterisk 11: an item names the other channel."""
    differing = 0
    single = {uniqueid for uniqueid, values in listed.items() if "bridgeid" not in values}
    for uniqueid, values in listed.items():
        one = store.channels.get(uniqueid)
        two = store.channels.get(values.get("bridgeduniqueid", ""))
        if one is None or two is None or one is two:
            continue
        single -= {uniqueid, two.uniqueid}
        if one.bridge is None or one.bridge is not two.bridge:
            pair(store, one, two, "", now)
            differing += 1
    for uniqueid in single:
        one = store.channels.get(uniqueid)
        if one is not None and one.bridge is not None:
            store.destroy(one.bridge, now)
            differing += 1
    return differing
