# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody looks at: the pictures of the servers that they reach.  Runs in their thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy.basics.deadline import Deadline
from amiproxy.routing.eventids import id_of
from amiproxy.routing.ring import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.state.follower import Follower
    from amiproxy.threads.state.followers import Followers
    from amiproxy.threads.state.picture import Picture

#: Seconds that somebody waits, at most, for a model that is being built, and for a picture of one.
BUILDING, PICTURE = 8.0, 5.0


class Looked(NamedTuple):
    """A server that somebody looks at; *picture*: None for one whose state is not kept."""

    link: AsteriskLink
    follower: Optional[Follower]
    picture: Optional[Picture] = None


def needed(session: ClientSession, kinds: Sequence[str]) -> Sequence[str]:
    """Return what a picture needs of which *session* is shown *kinds*.

    By calls it is told which rows are whose.
    """
    calls = session.callfilter
    return [*kinds, "calls"] if calls is not None and calls.active else kinds


def reached(session: ClientSession, links: Sequence[AsteriskLink]) -> list[AsteriskLink]:
    """Return those of *links* that the user of *session* may see."""
    user = session.user
    return [link for link in links if user is None or user.reaches(link.names)]


def followed(followers: Followers, links: Sequence[AsteriskLink], patience: float) -> list[Looked]:
    """Have *links* followed; wait, *patience* seconds at most, until their models are built."""
    deadline = Deadline(patience)
    servers = [
        Looked(link, None if link.spec.proxy else followers.follower(link)) for link in links
    ]
    for server in servers:
        if server.follower is not None:
            server.follower.settle(deadline.left())
    return servers


def pictures(servers: Sequence[Looked], kinds: Sequence[str]) -> list[Looked]:
    """Return *servers* with their pictures, which have what the client has been sent so far."""
    deadline = Deadline(PICTURE)
    wanted = [one.follower.want(kinds) if one.follower is not None else None for one in servers]
    return [
        server._replace(picture=None if each is None else each.wait(deadline.left()))
        for server, each in zip(servers, wanted)
    ]


def event_id(context: ProxyContext, session: ClientSession, servers: Sequence[Looked]) -> str:
    """Return the id of the event up to which the pictures of *servers* have everything.

    For all servers that *session* sees: behind it, events go on where the rows end.
    """
    places = {link: link.place for link in reached(session, context.router.servers)}
    places.update((one.link, one.picture.place) for one in servers if one.picture is not None)
    return id_of(context.router.nonce, [one for one in places.values() if one != START])
