# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is at a simulated Asterisk beside channels, kept up to date by its events.

Bridges, the queues with their members and callers, device states, hints, contacts: what lists
tell is what events have told.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable, Optional

from simulator.recordings import split
from simulator.scripts import answers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulator.channels import Channel
    from simulator.technologies import Technology

Headers = dict[str, str]

#: The queue that calls wait in.
QUEUE = "support"
_AGENTS = ("Agent Anna", "Agent Bert", "Agent Caro")
#: Of other queues that events tell of: queue, interface, name.
_OTHER_MEMBERS = (("one", "PJSIP/101", "One"), ("sales", "Local/101@agents/n", "Agent One"))
#: The headers of a QueueMember in a list, as Asterisk 22 writes them, but the queue and the names.
_MEMBER = (
    "Membership", "Penalty", "CallsTaken", "LastCall", "LastPause", "LoginTime", "InCall", "Status",
    "Paused", "PausedReason", "Wrapuptime",
)  # fmt: skip


@dataclass
class Caller:
    """Somebody who waits in a queue, since when: ``time.time()``."""

    channel: str
    uniqueid: str
    since: float


@dataclass
class Queue:
    """One queue: its members by interface, its callers in order."""

    members: dict[str, Headers] = field(default_factory=dict)
    callers: list[Caller] = field(default_factory=list)
    level: int = 0  # seconds of the service level


class Present:
    """What there is.  Written by the thread of the calls, read by sessions."""

    def __init__(self, technology: Technology, *, members: int, peers: int) -> None:
        # Guards all fields below; nothing is sent under it.
        self._lock = threading.Lock()
        self._technology, self._members, self._peers = technology, members, peers
        self.restart()

    def restart(self) -> None:
        """Begin as Asterisk does: nobody waits, every phone is free."""
        with self._lock:
            self._bridges = {"": _recorded("bridgelist")[0]}  # of the parking lot
            self._queues = {QUEUE: Queue(dict(self._static_members()))}
            if self._technology.phones:
                for queue, interface, name in _OTHER_MEMBERS:
                    self._queues[queue] = Queue({interface: _member(name, "PJSIP/101")})
            self._devices = {one["Device"]: one for one in _recorded("devicestatelist")}
            self._hints = {
                (one["Exten"], one["Context"]): one for one in _recorded("extensionstatelist")
            }
            self._contacts = {str(number): _contact(number) for number in self._numbers}

    def staff(self, queues: Mapping[str, Mapping[str, str]], *, level: int) -> None:
        """Have these queues and no others: of each, the interfaces and names of its members.

        *level*: of each, the seconds of its service level.
        """
        with self._lock:
            self._queues = {
                queue: Queue(
                    {interface: _member(name, interface) for interface, name in members.items()},
                    level=level,
                )
                for queue, members in queues.items()
            }

    @property
    def _numbers(self) -> range:
        return range(101, 101 + self._peers)

    def _static_members(self) -> list[tuple[str, Headers]]:
        interface, state_interface = self._technology.member
        first = self._technology.first_member
        found = []
        for number in range(self._members):
            name = _AGENTS[number] if number < len(_AGENTS) else f"Agent {number + 1}"
            own = interface.format(first + number)
            found.append((own, _member(name, state_interface.format(first + number))))
        return found

    # -- what lists tell ------------------------------------------------------------------------

    def bridges(self) -> list[Headers]:
        """Return the bridges, as BridgeList tells them."""
        with self._lock:
            return list(self._bridges.values())

    def bridge(self, uniqueid: str) -> Headers | None:
        """Return the bridge *uniqueid*, None if there is none."""
        with self._lock:
            return self._bridges.get(uniqueid) if uniqueid else None

    def queues(self) -> dict[str, Queue]:
        """Return the queues by name."""
        with self._lock:
            return {
                name: Queue(dict(one.members), list(one.callers), one.level)
                for name, one in self._queues.items()
            }

    def devices(self) -> list[Headers]:
        """Return the states of devices, as DeviceStateList tells them."""
        with self._lock:
            return list(self._devices.values())

    def hints(self) -> list[Headers]:
        """Return the states of extensions, as ExtensionStateList tells them."""
        with self._lock:
            return list(self._hints.values())

    def contacts(self) -> dict[str, Headers]:
        """Return Status, RoundtripUsec and Uri of each contact, by the number of its phone."""
        with self._lock:
            return dict(self._contacts)

    def paused(self, interface: str) -> str:
        """Return why the member *interface* is paused in the first queue that has it, or ""."""
        with self._lock:
            for queue in self._queues.values():
                member = queue.members.get(interface)
                if member is not None:
                    return (member["PausedReason"] or "?") if member["Paused"] == "1" else ""
        return ""

    def waits(self, uniqueid: str) -> tuple[str, int, float] | None:
        """Return the queue that the channel *uniqueid* waits in, at which place, since when."""
        with self._lock:
            for name, queue in self._queues.items():
                for place, caller in enumerate(queue.callers, 1):
                    if caller.uniqueid == uniqueid:
                        return name, place, caller.since
        return None

    # -- what events tell -----------------------------------------------------------------------

    def follow(self, lines: list[str]) -> list[str]:
        """Note what the event of *lines* tells; return it as Asterisk would have sent it.

        A script does not know who else waits in the queue: Position and Count are filled in.
        Nor who its members are: what is no member's is no event.
        """
        headers = dict(line.partition(": ")[::2] for line in lines)
        follow = _FOLLOW.get(headers["Event"])
        if follow is None:
            return lines
        with self._lock:
            known = follow(self, headers)
        if known is None:
            return []
        return [
            f"{name}: {known.get(name, value)}" if colon else line
            for line in lines
            for name, colon, value in [line.partition(": ")]
        ]

    def _bridge(self, headers: Headers) -> Headers:
        uniqueid = headers.get("BridgeUniqueid", "")
        self._bridges[uniqueid] = {
            name: value for name, value in headers.items() if name.startswith("Bridge")
        }
        return {}

    def _unbridge(self, headers: Headers) -> Headers:
        self._bridges.pop(headers.get("BridgeUniqueid", ""), None)
        return {}

    def _join(self, headers: Headers) -> Headers:
        callers = self._queues.setdefault(headers["Queue"], Queue()).callers
        callers.append(Caller(headers["Channel"], headers["Uniqueid"], time.time()))
        return {"Position": str(len(callers)), "Count": str(len(callers))}

    def _leave(self, headers: Headers) -> Headers | None:
        queue = self._queues.get(headers["Queue"], Queue())
        for at, caller in enumerate(queue.callers):
            if caller.uniqueid == headers["Uniqueid"]:
                del queue.callers[at]
                return {"Position": str(at + 1), "Count": str(len(queue.callers))}
        return None  # who waited has given up

    def _member(self, headers: Headers) -> Headers | None:
        queue = self._queues.get(headers["Queue"], Queue())
        member = queue.members.get(headers["Interface"])
        if member is None:
            return None
        kept = {name: member[name] for name in ("Name", "StateInterface", "LoginTime")}
        told = {each: headers.get(each, "0") for each in _MEMBER}
        queue.members[headers["Interface"]] = {**member, **told, **kept}
        return {"MemberName": member["Name"], "LoginTime": member["LoginTime"]}

    def _device(self, headers: Headers) -> Headers:
        self._devices[headers["Device"]] = _without(headers, "Privilege")
        return {}

    def _hint(self, headers: Headers) -> Headers:
        self._hints[headers["Exten"], headers["Context"]] = _without(headers, "Privilege")
        return {}

    def _reached(self, headers: Headers) -> Headers:
        number, status = headers["AOR"], headers["ContactStatus"]
        self._contacts.pop(number, None)
        if status != "Removed":
            self._contacts[number] = {
                "Uri": headers["URI"],
                "Status": status,
                "RoundtripUsec": headers["RoundtripUsec"],
            }
        return {}


