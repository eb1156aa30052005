# SPDX-License-Identifier: GPL-2.0-or-later
"""ConferenceTable: conferences of ConfBridge and MeetMe, and who is in them.

ConfbridgeListRooms tells the rooms, one ConfbridgeList each who is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state import conferencerooms as rooms
from amiproxy.state.conferencerooms import CONFBRIDGE, MEETME_APPLICATION, Conference, Party
from amiproxy.state.table import Query, Table
from amiproxy.state.values import UNIQUEID, is_true, key_of, text, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Handler, Row, Standing

ROOMS = Query("ConfbridgeListRooms")
MEETME = Query("MeetmeList")
_OF_A_ROOM = "ConfbridgeList"
_CONFERENCE = "Conference: "

_LONGEST_NAME = 128  # of a room that can be asked for


class ConferenceTable(Table):
    """The conferences of one server."""

    kinds = ("conferences",)
    queries = (ROOMS, MEETME)

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._found: dict[str, Conference] = {}
        self._in: dict[str, Conference] = {}  # by the key of each party
        self.events = self._handlers()

    def _handlers(self) -> dict[str, Handler]:
        return {
            "confbridgestart": self._start,
            "confbridgeend": self._end, "meetmeend": self._end,
            "confbridgejoin": self._join, "meetmejoin": self._join,
            "confbridgeleave": self._leave, "meetmeleave": self._leave,
            "confbridgetalking": self._talking, "meetmetalking": self._talking,
            "confbridgemute": self._mute, "meetmemute": self._mute,
            "confbridgeunmute": self._unmute,
            "confbridgelock": self._lock, "confbridgeunlock": self._unlock,
            "confbridgerecord": self._record, "confbridgestoprecord": self._stop_record,
            "hangup": self._hangup,
        }  # fmt: skip

    def __len__(self) -> int:
        return len(self._found) + len(self._in)

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()
        self._in.clear()

    # -- events --------------------------------------------------------------------------------

    def _conference(self, values: Mapping[str, str]) -> Conference | None:
        """Return the conference that an event names, None if it is not known."""
        named = _named(values)
        if named is None:
            return None
        key = key_of(*named)
        self._standing.touch("conferences", key)
        return self._found.get(key)

    def _made(self, application: str, name: str) -> Conference:
        new = Conference(application, name)
        self._standing.touch("conferences", new.key)
        return self._found.setdefault(new.key, new)

    def _start(self, message: Message, now: float) -> None:
        named = _named(message.values)
        if named is None:
            return
        conference = self._made(*named)
        if conference.since is None:
            conference.since = now
        if "bridgeuniqueid" in message.values and conference.is_recorded is None:
            # Where record and lock are told, a new conference has neither.
            conference.is_recorded = conference.is_locked = conference.is_muted = False

    def _end(self, message: Message, _now: float) -> None:
        conference = self._conference(message.values)
        if conference is not None:
            self._drop(conference)

    def _join(self, message: Message, now: float) -> None:
        values = message.values
        named, key = _named(values), _key_of_party(values)
        if named is None or key is None or self._standing.gone.has(key, now):
            return
        self._put(self._made(*named), key, values)

    def _leave(self, message: Message, _now: float) -> None:
        conference = self._conference(message.values)
        if conference is not None:
            self._take_out(conference, conference.find(message.values))

    def _hangup(self, message: Message, _now: float) -> None:
        for key in (value_in(message.raw, UNIQUEID), value_in(message.raw, b"\r\nChannel: ")):
            conference = self._in.get(key)
            if conference is not None:
                self._take_out(conference, key)

    def _party(self, values: Mapping[str, str]) -> Party | None:
        """Return the party that an event is about; if it is not known, the lists tell more."""
        conference = self._conference(values)
        key = conference.find(values) if conference is not None else None
        if conference is None or key is None:
            if self._standing.live:
                self._standing.doubts.add("conferences")
            return None
        return conference.parties[key]

    def _talking(self, message: Message, _now: float) -> None:
        party = self._party(message.values)
        if party is not None:
            values = message.values
            party.talking = is_true(values.get("talkingstatus") or values.get("status"))

    def _mute(self, message: Message, _now: float) -> None:
        party = self._party(message.values)
        if party is not None:
            party.muted = is_true(message.values.get("status", "on"))  # MeetMe: on or off

    def _unmute(self, message: Message, _now: float) -> None:
        party = self._party(message.values)
        if party is not None:
            party.muted = False

    def _lock(self, message: Message, _now: float) -> None:
        self._set(message, is_locked=True)

    def _unlock(self, message: Message, _now: float) -> None:
        self._set(message, is_locked=False)

    def _record(self, message: Message, _now: float) -> None:
        self._set(message, is_recorded=True)

    def _stop_record(self, message: Message, _now: float) -> None:
        self._set(message, is_recorded=False)

    def _set(self, message: Message, **found: bool) -> None:
        conference = self._conference(message.values)
        if conference is not None:
            for name, value in found.items():
                setattr(conference, name, value)

    # -- rooms and who is in them ----------------------------------------------------------------

    def _put(self, conference: Conference, key: str, values: Mapping[str, str]) -> None:
        other = self._in.get(key)
        if other is not None and other is not conference:
            self._take_out(other, key)  # its Leave is missing
        party = conference.parties.get(key)
        if party is None:
            party = conference.parties[key] = Party()
            self._in[key] = conference
        party.describe(values)

    def _take_out(self, conference: Conference, key: str | None) -> None:
        self._standing.touch("conferences", conference.key)
        if key is not None and conference.parties.pop(key, None) is not None:
            self._in.pop(key, None)

    def _drop(self, conference: Conference) -> None:
        for key in tuple(conference.parties):
            self._take_out(conference, key)
        self._standing.touch("conferences", conference.key)
        self._found.pop(conference.key, None)

    # -- lists -----------------------------------------------------------------------------------

    def further(self) -> tuple[Query, ...]:
        """Return one ConfbridgeList for each room.  Names that are no line are not asked for."""
        return tuple(
            Query(_OF_A_ROOM, (f"{_CONFERENCE}{each.name}",))
            for each in self._found.values()
            if each.application == CONFBRIDGE
            and len(each.name) <= _LONGEST_NAME
            and each.name.isprintable()
        )

    def takes(self, query: Query) -> bool:
        """Return whether *query* tells rooms, or who is in one."""
        return query in self.queries or (query.action == _OF_A_ROOM and len(query.headers) == 1)

    def take_list(self, query: Query, items: Sequence[Message], _now: float) -> int:
        """Take the rooms, or who is in one; an error because there is none is an empty list."""
        self._standing.touch_all("conferences")
        if query == ROOMS:
            return self._take_rooms(items)
        if query == MEETME:
            return self._take_meetme(items)
        name = query.headers[0][len(_CONFERENCE) :]
        conference = self._found.get(key_of(CONFBRIDGE, name))
        if conference is None and not items:
            return 0
        return self._take_parties(conference or self._made(CONFBRIDGE, name), items)

    def _take_rooms(self, items: Sequence[Message]) -> int:
        before = {key for key, each in self._found.items() if each.application == CONFBRIDGE}
        there = set()
        for item in items:
            name = text(item.values.get("conference"))
            if name is None:
                continue
            conference = self._made(CONFBRIDGE, name)
            there.add(conference.key)
            conference.is_locked = is_true(item.values.get("locked"))
            if "muted" in item.values:
                conference.is_muted = is_true(item.values["muted"])
        for key in before - there:
            self._drop(self._found[key])
        return len(before ^ there)

    def _take_meetme(self, items: Sequence[Message]) -> int:
        listed: dict[str, list[Message]] = {}
        for item in items:
            name = text(item.values.get("conference"))
            if name is not None:
                listed.setdefault(name, []).append(item)
        differing = 0
        for conference in tuple(self._found.values()):
            if conference.application == MEETME_APPLICATION and conference.name not in listed:
                self._drop(conference)
                differing += 1
        for name, found in listed.items():
            differing += self._take_parties(self._made(MEETME_APPLICATION, name), found)
        return differing

    def _take_parties(self, conference: Conference, items: Sequence[Message]) -> int:
        differing = 0
        there = set()
        for item in items:
            values = item.values
            key = conference.find(values) or _key_of_party(values)
            if key is None:
                continue
            there.add(key)
            known = conference.parties.get(key)
            was_muted = known.muted if known is not None else None
            self._put(conference, key, values)
            muted = conference.parties[key].muted
            differing += known is None or was_muted not in (muted, None)
        gone = [key for key in conference.parties if key not in there]
        for key in gone:
            self._take_out(conference, key)
        return differing + len(gone)

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each conference."""
        return map(rooms.row, self._found.values())

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the conferences that have one of *keys*."""
        return (rooms.row(self._found[key]) for key in keys if key in self._found)


def _named(values: Mapping[str, str]) -> tuple[str, str] | None:
    """Return application and name of the conference that an event names."""
    name = text(values.get("conference"))
    if name is not None:
        return CONFBRIDGE, name
    name = text(values.get("meetme"))
    return (MEETME_APPLICATION, name) if name is not None else None


def _key_of_party(values: Mapping[str, str]) -> str | None:
    return text(values.get("uniqueid")) or text(values.get("channel"))
