# SPDX-License-Identifier: GPL-2.0-or-later
"""What the reference of spec section 8 reads in a message.

It shares no code with the program: it works on lists of (name, value).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

CHANNELS = [
    "channel",
    "channel1",
    "channel2",
    "source",
    "destination",
    "destinationchannel",
    "channelcalling",
    "destchannel",
    "bridgedchannel",
    "transfererchannel",
    "origtransfererchannel",
    "secondtransfererchannel",
    "transfereechannel",
    "transfertargetchannel",
    "spyerchannel",
    "spyeechannel",
    "localonechannel",
    "localtwochannel",
    "parkeechannel",
    "parkerchannel",
    "newname",
    "sourcechannel",
    "clone",
    "original",
]
INTERFACES = ["location", "stateinterface", "parkerdialstring", "interface"]
IDS = [
    "uniqueid",
    "uniqueid1",
    "uniqueid2",
    "srcuniqueid",
    "destuniqueid",
    "localoneuniqueid",
    "localtwouniqueid",
    "transfereruniqueid",
    "transfereeuniqueid",
    "sourceuniqueid",
    "parkeeuniqueid",
]
LINKS = ["linkedid", "destlinkedid", "localonelinkedid", "localtwolinkedid", "transfereelinkedid"]
PARTY_CONTEXTS = [
    "destcontext",
    "localonecontext",
    "localtwocontext",
    "transfereecontext",
    "destinationcontext",
    "parkeecontext",
]
PARTY_CONTEXTS += [
    "transferercontext",
    "origtransferercontext",
    "secondtransferercontext",
    "transfertargetcontext",
]


#: The reference asks the same of the same messages again and again.
_cached = functools.lru_cache(maxsize=50_000)


@_cached
def headers(raw: bytes) -> list[tuple[str, str]]:
    """Return (lower-case name, value) of the lines of *raw*."""
    lines = raw.decode("latin-1").split("\r\n")
    return [
        (line.split(":")[0].lower(), line.split(":", 1)[1].lstrip(" "))
        for line in lines
        if ":" in line
    ]


def values(message: bytes, names: Container[str]) -> list[str]:
    """Return the values of all headers *names* of *message*, empty ones left out."""
    return [
        value
        for name, value in headers(message)
        if name in names and value not in ("", "<unknown>")
    ]


def device_channel(device: str) -> str:
    """Return how channels of *device* are called, but for their number."""
    return "/".join(device.split("/")[:2]) + "-"


def devices(message: bytes) -> list[str]:
    """Return how channels of the devices are called that *message* is about."""
    found = []
    for name, value in headers(message):
        if value and name in ("aor", "endpoint", "endpointname") and "/" not in value:
            found.append("PJSIP/" + value)
        elif value and name == "peer" and "/" not in value:
            found.append("SIP/" + value)  # as chan_sip writes it in SIPQualifyPeerDone
        elif value and name in ("aor", "endpoint", "endpointname", "device", "peer"):
            found.append(value)
        elif value and name == "hint":
            found += value.split(",")[0].split("&")
        elif value and name == "accountid":
            found.append(f"{first(message, 'service')}/{value}")
    return [device_channel(device).lower() for device in found]


def is_security(message: bytes) -> bool:
    """Return whether *message* is of the class security."""
    return "security" in (first(message, "privilege") or "").split(",")


def first(message: bytes, name: str) -> str | None:
    """Return the first value of header *name*, or None."""
    return next((value for key, value in headers(message) if key == name), None)


@_cached
def own_ids(message: bytes) -> list[str]:
    """Return [unique id of the channel that *message* is about], or []."""
    return values(message, IDS)[:1]


@_cached
def event(message: bytes) -> str:
    """Return the event's name in lower case."""
    return (first(message, "event") or "").lower()


def named_ids(message: bytes) -> list[str]:
    """Return the ids of channels that *message* names, each once."""
    return list(dict.fromkeys(values(message, IDS + LINKS)))


def enters_call(message: bytes) -> bool:
    """Return whether a channel enters a bridge that joins the parties of a call."""
    return event(message) == "bridgeenter" and first(message, "bridgetype") == "basic"


def bridge_of(message: bytes, known: set[str]) -> str:
    """Return the id of the bridge that *message* is about, a known one of those that merge."""
    if event(message) == "bridgemerge":
        merged = values(message, ["tobridgeuniqueid", "frombridgeuniqueid"])
        return next((one for one in merged if one in known), "")
    return first(message, "bridgeuniqueid") or ""