_FOLLOW: dict[str, Callable[[Present, Headers], Optional[Headers]]] = {
    "BridgeCreate": Present._bridge,  # noqa: SLF001
    "BridgeEnter": Present._bridge,  # noqa: SLF001
    "BridgeLeave": Present._bridge,  # noqa: SLF001
    "BridgeDestroy": Present._unbridge,  # noqa: SLF001
    "QueueCallerJoin": Present._join,  # noqa: SLF001
    "Join": Present._join,  # noqa: SLF001
    "QueueCallerLeave": Present._leave,  # noqa: SLF001
    "Leave": Present._leave,  # noqa: SLF001
    "QueueMemberStatus": Present._member,  # noqa: SLF001
    "QueueMemberPause": Present._member,  # noqa: SLF001
    "DeviceStateChange": Present._device,  # noqa: SLF001
    "ExtensionStatus": Present._hint,  # noqa: SLF001
    "ContactStatus": Present._reached,  # noqa: SLF001
}


def given_up(
    channel: Channel, queue: str, place: int, since: float, *, classic: bool
) -> Iterator[list[str]]:
    """Yield the events of a *channel* that waited in *queue* and hangs up.

    It had the *place* in it, *since* then; *classic*: as Asterisk before 12 writes them.
    """
    shown = ["Uniqueid"] if classic else [*channel.headers]
    block = [f"Channel: {channel.name}"] * (not classic)
    block += [f"{name}: {channel.headers.get(name, '')}" for name in shown]
    place_lines = [f"Position: {place}", f"OriginalPosition: {place}"]
    waited = f"HoldTime: {int(time.time() - since)}"
    head = ["Event: QueueCallerAbandon", "Privilege: agent,all"]
    yield [*head, *block, f"Queue: {queue}", *place_lines, waited]
    where = [f"Queue: {queue}", "Count: 0", f"Position: {place}"]
    if classic:
        yield ["Event: Leave", "Privilege: call,all", f"Channel: {channel.name}", *where, *block]
    else:
        yield ["Event: QueueCallerLeave", "Privilege: agent,all", *block, *where]


def _member(name: str, watched: str) -> Headers:
    values = dict.fromkeys(_MEMBER, "0")
    values.update({"Membership": "static", "Status": "1", "PausedReason": ""})
    return {
        "Name": name,
        "StateInterface": watched,
        **values,
        "LoginTime": str(int(time.time())),
    }


def _without(headers: Headers, name: str) -> Headers:
    return {key: value for key, value in headers.items() if key not in (name, "Event")}


def _contact(number: int) -> Headers:
    uri = f"sip:{number}@127.0.0.1:21{number}"
    return {"Uri": uri, "Status": "Reachable", "RoundtripUsec": "488"}


def _recorded(action: str) -> list[Headers]:
    """Return the items of the recorded list of *action*, without Event and ActionID."""
    items = split(answers()[action])[1:-1]
    found = [dict(line.partition(": ")[::2] for line in _lines(one)) for one in items]
    return [_without(one, "ActionID") for one in found]


def _lines(message: bytes) -> list[str]:
    return message.decode("latin-1").rstrip("\r\n").split("\r\n")
