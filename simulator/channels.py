# SPDX-License-Identifier: GPL-2.0-or-later
"""The live channels of a simulated Asterisk, kept up to date by its events."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

_SNAPSHOT = (
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
)
#: Before the headers of other channels than the one that an event is about.
_PARTIES = ("Dest", "LocalOne", "LocalTwo")


class Hangable(Protocol):
    """The call that a channel belongs to."""

    def hang_up(self) -> None:
        """End the call."""


@dataclass
class Channel:
    """A live channel: the headers of its last event."""

    name: str
    headers: dict[str, str]
    call: Hangable
    since: float = field(default_factory=time.time)
    application: str = ""
    data: str = ""
    bridge: str = ""
    peer: Channel | None = None  # before Asterisk 12: whom it talks to
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def uniqueid(self) -> str:
        """The unique id."""
        return self.headers.get("Uniqueid", "")


class ChannelTable:
    """The live channels.  Written by the thread of the calls, read by sessions."""

    def __init__(self) -> None:
        # Guards _channels; nothing is sent under it.
        self._lock = threading.Lock()
        self._channels: dict[str, Channel] = {}

    @property
    def channels(self) -> list[Channel]:
        """The live channels, oldest first."""
        with self._lock:
            return list(self._channels.values())

    def clear(self) -> None:
        """Remove all channels."""
        with self._lock:
            self._channels.clear()

    def follow(self, call: Hangable, lines: list[str]) -> None:
        """Update the table from the *lines* of one event of *call*."""
        headers = dict(line.partition(": ")[::2] for line in lines)
        name, event = headers.get("Channel", ""), headers["Event"]
        with self._lock:
            if event == "Newchannel":
                self._channels[name] = Channel(name, _snapshot(headers), call)
            elif event == "Hangup":
                self._channels.pop(name, None)
            channel = self._channels.get(name)
            if channel is not None:
                _update(channel, event, headers)
            elif event == "Bridge":
                self._link(headers)
            for party in _PARTIES:
                self._refresh(party, headers)

    def _refresh(self, party: str, headers: dict[str, str]) -> None:
        """Note what an event of another channel tells of this *party* of it."""
        channel = self._channels.get(headers.get(f"{party}Channel", ""))
        if channel is not None and f"{party}ChannelState" in headers:
            found = {name: headers.get(party + name, "") for name in _SNAPSHOT}
            channel.headers = {**channel.headers, **found}

    def _link(self, headers: dict[str, str]) -> None:
        """Join two channels, or part them, as an event Bridge of before Asterisk 12 tells."""
        two = [self._channels.get(headers.get(f"Channel{number}", "")) for number in (1, 2)]
        linked = headers.get("Bridgestate") == "Link"
        for channel, other in zip(two, reversed(two)):
            if channel is not None:
                channel.peer = other if linked else None


def _update(channel: Channel, event: str, headers: dict[str, str]) -> None:
    if "ChannelState" in headers:
        # A new dict: sessions may be reading the old one.
        channel.headers = {**channel.headers, **_snapshot(headers)}
    if event == "Newexten":
        channel.application = headers.get("Application", "")
        channel.data = headers.get("AppData", "")
        if "Exten" not in headers:  # before Asterisk 12
            where = {"Exten": headers.get("Extension", ""), "Priority": headers.get("Priority", "")}
            channel.headers = {**channel.headers, "Context": headers.get("Context", ""), **where}
    elif event == "BridgeEnter":
        channel.bridge = headers.get("BridgeUniqueid", "")
    elif event == "BridgeLeave":
        channel.bridge = ""
    elif event == "VarSet":
        channel.variables[headers.get("Variable", "")] = headers.get("Value", "")


def _snapshot(headers: dict[str, str]) -> dict[str, str]:
    return {name: headers[name] for name in _SNAPSHOT if name in headers}
