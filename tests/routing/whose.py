# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose each event of an Asterisk is: told by hand, from all that came before.

By the names of channels and devices in it, and by the ids of the calls in which a channel of the
phone was at that time.  Nothing ends, there are no tables, and it shares no code with the
program: this is what the user of a phone would expect to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Headers that name one channel, or several in older versions' Bridge and Masquerade.
CHANNELS = (
    "Channel",
    "Channel1",
    "Channel2",
    "Clone",
    "Original",
    "Newname",
    "Destination",
    "From",
)
#: Headers that name a device with its technology.
DEVICES = ("Device", "Peer", "Interface", "Location", "StateInterface", "MemberInterface")
#: Headers of PJSIP that name it alone.
ENDPOINTS = ("AOR", "Endpoint", "EndpointName")
#: They repeat what somebody wrote, or are about the past: they tell of no further call.
TELL_NOTHING = ("UserEvent", "Cdr")


def headers_of(raw: bytes) -> list[tuple[str, str]]:
    """Return name and value of each line of *raw*."""
    lines = [line.partition(":") for line in raw.decode("latin-1").split("\r\n") if ":" in line]
    return [(name, value.strip()) for name, _, value in lines]


def names_device(headers: list[tuple[str, str]], technology: str, phone: str) -> bool:
    """Return whether an event names the *phone* or one of its channels."""
    device = f"{technology}/{phone}"
    first = dict(reversed(headers))
    for name, value in headers:
        if name in CHANNELS or name.endswith("Channel"):
            if value.startswith(f"{device}-"):
                return True
        elif name in DEVICES and first["Event"] != "CEL":
            if value == device:
                return True
        elif name == "Hint":
            if device in value.partition(",")[0].split("&"):
                return True
        elif name in ENDPOINTS and (technology, phone) == ("PJSIP", value):
            return True
    return first.get("Service") == technology and first.get("AccountID") == phone


def ids_of(headers: list[tuple[str, str]]) -> set[str]:
    """Return the ids of channels and calls in an event."""
    return {
        value
        for name, value in headers
        if name.lower().endswith(("uniqueid", "linkedid", "uniqueid1", "uniqueid2"))
        and "bridge" not in name.lower()
        and value not in ("", "<unknown>")
    }


def theirs(events: Iterable[bytes], technology: str, phone: str) -> tuple[list[bytes], set[str]]:
    """Return those of *events* that are of the user of *phone*, and the ids of the calls."""
    calls: set[str] = set()
    bridges: set[str] = set()
    found = []
    for raw in events:
        headers = headers_of(raw)
        event, ids = headers[0][1], ids_of(headers)
        named = {value for name, value in headers if name.endswith("BridgeUniqueid")}
        own = names_device(headers, technology, phone) or bool(ids & calls)
        if event == "BridgeEnter" and ("BridgeType", "basic") in headers:
            own = own or bool(named & bridges)
            bridges |= named if own else set()
        if own and event not in TELL_NOTHING:
            calls |= ids
        if own or (not ids and named & bridges):
            found.append(raw)
    return found, calls


def is_replay(raw: bytes, calls: set[str]) -> bool:
    """Return whether *raw* may be shown late, because the call is the user's only since then."""
    replayed = raw.startswith((b"Event: Newchannel", b"Event: Newstate"))
    return replayed and ids_of(headers_of(raw)) <= calls
