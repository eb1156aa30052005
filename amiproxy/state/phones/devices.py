# SPDX-License-Identifier: GPL-2.0-or-later
"""DeviceTable: the state of each device, the extensions that show it, and presence.

From 13 Asterisk tells the states of devices.  Asterisk 11 does not; there they are those of
hints and of peers.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING

from amiproxy.state.phones.hints import Hints
from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import list_item, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from amiproxy.message import Message
    from amiproxy.state.phones.contacts import ContactTable
    from amiproxy.state.table import Value

DEVICES = Query("DeviceStateList")
EXTENSIONS = Query("ExtensionStateList")
PRESENCES = Query("PresenceStateList")

#: Devices that Asterisk keeps no state of, so that no list has them (AST_DEVSTATE_NOT_CACHABLE):
#: there would be one more for each number that is called by way of a Local channel.
_PASSING = (
    "Local/", "CBAnn/", "CBRec/", "Announcer/", "Recorder/", "Surrogate/", "Snoop/", "Bridge/",
    "Message/",
)  # fmt: skip
# PeerStatus of a peer -> the state of its device while nothing else tells it.
_BY_PEER = {"reachable": "NOT_INUSE", "lagged": "NOT_INUSE", "unreachable": "UNAVAILABLE"}


class Device:
    """The state of one device: one of Asterisk's nine words."""

    __slots__ = ("since", "state")

    def __init__(self, state: str, since: float | None) -> None:
        self.state = state
        self.since = since


