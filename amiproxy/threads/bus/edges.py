# SPDX-License-Identifier: GPL-2.0-or-later
"""Edges: the servers that other proxies of the cluster can connect to are this one's, too.

A proxy without ``host`` lines, an edge, has these alone.  It knows no user of theirs, so it never
connects to them itself.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.bus import clock
from amiproxy.settings.config import ServerSpec
from amiproxy.settings.hostline import read_events, read_name
from amiproxy.settings.readers import host

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.bus.members import Member, PublicSpec

log = logging.getLogger("amiproxy.bus")

#: Seconds for which a server stays that no proxy has any more: one that is started anew, with its
#: machine perhaps, finds its clients' places again.
GRACE = 30.0

#: Servers that are taken over from others: each has a thread, and a connection to the bus.
MOST = 1024

#: Has those servers, and no others, besides the own ones; returns which it cannot have, and why.
Learn = Callable[["Sequence[ServerSpec]"], "Sequence[tuple[ServerSpec, str]]"]


class _Known(NamedTuple):
    """A server, and when a proxy had it last; ``clock.now()`` seconds."""

    spec: ServerSpec
    seen: float


class Edges:
    """Has *learn* know the servers of all other proxies than that with the slot *own*.

    *members* returns the proxies of the cluster, *is_joined* whether that is how it is now.
    ``tend`` is for one thread.
    """

    def __init__(
        self,
        own: int,
        members: Callable[[], Sequence[Member]],
        is_joined: Callable[[], bool],
        learn: Learn,
        *,
        now: Callable[[], float] = clock.now,
    ) -> None:
        self._own, self._members, self._is_joined = own, members, is_joined
        self._learn, self._now = learn, now
        self._known: dict[str, _Known] = {}
        self._told: set[str] = set()  # what the log has been told of

    def tend(self) -> None:
        """Add servers that others have, and remove those that nobody has had for ``GRACE``.

        Once a second; never waits.
        """
        now = self._now()
        if self._is_joined():
            for member in self._members():
                if member.slot != self._own:
                    self._note(member.servers.values(), now)
            self._known = {
                scope: each for scope, each in self._known.items() if now - each.seen < GRACE
            }
        else:  # who is there now is not known
            self._known = {scope: each._replace(seen=now) for scope, each in self._known.items()}
        wanted = [self._known[scope].spec for scope in sorted(self._known)]
        for spec, why in self._learn(wanted):
            if self._is_news(spec.scope):
                log.warning("bus: server %s of the cluster is not taken over: %s", spec.scope, why)

    def _note(self, servers: Iterable[PublicSpec], now: float) -> None:
        """Note the *servers* of another proxy."""
        for each in servers:
            known = self._known.get(each.scope)
            if known is not None:
                # What it is stays, though another proxy may call its host otherwise.
                self._known[each.scope] = known._replace(seen=now)
            elif len(self._known) >= MOST:
                if self._is_news(""):
                    log.warning(
                        "bus: the cluster has more than %d servers: the others are left out", MOST
                    )
            elif (spec := _spec_of(each)) is not None:
                self._known[each.scope] = _Known(spec, now)

    def _is_news(self, about: str) -> bool:
        """Return whether the log has not been told of that."""
        if about in self._told or len(self._told) > MOST:
            return False
        self._told.add(about)
        return True


def _spec_of(public: PublicSpec) -> ServerSpec | None:
    """Return the server that *public* describes, None if no ``host`` line could.

    There is no user in it, so this proxy cannot log in there.
    """
    try:
        name, address = read_name(public.name), host(public.host)
    except ValueError:
        return None
    events = read_events(public.events)
    if not events or (name, address) != (public.name, public.host):
        return None
    return ServerSpec(address, public.port, "", "", events, name=name)
