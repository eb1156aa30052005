# SPDX-License-Identifier: GPL-2.0-or-later
"""Watch: what one client watches; Seat: its place at one server; Sink: how it is told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Callable, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from amiproxy.live.told import Told
    from amiproxy.live.where import Where
    from amiproxy.threads.sessions.session import ClientSession

log = logging.getLogger("amiproxy.asterisk")


class Sink(Protocol):
    """Who is told: a client.  Several threads tell, each of another server."""

    def tell(self, told: Told) -> bool:
        """Send *told*; never wait, never raise.

        Return False, and send nothing of it, if the client lags: it is told nothing more until
        Watch.resync is called.  What it has taken before, it sends: where a snapshot was refused
        in the middle, it goes on with that part then.
        """


class Watch:
    """What one client watches.  Any thread may call its methods; none waits."""

    def __init__(
        self,
        session: ClientSession,
        kinds: Collection[str],
        where: Where,
        sink: Sink,
        changed: Callable[[], None],
    ) -> None:
        """Watch *kinds* for *session*; *changed* is called when the watch has ended, or goes on."""
        self.session = session
        self.kinds = frozenset(kinds)
        self.where = where
        self._sink = sink
        self._changed = changed
        #: Whether it is over, and whether the client takes no more for now.
        self.ended = self.lags = False
        #: How often the client was to get all anew, since it had lagged.
        self.resyncs = 0

    def tell(self, told: Told) -> bool:
        """Tell the client, if it takes more; return whether it was told."""
        if self.ended or self.lags:
            return False
        try:
            if self._sink.tell(told):
                return True
        except Exception:
            log.exception("state: %s is told nothing more", self.session.peer)
            self.ended = True
        self.lags = True
        return False

    def resync(self) -> None:
        """The client, which lagged, takes more again: it gets a new snapshot of all."""
        self.resyncs += 1  # first: whoever finds that it lags no more has to know
        self.lags = False
        self._changed()

    def end(self) -> None:
        """Tell the client nothing more.  What is being told just now may still come."""
        self.ended = True
        self._changed()


class Seat:
    """The place of a *watch* at one server.  For the thread that tells of that server."""

    __slots__ = ("_calls", "_user", "behind", "parts", "resyncs", "shot", "watch")

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.take_rights()
        #: The parts of a snapshot that it has not been told.
        self.parts: Iterator[Told] | None = None
        self.shot: object = None
        self.resyncs = watch.resyncs
        self.behind: Told | None = None  # the part that it did not take

    def take_rights(self) -> None:
        """Tell it from now on by the rights that its client has now."""
        session = self.watch.session
        self._user, self._calls = session.user, session.callfilter

    @property
    def has_its_rights(self) -> bool:
        """Whether its client is still the user by whose rights it is told."""
        session = self.watch.session
        is_same = session.user is self._user and session.callfilter is self._calls
        return is_same and session.allowed

    @property
    def knows(self) -> bool:
        """Whether its client knows all that there was: changes tell it the rest."""
        is_told = self.parts is None and self.resyncs == self.watch.resyncs
        return is_told and self.has_its_rights

    def reaches(self, names: frozenset[str]) -> bool:
        """Return whether its client sees the server with these *names* at all."""
        return self.watch.session.allowed and (self._user is None or self._user.reaches(names))
