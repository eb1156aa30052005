# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is now, as a Snapshot of the proxy tells it, and as the lists of Asterisk do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from tests.asterisk.asking import Admin, Answer

Headers = dict[str, str]
#: Kind of rows -> key -> what is compared.
Present = dict[str, dict[str, tuple[str, ...]]]

#: Values that mean that there is none.
_NONE = ("<unknown>", "")
_STATES = (
    "UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE",
    "ONHOLD",
)  # fmt: skip


def headers(lines: Answer) -> Headers:
    """Return the headers of a message; of a repeated one all values, blanks between."""
    found: Headers = {}
    for line in lines:
        name, _, text = line.partition(": ")
        found[name] = f"{found[name]} {text}" if name in found else text
    return found


def _items(admin: Admin, action: str, **more: str) -> list[Headers]:
    answer = admin.ask(action, **more)
    return list(map(headers, answer[1:-1])) if len(answer) > 1 else []


def listed(admin: Admin) -> Present:
    """Return what the lists of Asterisk say, asked directly."""
    rooms: dict[str, tuple[str, ...]] = {
        one["Conference"]: (one["Parties"], one["Locked"].lower())
        for one in _items(admin, "ConfbridgeListRooms")
    }
    return {
        **_calls(admin),
        **_queues(admin),
        "devices": {one["Device"]: (one["State"],) for one in _items(admin, "DeviceStateList")},
        "contacts": {
            f"{one['Endpoint']} {one['Uri']}": (one["Status"],)
            for one in _items(admin, "PJSIPShowContacts")
        },
        "parked": {
            one["ParkeeUniqueid"]: (one["Parkinglot"], one["ParkingSpace"])
            for one in _items(admin, "ParkedCalls")
        },
        "conferences": rooms,
    }


def _calls(admin: Admin) -> Present:
    items = [
        one
        for one in _items(admin, "CoreShowChannels")
        if not one["Channel"].startswith("Message/")
    ]
    # BridgeNumChannels counts channels that are in no list: those that announce and record.
    bridges = {
        one["BridgeUniqueid"]: tuple(
            sorted(each["Uniqueid"] for each in items if each["BridgeId"] == one["BridgeUniqueid"])
        )
        for one in _items(admin, "BridgeList")
    }
    return {
        "channels": {
            one["Uniqueid"]: (one["ChannelState"], one["BridgeId"], one["Application"])
            for one in items
        },
        "bridges": bridges,
    }


def _queues(admin: Admin) -> Present:
    found: Present = {"queues": {}, "members": {}, "callers": {}}
    for one in _items(admin, "QueueStatus"):
        queue = one["Queue"]
        if one["Event"] == "QueueParams":
            found["queues"][queue] = ()
        elif one["Event"] == "QueueMember":
            state = _STATES[int(one["Status"])]
            found["members"][f"{queue} {one['Location']}"] = one["Paused"], one["Penalty"], state
        else:
            found["callers"][f"{queue} {one['Uniqueid']}"] = (one["Position"],)
    return found


_YES = {"yes": "1", "no": "0"}

#: Kind -> its event, key of a row, what is compared of it.
_TOLD: dict[str, tuple[str, Callable[[Headers], str], Callable[[Headers], tuple[str, ...]]]] = {
    "channels": (
        "ProxyChannel",
        lambda row: row["Uniqueid"],
        lambda row: (row["StateNumber"], row.get("Bridge", ""), row.get("Application", "")),
    ),
    "bridges": (
        "ProxyBridge",
        lambda row: row["Id"],
        lambda row: tuple(sorted(row.get("Channels", "").split())),
    ),
    "queues": ("ProxyQueue", lambda row: row["Queue"], lambda _row: ()),
    "members": (
        "ProxyMember",
        lambda row: f"{row['Queue']} {row['Interface']}",
        lambda row: (_YES[row["Paused"]], row["Penalty"], row["DeviceStatus"]),
    ),
    "callers": (
        "ProxyCaller",
        lambda row: f"{row['Queue']} {row['Uniqueid']}",
        lambda row: (row["Position"],),
    ),
    "devices": ("ProxyDevice", lambda row: row["Device"], lambda row: (row["State"],)),
    # Without those that pjsip.conf names: PJSIPShowContacts has only phones that registered.
    "contacts": (
        "ProxyContact",
        lambda row: f"{row['Endpoint']} {row['Uri']}",
        lambda row: (row["Status"],),
    ),
    "parked": (
        "ProxyParked",
        lambda row: row["Uniqueid"],
        lambda row: (row["Lot"], row["Space"]),
    ),
    "conferences": (
        "ProxyConference",
        lambda row: row["Conference"],
        lambda row: (row["Members"], row["Locked"]),
    ),
}


def told(rows: list[Headers]) -> Present:
    """Return what the *rows* of a Snapshot say."""
    return {
        kind: {
            key(row): look(row)
            for row in rows
            if row.get("Event") == event and row.get("Endpoint") != "trunk"
        }
        for kind, (event, key, look) in _TOLD.items()
    }


def differences(said: Present, asked: Present) -> list[str]:
    """Return what *said* says that *asked* does not, in words: "": nothing is different."""
    return [
        f"{kind} {key}: snapshot {said[kind].get(key)}, list {asked[kind].get(key)}"
        for kind in said
        for key in sorted(said[kind].keys() | asked[kind].keys())
        if not _agree(kind, said[kind].get(key), asked[kind].get(key))
    ]


def _agree(kind: str, said: tuple[str, ...] | None, asked: tuple[str, ...] | None) -> bool:
    if kind == "channels" and said and asked and (said[2], asked[2]) in _UNTOLD:
        return said[:2] == asked[:2]
    return said == asked


# Applications of which no event tells: who is put into a bridge from outside has left any; the
# Newexten of who comes back from a parking lot names the one of before.
_UNTOLD = {("MusicOnHold", ""), ("Echo", ""), ("AppDial", "Dial")}
