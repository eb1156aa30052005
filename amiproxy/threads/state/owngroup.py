# SPDX-License-Identifier: GPL-2.0-or-later
"""OwnGroup: a client whose filter goes by calls.  It shares with nobody.

Which calls are the client's depends on what it knows, by events and by what it was shown: rows
that are as they were may become visible, or be so no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.routing.facts import facts_of
from amiproxy.threads.state import rights
from amiproxy.threads.state.group import Group

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from amiproxy.live.where import Where
    from amiproxy.state.table import Row
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.state.group import Made
    from amiproxy.threads.state.rights import Reader


class Names:
    """Which rows name which ids of channels."""

    def __init__(self) -> None:
        self._rows: dict[str, set[tuple[str, str]]] = {}
        self._ids: dict[tuple[str, str], tuple[str, ...]] = {}

    def note(self, kind: str, row: Row) -> None:
        """Note the ids that *row* names."""
        facts, place = facts_of(row.said), (kind, row.key)
        ids = facts.uids or facts.bridges
        if self._ids.get(place) == ids:
            return
        self.drop(kind, row.key)
        if ids:
            self._ids[place] = ids
            for each in ids:
                self._rows.setdefault(each, set()).add(place)

    def drop(self, kind: str, key: str) -> None:
        """Forget what the row *key* of *kind* names."""
        place = kind, key
        for each in self._ids.pop(place, ()):
            found = self._rows[each]
            found.discard(place)
            if not found:
                del self._rows[each]

    def of(self, ids: Iterable[str]) -> set[tuple[str, str]]:
        """Return kind and key of the rows that name one of *ids*."""
        return set().union(*(self._rows.get(each, ()) for each in ids))

    def clear(self) -> None:
        """Forget all."""
        self._rows.clear()
        self._ids.clear()


class OwnGroup(Group):
    """What one such client, *session*, is told of the rows of the server *scope*."""

    def __init__(
        self,
        server: str,
        reader: Reader,
        watched: tuple[Collection[str], Where],
        session: ClientSession,
        scope: str,
    ) -> None:
        kinds, where = watched
        # First, as the rights of all else depend on them.
        super().__init__(server, reader, kinds, where, besides=("calls",))
        assert reader.calls is not None
        self._calls, self._session, self._scope = reader.calls, session, scope
        self._known = reader.known
        # The ids of each call that is the client's; all ids of such calls, known ones too.
        self._ids: dict[str, frozenset[str]] = {}
        self._own = set(reader.known)
        self._changed: set[str] = set()
        self._shows = rights.shows(reader, self._own)

    def news(self) -> Collection[str]:
        """Return the ids that the client knows now and did not, or knows no more."""
        with self._session.lock:
            known = self._calls.known(self._scope)
        changed = known ^ self._known
        self._known = known
        return changed

    def take(self, kind: str, found: Iterable[Made]) -> None:
        """Take rows of *kind* that may have changed; calls first."""
        if kind == "calls":
            found = [*found]
            self._decide(found)
        super().take(kind, found)

    def _decide(self, found: Collection[Made]) -> None:
        """See which of the calls *found* are the client's."""
        for made in found:
            row = made.row
            if row is not None and self._calls.shows(row.said, self._known):
                self._ids[made.key] = frozenset(facts_of(row.said).uids)
            else:
                self._ids.pop(made.key, None)
        self.settle()

    def settle(self) -> None:
        """Make anew which ids are the client's."""
        own = self._known.union(*self._ids.values())
        self._changed |= own ^ self._own
        self._own.intersection_update(own)
        self._own.update(own)

    def changed(self) -> Collection[str]:
        """Return the ids that have become the client's since the last call, or ceased to be."""
        changed, self._changed = self._changed, set()
        return changed

    def learn(self) -> None:
        """Have the client know its calls: it is shown them."""
        new = frozenset[str]().union(*self._ids.values()) - self._known
        if new:
            with self._session.lock:
                self._calls.learn(self._scope, new)

    def clear(self) -> None:
        """Forget what was told: it is told anew."""
        super().clear()
        self._ids.clear()
        self.settle()
        self._changed.clear()
