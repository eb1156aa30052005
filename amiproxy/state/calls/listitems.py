# SPDX-License-Identifier: GPL-2.0-or-later
"""What rights and filters judge rows of channels, bridges and calls by.

Each is the list item that Asterisk would make of it, of class ``call``: to see it a user needs
that class, as for the events it was made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.state.values import known

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.state.calls.blocks import Block
    from amiproxy.state.calls.entities import Bridge, Channel

_CLASS = "Privilege: call,all"


def of_channel(channel: Channel) -> Message:
    """Return *channel* as an item of CoreShowChannels, with the queue it is or was in."""
    block, bridge = channel.block, channel.bridge
    lines = [
        "Event: CoreShowChannel", _CLASS,
        f"Channel: {block.name}", f"ChannelState: {block.state}",
        f"CallerIDNum: {block.caller_number}", f"CallerIDName: {block.caller_name}",
        f"ConnectedLineNum: {block.connected_number}", f"ConnectedLineName: {block.connected_name}",
        f"AccountCode: {block.account}", f"Context: {block.context}", f"Exten: {block.exten}",
        f"Priority: {block.priority}", f"Uniqueid: {block.uniqueid}",
        f"Linkedid: {block.linkedid}", f"Application: {channel.application}",
        f"ApplicationData: {channel.data}",
        f"BridgeUniqueid: {bridge.key if bridge is not None else ''}",
    ]  # fmt: skip
    if channel.queue:
        lines.append(f"Queue: {channel.queue}")
    return Message.of(*lines)


def of_bridge(bridge: Bridge) -> Message:
    """Return *bridge* as an item of BridgeList that names its channels as well."""
    kind, technology, creator, name = bridge.facts
    lines = [
        "Event: BridgeListItem", _CLASS,
        f"BridgeUniqueid: {bridge.key}", f"BridgeType: {kind}",
        f"BridgeTechnology: {technology}", f"BridgeCreator: {creator}",
        f"BridgeName: {name}", f"BridgeNumChannels: {len(bridge.channels)}",
    ]  # fmt: skip
    for channel in bridge.channels.values():
        lines += _of_member(channel.block)
    return Message.of(*lines)


def of_call(channels: Iterable[tuple[Block, str]]) -> Message:
    """Return what is said of a call: the headers of each of its channels, repeated.

    *channels* is what each of them is, and the queue it is or was in.

    Who may see one of them sees the call.  A filter goes by the first header Context, so there
    is none: the parties' contexts count, each of them.
    """
    lines = ["Event: CoreShowChannel", _CLASS]
    for block, queue in channels:
        lines += _of_member(block)
        if queue:
            lines.append(f"Queue: {queue}")
    return Message.of(*lines)


def _of_member(block: Block) -> list[str]:
    lines = [
        f"Channel: {block.name}", f"Uniqueid: {block.uniqueid}", f"Linkedid: {block.linkedid}",
        f"DestContext: {block.context}",
    ]  # fmt: skip
    if known(block.account):
        lines.append(f"AccountCode: {block.account}")
    if known(block.caller_number):
        lines.append(f"CallerIDNum: {block.caller_number}")
    return lines
