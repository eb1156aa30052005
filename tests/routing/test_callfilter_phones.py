# SPDX-License-Identifier: GPL-2.0-or-later
"""Each phone of each recording: its user gets what is theirs, and nothing else.

Whose an event is, is told here by hand, from the whole recording: by the names of channels and
devices in it, and by the ids of the calls in which a channel of the phone was at that time.
Nothing ends, there are no tables: this is what the user would expect to see.
"""

from __future__ import annotations

import pytest

from tests.routing.recordings import FLOWS, recorded, watch
from tests.routing.support import User

#: The phones that the recordings of real phones were made with.
PHONES = range(101, 111)
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


def theirs(name: str, technology: str, phone: str) -> tuple[list[bytes], set[str]]:
    """Return the events of the recording *name* of the user of *phone*, and the ids of the calls."""
    calls: set[str] = set()
    bridges: set[str] = set()
    found = []
    for raw in recorded(name):
        headers = headers_of(raw)
        event, ids, bridge = headers[0][1], ids_of(headers), dict(headers).get("BridgeUniqueid")
        own = names_device(headers, technology, phone) or bool(ids & calls)
        if event == "BridgeEnter" and own and ("BridgeType", "basic") in headers:
            bridges.add(bridge or "")
        if own and event not in TELL_NOTHING:
            calls |= ids
        if own or (not ids and bridge in bridges):
            found.append(raw)
    return found, calls


@pytest.mark.parametrize(
    "name", [name for name in FLOWS if name.startswith(("pjsip_", "asterisk11_"))]
)
def test_a_user_of_a_phone_sees_what_is_theirs(name: str) -> None:
    """Every event, in order, and no other."""
    technology = "PJSIP" if name.startswith("pjsip_") else "SIP"
    users = [User(channel=f"{technology}/{phone}") for phone in PHONES]
    for phone, (got, _) in zip(PHONES, watch(name, *users)):
        expected, calls = theirs(name, technology, str(phone))
        own, seen = set(expected), [message.raw for message in got]
        assert [raw for raw in seen if raw in own] == expected, phone
        for raw in seen:
            # What came before the call was theirs is replayed.
            assert raw in own or raw.startswith((b"Event: Newchannel", b"Event: Newstate")), phone
            assert raw in own or ids_of(headers_of(raw)) <= calls, phone
