# SPDX-License-Identifier: GPL-2.0-or-later
"""Check: what a list of Asterisk says beside what events have said.

A list may be ahead of events that are still on their way, or behind: so a difference counts only
when it stands in two checks, with the row as it was in between.  Then the list wins.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy.state.model import ServerModel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Query, Row, Value

#: Action -> the kinds of rows that are known by its list.  Of an action that is not here: those
#: of its tables.
_LISTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "CoreShowChannels": frozenset(("channels", "calls")),
        "Status": frozenset(("channels", "calls")),
        "BridgeList": frozenset(("bridges",)),
        "QueueStatus": frozenset(("queues", "members", "callers")),
    }
)
#: Actions whose list has all rows of these kinds: what is missing there is not.
_WHOLE = frozenset(
    ("CoreShowChannels", "Status", "BridgeList", "QueueStatus", "ParkedCalls", "Agents")
)
#: Actions whose list has no rows of its own: it says more of devices that another list has.
_NO_ROWS = frozenset(("ExtensionStateList", "PresenceStateList"))
#: Kind -> the fields that lists and events tell alike.  All others are Asterisk's counters, times,
#: and what only one of the two tells.
_COMPARED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "channels": ("name", "state", "bridge", "application"),
        "bridges": (),
        "queues": (),
        "members": ("paused", "penalty", "device_status"),
        "callers": ("position",),
        "devices": ("state",),
        "contacts": ("status",),
        "registrations": ("status",),
        "parked": (),
        "agents": ("state",),
    }
)
#: So often in a row a list that differs is put off; then it is taken, whatever differs.
_PATIENCE = 3

#: What is compared of a row; None: there is no such row.
Look = Optional["tuple[Value, ...]"]
#: Kind and key of a row, as events and as the list have it.
Found = dict["tuple[str, str]", "tuple[Look, Look]"]


class Verdict(NamedTuple):
    """What a check has found."""

    #: Whether the model is to take the list.
    takes: bool
    #: The rows, as kind and key, that are corrected by that.
    stands: list[str]


class Check:
    """Compares lists with *model*.  For the thread that keeps it."""

    def __init__(self, model: ServerModel) -> None:
        self._model = model
        self._kinds: dict[Query, frozenset[str]] = {}
        self._before: dict[Query, Found] = {}
        self._put_off: dict[Query, int] = {}
        #: Whether anything differed since ``clear``.
        self.has_differed = False

    def clear(self) -> None:
        """Forget what differed."""
        self._before.clear()
        self._put_off.clear()
        self.has_differed = False

    def kinds(self, query: Query) -> frozenset[str]:
        """Return the kinds of rows that *query* lists."""
        kinds = self._kinds.get(query)
        if kinds is None:
            kinds = _LISTED.get(query.action) or frozenset(
                kind for one in self._model.tables if one.takes(query) for kind in one.kinds
            )
            self._kinds[query] = kinds
        return kinds

    def compare(self, query: Query, items: Sequence[Message], now: float) -> Verdict:
        """Compare the *items* of *query*, which have just come, with the model."""
        if query not in self._model.queries or query.action in _NO_ROWS:
            # Of one row that is there, or of none: it has nothing to say of others.
            return Verdict(takes=True, stands=[])
        other = ServerModel(len(items) * 4 + 1000)
        other.take_list(query, items, now)
        found = self._differences(query, other, now)
        self.has_differed = self.has_differed or bool(found)
        before = self._before.pop(query, {})
        stands = [" ".join(where) for where, looks in found.items() if before.get(where) == looks]
        put_off = self._put_off.get(query, 0) + 1
        if not found or stands or put_off > _PATIENCE:
            self._put_off.pop(query, None)
            return Verdict(takes=True, stands=stands)
        self._before[query], self._put_off[query] = found, put_off
        return Verdict(takes=False, stands=[])

    def _differences(self, query: Query, other: ServerModel, now: float) -> Found:
        found: Found = {}
        is_whole = query.action in _WHOLE
        for kind in self.kinds(query):
            names = _COMPARED.get(kind)
            if names is None:
                continue
            listed = {row.key: row for row in other.rows(kind, now)}
            for row in self._model.rows(kind, now):
                theirs = listed.pop(row.key, None)
                if theirs is not None or is_whole:
                    looks = _looks(row, theirs, names)
                    if looks is not None:
                        found[kind, row.key] = looks
            for key, row in listed.items():
                found[kind, key] = None, tuple(row.fields.get(name) for name in names)
        return found


def _looks(ours: Row, theirs: Row | None, names: tuple[str, ...]) -> tuple[Look, Look] | None:
    """Return how one row looks on both sides, None if that is alike."""
    own = tuple(ours.fields.get(name) for name in names)
    if theirs is None:
        return own, None
    other = tuple(theirs.fields.get(name) for name in names)
    for one, two in zip(own, other):
        if one is not None and two is not None and one != two:
            return own, other
    return None
