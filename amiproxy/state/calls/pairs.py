# SPDX-License-Identifier: GPL-2.0-or-later
"""Pairs: the bridges of Asterisk 11, which have no ids.

Link and Unlink name two channels.  At each hold and unhold both come at once: such a pair is as
old as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.calls.entities import BASIC

if TYPE_CHECKING:
    from amiproxy.state.calls.entities import Bridge, Channel
    from amiproxy.state.calls.store import Store

_FLAP = 1.0  # seconds


def pair(store: Store, one: Channel, two: Channel, technology: str, now: float) -> Bridge:
    """Note that *one* and *two* are bridged, and with nobody else."""
    key = _key(one, two)
    since = store.unlinked.pop(key, None)
    for channel in (one, two):
        old = channel.bridge
        if old is not None and old.key != key:
            unpair(store, old, now)
    bridge = store.bridge(key, now, new=True)
    assert bridge is not None
    store.describe(bridge, (BASIC, technology, "", ""), now)
    if since is not None and now - since[1] <= _FLAP:
        bridge.since = since[0]
    for channel in (one, two):
        store.enter(channel, bridge, now)
        channel.entered = min(channel.entered, bridge.since)
    store.touch_bridge(bridge)
    return bridge


def unpair(store: Store, bridge: Bridge, now: float) -> None:
    """Note that the channels of *bridge* are bridged no more."""
    store.unlinked[bridge.key] = (bridge.since, now)
    store.destroy(bridge, now)


def unlink(store: Store, one: Channel, two: Channel, now: float) -> None:
    """As :func:`unpair`, if these two are a pair."""
    bridge = store.bridges.get(_key(one, two))
    if bridge is not None:
        unpair(store, bridge, now)


def _key(one: Channel, two: Channel) -> str:
    return "|".join(sorted((one.uniqueid, two.uniqueid)))
