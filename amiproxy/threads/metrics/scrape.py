# SPDX-License-Identifier: GPL-2.0-or-later
"""Scrape: one look at the proxy for Prometheus, which collectors share."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy.basics.deadline import Deadline
from amiproxy.metrics.page import Page
from amiproxy.state.model import LIVE
from amiproxy.state.tables import KINDS
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.state.followers import followers_of
from amiproxy.threads.state.picture import PORTION
from amiproxy.threads.state.rights import Reader, judge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.state.table import Row
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.state.follower import Follower
    from amiproxy.threads.state.picture import Picture

#: Seconds that pictures of all models may take; Prometheus itself waits for ten.
_PATIENCE = 5.0


class Modelled(NamedTuple):
    """The model of one server, and what there is now; *picture*: None, it was not made in time."""

    server: str
    link: AsteriskLink
    follower: Follower
    picture: Optional[Picture]

    @property
    def is_live(self) -> bool:
        """Whether its rows are what Asterisk says now."""
        return self.picture is not None and self.picture.state == LIVE


class Scrape:
    """One look at *context*.  For the thread that asks.

    *session* is who asks, None: somebody whom the operator lets see all.
    """

    def __init__(self, context: ProxyContext, session: ClientSession | None = None) -> None:
        self.context = context
        self._session = session
        #: What will be told.
        self.page = Page()

    @cached_property
    def servers(self) -> Sequence[tuple[str, AsteriskLink]]:
        """Each server with its name for the label ``server``.

        That is the name which messages bear; where two have the same one, with the port.
        """
        user = None if self._session is None else self._session.user
        links = [
            link for link in self.context.router.servers if user is None or user.reaches(link.names)
        ]
        names = Counter(link.name for link in links)
        return [(link.name if names[link.name] == 1 else link.scope, link) for link in links]

    @cached_property
    def models(self) -> Sequence[Modelled]:
        """The models of the servers, where ``state = yes``; each has its rows as they are now."""
        if not self.context.config.state:
            return ()
        followers, deadline = followers_of(self.context), Deadline(_PATIENCE)
        wanted = [
            (server, link, follower, follower.want(KINDS))
            for server, link in self.servers
            if not link.spec.proxy and (follower := followers.follower(link)) is not None
        ]
        return [
            Modelled(server, link, follower, each.wait(deadline.left()))
            for server, link, follower, each in wanted
        ]

    def sees_all(self, link: AsteriskLink) -> bool:
        """Return whether who asks may see all that is said of the server of *link*."""
        if self._session is None:
            return True
        reader = Reader.of(self._session, link.scope)
        return reader.calls is None and reader.view.sees_all_events

    def rows(self, model: Modelled, kind: str) -> list[Row]:
        """Return the rows of *kind* that who asks may see; none unless they are those of now."""
        picture = model.picture
        if picture is None or not model.is_live:
            return []
        found = [each.row for each in paced(picture.rows.get(kind, ()), PORTION)]
        if self._session is None or self.sees_all(model.link):
            return found
        calls = (each.row for each in picture.rows.get("calls", ()))
        shows = judge(Reader.of(self._session, model.link.scope), calls)
        return [row for row in paced(found, PORTION) if shows(kind, row)]
