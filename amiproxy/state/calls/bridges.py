# SPDX-License-Identifier: GPL-2.0-or-later
"""BridgeTable: which there are, and which channels are in each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from amiproxy.state.calls import listitems
from amiproxy.state.calls.channellist import BRIDGE_LIST
from amiproxy.state.table import Row, Table
from amiproxy.state.values import LONGEST, UNIQUEID, known, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.calls.entities import Bridge
    from amiproxy.state.calls.store import Store
    from amiproxy.state.table import Handler, Query, Value

_VALUE = r"([^\r\n]*)"
_BLOCK = re.compile(
    rf"\r\nBridgeUniqueid: {_VALUE}"
    rf"\r\nBridgeType: {_VALUE}"
    rf"\r\nBridgeTechnology: {_VALUE}"
    rf"(?:\r\nBridgeCreator: {_VALUE})?"  # not in Asterisk 12.0
    rf"(?:\r\nBridgeName: {_VALUE})?".encode()
)


class BridgeTable(Table):
    """The bridges of one server.

    Membership comes from BridgeEnter and BridgeLeave alone: BridgeMerge and transfers are
    followed by them.
    """

    kinds = ("bridges",)
    queries = (BRIDGE_LIST,)

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: Mapping[str, Handler] = {
            "bridgecreate": self._create,
            "bridgeenter": self._enter,
            "bridgeleave": self._leave,
            "bridgedestroy": self._destroy,
        }

    def take_list(self, _query: Query, items: Sequence[Message], now: float) -> int:
        """Take the bridges that BridgeList lists.  Which channels they have, channels say."""
        store = self._store
        listed = {item.get("BridgeUniqueid")[:LONGEST]: item for item in items}
        listed.pop("", None)
        differing = 0
        for old in [each for each in store.bridges.values() if each.key not in listed]:
            store.destroy(old, now)
            differing += 1
        for key, item in listed.items():
            is_new = key not in store.bridges
            bridge = store.bridge(key, now)
            if bridge is not None:
                differing += is_new
                store.describe(bridge, _facts(item), now)
        return differing

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield the bridges."""
        for bridge in list(self._store.bridges.values()):
            yield Row(bridge.key, _fields(bridge), listitems.of_bridge(bridge))

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the bridges that have one of *keys*."""
        for key in keys:
            bridge = self._store.bridges.get(key)
            if bridge is not None:
                yield Row(key, _fields(bridge), listitems.of_bridge(bridge))

    def __len__(self) -> int:
        return len(self._store.bridges)

    def clear(self) -> None:
        """Forget all bridges, and the channels with them."""
        self._store.clear()

    # -- events ------------------------------------------------------------------------------

    def _known(self, message: Message, now: float, *, new: bool = False) -> Bridge | None:
        """Return the bridge that *message* tells of, as it is now."""
        found = _BLOCK.search(message.raw)
        if found is None:
            return None
        key, *facts = [value[:LONGEST].decode("latin-1") for value in found.groups(b"")]
        bridge = self._store.bridge(key, now, new=new)
        if bridge is not None and bridge.facts != tuple(facts):
            self._store.describe(bridge, tuple(facts), now)
        return bridge

    def _create(self, message: Message, now: float) -> None:
        self._known(message, now, new=True)

    def _enter(self, message: Message, now: float) -> None:
        bridge = self._known(message, now)
        channel = self._store.channels.get(value_in(message.raw, UNIQUEID))
        if bridge is not None and channel is not None:
            self._store.enter(channel, bridge, now)

    def _leave(self, message: Message, _now: float) -> None:
        channel = self._store.channels.get(value_in(message.raw, UNIQUEID))
        key = value_in(message.raw, b"\r\nBridgeUniqueid: ")
        if channel is not None and channel.bridge is not None and channel.bridge.key == key:
            self._store.leave(channel)

    def _destroy(self, message: Message, now: float) -> None:
        bridge = self._store.bridges.get(value_in(message.raw, b"\r\nBridgeUniqueid: "))
        if bridge is not None:
            self._store.destroy(bridge, now)


def _facts(item: Message) -> tuple[str, ...]:
    headers = ("BridgeType", "BridgeTechnology", "BridgeCreator", "BridgeName")
    return tuple(item.get(header)[:LONGEST] for header in headers)


def _fields(bridge: Bridge) -> dict[str, Value]:
    """Return the row of *bridge*."""
    kind, technology, creator, name = bridge.facts
    return {
        "id": bridge.key,
        "type": known(kind),
        "technology": known(technology),
        "creator": known(creator),
        "name": known(name),
        "channels": tuple(key for key, each in bridge.channels.items() if each.is_shown),
        "since": bridge.since,
    }
