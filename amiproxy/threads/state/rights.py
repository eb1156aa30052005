# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may see which row: as the user's classes, event filters, channel and context say.

A row is judged by the item that Asterisk's list would have for it (``Row.said``).  What a client
has chosen for itself (Action: Events, Action: Filter) is about its events, not about rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

from amiproxy.routing.classes import ALL
from amiproxy.routing.facts import facts_of
from amiproxy.routing.visibility import View

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from amiproxy.routing.callfilter import SessionFilter
    from amiproxy.state.table import Row
    from amiproxy.threads.sessions.session import ClientSession

#: Tells whether a row of a kind may be seen.
Shows = Callable[[str, "Row"], bool]


class Reader(NamedTuple):
    """Who asks, as far as the rows of one server are concerned."""

    view: View
    #: What judges its calls, None: it sees all; and the ids of those that it knows.
    calls: Optional[SessionFilter] = None
    known: frozenset[str] = frozenset()

    @property
    def key(self) -> object | None:
        """What all readers share who see the same rows; None for one that shares with nobody."""
        return self.view if self.calls is None else None

    @classmethod
    def of(cls, session: ClientSession, scope: str) -> Reader:
        """Return the reader that *session* is, by the rights of its user, at the server *scope*."""
        user = session.user
        if user is None:
            return cls(View())
        filters = (user.eventfilters,) if user.eventfilters else ()
        view = View(mask=user.read & ALL, filters=filters)
        with session.lock:
            calls = session.callfilter
            if calls is None or not calls.active:
                return cls(view)
            return cls(view, calls, calls.known(scope))


def judge(reader: Reader, rows: Iterable[Row]) -> Shows:
    """Return what tells whether *reader* may see a row; *rows*: those of all calls."""
    calls = reader.calls
    own = own_ids(calls, reader.known, rows) if calls is not None else frozenset()
    return shows(reader, own)


def shows(reader: Reader, own: AbstractSet[str]) -> Shows:
    """Return what tells whether *reader*, whose calls have the ids *own*, may see a row."""
    view, calls = reader.view, reader.calls
    if calls is None:
        if view.sees_all_events:
            return lambda _kind, _row: True
        return lambda _kind, row: view.sees_event(row.said)
    judged = calls

    def is_shown(kind: str, row: Row) -> bool:
        said = row.said
        if not (view.sees_event(said) and judged.shows(said, own)):
            return False
        # It is shown with those in it, and those in a conference may be strangers.
        return kind not in ("bridges", "conferences") or own >= {*facts_of(said).uids}

    return is_shown


def own_ids(calls: SessionFilter, known: frozenset[str], rows: Iterable[Row]) -> frozenset[str]:
    """Return which ids of calls, *rows*, are a client's that knows *known*, as *calls* judge them.

    A call is a client's if one of its channels is: then all of them are.
    """
    own: set[str] = set()
    for row in rows:
        if calls.shows(row.said, known):
            own.update(facts_of(row.said).uids)
    return known.union(own)
