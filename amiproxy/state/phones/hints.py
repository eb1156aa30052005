# SPDX-License-Identifier: GPL-2.0-or-later
"""Hints: extensions that show the state of devices, and presence.

``exten => 201,hint,PJSIP/201&Custom:DND201,CustomPresence:201`` is what joins the three.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.state.values import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.state.table import Standing

# Status of an ExtensionStatus -> the device's state, if the hint has one device.
_STATES = {
    "0": "NOT_INUSE",
    "1": "INUSE",
    "2": "BUSY",
    "4": "UNAVAILABLE",
    "8": "RINGING",
    "9": "RINGINUSE",
    "16": "ONHOLD",
    "17": "ONHOLD",
}
#: Status of an extension that has no hint any more.
_NO_HINT = frozenset(("-1", "-2"))
_DIGITS = 4


class Hint:
    """One extension with a hint."""

    __slots__ = ("devices", "presentity", "since", "status", "text")

    def __init__(self) -> None:
        self.text = ""
        self.devices: tuple[str, ...] = ()
        #: What tells the presence, such as CustomPresence:201.
        self.presentity = ""
        self.status = ""
        self.since: float | None = None

    def set_text(self, hint: str) -> None:
        """Note the *hint* as extensions.conf has it."""
        self.text = hint
        devices, _, presentity = hint.partition(",")
        self.devices = tuple([intern(each) for each in devices.split("&") if each])
        self.presentity = intern(presentity)

    def state(self) -> str | None:
        """Return the state of the hint's only device; None if it has several."""
        return _STATES.get(self.status) if len(self.devices) == 1 else None


class Presence(NamedTuple):
    """What somebody says of himself."""

    status: str | None
    subtype: str | None
    message: str | None


class Hints:
    """The hints of one server, by ``extension@context``, and the presences."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.of: dict[str, Hint] = {}
        self.presences: dict[str, Presence] = {}
        # Device -> the extensions whose hints name it.  None: to be made.
        self._extensions: dict[str, list[str]] | None = None

    def __len__(self) -> int:
        return len(self.of) + len(self.presences)

    def clear(self) -> None:
        """Forget all."""
        self.of.clear()
        self.presences.clear()
        self._extensions = None

    def take(self, values: Mapping[str, str], since: float | None) -> str | None:
        """Note what an ExtensionStatus says; return the key of its extension, None if none."""
        exten = text(values.get("exten"))
        if exten is None:
            return None
        key = f"{exten}@{text(values.get('context')) or ''}"
        status = values.get("status", "")[:_DIGITS]
        if status in _NO_HINT:
            self.drop(key)
            return None
        hint = self.of.get(key)
        if hint is None:
            hint = self.of[key] = Hint()
            self._changed(hint)
        written = text(values.get("hint")) or ""
        if written != hint.text:
            self._changed(hint)
            hint.set_text(written)
            self._changed(hint)
        if status != hint.status:
            hint.status, hint.since = intern(status), since
            self._touch(hint)
        return key

    def _touch(self, hint: Hint) -> None:
        """Note that the devices of *hint* may have changed."""
        for device in hint.devices:
            self._standing.touch("devices", device)

    def _changed(self, hint: Hint) -> None:
        """Note that *hint* has come, or goes: queues find the devices of members by hints."""
        self._extensions = None
        self._touch(hint)
        self._standing.touch_all("members")

    def drop(self, key: str) -> None:
        """Forget the extension *key*."""
        hint = self.of.pop(key, None)
        if hint is not None:
            self._changed(hint)

    def take_presence(self, name: str | None, values: Mapping[str, str]) -> str | None:
        """Note the presence of *name*; return the name."""
        name = text(name)
        if name is not None:
            self.presences[name] = Presence(
                text(values.get("status")), text(values.get("subtype")), text(values.get("message"))
            )
            for hint in self.of.values() if self._standing.touched is not None else ():
                if hint.presentity == name:
                    self._touch(hint)
        return name

    def extensions(self) -> Mapping[str, list[str]]:
        """Return by device the extensions whose hints name it."""
        found = self._extensions
        if found is None:
            found = self._extensions = {}
            for key, hint in self.of.items():
                for device in hint.devices:
                    found.setdefault(device, []).append(key)
        return found

    def device_of(self, interface: str) -> str | None:
        """Return the device behind a state *interface*; None if there is none, or not known."""
        if interface.startswith("hint:"):
            hint = self.of.get(interface[5:])
            return hint.devices[0] if hint is not None and hint.devices else None
        if "/" in interface:
            return interface.removesuffix("/n")
        for key in self.extensions().get(interface, ()):
            for device in self.of[key].devices:
                if "/" in device:
                    return device
        return None
