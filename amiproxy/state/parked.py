# SPDX-License-Identifier: GPL-2.0-or-later
"""ParkedTable: who is parked in which space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import UNIQUEID, key_of, list_item, number, text, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Standing, Value

PARKED_CALLS = Query("ParkedCalls")


class Parked:
    """One parked channel.  Before 12 the headers have other names: Exten, Channel, From."""

    __slots__ = ("channel", "key", "linkedid", "lot", "name", "number", "parker", "since", "space",
                 "timeout", "uniqueid")  # fmt: skip

    def __init__(self, lot: str, space: str, since: float | None) -> None:
        self.key = key_of(lot, space)
        self.lot = lot
        self.space = space
        self.since = since
        self.uniqueid: str | None = None
        self.channel: str | None = None
        self.linkedid: str | None = None
        self.number: str | None = None
        self.name: str | None = None
        #: Dial string or channel of who parked.
        self.parker: str | None = None
        #: Seconds after since, when the call goes back; None: not known, or never.
        self.timeout: int | None = None

    def describe(self, values: Mapping[str, str]) -> None:
        """Note who is parked, and by whom."""
        get = values.get
        self.uniqueid = _uniqueid(values)
        self.channel = text(get("parkeechannel") or get("channel"))
        self.linkedid = text(get("parkeelinkedid"))
        self.number = text(get("parkeecalleridnum") or get("calleridnum"))
        self.name = text(get("parkeecalleridname") or get("calleridname"))
        self.parker = text(get("parkerdialstring") or get("parkerchannel") or get("from"))
        left = number(get("parkingtimeout") or get("timeout"))
        if left is not None and left > 0:  # what is left of it
            self.timeout = left + (_duration(values) or 0)


def _uniqueid(values: Mapping[str, str]) -> str | None:
    return text(values.get("parkeeuniqueid") or values.get("uniqueid"))


def _duration(values: Mapping[str, str]) -> int | None:
    return number(values.get("parkingduration") or values.get("duration"))


def _place(values: Mapping[str, str]) -> tuple[str, str] | None:
    """Return lot and space that an event names, None if it names no space."""
    space = text(values.get("parkingspace") or values.get("exten"))
    lot = text(values.get("parkinglot")) or "default"
    return (lot, space) if space is not None else None


class ParkedTable(Table):
    """The parked calls of one server."""

    kinds = ("parked",)
    queries = (PARKED_CALLS,)

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._found: dict[str, Parked] = {}
        self._of: dict[str, Parked] = {}  # by the unique id of who is parked
        self.events = {
            "parkedcall": self._parked,
            "parkedcallswap": self._swapped,
            "unparkedcall": self._left,
            "parkedcalltimeout": self._left,
            "parkedcallgiveup": self._left,
            "hangup": self._hangup,
        }

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()
        self._of.clear()

    def _parked(self, message: Message, now: float) -> None:
        values = message.values
        place, uniqueid = _place(values), _uniqueid(values)
        if place is not None and not (uniqueid and self._standing.gone.has(uniqueid, now)):
            self._put(place, values, now)

    def _swapped(self, message: Message, now: float) -> None:
        """Take another channel in the place of the one that was parked, for as long as that."""
        values = message.values
        place, uniqueid = _place(values), _uniqueid(values)
        if place is None or (uniqueid and self._standing.gone.has(uniqueid, now)):
            return
        before = self._found.get(key_of(*place))
        self._put(place, values, before.since if before is not None else None)

    def _put(
        self, place: tuple[str, str], values: Mapping[str, str], since: float | None
    ) -> Parked:
        uniqueid = _uniqueid(values)
        for key in (key_of(*place), self._of[uniqueid].key if uniqueid in self._of else ""):
            self._drop(self._found.get(key))
        parked = Parked(*place, since)
        parked.describe(values)
        self._found[parked.key] = parked
        self._standing.touch("parked", parked.key)
        if parked.uniqueid is not None:
            self._of[parked.uniqueid] = parked
        return parked

    def _drop(self, parked: Parked | None) -> None:
        if parked is not None:
            self._standing.touch("parked", parked.key)
            self._found.pop(parked.key, None)
            if parked.uniqueid is not None:
                self._of.pop(parked.uniqueid, None)

    def _left(self, message: Message, _now: float) -> None:
        values = message.values
        place, uniqueid = _place(values), _uniqueid(values)
        parked = self._found.get(key_of(*place)) if place is not None else None
        # A late event must not empty the space of who was parked there next.
        if parked is not None and uniqueid in (None, parked.uniqueid):
            self._drop(parked)

    def _hangup(self, message: Message, _now: float) -> None:
        self._drop(self._of.get(value_in(message.raw, UNIQUEID)))

    def take_list(self, _query: Query, items: Sequence[Message], now: float) -> int:
        """Take the answer to ParkedCalls, whose items have the name of an event."""
        self._standing.touch_all("parked")
        before = self._found.copy()
        self.clear()
        differing = 0
        for item in items:
            values = item.values
            place = _place(values)
            if place is None:
                continue
            known = before.get(key_of(*place))
            duration = _duration(values)
            since = now - duration if duration is not None and duration >= 0 else None
            is_known = known is not None and known.uniqueid == _uniqueid(values)
            if is_known and known is not None:
                since = known.since if known.since is not None else since
            parked = self._put(place, values, since)
            if is_known and known is not None and known.timeout is not None:
                parked.timeout = known.timeout
            differing += not is_known
        return differing + sum(key not in self._found for key in before)

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each parked call."""
        return map(_row, self._found.values())

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the parked calls that have one of *keys*."""
        return (_row(self._found[key]) for key in keys if key in self._found)


def _row(parked: Parked) -> Row:
    fields: dict[str, Value] = {
        "lot": parked.lot,
        "space": parked.space,
        "uniqueid": parked.uniqueid,
        "channel": parked.channel,
        "linkedid": parked.linkedid,
        "caller_number": parked.number,
        "caller_name": parked.name,
        "parker": parked.parker,
        "since": parked.since,
        "timeout": parked.timeout,
    }
    headers = [
        ("Parkinglot", parked.lot),
        ("ParkingSpace", parked.space),
        ("ParkeeChannel", parked.channel),
        ("ParkeeUniqueid", parked.uniqueid),
        ("ParkeeLinkedid", parked.linkedid),
        ("ParkeeCallerIDNum", parked.number),
        ("ParkeeCallerIDName", parked.name),
        ("ParkerDialString", parked.parker),
    ]
    return Row(parked.key, fields, list_item("ParkedCall", "call", headers))
