# SPDX-License-Identifier: GPL-2.0-or-later
"""What an event says of a channel: the block of headers of Asterisk 12 and later.

Such an event tells the whole state of each channel it is about, always in one order, each header
with the party's name in front: DestChannel, DestChannelState, ... (main/manager_channels.c).  One
expression finds them all in a quarter of the time that it takes to sort every header.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from amiproxy.state.values import LONGEST, value_in


class Block(NamedTuple):
    """The values of one block, as they came; "" for what was not there."""

    name: str
    state: str
    caller_number: str
    caller_name: str
    connected_number: str
    connected_name: str
    account: str
    context: str
    exten: str
    priority: str
    uniqueid: str
    linkedid: str


_USUAL = 2048  # bytes of an event in which no value needs to be cut
_VALUE = r"([^\r\n]*)"
_BLOCK = re.compile(
    rf"\r\n([A-Za-z]{{0,20}})Channel: {_VALUE}"
    rf"\r\n\1ChannelState: {_VALUE}"
    r"\r\n\1ChannelStateDesc: [^\r\n]*"
    rf"\r\n\1CallerIDNum: {_VALUE}"
    rf"\r\n\1CallerIDName: {_VALUE}"
    rf"\r\n\1ConnectedLineNum: {_VALUE}"
    rf"\r\n\1ConnectedLineName: {_VALUE}"
    r"(?:\r\n\1Language: [^\r\n]*)?"
    rf"\r\n\1AccountCode: {_VALUE}"
    rf"\r\n\1Context: {_VALUE}"
    rf"\r\n\1Exten: {_VALUE}"
    rf"\r\n\1Priority: {_VALUE}"
    rf"\r\n\1Uniqueid: {_VALUE}"
    rf"(?:\r\n\1Linkedid: {_VALUE})?"
)

_PLACE = re.compile(
    rf"\r\nContext: {_VALUE}"
    r"\r\nExten: [^\r\n]*"
    rf"\r\nPriority: {_VALUE}"
    rf"\r\nUniqueid: {_VALUE}"
    r"(?:\r\nLinkedid: [^\r\n]*)?"
    rf"\r\nExtension: {_VALUE}"
    rf"\r\nApplication: {_VALUE}"
    rf"\r\nAppData: {_VALUE}".encode()
)


class Place(NamedTuple):
    """Where in the dialplan a channel is, as Newexten tells it."""

    context: str
    exten: str
    priority: str
    uniqueid: str
    application: str
    data: str


def place_in(raw: bytes) -> Place:
    """Return what the Newexten *raw* tells; "" for what it does not."""
    found = _PLACE.search(raw)
    if found is not None:
        at = [value[:LONGEST].decode("latin-1") for value in found.groups()]
        context, priority, uniqueid, exten, application, data = at
        return Place(context, exten, priority, uniqueid, application, data)
    headers = ("Context", "Extension", "Priority", "Uniqueid", "Application", "AppData")
    return Place(*(value_in(raw, f"\r\n{header}: ".encode()) for header in headers))


def blocks_in(raw: bytes) -> list[tuple[str, ...]]:
    """Return each block in the event *raw*: the party's name, then what a Block holds."""
    found = _BLOCK.findall(raw.decode("latin-1"))
    if found and len(raw) > _USUAL:
        return [tuple(value[:LONGEST] for value in block) for block in found]
    return found
