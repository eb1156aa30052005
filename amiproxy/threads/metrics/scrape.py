# SPDX-License-Identifier: GPL-2.0-or-later
"""Scrape: one look at the proxy for Prometheus, which collectors share."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Optional

from amiproxy.basics.deadline import Deadline
from amiproxy.metrics.page import Page
from amiproxy.state.tables import KINDS
from amiproxy.threads.state.followers import followers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
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


class Scrape:
    """One look at *context*.  For the thread that asks."""

    def __init__(self, context: ProxyContext) -> None:
        self.context = context
        #: What will be told.
        self.page = Page()

    @cached_property
    def servers(self) -> Sequence[tuple[str, AsteriskLink]]:
        """Each server with its name for the label ``server``.

        That is the name which messages bear; where two have the same one, with the port.
        """
        links = self.context.router.servers
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
