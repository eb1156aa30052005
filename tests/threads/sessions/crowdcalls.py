# SPDX-License-Identifier: GPL-2.0-or-later
"""What an Asterisk says at random of calls, phones and queues, for the histories of crowds.

Everything that filters go by occurs: ids that are used again, that other events forge, that stand
there without a channel; a second Hangup, and what comes after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable

from amiproxy.message import Message

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

DEVICES = ("PJSIP/101", "PJSIP/102", "PJSIP/1010", "pjsip/101", "SIP/7", "Local/5@x", "IAX2/out")
CONTEXTS = ("in", "in", "queues", "out", "")
#: Channels that are alive at a time on one Asterisk, before some hang up.
_MOST_ALIVE = 7


@dataclass
class Channel:
    """One channel, as its Asterisk knows it."""

    name: str
    uid: str
    linkedid: str
    context: str
    bridge: str = ""

    def lines(self, party: str = "") -> list[str]:
        """Return its headers; *party* stands in front of their names."""
        return [
            f"{party}Channel: {self.name}",
            f"{party}Context: {self.context}",
            f"{party}Uniqueid: {self.uid}",
            f"{party}Linkedid: {self.linkedid}",
        ]


@dataclass
class Calls:
    """What goes on at one Asterisk; *scatter* says what."""

    alive: list[Channel] = field(default_factory=list)
    gone: list[Channel] = field(default_factory=list)
    bridges: list[tuple[str, str]] = field(default_factory=list)  # id and type
    made: int = 0

    def say(self, luck: random.Random) -> bytes:
        """Return one message, as the Asterisk sends it: no ``Server:`` in it."""
        if len(self.alive) > _MOST_ALIVE:
            return _of(self.hangup(luck))
        kinds = _KINDS if self.alive else _IDLE
        return _of(kinds[int(luck.random() * len(kinds))](self, luck))

    def one(self, luck: random.Random) -> Channel:
        """Return a channel that is alive, or now and then one that has hung up."""
        if self.gone and luck.random() < 0.06:
            return luck.choice(self.gone)
        return luck.choice(self.alive)

    # -- channels -----------------------------------------------------------------------------

    def begin(self, luck: random.Random, device: str = "", linkedid: str = "") -> Channel:
        """Make a channel; its id may be one that was used before."""
        self.made += 1
        uid = f"1.{self.made}"
        if self.gone and luck.random() < 0.15:
            uid = luck.choice(self.gone).uid
        if not linkedid:
            linkedid = (
                luck.choice(self.alive).linkedid if luck.random() < 0.3 and self.alive else uid
            )
        name = f"{device or luck.choice(DEVICES)}-{self.made:04x}"
        found = Channel(name, uid, linkedid, luck.choice(CONTEXTS))
        self.alive.append(found)
        return found

    def newchannel(self, luck: random.Random) -> list[str]:
        return ["Newchannel", *self.begin(luck).lines(), "ChannelState: 0"]

    def newstate(self, luck: random.Random) -> list[str]:
        return ["Newstate", *self.one(luck).lines(), "ChannelState: 6"]

    def newexten(self, luck: random.Random) -> list[str]:
        one = self.one(luck)
        if luck.random() < 0.4:
            one.context = luck.choice(CONTEXTS)
        return ["Newexten", *one.lines(), "Application: Queue"]

    def varset(self, luck: random.Random) -> list[str]:
        one = self.one(luck)
        value = luck.choice(("1", "PJSIP/101-1", "x\nChannel: PJSIP/101-9", "Uniqueid: 1.1"))
        return ["VarSet", *one.lines(), "Variable: v", f"Value: {value}"]

    def bare(self, luck: random.Random) -> list[str]:
        """Return an event that names a channel by its id alone, or with an odd name."""
        one = self.one(luck)
        odd = luck.choice(
            ([], [], ["Context: "], [f"Context: {one.context}"], ["Channel: "],
             ["Channel: SIP/7\nPJSIP/101-1"], ["channel: PJSIP/102-7"])
        )  # fmt: skip
        return [luck.choice(("Hold", "MusicOnHoldStart", "RTCPSent")), *odd, f"uniqueid: {one.uid}"]

    def dial(self, luck: random.Random) -> list[str]:
        other = self.begin(luck, linkedid=self.one(luck).linkedid)
        other.context = luck.choice(("", "", other.context))
        if luck.random() < 0.3:  # an Originate has no caller
            return ["DialBegin", *other.lines("Dest")]
        return ["DialBegin", *self.one(luck).lines(), *other.lines("Dest")]

    def rename(self, luck: random.Random) -> list[str]:
        one = self.one(luck)
        old, one.name = one.name, f"{luck.choice(DEVICES)}-{self.made:04x}"
        return ["Rename", f"Channel: {old}", f"Newname: {one.name}", f"Uniqueid: {one.uid}"]

    def join_call(self, luck: random.Random) -> list[str]:
        """Return an event by which a channel belongs to another call."""
        one = self.one(luck)
        one.linkedid = self.one(luck).linkedid
        return ["NewConnectedLine", *one.lines()]

    def hangup(self, luck: random.Random) -> list[str]:
        one = luck.choice(self.alive)
        self.alive.remove(one)
        self.gone.append(one)
        del self.gone[:-6]
        lines = one.lines()
        return ["Hangup", *(lines if luck.random() < 0.8 else lines[2:]), "Cause: 16"]

    def second_hangup(self, luck: random.Random) -> list[str]:
        one = luck.choice(self.gone or self.alive)
        return [luck.choice(("Hangup", "HangupRequest", "SoftHangupRequest")), *one.lines()]

    def late(self, luck: random.Random) -> list[str]:
        one = luck.choice(self.gone or self.alive)
        if luck.random() < 0.5:
            other = self.one(luck)
            return ["Cdr", f"Channel: {one.name}", f"DestinationChannel: {other.name}",
                    f"DestinationContext: {one.context}", f"UniqueID: {one.uid}"]  # fmt: skip
        return ["CEL", f"EventName: LINKEDID_END\r\nPeer: {one.name}", *one.lines()[1:]]

    # -- bridges and transfers -------------------------------------------------------------------

    def bridge(self, luck: random.Random) -> list[str]:
        if not self.bridges or luck.random() < 0.3:
            self.made += 1
            self.bridges.append((f"b{self.made}", luck.choice(("basic", "basic", "holding"))))
            return ["BridgeCreate", *self.about(self.bridges[-1])]
        one = luck.choice(self.bridges)
        if luck.random() < 0.2:
            self.bridges.remove(one)
            return ["BridgeDestroy", *self.about(one)]
        return [luck.choice(("BridgeInfo", "BridgeVideoSourceUpdate")), *self.about(one)]

    def about(self, bridge: tuple[str, str]) -> list[str]:
        """Return the headers of *bridge*."""
        return [f"BridgeUniqueid: {bridge[0]}", f"BridgeType: {bridge[1]}"]

    def enter(self, luck: random.Random) -> list[str]:
        if not self.bridges:
            return self.bridge(luck)
        one, bridge = self.one(luck), luck.choice(self.bridges)
        if luck.random() < 0.7:
            return ["BridgeEnter", *self.about(bridge), *one.lines()]
        return ["BridgeLeave", *self.about(bridge), *one.lines()]

    def transfer(self, luck: random.Random) -> list[str]:
        a, b = self.one(luck), self.one(luck)
        if luck.random() < 0.5:
            return ["BlindTransfer", *a.lines("Transferer"), *b.lines("Transferee"), "Context: in"]
        return ["AttendedTransfer", *a.lines("OrigTransferer"), *b.lines("SecondTransferer")]

    def local(self, luck: random.Random) -> list[str]:
        a = self.begin(luck, "Local/5@x")
        b = self.begin(luck, "Local/5@x", a.linkedid)
        return ["LocalBridge", *a.lines("LocalOne"), *b.lines("LocalTwo"), "Context: in"]

    # -- what is about no channel ----------------------------------------------------------------

    def device(self, luck: random.Random) -> list[str]:
        device = luck.choice(DEVICES)
        number = device.partition("/")[2]
        return luck.choice(
            (
                ["DeviceStateChange", f"Device: {device}", "State: INUSE"],
                ["PeerStatus", f"Peer: {device}", "PeerStatus: Registered"],
                ["ContactStatus", f"AOR: {number}", f"EndpointName: {number}"],
                ["ExtensionStatus", "Exten: 1", "Context: in", f"Hint: SIP/8&{device},x"],
                [
                    "QueueMemberStatus",
                    "Queue: q",
                    f"Interface: {device}",
                    f"StateInterface: {device}",
                ],
            )
        )

    def agent(self, luck: random.Random) -> list[str]:
        caller, device = self.one(luck), luck.choice(DEVICES)
        return ["AgentCalled", *caller.lines(), f"Interface: {device}", "Queue: q"]

    def nameless(self, luck: random.Random) -> list[str]:
        return [luck.choice(("Registry", "Reload", "MessageWaiting", "Alarm"))]

    def user_event(self, luck: random.Random) -> list[str]:
        """Return an event whose sender writes what it likes."""
        forged = [f"ActionID: {luck.choice(('1', 'amp1-2'))}"] if luck.random() < 0.4 else []
        if not self.alive or luck.random() < 0.3:
            return ["UserEvent", *forged, "UserEvent: x"]
        one = self.one(luck)
        line = luck.choice(one.lines())
        return ["UserEvent", *forged, "UserEvent: x", line, f"BridgeUniqueid: b{self.made}"]


#: What may be said at any time, and what needs a channel; often the ones that are frequent.
_IDLE: Sequence[Callable[[Calls, random.Random], list[str]]] = (
    Calls.newchannel, Calls.newchannel, Calls.newchannel, Calls.device, Calls.nameless,
    Calls.user_event,
)  # fmt: skip
_KINDS: Sequence[Callable[[Calls, random.Random], list[str]]] = (
    *_IDLE, Calls.newstate, Calls.newexten, Calls.newexten, Calls.varset, Calls.varset, Calls.bare,
    Calls.bare, Calls.dial, Calls.dial, Calls.rename, Calls.join_call, Calls.hangup, Calls.hangup,
    Calls.second_hangup, Calls.late, Calls.late, Calls.bridge, Calls.enter, Calls.enter,
    Calls.enter, Calls.transfer, Calls.local, Calls.device, Calls.agent,
)  # fmt: skip

_CLASSES = {
    "VarSet": "dialplan,all", "Newexten": "dialplan,all", "Cdr": "cdr,all", "CEL": "cel,all",
    "UserEvent": "user,all", "AgentCalled": "agent,all", "QueueMemberStatus": "agent,all",
    "RTCPSent": "reporting,all", "Registry": "system,all", "Alarm": "security,all",
    "PeerStatus": "system,all", "ContactStatus": "security,all",
}  # fmt: skip


def _of(lines: list[str]) -> bytes:
    """Return the message of an event: its name, and its headers."""
    name, *rest = lines
    return Message.of(f"Event: {name}", f"Privilege: {_CLASSES.get(name, 'call,all')}", *rest).raw
