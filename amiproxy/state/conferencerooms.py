# SPDX-License-Identifier: GPL-2.0-or-later
"""Conference and Party: what is known of a conference and who is in it, and its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.table import Row
from amiproxy.state.values import is_true, key_of, list_item, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.message import Message
    from amiproxy.state.table import Value

CONFBRIDGE, MEETME_APPLICATION = "ConfBridge", "MeetMe"


class Party:
    """Who is in a conference."""

    __slots__ = ("admin", "channel", "marked", "muted", "name", "number", "talking", "uniqueid")

    def __init__(self) -> None:
        #: None: ConfbridgeList before 13 has no unique id.
        self.uniqueid: str | None = None
        self.channel: str | None = None
        self.number: str | None = None
        self.name: str | None = None
        self.admin: bool | None = None
        self.marked: bool | None = None
        self.muted: bool | None = None
        self.talking: bool | None = None

    def describe(self, values: Mapping[str, str]) -> None:
        """Note what *values* say."""
        get = values.get
        self.uniqueid = text(get("uniqueid")) or self.uniqueid
        self.channel = text(get("channel")) or self.channel
        self.number = text(get("calleridnum")) or self.number
        self.name = text(get("calleridname")) or self.name
        if "admin" in values:
            self.admin = is_true(values["admin"])
        if "markeduser" in values:
            self.marked = is_true(values["markeduser"])
        if "muted" in values:  # MeetMe: By self, By admin
            self.muted = values["muted"].lower() not in ("no", "")
        if values.get("talking", "").lower() in ("yes", "no"):  # MeetMe: Not monitored
            self.talking = is_true(values["talking"])


class Conference:
    """One conference."""

    __slots__ = ("application", "is_locked", "is_muted", "is_recorded", "name", "parties", "since")

    def __init__(self, application: str, name: str) -> None:
        self.application = application
        self.name = name
        self.since: float | None = None
        self.is_locked: bool | None = None
        self.is_muted: bool | None = None
        self.is_recorded: bool | None = None
        #: By unique id, or by the channel's name.
        self.parties: dict[str, Party] = {}

    @property
    def key(self) -> str:
        """Its key among all conferences."""
        return key_of(self.application, self.name)

    def find(self, values: Mapping[str, str]) -> str | None:
        """Return the key of the party that *values* name, None if it is not here."""
        uniqueid, channel = text(values.get("uniqueid")), text(values.get("channel"))
        for key in (uniqueid, channel):
            if key is not None and key in self.parties:
                return key
        if uniqueid is None and channel is not None:
            for key, party in self.parties.items():
                if party.channel == channel:
                    return key
        return None


def _channels(parties: Iterable[Party]) -> tuple[str, ...]:
    """Return the channels of *parties*, as far as they are known."""
    return tuple([each.channel for each in parties if each.channel is not None])


def _fields(conference: Conference) -> dict[str, Value]:
    parties = conference.parties.values()
    return {
        "conference": conference.name,
        "application": conference.application,
        "since": conference.since,
        "locked": conference.is_locked,
        "muted": conference.is_muted,
        "recording": conference.is_recorded,
        "members": len(parties),
        "channels": _channels(parties),
        "uniqueids": tuple([each.uniqueid for each in parties if each.uniqueid is not None]),
        "talking_channels": _channels(each for each in parties if each.talking),
        "muted_channels": _channels(each for each in parties if each.muted),
        "admin_channels": _channels(each for each in parties if each.admin),
        "marked_channels": _channels(each for each in parties if each.marked),
    }


def _said(conference: Conference) -> Message:
    headers: list[tuple[str, str | None]] = [
        ("Conference", conference.name),
        ("Parties", str(len(conference.parties))),
    ]
    for party in conference.parties.values():
        headers += [("Channel", party.channel), ("Uniqueid", party.uniqueid)]
    return list_item("ConfbridgeListRooms", "call", headers)


def row(conference: Conference) -> Row:
    """Return the row of *conference*."""
    return Row(conference.key, _fields(conference), _said(conference))