class DeviceTable(Table):
    """The devices of one server."""

    kinds = ("devices",)
    queries = (DEVICES, EXTENSIONS, PRESENCES)

    def __init__(self, contacts: ContactTable) -> None:
        """Make an empty table; *contacts* are those of its devices."""
        self._contacts = contacts
        self._devices: dict[str, Device] = {}
        self._standing = contacts.standing
        self.hints = Hints(contacts.standing)
        self._has_list = False
        self.events = {
            "devicestatechange": self._device_state,
            "extensionstatus": self._extension_status,
            "presencestatechange": self._presence_state,
            "presencestatus": self._presence_status,
        }

    def __len__(self) -> int:
        return len(self._devices) + len(self.hints)

    def clear(self) -> None:
        """Forget all."""
        self._devices.clear()
        self.hints.clear()
        self._has_list = False

    # -- events --------------------------------------------------------------------------------

    def _device_state(self, message: Message, now: float) -> None:
        values = message.values
        name, state = text(values.get("device")), values.get("state")
        if name is None or not state:
            return
        device = self._devices.get(name)
        self._standing.touch("devices", name)
        if device is not None:
            if state != device.state:
                device.state, device.since = intern(state[:16]), now
        elif state != "INVALID" and not name.startswith(_PASSING):
            # Else somebody called what does not exist, or Asterisk itself forgets it.
            self._devices[name] = Device(intern(state[:16]), now)

    def _extension_status(self, message: Message, now: float) -> None:
        self.hints.take(message.values, now)

    def _presence_state(self, message: Message, _now: float) -> None:
        self.hints.take_presence(message.values.get("presentity"), message.values)

    def _presence_status(self, message: Message, _now: float) -> None:
        """Take the event of Asterisk 11, which names hint instead of presentity."""
        hint = message.values.get("hint", "")
        self.hints.take_presence(hint.partition(",")[2], message.values)

    # -- lists -----------------------------------------------------------------------------------

    def take_list(self, query: Query, items: Sequence[Message], _now: float) -> int:
        """Take all devices, extensions or presences.  None has an age."""
        self._standing.touch_all("devices")
        if query == DEVICES:
            self._has_list = True
            return self._take_devices(items)
        if query == EXTENSIONS:
            return self._take_extensions(items)
        return self._take_presences(items)

    def _take_devices(self, items: Sequence[Message]) -> int:
        differing = 0
        there = set()
        for item in items:
            name, state = text(item.values.get("device")), item.values.get("state")
            if name is None or not state:
                continue
            there.add(name)
            device = self._devices.get(name)
            if device is None:
                self._devices[name] = Device(intern(state[:16]), None)
                differing += 1
            elif device.state != state[:16]:
                device.state, device.since = intern(state[:16]), None
                differing += 1
        gone = [name for name in self._devices if name not in there]
        for name in gone:
            del self._devices[name]
        return differing + len(gone)

    def _take_extensions(self, items: Sequence[Message]) -> int:
        hints = self.hints
        before = {key: hint.status for key, hint in hints.of.items()}
        there = {hints.take(item.values, None) for item in items}
        gone = [key for key in hints.of if key not in there]
        for key in gone:
            hints.drop(key)
        changed = sum(before.get(key) != hint.status for key, hint in hints.of.items())
        return changed + len(gone)

    def _take_presences(self, items: Sequence[Message]) -> int:
        presences = self.hints.presences
        before = dict(presences)
        presences.clear()
        for item in items:
            self.hints.take_presence(item.values.get("presentity"), item.values)
        changed = sum(before.get(name) != found for name, found in presences.items())
        return changed + sum(name not in presences for name in before)

    # -- rows ------------------------------------------------------------------------------------

    def device_of(self, interface: str) -> str | None:
        """Return the device behind a state *interface* of a queue's member."""
        return self.hints.device_of(interface)

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each device."""
        contacts = self._contacts.of_devices()
        for name, device in self._all().items():
            yield self._row(name, device, tuple(contacts.get(name, ())))

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the devices that have one of *keys*."""
        contacts = self._contacts.of_devices()
        for name in keys:
            device, is_there = self._one(name)
            if is_there:
                yield self._row(name, device, tuple(contacts.get(name, ())))

    def _one(self, name: str) -> tuple[Device | None, bool]:
        """Return the device *name* as ``_all`` has it, and whether there it is."""
        device = self._devices.get(name)
        if device is not None or self._has_list:
            return device, device is not None
        hints = [self.hints.of[key] for key in self.hints.extensions().get(name, ())]
        for hint in hints:
            state = hint.state()
            if state:
                return Device(state, hint.since), True
        peer = self._contacts.peer(name)
        state = _BY_PEER.get((peer.status or "").lower()) if peer is not None else None
        if peer is not None and state:
            return Device(state, peer.since), True
        return None, bool(hints) or peer is not None

    def _all(self) -> dict[str, Device | None]:
        """Return the devices, with those of hints and peers where Asterisk has no list of them."""
        found: dict[str, Device | None] = dict(self._devices)
        if self._has_list:
            return found
        for hint in self.hints.of.values():
            state = hint.state()
            for name in hint.devices:
                if found.get(name) is None:
                    found[name] = Device(state, hint.since) if state else None
        for peer in self._contacts.peers():
            if peer.device and found.get(peer.device) is None:
                state = _BY_PEER.get((peer.status or "").lower())
                found[peer.device] = Device(state, peer.since) if state else None
        return found

    def _row(self, name: str, device: Device | None, contacts: tuple[str, ...]) -> Row:
        hints = self.hints
        extensions = hints.extensions().get(name, [])
        presence = next(
            (
                hints.presences[hints.of[key].presentity]
                for key in extensions
                if hints.of[key].presentity in hints.presences
            ),
            None,
        )
        state = device.state if device else None
        fields: dict[str, Value] = {
            "device": name,
            "state": state,
            "since": device.since if device else None,
            "extensions": tuple(extensions) or None,
            "presence": presence.status if presence else None,
            "presence_subtype": presence.subtype if presence else None,
            "presence_message": presence.message if presence else None,
            "contacts": contacts or None,
        }
        headers = [("Device", name), ("State", state)]
        return Row(name, fields, list_item("DeviceStateChange", "call", headers))
