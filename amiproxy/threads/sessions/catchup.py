# SPDX-License-Identifier: GPL-2.0-or-later
"""CatchUp: the events of one server that one client has missed, on their way to it.

They are read from the server's ring, in the thread of the client, whose session is held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from amiproxy.routing.gaps import RING, SERVER_LOST, SLOW
from amiproxy.routing.ring import START

if TYPE_CHECKING:
    from amiproxy.formats import Format
    from amiproxy.routing.ring import Entry, Place
    from amiproxy.routing.viewer import Viewer
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.track import Track


class CatchUp:
    """What one client is sent of the ring of *link*, from where *track* has it on.

    It ends at the place *until*, if one is given: from there on to the place *now* the client has
    been sent everything, so it goes on behind that.  *forget* is called with the scopes of calls
    that ended with their connection.
    """

    #: At the end, the scopes of calls that have ended with their connection.
    ended: frozenset[str] = frozenset()

    #: Whether the client was told already that something is missing at the beginning.
    is_told = False

    def __init__(
        self,
        link: AsteriskLink,
        track: Track,
        forget: Callable[[str], object],
        until: Place | None = None,
        now: Place = START,
    ) -> None:
        self.link = link
        self._track, self._forget = track, forget
        self._until, self._now = until, now
        self._scopes = {link.scope}
        #: Whether the client was sent events of a server in the place of which this one is.
        self._follows_another = self.place == START and track.follows_another(link)
        self._has_read = False
        self._ahead: Entry | None = None
        self._read_on()

    def _read_on(self) -> None:
        """Read from where the client stands."""
        self._ring = self.link.ring
        self._reader = self._ring.read(self.place)
        self._ahead = None

    @property
    def place(self) -> Place:
        """Where the client stands."""
        return self._track.places.get(self.link, START)

    def next(self) -> Entry | None:
        """Return what is to be taken next, None if there is nothing so far."""
        if self._ring is not self.link.ring:  # SIGHUP
            self._read_on()
        if self._ahead is None:
            self._ahead = self._reader.next()
        return self._ahead

    def learn(self, viewer: Viewer, pass_on: Callable[[], object]) -> None:
        """Have the filters of *viewer* learn the calls in what the client does not miss."""
        reader, place = self.link.ring.read(START), self.place
        epoch = count = 0
        while (entry := reader.next()) is not None and entry.place <= place:
            if entry.epoch != epoch:
                self._forget_calls()
                epoch = entry.epoch
            if not entry.lost:
                self._scopes.add(entry.scope)
                viewer.chosen(entry.batch())
            count += 1
            if not count % _PORTION:
                pass_on()

    def take(self, viewer: Viewer, form: Format) -> bytes:
        """Take the next entry; return what the client is sent of it.

        Raises:
            HandlerError: *form* cannot write it.
            FilterTimeError: the filters of the client take too long.

        """
        entry = self._ahead
        assert entry is not None
        until = self._until
        if until is not None and (entry.epoch, entry.after) >= until:
            return self.jump(viewer, form)
        self._ahead = None
        self._track.reach(self.link, entry.epoch)
        if entry.place < self.place or self._may_be_known(entry):
            if self.place != START:
                self._track.places[self.link] = max(self.place, entry.place)
            return b""
        told = self._cross(entry, viewer, form)
        upto = entry.place if until is None else min(entry.place, until)
        if entry.lost:
            told += self._miss(entry, upto, viewer, form)
        elif not entry.knows_calls and viewer.follows_calls:
            told += self._track.gap(self.link, entry.place, RING, None, viewer, form)
        else:
            told += self._pass(entry, viewer, form)
        self._has_read = True
        return told

    def _may_be_known(self, entry: Entry) -> bool:
        """Return whether another proxy may have sent *entry*, of a server not known here then."""
        ahead, epoch = self._track.ahead, entry.epoch
        is_unknown = self.place == START and epoch < ahead.latest
        return is_unknown or ahead.is_doubtful(self.link, epoch)

    def _pass(self, entry: Entry, viewer: Viewer, form: Format) -> bytes:
        """Return what the client sees of *entry*."""
        self._scopes.add(entry.scope)
        batch, track = entry.batch(), self._track
        if not batch.events or not viewer.view.is_of(batch.names):
            track.places[self.link] = entry.place
            return b""
        if track.shows_ids:
            return track.numbered(self.link, batch, viewer, form)
        track.places[self.link] = entry.place
        return viewer.encode(batch, form)

    def _cross(self, entry: Entry, viewer: Viewer, form: Format) -> bytes:
        """Return what is told where *entry* came on another connection than the one before it."""
        place, track = self.place, self._track
        if entry.epoch == place[0]:
            return b""
        self._forget_calls()
        if place != START or self._follows_another:
            return self._lost(entry.epoch, viewer, form)
        if self.is_told or not self._had_others(entry.epoch):
            return b""
        return track.gap(self.link, (entry.epoch, entry.after), RING, None, viewer, form)

    def _had_others(self, epoch: int) -> bool:
        """Return whether the server has said something on a connection before *epoch*."""
        return any(number and each < epoch for each, number in self.link.past)

    def _lost(self, epoch: int, viewer: Viewer, form: Format) -> bytes:
        """Return what is told of what came before the connection *epoch*, and is not sent."""
        (old, number), track, link = self.place, self._track, self.link
        rest, told = max(0, (link.end_of(old) or 0) - number), b""
        if not track.shows_ids:  # nobody tells it that connections were lost
            rest += sum(count for each, count in link.past if old < each < epoch)
        if rest:
            reason = SLOW if self._has_read else RING
            told = track.gap(link, (old, number + rest), reason, rest, viewer, form)
        if track.shows_ids:
            return told + track.gap(link, (epoch, 0), SERVER_LOST, None, viewer, form)
        track.places[link] = epoch, 0
        return told

    def _miss(self, entry: Entry, upto: Place, viewer: Viewer, form: Format) -> bytes:
        """Return what is told of what is lost in *entry*, as far as *upto*."""
        place = self.place
        after = max(entry.after, place[1]) if place[0] == entry.epoch else entry.after
        missed = upto[1] - after
        if missed <= 0:
            return b""
        reason = SLOW if entry.dropped and self._has_read else RING
        return self._track.gap(self.link, upto, reason, missed, viewer, form)

    def jump(self, viewer: Viewer, form: Format) -> bytes:
        """Go on behind what the client has been sent; return what it is told of what is lost."""
        until, self._until = self._until, None
        if until is None:
            return b""
        told = self._skip(until, viewer, form) if until > self.place else b""
        self._track.places[self.link] = self._now
        self._read_on()
        return told

    def _skip(self, here: Place, viewer: Viewer, form: Format) -> bytes:
        """Return what is told of all up to *here*, which no ring has."""
        place, told = self.place, b""
        missed: int | None = here[1]
        if here[0] == place[0]:
            missed = here[1] - place[1]
        elif place != START or self._follows_another:
            told = self._lost(here[0], viewer, form)
        elif self._had_others(here[0]):
            missed = None
        if missed != 0 and not (self.is_told and place == START):
            told += self._track.gap(self.link, here, RING, missed, viewer, form)
        return told

    def finish(self, viewer: Viewer, form: Format) -> bytes:
        """Return what is told at last: what no ring has is lost.  The session's lock is held."""
        told, link = self.jump(viewer, form), self.link
        here = link.place
        self._track.reach(link, here[0])
        is_told = self._track.is_followed(link)
        if not is_told and here[1] and here > self.place and here > link.ring.last:
            told += self._skip(here, viewer, form)
        if not link.connected or self.place[0] != here[0]:
            self.ended = frozenset(self._scopes)
        return told

    def _forget_calls(self) -> None:
        for scope in self._scopes:
            self._forget(scope)


#: Entries after which others have a turn.
_PORTION = 100
