# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a client goes on that comes back with an event id, and what it is told at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.basics.deadline import Deadline
from amiproxy.routing.eventids import LONGEST, EventId, read_id
from amiproxy.routing.gaps import RESTART, RING, SERVER_LOST
from amiproxy.routing.ring import START
from amiproxy.threads.sessions.numbering import is_to_come
from amiproxy.threads.sessions.replay import ReplayError
from amiproxy.threads.sessions.track import sees

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.routing.ring import Place
    from amiproxy.routing.viewer import Viewer
    from amiproxy.threads.sessions.eventsources import EventSources
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.turnstile import Turnstile


#: For how long a connection is waited for that other proxies know already, in seconds; for how
#: long if this proxy does not have what the bus has; and how often it is looked for.
_MOMENT, _LONGER, _LOOK = 1.0, 5.0, 0.01


class Way(NamedTuple):
    """Behind where a client goes on at each server that it sees.

    *gaps* are the servers where something is missing that no ring can tell, and why.  *ahead* is
    what another proxy has sent of connections that this one does not know: by epoch, up to where.
    """

    places: Mapping[AsteriskLink, Place]
    gaps: Mapping[AsteriskLink, str]
    ahead: Mapping[int, int] = {}


def read_since(text: str) -> EventId:
    """Return the id in a header ``Since``.

    Raises:
        ReplayError: it is none.

    """
    if not text:
        raise ReplayError("Since is missing")
    if len(text) > LONGEST:
        raise ReplayError("Since is too long")
    found = read_id(text)
    if found is None:
        raise ReplayError("Since is no event id")
    return found


def check_since(since: EventId, router: EventSources, viewer: Viewer, turns: Turnstile) -> None:
    """See whether *since* may be an id that the client of *viewer* has been sent.

    Another proxy may have sent it that has had more of a server that both share: what this one is
    still to have is waited for, in the client's thread.  That takes a moment, or longer where this
    one has just begun or cannot read the bus.

    Raises:
        ReplayError: it is not.

    """
    if _is_behind(router.servers, since):
        moment, longest = Deadline(_MOMENT), Deadline(_LONGER)
        with turns.outside():
            while _is_behind(router.servers, since) and not longest.over:
                if moment.over and all(link.is_current for link in router.servers):
                    break
                time.sleep(_LOOK)
    way_from(since, router.nonce, router.servers, viewer, {})


def _is_behind(links: Collection[AsteriskLink], since: EventId) -> bool:
    """Return whether *links* that are shared may still have to get what *since* names."""
    return any(link.is_shared for link in links) and any(
        not any(link.has_had(epoch) for link in links) for epoch in since.numbers
    )


def way_from(
    since: EventId,
    nonce: str,
    links: Collection[AsteriskLink],
    viewer: Viewer,
    now: Mapping[AsteriskLink, Place],
) -> Way:
    """Return where the client of *viewer* goes on that has been sent all up to *since*.

    *now* is where each server stands.

    Raises:
        ReplayError: *since* is not an id that this client can have.

    """
    seen = [link for link in links if sees(viewer, link)]
    here = {link: now.get(link, START) for link in seen}
    if since.nonce != nonce:
        return Way(here, dict.fromkeys(seen, RESTART))
    named, unknown = _named(since, links, seen)
    places: dict[AsteriskLink, Place] = {}
    gaps: dict[AsteriskLink, str] = {}
    for link in seen:
        if link in named:
            places[link] = named[link]
        elif not since.is_whole:
            places[link], gaps[link] = here[link], RING
        elif unknown and link.is_shared:
            places[link], gaps[link] = _behind(link, max(unknown)) or here[link], SERVER_LOST
        else:
            places[link] = START
            if unknown:
                gaps[link] = SERVER_LOST
    is_shared = any(link.is_shared for link in seen)
    return Way(places, gaps, {each: since.numbers[each] for each in unknown if is_shared})


def _behind(link: AsteriskLink, epoch: int) -> Place | None:
    """Return where the first connection of *link* behind *epoch* begins; None: there is none yet.

    Of older ones nobody knows whether the client has had them, at another proxy.
    """
    later = [each for each, _ in (*link.past, link.place) if each > epoch]
    return (min(later), 0) if later else None


def _named(
    since: EventId, links: Collection[AsteriskLink], seen: Collection[AsteriskLink]
) -> tuple[dict[AsteriskLink, Place], list[int]]:
    """Return which servers *since* names, and the epochs of connections that nobody knows.

    Raises:
        ReplayError: no client that sees the servers *seen* can have been sent that id.

    """
    named: dict[AsteriskLink, Place] = {}
    unknown = []
    for epoch, number in since.numbers.items():
        link = next((one for one in links if one.has_had(epoch)), None)
        if link is None:
            unknown.append(epoch)
            continue
        if link not in seen:  # before its number: how many events there are is not told either
            raise ReplayError("Since names a server that is not open to this user")
        end = link.end_of(epoch)
        is_ahead = end is not None and number > end and not link.is_shared
        if (link in named and not link.is_shared) or is_ahead:
            raise ReplayError("Since is no event id of this proxy")
        # A proxy that did not know a later connection has left both in its ids.
        named[link] = max(named.get(link, START), (epoch, number))
    if unknown and is_to_come(max(unknown)) and not any(link.is_shared for link in links):
        raise ReplayError("Since is no event id of this proxy")
    return named, unknown
