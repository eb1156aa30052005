# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices: which phones or trunks an event that is about no channel is about.

They are compared with the prefix of a user's channels, so they are written as these begin.
"""

from __future__ import annotations

# Headers of events about no channel that name a device, in lower case, and the technology of
# a name that stands there without one: ``AOR: 101`` is PJSIP/101.
_TECHNOLOGIES = {
    "aor": "PJSIP",  # ContactStatus
    "device": "",  # DeviceStateChange
    "endpoint": "PJSIP",
    "endpointname": "PJSIP",  # ContactStatus
    "peer": "SIP",  # PeerStatus; in SIPQualifyPeerDone without the technology
}


def channel_of(device: str) -> str:
    """Return how the names of the channels of *device* begin: ``Local/5@x/n`` has Local/5@x-."""
    options = device.find("/", device.find("/") + 1)
    return f"{device if options < 0 else device[:options]}-"


def _account(name: str) -> str:
    """Return the account *name*; chan_sip may write it as ``sip:101@host``."""
    return name[4:].partition("@")[0] if name.startswith("sip:") else name


def devices_in(lines: list[str]) -> str:
    """Return the devices that *lines* name: see :attr:`Facts.devices`."""
    headers = [
        (name.lower(), value.lstrip(" "))
        for name, _, value in [line.partition(":") for line in lines]
    ]
    service = next((value for name, value in headers if name == "service"), "")
    found: list[str] = []
    for name, value in headers:
        if name == "hint":
            found += value.partition(",")[0].split("&")
        elif name == "accountid":
            found.append(f"{service}/{_account(value)}")
        elif name != "service":
            found.append(value if "/" in value else f"{_TECHNOLOGIES[name]}/{value}")
    return "\n" + "".join([f"{channel_of(device)}\n" for device in found]).lower()
