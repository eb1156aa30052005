# SPDX-License-Identifier: GPL-2.0-or-later
"""Recorded calls of a real Asterisk, and what filtered clients get of them."""

from __future__ import annotations

import collections
import functools
from typing import TYPE_CHECKING, Callable

from amiproxy.message import END, Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from tests.recordings import RECORDINGS, after_banner
from tests.routing.support import User

if TYPE_CHECKING:
    from collections.abc import Iterable

#: 200 calls at once.
BURST = "g1_burst200_observer"

#: Every other recording with calls in it.
FLOWS = [
    name
    for name in RECORDINGS
    if name != BURST and b"\r\nEvent: Newchannel\r\n" in after_banner(name)
]


@functools.cache
def recorded(name: str) -> list[bytes]:
    """Return the wire form of each event of the recording *name*, as clients get it."""
    blocks = [block.lstrip(b"\r\n") for block in after_banner(name).split(END)]
    return [block + b"\r\nServer: pbx\r\n\r\n" for block in blocks if block.startswith(b"Event: ")]


def watch(name: str, *users: User) -> list[tuple[list[Message], SessionFilter]]:
    """Return for each of *users* the messages it gets of the recording *name*, and its filter."""
    table = CallTable()
    watching: list[tuple[list[Message], SessionFilter]] = [
        ([], SessionFilter(user, "off")) for user in users
    ]
    for raw in recorded(name):
        message = Message(raw)
        table.note(message)
        for got, filtered in watching:
            got.extend(filtered.incoming(message, "pbx", answer=False))
    return watching


@functools.cache
def watch_peers(name: str) -> dict[str, tuple[list[Message], SessionFilter]]:
    """Return what a user of each prefix of a channel in *name* gets, and its filter."""
    prefixes = peers(name)
    users = [User(channel=prefix) for prefix in prefixes]
    return dict(zip(prefixes, watch(name, *users)))


def peers(name: str) -> list[str]:
    """Return the prefixes of the channels in *name*: ``local/210@phones``, ``iax2/phone101``."""
    channels = {Message(raw).get("Channel") for raw in recorded(name)}
    return sorted({channel.rpartition("-")[0].lower() for channel in channels if "-" in channel})


def by_channel(messages: Iterable[Message]) -> dict[str, list[str]]:
    """Return the names of the events of each channel until its Hangup, by its unique id."""
    events: dict[str, list[str]] = collections.defaultdict(list)
    for message in messages:
        uid = message.get("Uniqueid")
        # List items, Cdr and CEL do not belong to the picture.  Asterisk sometimes sends
        # events of a channel after its Hangup: ConfbridgeLeave, NewCallerid.
        ended = events[uid][-1:] == ["Hangup"]
        if uid not in ("", "<unknown>") and not message.has("ActionID") and not ended:
            events[uid] += [message.get("Event")] * (message.get("Event") not in ("Cdr", "CEL"))
    return {uid: names for uid, names in events.items() if names}


def connected(name: str) -> Callable[[str], str]:
    """Return a function from id to the call it belongs to: all that was ever linked in *name*.

    Found out by joining the ids of each event, and the channels of each bridge of two.
    """
    parent: dict[str, str] = {}

    def find(uid: str) -> str:
        parent.setdefault(uid, uid)
        while parent[uid] != uid:
            uid = parent[uid]
        return uid

    for raw in recorded(name):
        message = Message(raw)
        ids = [
            value
            for header, value in message.headers()
            if header.lower().endswith(("uniqueid", "linkedid"))
            and "bridge" not in header.lower()
            and value
        ]
        if message.get("Event") == "BridgeEnter" and message.get("BridgeType") == "basic":
            ids.append(message.get("BridgeUniqueid"))
        for uid in ids:
            if uid != "<unknown>" and ids[0] != "<unknown>":
                parent[find(uid)] = find(ids[0])
    return find
