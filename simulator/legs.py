# SPDX-License-Identifier: GPL-2.0-or-later
"""Leg: one channel of a call centre, and the headers that events have of it.

As Asterisk 22 writes them (simulator/data/pjsip_queue.call).
"""

from __future__ import annotations

from dataclasses import dataclass, field

_STATES = {0: "Down", 4: "Ring", 5: "Ringing", 6: "Up"}
UNKNOWN = "<unknown>"


@dataclass
class Leg:
    """One channel."""

    channel: str
    uniqueid: str
    linkedid: str
    number: str
    name: str
    context: str
    exten: str
    state: int = 0
    connected_number: str = UNKNOWN
    connected_name: str = UNKNOWN
    account: str = ""
    priority: int = 1
    #: Bridges it is in: at most one.
    bridge: str = field(default="", compare=False)

    def block(self, before: str = "") -> list[str]:
        """Return the headers of the channel; *before* each name: ``Dest``, say."""
        values = {
            "Channel": self.channel,
            "ChannelState": str(self.state),
            "ChannelStateDesc": _STATES[self.state],
            "CallerIDNum": self.number,
            "CallerIDName": self.name,
            "ConnectedLineNum": self.connected_number,
            "ConnectedLineName": self.connected_name,
            "Language": "en",
            "AccountCode": self.account,
            "Context": self.context,
            "Exten": self.exten,
            "Priority": str(self.priority),
            "Uniqueid": self.uniqueid,
            "Linkedid": self.linkedid,
        }
        return [f"{before}{name}: {value}" for name, value in values.items()]

    def meet(self, other: Leg) -> None:
        """Show *other* as who it is connected with, and the other way round."""
        self.connected_number, self.connected_name = other.number, other.name
        other.connected_number, other.connected_name = self.number, self.name


def event(name: str, *parts: list[str], **headers: object) -> list[str]:
    """Return the lines of event *name*: class, *parts*, then *headers*."""
    kind = "agent" if name.startswith(("Agent", "Queue")) else "call"
    kind = "dialplan" if name in ("Newexten", "VarSet") else kind
    lines = [f"Event: {name}", f"Privilege: {kind},all"]
    for part in parts:
        lines += part
    return lines + [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]


def bridge(uniqueid: str, channels: int) -> list[str]:
    """Return the headers of the bridge *uniqueid*, which holds *channels*."""
    return [
        f"BridgeUniqueid: {uniqueid}",
        "BridgeType: basic",
        "BridgeTechnology: simple_bridge",
        f"BridgeCreator: {UNKNOWN}",
        f"BridgeName: {UNKNOWN}",
        f"BridgeNumChannels: {channels}",
        "BridgeVideoSourceMode: none",
    ]
